import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, listCounts, type GateCounts } from '../../src/domain/gate.js';

const counts = (channels: number, programmes: number | null, partial = false): GateCounts => ({
  channels,
  programmes,
  lastStopAt: 0,
  partial,
});
const accept = { verdict: 'accept' };
const hold = (reason: string) => ({ verdict: 'hold', reason });

describe('the sanity gate', () => {
  it('takes a first load, unless it is empty', () => {
    expect(judge(null, counts(1, 1, true))).toEqual(accept);
    expect(judge(null, counts(5, 0))).toEqual(hold('empty'));
    expect(judge(null, counts(0, null))).toEqual(hold('empty'));
  });

  it('holds less than half of the channels or of the programmes', () => {
    expect(judge(counts(100, 1_000), counts(49, 1_000))).toEqual(hold('halved'));
    expect(judge(counts(100, 1_000), counts(100, 499))).toEqual(hold('halved'));
    expect(judge(counts(100, 1_000), counts(50, 500))).toEqual(accept);
    expect(judge(counts(100, null), counts(49, null))).toEqual(hold('halved'));
  });

  it('holds a load that broke off, if it is smaller', () => {
    expect(judge(counts(100, 1_000), counts(100, 999, true))).toEqual(hold('partial'));
    expect(judge(counts(100, 1_000), counts(99, 1_000, true))).toEqual(hold('partial'));
    expect(judge(counts(100, 1_000), counts(100, 1_000, true))).toEqual(accept);
  });

  it('counts a list by its channels', () => {
    expect(judge(listCounts({ channels: [1, 2, 3] }), listCounts({ channels: [1] }))).toEqual(hold('halved'));
    expect(judge(listCounts({ channels: [1, 2] }), listCounts({ channels: [1] }))).toEqual(accept);
  });

  it('takes whatever is at least as large and not empty', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000),
        fc.nat(1_000),
        fc.nat(1_000),
        fc.nat(1_000),
        fc.boolean(),
        (a, b, c, d, partial) => {
          expect(judge(counts(a, b), counts(a + c + 1, b + d + 1, partial))).toEqual(accept);
        },
      ),
    );
  });
});
