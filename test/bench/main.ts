/**
 * `npm run bench -- NAME [--check] [--option value]`: measures what `npm run build` built, and answers in JSON. With
 * `--check` it exits with 1 where a budget is exceeded, so that a change that costs too much is seen.
 */
import { parseArgs } from 'node:util';
import { rounded, type Bench } from './bench.js';
import { BENCHES } from './benches.js';

function usage(problem: string): never {
  const rows = BENCHES.flatMap(({ name, what, options }) => [
    `  ${name}  ${what}`,
    ...Object.entries(options).map(([option, meaning]) => `      --${option}  ${meaning}`),
  ]);
  process.stderr.write(`${problem}\nnpm run bench -- NAME [--check] [options]\n${rows.join('\n')}\n`);
  process.exit(2);
}

function optionsOf(bench: Bench, args: readonly string[]): Map<string, string | boolean> {
  const own = Object.keys(bench.options).map((name) => [name, { type: 'string' as const }]);
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...(Object.fromEntries(own) as Record<string, { type: 'string' }>),
        check: { type: 'boolean' },
      },
    });
    return new Map(
      Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
  } catch (error) {
    return usage(String(error));
  }
}

const [name = '', ...args] = process.argv.slice(2);
const bench =
  BENCHES.find((each) => each.name === name) ?? usage(name === '' ? 'Which?' : `No bench "${name}".`);
const options = optionsOf(bench, args);
const given = new Map(
  [...options].flatMap(([key, value]) => (typeof value === 'string' ? [[key, value] as const] : [])),
);
const { budgets, measured } = await bench.run(given);
const within = budgets.every(({ value, max }) => value <= max);
const shown = budgets.map((budget) => ({
  ...budget,
  value: rounded(budget.value),
  within: budget.value <= budget.max,
}));
process.stdout.write(`${JSON.stringify({ bench: name, within, budgets: shown, measured }, null, 2)}\n`);
process.exitCode = options.has('check') && !within ? 1 : 0;
