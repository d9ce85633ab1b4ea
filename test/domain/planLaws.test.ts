import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capsule } from '../../src/domain/capsule.js';
import type { KnownRecording } from '../../src/domain/identity.js';
import { plan, rowKeysOf, type PlanInput, type PlanPolicy } from '../../src/domain/plan.js';
import { apply, loadOf, type World } from './planWorld.js';
import { capsuleAt, DAY, HOUR, MINUTE, POLICY, tombstone } from './programmes.js';

const load = loadOf('a', 'b');
const states = fc.array(
  fc.constantFrom<KnownRecording['state'] | 'tombstone'>('scheduled', 'running', 'done', 'tombstone'),
  {
    minLength: 14,
    maxLength: 14,
  },
);
const policy: fc.Arbitrary<PlanPolicy> = fc
  .record({
    lanes: fc.constantFrom([], ['sports'], ['general', 'sports']),
    excludeChannels: fc.constantFrom([], ['b']),
    capsulesMax: fc.constantFrom(0, 0, 3),
    joinMinLeft: fc.constantFrom(0, 0.5),
  })
  .map((own) => ({ ...POLICY, ...own }));

const now = DAY + 12 * HOUR;
const decide = (
  capsules: readonly Capsule[],
  world: World,
  own: PlanPolicy,
  previous: PlanInput['previousRowKeys'],
) => plan({ capsules, ...world, policy: own, now, previousRowKeys: previous });

/** A first load, some of it recorded, running or gone; then a second load. */
const scene = fc
  .tuple(load, states, load, policy, fc.boolean())
  .map(([before, fates, after, own, remembered]) => {
    const first = decide(
      before,
      { known: [], tombstones: [] },
      { ...own, lanes: [], excludeChannels: [] },
      null,
    );
    const planned = apply({ known: [], tombstones: [] }, first).known;
    const known = planned.flatMap((one, i) => {
      const state = fates[i] ?? 'scheduled';
      return state === 'tombstone' ? [] : [{ ...one, state }];
    });
    const tombstones = planned.flatMap((one, i) =>
      fates[i] === 'tombstone' ? [tombstone(one.capsule, { id: one.id })] : [],
    );
    return {
      before,
      after,
      policy: own,
      world: { known, tombstones },
      previous: remembered ? rowKeysOf(before) : null,
    };
  });
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;
const check = (law: (given: Scene) => void) => fc.assert(fc.property(scene, law), { numRuns: 1_000 });

