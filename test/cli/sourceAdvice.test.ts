/** What `doctor` gives to paste for a huge list works where it is pasted, whatever the groups are called. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/cli/load.js';
import { sourceAdvice } from '../../src/cli/sourceAdvice.js';
import type { FilterPolicy } from '../../src/domain/filters.js';
import { channelFilter } from '../../src/domain/filters.js';
import type { Survey } from '../../src/runtime/survey.js';
import { channel, POLICY } from '../domain/programmes.js';

const ODD = ["It's", '"quoted"', 'News | UK', '🎬', 'A\\B', '$HOME', '`x`', '*', '@file', '#h: y', '- dash'];
const MORE = [',', '${HOME}', '!bang', '=b;c&d', '[b]', '{c}', 'true', '~', '%', ' ', '\t', "'", 'no', '12'];
const name = fc
  .array(fc.constantFrom(...ODD, ...MORE), { minLength: 1, maxLength: 4 })
  .map((words) => words.join('').trim())
  .filter((text) => text !== '');

function advised(groups: readonly string[]): { option: string; line: string } {
  const channels = Array.from({ length: 1_200 }, (_, n) =>
    channel(`One ${n}`, { group: groups[n % groups.length] ?? '' }),
  );
  const survey = { guide: { channels, guides: [], aliases: undefined } } as unknown as Survey;
  const [choice] = sourceAdvice(survey, POLICY);
  const after = (words: string) =>
    choice?.next
      .split('\n')
      .find((line) => line.startsWith(words))
      ?.slice(words.length);
  return {
    option: after('to record from some of them only: ') ?? '',
    line: after('or in the config file: ') ?? '',
  };
}

async function policyOf(argv: readonly string[], file = ''): Promise<FilterPolicy> {
  const loaded = await loadConfig({
    argv: ['run', '--m3u', 'x.m3u', ...argv],
    env: { HOME: '/home/bob' },
    cwd: '/home/bob',
    readFile: (path) =>
      path === '/home/bob/catchupd.yaml' && file !== ''
        ? Promise.resolve(file)
        : Promise.reject(Object.assign(new Error('nothing there'), { code: 'ENOENT' })),
  });
  if (loaded.kind !== 'command') throw new Error(`this is ${loaded.kind}`);
  return loaded.config.what;
}

function isRecorded(policy: FilterPolicy, group: string): boolean {
  const { guideName, dnaId, ...row } = channel('One', { group });
  return channelFilter(policy)({ ...row, channelName: guideName, dnaId }) === null;
}

it('is one word of a shell and one line of the config file, and means the groups that it names', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 2 }), async (groups) => {
      const { option, line } = advised(groups);
      const words = execFileSync('sh', ['-c', `for word in ${option}; do printf '%s\\0' "$word"; done`]);
      const argv = words.toString().split('\0').slice(0, -1);
      expect(argv).toHaveLength(1);
      for (const policy of [await policyOf(argv), await policyOf([], `${line}\n`)])
        for (const group of groups) expect(isRecorded(policy, group)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

it('names no other group for the usual ones', async () => {
  const { option } = advised(['News | UK', "Kid's"]);
  expect(option).toBe(`--groups='Kid'\\''s,News | UK'`);
  const policy = await policyOf([`--groups=Kid's,News | UK`]);
  expect(['News | UK', "Kid's", 'News', 'Sports'].map((group) => isRecorded(policy, group))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
