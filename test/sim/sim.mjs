/** `npm run sim -- --hours 720 --seed N`: one long storm; says what it did and what it found. Exits with 1 where it found something. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { compileAll } from './compile.mjs';

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '24' },
    seed: { type: 'string', default: '101' },
    slots: { type: 'string', default: '3' },
    'slow-disk': { type: 'boolean', default: false },
  },
});
const folder = compileAll();
try {
  const { simulate, told } = await import(pathToFileURL(join(folder, 'test/sim/simulation.js')).href);
  const ran = await simulate({
    seed: Number(values.seed),
    hours: Number(values.hours),
    slots: Number(values.slots),
    slowDisk: values['slow-disk'],
  });
  console.log(told(ran));
  process.exitCode = ran.findings.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