describe('the plan', () => {
  it('changes nothing when it is made again with its results known', () => {
    check(({ after, policy: own, world, previous }) => {
      const then = apply(world, decide(after, world, own, previous));
      const again = decide(after, then, own, rowKeysOf(after));
      expect(again.filter(({ action }) => action !== 'skip')).toEqual([]);
      const third = decide(after, apply(then, again), own, rowKeysOf(after));
      expect(third.filter(({ action, addKey }) => action !== 'skip' || addKey)).toEqual([]);
      const lost = decide(after, then, own, null);
      // After a start a row that was there before passes for news: that of a programme which was dropped with its
      // channel may be taken for another that moved and has a new name now. All that follows from it is that another
      // airing of that one's episode is recorded beside it.
      expect(lost.filter(({ action, capsule }) => action === 'record' && capsule.episode === '')).toEqual([]);
    });
  });

  it('does not depend on the order of anything it is given', () => {
    fc.assert(
      fc.property(scene, fc.infiniteStream(fc.nat()), ({ after, policy: own, world, previous }, numbers) => {
        const shuffled = <T>(list: readonly T[]) =>
          list
            .map((value) => ({ value, rank: Number(numbers.next().value) }))
            .toSorted((a, b) => a.rank - b.rank)
            .map(({ value }) => value);
        const other = { known: shuffled(world.known), tombstones: shuffled(world.tombstones) };
        expect(decide(shuffled(after), other, own, previous)).toEqual(decide(after, world, own, previous));
      }),
      { numRuns: 500 },
    );
  });

  it('decides once about every row, and claims no recording twice', () => {
    check(({ after, policy: own, world, previous }) => {
      const decisions = decide(after, world, own, previous);
      const mine = new Set(after);
      const rows = decisions.filter(
        ({ capsule }) => mine.has(capsule) || !world.known.some((one) => one.capsule === capsule),
      );
      expect(rows.map(({ capsule }) => capsule.recordKey).toSorted()).toEqual(
        after.map(({ recordKey }) => recordKey).toSorted(),
      );
      const ids = decisions.flatMap(({ recordingId }) => recordingId ?? []);
      expect(new Set(ids).size).toBe(ids.length);
    });
  });

  it('is the same where every row comes twice', () => {
    check(({ after, policy: own, world, previous }) => {
      const twice = [...after.map((capsule) => ({ ...capsule })), ...after];
      const said = (decisions: ReturnType<typeof decide>) =>
        decisions.map(({ capsule, ...rest }) => ({ ...rest, key: capsule.recordKey }));
      expect(said(decide(twice, world, own, previous))).toEqual(said(decide(after, world, own, previous)));
    });
  });

  it('never drops what runs, and nothing at all for an empty load', () => {
    check(({ after, policy: own, world, previous }) => {
      const running = new Set(world.known.filter(({ state }) => state !== 'scheduled').map(({ id }) => id));
      const dropped = decide(after, world, own, previous).filter(({ action }) => action === 'drop');
      expect(dropped.filter(({ recordingId }) => running.has(recordingId ?? ''))).toEqual([]);
      expect(decide([], world, POLICY, previous)).toEqual([]);
    });
  });

  it('never shortens what runs without a programme that follows', () => {
    check(({ after, policy: own, world, previous }) => {
      for (const { action, capsule, recordingId } of decide(after, world, own, previous)) {
        const one = world.known.find(({ id }) => id === recordingId);
        if (one?.state !== 'running' || action === 'skip' || capsule.stopAt >= one.stopAt) continue;
        expect(
          after.some(({ startAt, dnaId }) => startAt === capsule.stopAt && dnaId === capsule.dnaId),
        ).toBe(true);
      }
    });
  });

  it('gives every wanted row one recording of its own', () => {
    check(({ after, policy: own, world, previous }) => {
      const then = apply(world, decide(after, world, own, previous));
      const starts = then.known
        .filter(({ state }) => state === 'scheduled')
        .map(({ startAt, capsule }) => `${capsule.dnaId} ${startAt}`);
      expect(new Set(starts).size).toBe(starts.length);
    });
  });

  it('keeps to the limit', () => {
    check(({ after, policy: own, world, previous }) => {
      if (own.capsulesMax === 0) return;
      const recorded = decide(after, world, own, previous).filter(({ action }) => action === 'record').length;
      const active = apply(world, decide(after, world, own, previous)).known.filter(
        ({ state }) => state !== 'done',
      ).length;
      if (recorded > 0) expect(active).toBeLessThanOrEqual(own.capsulesMax);
    });
  });

  it('follows small moves of a schedule of distinct titles without one new recording', () => {
    const shift = fc.integer({ min: -12, max: 12 });
    fc.assert(
      fc.property(fc.array(shift, { minLength: 1, maxLength: 20 }), fc.boolean(), (shifts, remembered) => {
        const rows = (moved: boolean) =>
          shifts.map((minutes, i) => {
            const startAt = now + (i + 1) * 30 * MINUTE + (moved ? minutes * MINUTE : 0);
            return capsuleAt(startAt, startAt + 30 * MINUTE, `Programme ${i}`);
          });
        const first = apply(
          { known: [], tombstones: [] },
          decide(rows(false), { known: [], tombstones: [] }, POLICY, null),
        );
        const decisions = decide(rows(true), first, POLICY, remembered ? rowKeysOf(rows(false)) : null);
        expect(decisions.map(({ action }) => action)).toEqual(
          shifts.map((minutes) => (minutes === 0 ? 'skip' : 'move')),
        );
        decisions.forEach(({ recordingId, capsule }) => {
          expect(first.known.find(({ id }) => id === recordingId)?.capsule.title).toBe(capsule.title);
        });
      }),
    );
  });

  it('has no slow corner: one channel, one title, all moved', () => {
    const rows = (offset: number) =>
      Array.from({ length: 20_000 }, (_, i) =>
        capsuleAt(now + i * 5 * MINUTE + offset, now + (i + 1) * 5 * MINUTE + offset, 'Short'),
      );
    const own = { ...POLICY, horizonMs: 1_000 * 24 * HOUR };
    const first = apply(
      { known: [], tombstones: [] },
      decide(rows(0), { known: [], tombstones: [] }, own, null),
    );
    const decisions = decide(rows(MINUTE), first, own, rowKeysOf(rows(0)));
    expect(decisions.filter(({ action }) => action === 'move')).toHaveLength(20_000);
  });
});
