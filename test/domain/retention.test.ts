import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  chooseEvictions,
  NO_LIMITS,
  retain,
  type Kept,
  type RetentionPolicy,
} from '../../src/domain/retention.js';

const NOW = 1_000_000;

const item = (id: string, over: Partial<Kept> = {}): Kept => ({
  id,
  lane: 'general',
  kind: 'completed',
  priority: 10,
  stopAt: NOW - 1000,
  expiresAt: NOW + 1000,
  bytes: 100,
  keep: false,
  ...over,
});

const policy = (over: Partial<RetentionPolicy> = {}): RetentionPolicy => ({
  ...NO_LIMITS,
  ...over,
});

const gone = (items: Kept[], over: Partial<RetentionPolicy> = {}) =>
  chooseEvictions(items, policy(over), NOW).map(({ id, rule }) => `${id} ${rule}`);

describe('retention', () => {
  it('lets expired recordings go, at the moment of their expiry and not before', () => {
    const items = [item('a', { expiresAt: NOW }), item('b', { expiresAt: NOW + 1 })];
    expect(gone(items)).toEqual(['a expiry']);
  });

  it('never lets go what a person keeps, expired or over every limit', () => {
    const items = [item('a', { expiresAt: 1, keep: true }), item('b', { keep: true })];
    expect(gone(items, { retainCompleted: 1, budgetBytesPerLane: { general: 1 } })).toEqual([]);
  });

  it('takes the oldest of the lowest priority first', () => {
    const items = [
      item('new', { stopAt: 30 }),
      item('old-sport', { stopAt: 1, priority: 30 }),
      item('old', { stopAt: 10 }),
      item('older', { stopAt: 5 }),
    ];
    expect(gone(items, { retainCompleted: 2 })).toEqual(['older retain-completed', 'old retain-completed']);
  });

  it('counts lanes and kinds apart', () => {
    const items = [
      item('s1', { lane: 'sports', stopAt: 1 }),
      item('s2', { lane: 'sports', stopAt: 2 }),
      item('g1', { stopAt: 1 }),
      item('g2', { stopAt: 2 }),
      item('f1', { kind: 'failed', stopAt: 1 }),
      item('f2', { kind: 'failed', stopAt: 2 }),
    ];
    expect(gone(items, { retainCompletedPerLane: { sports: 1 }, retainFailed: 1 })).toEqual([
      's1 retain-completed-per-lane',
      'f1 retain-failed',
    ]);
    expect(gone(items, { retainFailedPerLane: { general: 1 } })).toEqual(['f1 retain-failed-per-lane']);
  });

  it('frees bytes of a lane until it is inside its budget, and no more', () => {
    const items = [
      item('a', { stopAt: 1 }),
      item('b', { stopAt: 2, bytes: 0 }),
      item('c', { stopAt: 3 }),
      item('d'),
    ];
    expect(gone(items, { budgetBytesPerLane: { general: 250, sports: 1 } })).toEqual([
      'a budget-bytes-per-lane',
    ]);
  });

  it('lets finished ones go at an age: that of their lane, else the one for all', () => {
    const aged = (id: string, over: Partial<Kept>) => item(id, { stopAt: NOW - 100, ...over });
    const all = [
      aged('old', {}),
      aged('sport', { lane: 'sports' }),
      aged('failed', { kind: 'failed' }),
      aged('young', { stopAt: NOW - 99 }),
      aged('kept', { keep: true }),
    ];
    const limits = { completedAgeMsMax: 100, completedAgeMsMaxPerLane: { sports: 101 } };
    expect(gone(all, limits)).toEqual(['old retain-completed-max-age']);
  });

  it('counts what is being recorded, and takes something finished in its place', () => {
    const all = [
      item('a', { kind: 'active', stopAt: 1 }),
      item('b', { stopAt: 2 }),
      item('c', { stopAt: 3 }),
    ];
    expect(gone(all, { budgetBytes: 200 })).toEqual(['b budget-bytes']);
    expect(gone(all, { budgetBytesPerLane: { general: 200 } })).toEqual(['b budget-bytes-per-lane']);
  });

  it('says by how much a limit stays exceeded, where only what is kept is left', () => {
    const all = [item('a', { keep: true }), item('b', { kind: 'active' }), item('c')];
    expect(retain(all, policy({ budgetBytes: 150 }), NOW)).toEqual({
      evictions: [{ id: 'c', rule: 'budget-bytes' }],
      unmet: [{ rule: 'budget-bytes', of: '', over: 50 }],
    });
  });

  it('frees a disk that is short of space, and no other one', () => {
    const all = [
      item('elsewhere', { disk: 'b', stopAt: 1 }),
      item('sport', { disk: 'a', priority: 30, stopAt: 1 }),
      item('old', { disk: 'a', stopAt: 2 }),
      item('new', { disk: 'a', stopAt: 3 }),
    ];
    expect(gone(all, { diskShort: { a: 150 } })).toEqual(['old disk-free-min', 'new disk-free-min']);
    expect(retain(all, policy({ diskShort: { a: 301 } }), NOW).unmet).toEqual([
      { rule: 'disk-free-min', of: 'a', over: 1 },
    ]);
  });

  it('takes 0 for no limit', () => {
    const items = Array.from({ length: 50 }, (_, index) => item(`${index}`));
    expect(
      gone(items, { budgetBytesPerLane: { general: 0 }, retainCompletedPerLane: { general: 0 } }),
    ).toEqual([]);
  });
});

