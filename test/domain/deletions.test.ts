import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deletionsOf } from '../../src/domain/deletions.js';
import { chooseEvictions, NO_LIMITS, type Kept } from '../../src/domain/retention.js';

const NOW = 1_000;
const item = (id: string, over: Partial<Kept> = {}): Kept => ({
  id,
  lane: 'general',
  kind: 'completed',
  priority: 10,
  stopAt: NOW - 10,
  expiresAt: NOW + 100,
  bytes: 10,
  keep: false,
  ...over,
});

describe('what will be removed', () => {
  it('is told with its time and rule, the next first; what is kept or recorded is not there', () => {
    const items = [
      item('later'),
      item('aged', { lane: 'sports' }),
      item('over', { stopAt: NOW - 500 }),
      item('kept', { keep: true }),
      item('running', { kind: 'active' }),
    ];
    const policy = { ...NO_LIMITS, budgetBytes: 40, completedAgeMsMaxPerLane: { sports: 30 } };
    expect(deletionsOf(items, policy, NOW)).toEqual({
      deletions: [
        { id: 'over', at: NOW, rule: 'budget-bytes' },
        { id: 'aged', at: NOW + 20, rule: 'retain-completed-max-age' },
        { id: 'later', at: NOW + 100, rule: 'expiry' },
      ],
      unmet: [],
    });
  });

  it('goes at that very time by that very rule', () => {
    const items = fc.uniqueArray(
      fc.record({
        id: fc.nat(50).map(String),
        lane: fc.constantFrom('sports', 'general'),
        kind: fc.constantFrom('completed' as const, 'failed' as const),
        priority: fc.constantFrom(10, 30),
        stopAt: fc.integer({ min: NOW - 50, max: NOW }),
        expiresAt: fc.integer({ min: NOW - 5, max: NOW + 50 }),
        bytes: fc.nat(50),
        keep: fc.boolean(),
      }),
      { selector: ({ id }) => id, maxLength: 15 },
    );
    const policies = fc.record({ age: fc.nat(60), budgetBytes: fc.nat(300), retainCompleted: fc.nat(5) });
    fc.assert(
      fc.property(items, policies, (all, { age, ...limits }) => {
        const policy = { ...NO_LIMITS, ...limits, completedAgeMsMax: age };
        const { deletions } = deletionsOf(all, policy, NOW);
        const now = new Set(deletions.flatMap(({ id, at }) => (at === NOW ? [id] : [])));
        const later = all.filter(({ id }) => !now.has(id));
        for (const { id, at, rule } of deletions)
          expect(chooseEvictions(at === NOW ? all : later, policy, at)).toContainEqual({ id, rule });
      }),
    );
  });
});
