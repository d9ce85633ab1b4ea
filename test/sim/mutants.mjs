/**
 * `npm run sim:mutants [NAME...]`: plants one bug at a time in a copy of the sources and lives through the storms of the
 * suite, in short runs first, until one finds it. A bug that none finds says that the storms, or their judge, look away.
 * Exits with 1 where one survives.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileAll, compileInto, TOP } from './compile.mjs';

/** Seed, hours, and whether disks are slow, much as the suite has them; the cheap ones first. Without a bug each is clean. */
const STORMS = [
  [101, 4, 0],
  [102, 6, 0],
  [106, 6, 1],
  [103, 12, 0],
  [106, 12, 1],
  [104, 24, 0],
  [101, 24, 0],
  [102, 24, 0],
  [105, 24, 1],
];
/** A storm that hangs has found something too. */
const STORM_MS_MAX = 300_000;

const MUTANTS = [
  {
    name: 'truncate-on-open',
    file: 'src/capture/spool.ts',
    from: '({ bytes: firstOffset, trimmedBytes, isLoose } = await trimSpool(file));',
    to: 'await file.truncate(0);\n({ bytes: firstOffset, trimmedBytes, isLoose } = await trimSpool(file));',
  },
  {
    name: 'slot-never-given-back',
    file: 'src/domain/slots.ts',
    from: 'if (!holds(slot.holders, id)) return [slot];',
    to: 'if (slot.holders.length > 0) return [slot];',
  },
  {
    name: 'deadline-lost-at-restore',
    file: 'src/runtime/book.ts',
    from: 'deadlines.set(entry.id, entry.recording.deadline);',
    to: '',
  },
  {
    name: 'cool-down-forgotten',
    file: 'src/domain/slots.ts',
    from: 'const until = at + table.cooldownMs;',
    to: 'const until = at;',
  },
  {
    name: 'overlap-not-cut',
    file: 'src/capture/joiner.ts',
    from: 'const offset = isNew ? null : found;',
    to: 'const offset = isNew ? found : null;',
  },
  {
    name: 'padding-does-not-yield',
    file: 'src/domain/allot.ts',
    from: 'const padding = victims.find(({ holders }) => holders.every(({ stopAt }) => at >= stopAt));',
    to: 'const padding = undefined as Slot | undefined;',
  },
  {
    name: 'marker-ignored-if-missing',
    file: 'src/io/rootMarker.ts',
    from: "if (uuid === null) return 'mount_missing';",
    to: 'if (uuid === null) return null;',
  },
  {
    name: 'media-before-nfo',
    file: 'src/finalize/finalize.ts',
    from: '  await replaceFile(disk, place.nfo, nfoOf(recording.capsule, wish), own);\n',
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
    from: 'known: knownOf(shadows),',
    to: 'known: knownOf([]),',
  },
  {
    name: 'fsync-skipped',
    file: 'src/capture/spool.ts',
    from: 'await file.datasync();\n    return null;',
    to: 'return null;',
  },
  {
    name: 'name-of-the-spool-not-synced',
    file: 'src/capture/spool.ts',
    from: 'let isNamed = firstOffset > 0;',
    to: 'let isNamed = true;',
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
    from: 'fromAt > heardTo ? [{',
    to: 'fromAt < heardTo ? [{',
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
  {
    name: 'media-unlinked-before-its-record',
    edits: [
      { file: 'src/runtime/stages.ts', from: 'await book().durable(id);', to: '' },
      { file: 'src/expire/remove.ts', from: 'await doors.durable();', to: '' },
    ],
  },
  {
    name: 'spool-unlinked-before-its-media',
    file: 'src/finalize/moveMedia.ts',
    from: 'await disk.syncFolder(dirname(target));\n  await disk.unlink(spool)',
    to: 'await disk.unlink(spool)',
  },
  {
    name: 'server-told-before-its-record',
    file: 'src/runtime/outbox.ts',
    from: 'await written(row, signal);',
    to: '',
  },
  {
    name: 'retry-budget-forgotten',
    file: 'src/domain/capturing.ts',
    from: '(goodMs >= STEADY_STREAM_MS ? 0 : recording.faults) + 1',
    to: '1',
  },
];

const LIFE = `import { simulate } from './test/sim/simulation.js';
const [seed, hours, slow] = process.argv.slice(2).map(Number);
const { findings } = await simulate({ seed, hours, slowDisk: slow === 1, untilFound: true });
console.log(findings[0] ?? '');
process.exit(findings.length > 0 ? 1 : 0);
`;

/** What the storms say of it, or null. */
function found(folder) {
  for (const storm of STORMS) {
    const words = ['life.mjs', ...storm.map(String)];
    const run = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8', timeout: STORM_MS_MAX });
    if (run.status === 0) continue;
    if (/SyntaxError|ERR_MODULE_NOT_FOUND/.test(run.stderr))
      throw new Error(`it is no program: ${run.stderr}`);
    const said = run.stdout.trim() || /\w*Error: .*/.exec(run.stderr)?.[0] || 'it never ended';
    const [seed, hours, slow] = storm;
    return `seed ${seed}, ${hours} h${slow === 1 ? ', slow disk' : ''}: ${said}`;
  }
  return null;
}

/** The source with the bug in it. */
function planted(name, { file, from, pattern, to }) {
  const text = readFileSync(join(TOP, file), 'utf8');
  const bug = pattern ? text.replace(pattern, to) : text.replace(from, () => to);
  if (bug === text) throw new Error(`${name}: ${file} does not hold what is to be replaced`);
  return bug;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !MUTANTS.some((mutant) => mutant.name === name));
if (unknown.length > 0) throw new Error(`no mutant is called ${unknown.join(', ')}`);
const survivors = [];
const sound = compileAll();
writeFileSync(join(sound, 'life.mjs'), LIFE);
try {
  for (const mutant of MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const copy = mkdtempSync(join(tmpdir(), 'catchupd-mutant-'));
    try {
      cpSync(sound, copy, { recursive: true, verbatimSymlinks: true });
      for (const edit of mutant.edits ?? [mutant]) compileInto(copy, edit.file, planted(mutant.name, edit));
      const finding = found(copy);
      if (finding === null) survivors.push(mutant.name);
      console.log(
        `${finding === null ? 'SURVIVED' : 'caught  '} ${mutant.name} ${(finding ?? '').slice(0, 160)}`,
      );
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }
} finally {
  rmSync(sound, { recursive: true, force: true });
}
process.exitCode = survivors.length > 0 ? 1 : 0;
