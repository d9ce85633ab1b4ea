import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterFailure,
  hostRecordOf,
  penaltyOf,
  rankUpstreams,
  type UpstreamFacts,
} from '../../src/domain/ranking.js';

const T = Date.UTC(2026, 10, 23);
const MINUTE = 60_000;

function facts(index: number, more: Partial<UpstreamFacts> = {}): UpstreamFacts {
  return {
    ref: { source: 'm3u-1', channel: 'one', index },
    standing: 'listed',
    penalty: 0,
    blocked: false,
    deprioritized: false,
    quarantined: false,
    ...more,
  };
}

const order = (all: UpstreamFacts[]) => rankUpstreams(all).map(({ ref }) => ref.index);

const anyFacts = fc
  .array(
    fc.record({
      standing: fc.constantFrom(
        'relay' as const,
        'remembered_address' as const,
        'remembered_host' as const,
        'preferred_host' as const,
        'listed' as const,
      ),
      penalty: fc.nat(5),
      blocked: fc.boolean(),
      deprioritized: fc.boolean(),
      quarantined: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((list) => list.map((more, index) => facts(index, more)));

describe('the ranking of upstreams', () => {
  it('keeps the order of the lists where nothing speaks against it', () => {
    expect(order([facts(0), facts(1), facts(2)])).toEqual([0, 1, 2]);
  });

  it('asks the relay first, then what memory recommends', () => {
    expect(
      order([
        facts(0),
        facts(1, { standing: 'preferred_host' }),
        facts(2, { standing: 'remembered_host' }),
        facts(3, { standing: 'remembered_address' }),
        facts(4, { standing: 'relay' }),
      ]),
    ).toEqual([4, 3, 2, 1, 0]);
  });

  it('moves a host back that failed, and further one that is put last by name', () => {
    expect(order([facts(0, { penalty: 2 }), facts(1, { deprioritized: true }), facts(2)])).toEqual([2, 0, 1]);
  });

  it('uses blocked and quarantined ones only when nothing else is left', () => {
    expect(order([facts(0, { blocked: true }), facts(1, { quarantined: true }), facts(2)])).toEqual([2, 1]);
    expect(order([facts(0, { blocked: true })])).toEqual([0]);
  });

  it('never leaves a channel without any, never names one twice, and says why', () => {
    fc.assert(
      fc.property(anyFacts, (all) => {
        const ranked = rankUpstreams(all);
        expect(new Set(ranked.map(({ ref }) => ref.index)).size).toBe(ranked.length);
        expect(ranked.length > 0).toBe(all.length > 0);
        expect(ranked.every(({ reasons }) => reasons.length > 0)).toBe(true);
      }),
    );
  });
});

describe('a penalty', () => {
  it('halves every ten minutes and fades away', () => {
    const record = { failures: 4, at: T, cause: 'stall' };
    expect(penaltyOf(record, T)).toBe(4);
    expect(penaltyOf(record, T + 10 * MINUTE)).toBe(2);
    expect(penaltyOf(record, T + 120 * MINUTE)).toBe(0);
    expect(penaltyOf(null, T)).toBe(0);
  });

  it('is never of a row that makes no sense, whatever stands in the state', () => {
    const row = { failures: 2, at: T, cause: 'stall' };
    expect(hostRecordOf({ ...row, more: 1 })).toEqual(row);
    for (const broken of [
      { ...row, at: 'yesterday' },
      { ...row, at: 1e20 },
      { ...row, failures: null },
    ])
      expect(hostRecordOf(broken)).toBeNull();
    fc.assert(
      fc.property(fc.anything(), (any) => {
        const record = hostRecordOf(any);
        if (record) expect(new Date(record.at).toISOString()).toBeTruthy();
        expect(penaltyOf(record, T)).not.toBeNaN();
      }),
    );
  });

  it('grows with each failure in a row and never shrinks by one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(HOUR_MS), { minLength: 1, maxLength: 20 }), (gaps) => {
        let at = T;
        let record = null as ReturnType<typeof afterFailure> | null;
        for (const gap of gaps) {
          at += gap;
          const before = penaltyOf(record, at);
          record = afterFailure(record, at, 'reset');
          expect(penaltyOf(record, at)).toBe(before + 1);
        }
      }),
    );
  });
});

const HOUR_MS = 60 * MINUTE;
