import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { LONGEST_SUFFIX } from '../../src/domain/names.js';
import { episodeNames, episodeNumber } from '../../src/domain/showNames.js';
import { utf8Bytes } from '../../src/domain/text.js';
import { aCapsule } from './aRecording.js';

const of = (over: Parameters<typeof aCapsule>[0], bytesMax?: number) =>
  episodeNames(aCapsule(over), '1a2b3c4d', bytesMax);
const first = (over: Parameters<typeof aCapsule>[0]) => {
  const { show, season, names } = of(over);
  return `${show}/${season}/${names[0]}`;
};

describe('files of a series', () => {
  it.each([
    [
      { title: 'The Wire', episode: 's1e4', subTitle: 'Old Cases' },
      'The Wire/Season 01/The Wire - S01E04 - Old Cases',
    ],
    [{ title: 'The Wire', episode: 's10e104' }, 'The Wire/Season 10/The Wire - S10E104'],
    [{ title: 'Doctor', episode: 's0e1' }, 'Doctor/Season 00/Doctor - S00E01'],
    [{ title: 'Dune', episode: 's1e2p1' }, 'Dune/Season 01/Dune - S01E02 - pt1'],
    [
      { title: 'News at Ten', subTitle: 'Monday' },
      'News at Ten/Season 2026/News at Ten - 2026-11-23 19-30 - Monday',
    ],
    // A number without its season is none that a server could use.
    [{ title: 'Tatort', episode: 'e12' }, 'Tatort/Season 2026/Tatort - 2026-11-23 19-30'],
    [{ title: 'X', episode: 'dd:EP0123450001' }, 'X/Season 2026/X - 2026-11-23 19-30'],
    [
      { title: 'Q: "Why?" / <Because>', subTitle: 'a\\b|c' },
      'Q Why Because/Season 2026/Q Why Because - 2026-11-23 19-30 - a b c',
    ],
    [{ title: '...and Justice.' }, 'and Justice/Season 2026/and Justice - 2026-11-23 19-30'],
    [{ title: '⚽🎉' }, 'BBC One/Season 2026/BBC One - 2026-11-23 19-30'],
    [{ title: '///', channelName: '' }, 'capsule/Season 2026/capsule - 2026-11-23 19-30'],
    [{ title: 'مسلسل' }, 'مسلسل/Season 2026/مسلسل - 2026-11-23 19-30'],
  ])('%o lie in %s', (over, path) => {
    expect(first(over)).toBe(path);
  });

  it('say the channel, then six digits of the id, where another has the name', () => {
    expect(of({ title: 'X', episode: 's1e2' }).names).toEqual([
      'X - S01E02',
      'X - S01E02-BBC One',
      expect.stringMatching(/^X - S01E02-BBC One-[0-9a-f]{6}$/),
    ]);
  });

  it('fit everywhere, keep number or date, and lead nowhere else, whatever the guide says', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.constantFrom('', 's2e12', 's2e12p2'),
        fc.constantFrom(143, 255),
        (title, subTitle, episode, bytesMax) => {
          const { show, season, names } = of({ title, subTitle, episode, channelName: title }, bytesMax);
          for (const name of [show, season, ...names]) {
            expect(name).toMatch(/^[^./\\:*?"<>|\p{C}][^/\\:*?"<>|\p{Cc}]*$/u);
            expect(name).not.toMatch(/[. ]$/);
          }
          expect(utf8Bytes(show)).toBeLessThanOrEqual(143);
          for (const name of names) {
            expect(utf8Bytes(name + LONGEST_SUFFIX)).toBeLessThanOrEqual(bytesMax);
            expect(name).toContain(episode === '' ? ' - 2026-11-23 19-30' : ' - S02E12');
          }
          expect(new Set(names).size).toBe(3);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of two series whose names are long never lie in one folder', () => {
    const long = 'x'.repeat(200);
    expect(of({ title: `${long}1` }).show).not.toBe(of({ title: `${long}2` }).show);
  });
});

it('knows season and episode only where the guide says both', () => {
  expect(['s1e2', 's1e2p3', 'e2', 's4', 'dd:EP1', ''].map((episode) => episodeNumber({ episode }))).toEqual([
    { season: 1, episode: 2, part: 0 },
    { season: 1, episode: 2, part: 3 },
    null,
    null,
    null,
    null,
  ]);
});
