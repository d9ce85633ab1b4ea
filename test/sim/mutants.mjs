/**
 * `npm run sim:mutants [NAME...]`: plants one bug at a time in a copy of the sources and runs storms of six hours on it. A
 * bug that no storm finds says that the storms, or their judge, look away. Exits with 1 where one survives.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MUTANTS = [
  {
    name: 'truncate-on-open',
    file: 'src/capture/spool.ts',
    from: '({ bytes: firstOffset, trimmedBytes } = await trimSpool(file));',
    to: 'await file.truncate(0);\n({ bytes: firstOffset, trimmedBytes } = await trimSpool(file));',
  },
  {
    name: 'slot-kept-after-an-outage',
    file: 'machines/recording.ts',
    from: "actions: [recorded, tryLater, 'letGo', release],",
    to: "actions: [recorded, tryLater, 'letGo'],",
  },
  {
    name: 'deadline-lost-at-restore',
    file: 'src/runtime/book.ts',
    from: 'deadlines.set(entry.id, entry.recording.deadline);',
    to: '',
  },
  {
    name: 'media-before-nfo',
    file: 'src/finalize/finalize.ts',
    from: '  await replaceFile(disk, place.nfo, nfoOf(recording.capsule, result.finishedAt), { mode });\n',
    to: '',
  },
  {
    name: 'marker-ignored',
    file: 'src/io/rootMarker.ts',
    pattern: /(export async function rootProblem\([^{]*\{)/,
    to: '$1\n  if (root) return null;',
  },
  {
    name: 'double-booking',
    file: 'src/runtime/planning.ts',
    from: 'known: knownOf(entries),',
    to: 'known: knownOf([]),',
  },
  {
    name: 'fsync-skipped',
    file: 'src/capture/spool.ts',
    from: 'await file.datasync();\n        return null;',
    to: 'return null;',
  },
  {
    name: 'name-of-the-spool-not-synced',
    file: 'src/capture/spool.ts',
    from: 'if (firstOffset === 0) await syncName(disk, path);',
    to: '',
  },
  {
    name: 'tombstone-dropped',
    file: 'src/store/store.ts',
    from: 'db.data.tombstones.set(tombstone.id, tombstone);',
    to: '',
  },
  {
    name: 'restarted-not-folded',
    file: 'src/runtime/revival.ts',
    from: 'const back = folded(snapshot, event);',
    to: 'const back = snapshot as ReturnType<typeof folded>;',
  },
  {
    name: 'cause-of-a-gap-lost',
    file: 'src/domain/capturing.ts',
    from: 'fromAt > silentSince ? [{',
    to: 'fromAt < silentSince ? [{',
  },
  {
    name: 'unlink-before-durable',
    file: 'src/expire/remove.ts',
    from: '  await doors.durable();\n',
    to: '',
  },
  {
    name: 'stop-too-early',
    file: 'src/domain/capturing.ts',
    from: 'const end = recording.window.stopAt + recording.window.postPaddingMs;',
    to: 'const end = recording.window.stopAt - 60_000;',
  },
  {
    name: 'every-clock-believed',
    file: 'src/runtime/steadyClock.ts',
    from: 'const JUMP_MS = 120_000;',
    to: 'const JUMP_MS = 1e15;',
  },
  {
    name: 'journal-not-synced',
    file: 'src/store/journalAdapter.ts',
    from: 'await file.datasync();',
    to: '',
  },
];

const top = fileURLToPath(new URL('../..', import.meta.url));
const wanted = process.argv.slice(2);
const survivors = [];
for (const mutant of MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const copy = mkdtempSync(join(tmpdir(), 'catchupd-mutant-'));
  try {
    for (const part of ['src', 'machines', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
      cpSync(join(top, part), join(copy, part), { recursive: true });
    symlinkSync(join(top, 'node_modules'), join(copy, 'node_modules'));
    const path = join(copy, mutant.file);
    const text = readFileSync(path, 'utf8');
    const bug = mutant.pattern
      ? text.replace(mutant.pattern, mutant.to)
      : text.replace(mutant.from, () => mutant.to);
    if (bug === text) throw new Error(`${mutant.name}: ${mutant.file} does not hold what is to be replaced`);
    writeFileSync(path, bug);
    const words = ['vitest', 'run', 'test/sim/seeds.test.ts', '--bail', '1', '--maxWorkers', '1'];
    const env = { CATCHUPD_SIM_HOURS: '6', ...process.env };
    const run = spawnSync('npx', words, { cwd: copy, encoding: 'utf8', env });
    const found =
      /^ {4}(P\d+ .*)$/m.exec(run.stdout)?.[1] ?? /Error: .*/.exec(run.stdout + run.stderr)?.[0] ?? '';
    const caught = run.status !== 0;
    if (!caught) survivors.push(mutant.name);
    console.log(`${caught ? 'caught  ' : 'SURVIVED'} ${mutant.name}: ${found.slice(0, 160)}`);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
process.exitCode = survivors.length > 0 ? 1 : 0;
