/** `npm run sim -- --hours 720 --seed N`: one long storm; says what it did and what it found. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { hours: { type: 'string', default: '24' }, seed: { type: 'string', default: '101' } },
});
const env = { ...process.env, CATCHUPD_SIM_HOURS: values.hours, CATCHUPD_SIM_SEEDS: values.seed };
const words = ['vitest', 'run', 'test/sim/seeds.test.ts', '--disable-console-intercept', '--testTimeout=0'];
process.exitCode = spawnSync('npx', words, { stdio: 'inherit', env }).status ?? 1;
