import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge } from '../../src/domain/gate.js';
import { guideShift } from '../../src/domain/guideShift.js';
import { HOUR, MINUTE, programme } from './programmes.js';

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

  it('is held', () => {
    const counts = { channels: 1, programmes: 40, lastStopAt: 0, partial: false };
    expect(judge(counts, { ...counts, shiftMs: HOUR })).toEqual({ verdict: 'hold', reason: 'shifted' });
    expect(judge(null, { ...counts, shiftMs: HOUR })).toEqual({ verdict: 'accept' });
  });
});
