/** What every retention rule keeps to, whichever it is: the next one is held to it by standing in the array. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_LIMITS, RETENTION_RULES, type Kept } from '../../src/domain/retention.js';

const NOW = 1_000;
const lane = fc.constantFrom('sports', 'general', 'gone from the configuration');
const disk = fc.constantFrom('a', 'b', '');
const items = fc.uniqueArray(
  fc.record({
    id: fc.nat(100).map(String),
    lane,
    kind: fc.constantFrom('completed' as const, 'failed' as const, 'active' as const),
    priority: fc.constantFrom(10, 30),
    stopAt: fc.integer({ min: NOW - 50, max: NOW }),
    expiresAt: fc.integer({ min: NOW - 5, max: NOW + 5 }),
    bytes: fc.nat(50),
    keep: fc.boolean(),
    disk,
  }),
  { selector: ({ id }) => id, maxLength: 30 },
);
const few = fc.nat(4);
const byLane = (limit: fc.Arbitrary<number>) => fc.dictionary(fc.constantFrom('sports', 'general'), limit);
const policies = fc.record({
  retainCompleted: few,
  retainFailed: few,
  retainCompletedPerLane: byLane(few),
  retainFailedPerLane: byLane(few),
  completedAgeMsMax: fc.nat(40),
  completedAgeMsMaxPerLane: byLane(fc.nat(40)),
  budgetBytesPerLane: byLane(fc.nat(200)),
  budgetBytes: fc.nat(300),
  diskShort: fc.dictionary(fc.constantFrom('a', 'b'), fc.nat(200)),
});
const law = (check: (all: Kept[], policy: typeof NO_LIMITS) => void) =>
  fc.assert(
    fc.property(items, policies, (all, policy) => {
      check(all, policy);
    }),
    { numRuns: 300 },
  );

it('retention rules have names that differ and that an option may have', () => {
  const names = RETENTION_RULES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
});

describe.each(RETENTION_RULES.map((rule) => [rule.name, rule] as const))('the rule %s', (name, rule) => {
  it('takes only what is there, once, and neither what a person keeps nor what is being recorded', () => {
    law((all, policy) => {
      const { ids } = rule.choose(all, policy, NOW);
      const chosen = all.filter(({ id }) => ids.includes(id));
      expect(chosen).toHaveLength(ids.length);
      for (const { keep, kind } of chosen) expect([keep, kind === 'active']).toEqual([false, false]);
    });
  });

  it('says the same each time it is asked, and changes nothing that it is given', () => {
    law((all, policy) => {
      const before = structuredClone(all);
      expect(rule.choose(all, policy, NOW)).toEqual(rule.choose(all, policy, NOW));
      expect(all).toEqual(before);
    });
  });

  it('never takes the younger of two that are alike but for their age', () => {
    law((all, policy) => {
      const sorted = all.toSorted((a, b) => a.priority - b.priority || a.stopAt - b.stopAt);
      const gone = new Set(rule.choose(sorted, policy, NOW).ids);
      const like = (a: Kept, b: Kept) =>
        a.lane === b.lane && a.kind === b.kind && a.priority === b.priority && a.disk === b.disk;
      for (const young of sorted.filter(({ id }) => gone.has(id)))
        for (const old of sorted.filter(
          (each) => like(each, young) && each.stopAt < young.stopAt && !each.keep && each.bytes > 0,
        ))
          if (name !== 'expiry') expect(gone.has(old.id)).toBe(true);
    });
  });

  it.runIf(name !== 'expiry')('takes nothing where no limit is set', () => {
    law((all) => expect(rule.choose(all, NO_LIMITS, NOW)).toEqual({ ids: [], unmet: [] }));
  });

  it('takes nothing of lanes that only earlier configurations knew by a limit of a lane', () => {
    law((all, policy) => {
      const perLaneOnly = { ...policy, ...NO_TOTALS };
      const gone = rule.choose(all, perLaneOnly, NOW).ids;
      for (const { id, lane: own } of all)
        if (own === 'gone from the configuration' && name !== 'expiry') expect(gone).not.toContain(id);
    });
  });
});

const NO_TOTALS = {
  retainCompleted: 0,
  retainFailed: 0,
  completedAgeMsMax: 0,
  budgetBytes: 0,
  diskShort: {},
};
