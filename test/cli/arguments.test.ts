/** The many spellings of a command line, and the help that is made from the same table. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseArguments } from '../../src/cli/arguments.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { helpText, parseLine } from '../../src/cli/program.js';
import { optionsOf } from '../../src/config/options.js';

const rows = optionsOf('run');
const value = fc.stringMatching(/^[a-z0-9/.,=:*@ ]{1,12}$/);

/** One option in one of its spellings, and what it means. */
const spelled = fc
  .record({
    row: fc.constantFrom(...rows),
    value,
    twice: fc.boolean(),
    joined: fc.boolean(),
    on: fc.boolean(),
  })
  .map(({ row, value: text, twice, joined, on }) => {
    const dashes = twice ? '--' : '-';
    if (row.kind === 'flag') {
      if (on) return { words: [`${dashes}${row.name}`], meaning: `--${row.name}=true` };
      return {
        words: [joined ? `${dashes}${row.name}=false` : `${dashes}no-${row.name}`],
        meaning: `--${row.name}=false`,
      };
    }
    const words = joined ? [`${dashes}${row.name}=${text}`] : [`${dashes}${row.name}`, text];
    return { words, meaning: `--${row.name}=${text}` };
  });

describe('a command line', () => {
  it('means the same in every spelling, with the command anywhere between the options', () => {
    fc.assert(
      fc.property(fc.array(spelled, { maxLength: 8 }), fc.nat({ max: 8 }), (options, at) => {
        const words = options.map((option) => option.words);
        const argv = words.toSpliced(Math.min(at, words.length), 0, ['catchup-daemon']).flat();
        const read = normaliseArguments(argv);
        expect(read).toMatchObject({ command: 'run', positionals: [], problems: [] });
        expect(read.options).toEqual(options.map((option) => option.meaning));
        const texts = [...parseLine('run', read.options, []).line.values()].flat();
        expect(texts).toHaveLength(options.length);
      }),
    );
  });

  it('is never taken apart by what is in it: whatever the words, there is an answer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('run', '--', '-', '--=', '-lanes', '--no-'))),
        (argv) => {
          const read = normaliseArguments(argv);
          expect(read.command !== null || read.problems.length > 0).toBe(true);
        },
      ),
    );
  });
});

describe('the help', () => {
  it.each(COMMANDS.map(({ name }) => name))('of %s names every option it takes', (name) => {
    const text = helpText(name);
    for (const row of optionsOf(name)) expect(text).toContain(`--${row.name}`);
    expect(text.split('\n').every((line) => line.length <= 110)).toBe(true);
  });

  it('of the program names every command', () => {
    const text = helpText(null);
    for (const { name } of COMMANDS) expect(text).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  });
});
