import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FROM_UNKNOWN, indexFacts, indexText, mediaIndexOf, NO_JUMP } from '../../src/domain/mediaIndex.js';
import type { IndexLine } from '../../src/domain/mediaIndex.js';

const WRAP = 2 ** 33;
const of = (...lines: IndexLine[]) => mediaIndexOf(indexFacts(indexText(lines)));

describe('the index of a recording', () => {
  it('tells when each point is on the programme clock, and how much media follows it', () => {
    const index = of(
      ['start', 1_000],
      ['point', 0, 900_000, NO_JUMP],
      ['point', 1_880, 990_000, NO_JUMP],
      ['covered', 0, 3_760, 1_035_000],
    );
    expect(index).toEqual({
      startedAt: 1_000,
      bytes: 3_760,
      initBytes: 0,
      points: [
        { offset: 0, atMs: 0, durationMs: 1_000, discontinuity: false },
        { offset: 1_880, atMs: 1_000, durationMs: 500, discontinuity: false },
      ],
    });
  });

  it('goes on through the wrap of the clock', () => {
    const index = of(
      ['point', 0, WRAP - 90_000, NO_JUMP],
      ['point', 188, 90_000, NO_JUMP],
      ['covered', 0, 376, 180_000],
    );
    expect(index.points.map(({ atMs, durationMs }) => [atMs, durationMs])).toEqual([
      [0, 2_000],
      [2_000, 1_000],
    ]);
  });

  it('counts a hole at its length, and as no media', () => {
    const index = of(
      ['point', 0, 0, NO_JUMP],
      ['point', 188, 900_000, 180_000],
      ['covered', 0, 376, 990_000],
    );
    expect(index.points).toMatchObject([
      { atMs: 0, durationMs: 2_000, discontinuity: false },
      { atMs: 10_000, durationMs: 1_000, discontinuity: true },
    ]);
  });

  it('goes on where another clock begins', () => {
    const index = of(
      ['point', 0, 900_000, NO_JUMP],
      ['point', 188, 0, 1_080_000],
      ['point', 376, 90_000, FROM_UNKNOWN],
      ['covered', 0, 564, 180_000],
    );
    expect(index.points).toMatchObject([
      { atMs: 0, durationMs: 2_000 },
      { atMs: 2_000, durationMs: 1_000, discontinuity: true },
      { atMs: 3_000, durationMs: 1_000, discontinuity: true },
    ]);
  });

  it('shows nothing behind a part that nobody has looked at yet', () => {
    const lines: IndexLine[] = [
      ['point', 0, 0, NO_JUMP],
      ['covered', 0, 188, 90_000],
      ['point', 376, 180_000, NO_JUMP],
      ['covered', 376, 564, 270_000],
    ];
    expect(of(...lines)).toMatchObject({ bytes: 188, points: [{ offset: 0 }] });
    lines.push(['point', 188, 90_000, NO_JUMP], ['covered', 188, 376, 180_000]);
    expect(of(...lines)).toMatchObject({
      bytes: 564,
      points: [{ offset: 0 }, { offset: 188 }, { offset: 376 }],
    });
  });

  it('forgets what was cut off', () => {
    const index = of(
      ['point', 0, 0, NO_JUMP],
      ['point', 376, 90_000, NO_JUMP],
      ['covered', 0, 752, 180_000],
      ['cut', 376],
    );
    expect(index).toMatchObject({ bytes: 376, points: [{ offset: 0 }] });
  });

  it('is cut short by what is torn off its end, and by nothing else (P7)', () => {
    const lines: IndexLine[] = Array.from({ length: 12 }, (_, n): IndexLine[] => [
      ['point', n * 188, n * 90_000, NO_JUMP],
      ['covered', n * 188, (n + 1) * 188, (n + 1) * 90_000],
    ]).flat();
    const text = indexText(lines);
    const whole = mediaIndexOf(indexFacts(text));
    fc.assert(
      fc.property(fc.nat(text.length), (length) => {
        const cut = mediaIndexOf(indexFacts(text.slice(0, length)));
        expect(cut.points).toEqual(whole.points.slice(0, cut.points.length));
        expect(cut.bytes).toBeLessThanOrEqual(whole.bytes);
        expect(cut.points.every(({ offset }) => offset < cut.bytes)).toBe(true);
      }),
    );
  });
});
