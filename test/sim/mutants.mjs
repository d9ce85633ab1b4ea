/**
 * `npm run sim:mutants [NAME...]`: plants one bug at a time in a copy of the sources and lives through the storms of the
 * suite, in short runs first, until one finds it. A bug that none finds says that the storms, or their judge, look away.
 * Exits with 1 where one survives.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileAll, compileInto } from './compile.mjs';
import { editsOf, MUTANTS, planted } from './mutantList.mjs';

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
      for (const edit of editsOf(mutant)) compileInto(copy, edit.file, planted(mutant.name, edit));
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