const lanes = ['sports', 'movies', 'general'] as const;
const items = fc.uniqueArray(
  fc.record({
    id: fc.nat(200).map(String),
    lane: fc.constantFrom(...lanes),
    kind: fc.constantFrom('completed' as const, 'failed' as const, 'active' as const),
    priority: fc.constantFrom(10, 20, 30),
    stopAt: fc.nat(20),
    expiresAt: fc.integer({ min: NOW - 5, max: NOW + 5 }),
    bytes: fc.nat(50),
    keep: fc.boolean(),
  }),
  { selector: ({ id }) => id, maxLength: 40 },
);
const limit = fc.nat(6);
const byLane = fc.dictionary(fc.constantFrom(...lanes), limit);
const policies = fc.record({
  diskShort: fc.constant({}),
  retainCompleted: limit,
  retainFailed: limit,
  retainCompletedPerLane: byLane,
  retainFailedPerLane: byLane,
  budgetBytesPerLane: fc.dictionary(fc.constantFrom(...lanes), fc.nat(200)),
  budgetBytes: fc.nat(400),
  completedAgeMsMax: fc.nat(20),
  completedAgeMsMaxPerLane: byLane,
});

describe('whatever is stored and whatever the limits, retention', () => {
  it('evicts nothing twice, nothing that is kept and nothing that is being recorded', () => {
    fc.assert(
      fc.property(items, policies, (all, limits) => {
        const ids = chooseEvictions(all, limits, NOW).map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const one of all.filter(({ id }) => ids.includes(id)))
          expect(one.keep || one.kind === 'active').toBe(false);
      }),
    );
  });

  it('ends inside every limit, or says by how much not and has nothing left that could go', () => {
    fc.assert(
      fc.property(items, policies, (all, limits) => {
        const { evictions, unmet } = retain(all, limits, NOW);
        const ids = new Set(evictions.map(({ id }) => id));
        const left = all.filter(({ id }) => !ids.has(id));
        const stays = ({ keep, kind }: Kept) => keep || kind === 'active';
        let exceeded = 0;
        const inside = (some: Kept[], measure: (kept: Kept[]) => number, max: number) => {
          if (max === 0 || measure(some) <= max) return;
          exceeded += 1;
          expect(some.filter((one) => !stays(one) && measure([one]) > 0)).toEqual([]);
        };
        const count = (some: Kept[]) => some.length;
        const bytes = (some: Kept[]) => some.reduce((sum, one) => sum + one.bytes, 0);
        expect(left.filter((one) => !stays(one) && one.expiresAt <= NOW)).toEqual([]);
        for (const kind of ['completed', 'failed'] as const) {
          const some = left.filter((one) => one.kind === kind);
          inside(some, count, kind === 'completed' ? limits.retainCompleted : limits.retainFailed);
          const perLane = kind === 'completed' ? limits.retainCompletedPerLane : limits.retainFailedPerLane;
          for (const lane of lanes)
            inside(
              some.filter((one) => one.lane === lane),
              count,
              perLane[lane] ?? 0,
            );
        }
        for (const lane of lanes)
          inside(
            left.filter((one) => one.lane === lane),
            bytes,
            limits.budgetBytesPerLane[lane] ?? 0,
          );
        inside(left, bytes, limits.budgetBytes);
        // A later rule may have met what an earlier one could not.
        expect(unmet.length).toBeGreaterThanOrEqual(exceeded);
      }),
    );
  });

  it('does not look at the order in which it is asked', () => {
    fc.assert(
      fc.property(items, policies, fc.nat(), (all, limits, turn) => {
        const at = all.length === 0 ? 0 : turn % all.length;
        const turned = [...all.slice(at), ...all.slice(0, at)].toReversed();
        expect(chooseEvictions(turned, limits, NOW)).toEqual(chooseEvictions(all, limits, NOW));
      }),
    );
  });

  it('has nothing more to say about what it left', () => {
    fc.assert(
      fc.property(items, policies, (all, limits) => {
        const ids = new Set(chooseEvictions(all, limits, NOW).map(({ id }) => id));
        expect(
          chooseEvictions(
            all.filter(({ id }) => !ids.has(id)),
            limits,
            NOW,
          ),
        ).toEqual([]);
      }),
    );
  });
});
