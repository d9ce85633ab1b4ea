import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge } from '../../src/domain/gate.js';
import { guideShift } from '../../src/domain/guideShift.js';
import { HOUR, MINUTE, programme } from './programmes.js';

interface Row {
  readonly lengthMin: number;
  readonly title: number;
  /** Another title comes in its place. */
  readonly other: number | null;
}

/** What is on one channel after the other; every channel has a few titles that come again and some that do not. */
const channelRows = fc.array(
  fc.record<Row>({
    lengthMin: fc.integer({ min: 3, max: 24 }).map((five) => five * 5),
    title: fc.integer({ min: 0, max: 60 }),
    other: fc.constantFrom(null, 0, 7, 99),
  }),
  { minLength: 24, maxLength: 40 },
);
const guides = fc.array(channelRows, { minLength: 2, maxLength: 8 });

interface Change {
  /** Up to half of the titles are others. */
  readonly retitled?: number;
  readonly delayMs?: (channel: number, startAt: number) => number;
  readonly from?: number;
  readonly to?: number;
}

function written(channels: readonly (readonly Row[])[], change: Change = {}) {
  const { retitled = 0, delayMs = () => 0, from = 0, to = Infinity } = change;
  return {
    programmes: channels.flatMap((rows, channel) => {
      const base = programme(`c${channel}`, '0:00', '0:30', '');
      let startAt = base.startAt;
      return rows.flatMap(({ lengthMin, title, other }, i) => {
        const beganAt = startAt;
        startAt += lengthMin * MINUTE;
        if (i < from || i >= to) return [];
        const isOther = other !== null && i % 10 < retitled * 10;
        const later = delayMs(channel, beganAt);
        const told = isOther ? `Other ${other === 99 ? i : other}` : `Title ${title}`;
        return [{ ...base, title: told, startAt: beganAt + later, stopAt: startAt + later }];
      });
    }),
  };
}

const delays = fc
  .tuple(fc.integer({ min: 3, max: 36 }), fc.boolean())
  .map(([fives, earlier]) => (earlier ? -1 : 1) * fives * 5 * MINUTE);
const shares = fc.constantFrom(0, 0.2, 0.3, 0.5);

/** A day of different programmes, and an hourly bulletin, later by so much. */
const day = (shiftMs: number, titles = 20) => ({
  programmes: [
    ...Array.from({ length: titles }, (_, i) => programme('one', `${i}:00`, `${i}:50`, `Programme ${i}`)),
    ...Array.from({ length: titles }, (_, i) => programme('one', `${i}:50`, `${i + 1}:00`, 'Bulletin')),
  ].map((each) => ({ ...each, startAt: each.startAt + shiftMs, stopAt: each.stopAt + shiftMs })),
});

describe('a guide that lies beside the last good one', () => {
  it('as a whole is seen, by however much', () => {
    fc.assert(
      fc.property(fc.integer({ min: 15, max: 14 * 60 }), fc.boolean(), (minutes, earlier) => {
        const shiftMs = (earlier ? -1 : 1) * minutes * MINUTE;
        expect(guideShift(day(0), day(shiftMs))).toBe(shiftMs);
      }),
    );
  });

  it('by minutes, in part or in too few programmes is no shift', () => {
    expect(guideShift(day(0), day(10 * MINUTE))).toBe(0);
    expect(guideShift(day(0), day(0))).toBe(0);
    expect(guideShift(day(0, 4), day(HOUR, 4))).toBe(0);
    const rows = day(0).programmes;
    const half = rows.map((each, i) => (i % 2 ? each : { ...each, startAt: each.startAt + HOUR }));
    expect(guideShift({ programmes: rows }, { programmes: half })).toBe(0);
    expect(guideShift({ programmes: [] }, day(HOUR))).toBe(0);
  });

  it('is seen where every title comes several times, and where the two overlap in a part only', () => {
    const titles = ['News', 'Quiz', 'Market', 'Cooking', 'Quiz', 'News', 'Coast', 'Market', 'Quiz'];
    const rows = (from: number, to: number, shiftMs: number) => ({
      programmes: Array.from({ length: to - from }, (_, i) => from + i).map((slot) => {
        const each = programme(
          'one',
          '0:00',
          '0:30',
          titles[(slot * slot * slot + (slot >> 2)) % titles.length] ?? '',
        );
        const startAt = each.startAt + (slot * 30 + (slot % 3) * 5) * MINUTE + shiftMs;
        return { ...each, startAt, stopAt: startAt + 25 * MINUTE };
      }),
    });
    expect(guideShift(rows(0, 60, 0), rows(24, 84, HOUR))).toBe(HOUR);
    expect(guideShift(rows(0, 60, 0), rows(24, 84, -2 * HOUR))).toBe(-2 * HOUR);
    expect(guideShift(rows(0, 60, 0), rows(24, 84, 0))).toBe(0);
  });

  it('is seen while up to half of the titles change and only half of the channels are shifted', () => {
    fc.assert(
      fc.property(guides, delays, shares, fc.boolean(), (channels, delay, retitled, half) => {
        const many = half ? Math.max(2, Math.ceil(channels.length / 2)) : channels.length;
        const later = written(channels, { retitled, delayMs: (channel) => (channel < many ? delay : 0) });
        expect(guideShift(written(channels), later)).toBe(delay);
      }),
      { numRuns: 300 },
    );
  });

  it('is not what every day brings: titles, hours that are over, a day more, one channel or evening late', () => {
    const late = (alone: number, delay: number) => (channel: number) => (channel === alone ? delay : 0);
    fc.assert(
      fc.property(guides, delays, shares, fc.nat(1), (channels, delay, retitled, alone) => {
        const long = channels.map((rows) => [...rows, ...rows.slice(0, 12)]);
        const before = written(channels);
        const evening = (_: number, startAt: number) =>
          startAt - (before.programmes[0]?.startAt ?? 0) < 4 * HOUR ? Math.abs(delay) : 0;
        for (const change of [
          { retitled },
          { retitled, from: 8 },
          { retitled, delayMs: late(alone, delay) },
          { delayMs: evening },
        ])
          expect(guideShift(before, written(long, change))).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('is held', () => {
    const counts = { channels: 1, programmes: 40, lastStopAt: 0, partial: false };
    expect(judge(counts, { ...counts, shiftMs: HOUR })).toEqual({ verdict: 'hold', reason: 'shifted' });
    expect(judge(null, { ...counts, shiftMs: HOUR })).toEqual({ verdict: 'accept' });
  });
});
