/** The plan within what connections allow: laws, and the few cases that they do not show. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planWithin } from '../../src/domain/foresight.js';
import { isRecorded, type Capacity } from '../../src/domain/forecast.js';
import { channelKeyOf, type KnownRecording } from '../../src/domain/identity.js';
import { overrideOf } from '../../src/domain/override.js';
import { rowKeysOf, type Decision, type PlanInput } from '../../src/domain/plan.js';
import { at, capsule, capsuleAt, DAY, HOUR, known, MINUTE, POLICY } from './programmes.js';
import { apply, loadOf, type World } from './planWorld.js';

const slots = (slotsMax: number, preempt = true): Capacity => ({
  slotsMax,
  limits: {},
  preempt,
  accountsOf: () => [[]],
});
const now = DAY + 12 * HOUR;
const within = (given: Partial<PlanInput>, capacity: Capacity) =>
  planWithin(
    { capsules: [], known: [], tombstones: [], policy: POLICY, now, previousRowKeys: null, ...given },
    capacity,
  );

/** Channels that are recorded at a time, of those decisions. */
function feedsAt(decisions: readonly Decision[], time: number): Set<string> {
  return new Set(
    decisions
      .filter(({ capsule: { startAt, stopAt } }) => startAt <= time && time < stopAt)
      .map(({ capsule: row }) => channelKeyOf(row)),
  );
}

const scene = fc.record({
  rows: loadOf('a', 'b', 'c', 'd'),
  slotsMax: fc.integer({ min: 1, max: 3 }),
  preempt: fc.boolean(),
  states: fc.array(fc.constantFrom<KnownRecording['state'] | 'new'>('new', 'new', 'scheduled', 'running'), {
    minLength: 14,
    maxLength: 14,
  }),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

/** Some of the rows are known already; what runs has a connection, so no more than there are. */
function worldOf({ rows, states, slotsMax }: Scene): World {
  const running = new Set<string>();
  const found = rows.flatMap((row, i) => {
    const state = states[i] ?? 'new';
    if (state === 'new') return [];
    const isOn = state === 'running' && row.startAt <= now && now < row.stopAt;
    if (isOn && running.size < slotsMax) running.add(channelKeyOf(row));
    return [known(row, isOn && running.has(channelKeyOf(row)) ? 'running' : 'scheduled')];
  });
  return { known: found, tombstones: [] };
}

/** Few connections, a higher programme every now and then, and one episode on many channels. */
const crowded = fc.record({
  rows: fc
    .array(
      fc.record({
        channel: fc.nat(9),
        start: fc.integer({ min: 1, max: 30 }),
        length: fc.integer({ min: 1, max: 6 }),
        isMatch: fc.boolean(),
      }),
      { minLength: 6, maxLength: 24 },
    )
    .map((airings) => [
      ...new Map(
        airings.map(({ channel, start, length, isMatch }) => {
          const startAt = now + start * 5 * MINUTE;
          const own = { dnaId: `dna-${channel}`, episode: isMatch ? '' : 's1e1' };
          const title = isMatch ? 'a vs b' : 'Show';
          return [`${channel} ${start}`, capsuleAt(startAt, startAt + length * 5 * MINUTE, title, own)];
        }),
      ).values(),
    ]),
  slotsMax: fc.integer({ min: 1, max: 2 }),
  preempt: fc.boolean(),
  states: fc.array(fc.constantFrom<KnownRecording['state'] | 'new'>('new', 'new', 'new', 'scheduled'), {
    minLength: 24,
    maxLength: 24,
  }),
});
const check = (law: (given: Scene) => void) => fc.assert(fc.property(scene, law), { numRuns: 600 });

describe('the plan within connections', () => {
  it('never promises more at a time than there are', () => {
    check((given) => {
      const { decisions, conflicts } = within(
        { capsules: given.rows, ...worldOf(given) },
        slots(given.slotsMax, given.preempt),
      );
      const promised = decisions.filter((one) => isRecorded(one) && !conflicts.has(one));
      for (const { capsule: row } of promised) {
        const time = Math.max(now, row.startAt);
        expect(feedsAt(promised, time).size).toBeLessThanOrEqual(given.slotsMax);
      }
    });
  });

  it('leaves out only what has no connection at any moment of its time, all of them with others of its rank or higher', () => {
    check((given) => {
      const { decisions } = within({ capsules: given.rows, ...worldOf(given) }, slots(given.slotsMax));
      const recorded = decisions.filter(isRecorded);
      for (const { reason, capsule: row, priority } of decisions) {
        if (reason !== 'conflict') continue;
        expect(row.startAt).toBeGreaterThanOrEqual(now);
        const others = recorded.filter((one) => one.priority >= priority);
        const times = [row.startAt, ...others.flatMap((one) => [one.capsule.startAt, one.capsule.stopAt])];
        for (const time of times.filter((each) => each >= row.startAt && each < row.stopAt)) {
          const feeds = feedsAt(others, time);
          feeds.delete(channelKeyOf(row));
          expect(feeds.size).toBeGreaterThanOrEqual(given.slotsMax);
        }
      }
    });
  });

  const isSameAgain = (given: Scene) => {
    const capacity = slots(given.slotsMax, given.preempt);
    const first = within({ capsules: given.rows, ...worldOf(given) }, capacity);
    const then = apply(worldOf(given), first.decisions);
    const again = within({ capsules: given.rows, ...then, previousRowKeys: rowKeysOf(given.rows) }, capacity);
    expect(again.decisions.filter(({ action }) => action !== 'skip')).toEqual([]);
  };

  it('is the same plan when it is made again with its results known', () => check(isSameAgain));

  it('is the same with any number of airings of an episode that find no place', () => {
    fc.assert(fc.property(crowded, isSameAgain), { numRuns: 600 });
  });

  it('does not depend on the order of the guide, and decides once about every row', () => {
    fc.assert(
      fc.property(scene, fc.infiniteStream(fc.nat()), (given, numbers) => {
        const shuffled = given.rows
          .map((row) => ({ row, rank: Number(numbers.next().value) }))
          .toSorted((a, b) => a.rank - b.rank)
          .map(({ row }) => row);
        const world = worldOf(given);
        const one = within({ capsules: given.rows, ...world }, slots(given.slotsMax, given.preempt));
        const two = within(
          { capsules: shuffled, known: world.known.toReversed() },
          slots(given.slotsMax, given.preempt),
        );
        expect(two.decisions).toEqual(one.decisions);
        expect(one.decisions.map(({ capsule: row }) => row.recordKey).toSorted()).toEqual(
          given.rows.map(({ recordKey }) => recordKey).toSorted(),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('a programme that will lose all of its time', () => {
  const match = capsule('21:00', '22:00', 'a vs b', { dnaId: 'dna-two' });
  const film = capsule('21:00', '22:00', 'Film');
  const ask = (given: Partial<PlanInput>) =>
    within({ capsules: [match, film], now: at('20:00'), ...given }, slots(1)).decisions.map(
      ({ capsule: row, action, reason }) => `${row.title}: ${action} ${reason}`,
    );

  it('is not scheduled ahead, and given up where it was', () => {
    expect(ask({})).toEqual(['Film: skip conflict', 'a vs b: record scheduled']);
    expect(ask({ known: [known(film, 'scheduled')] })).toEqual([
      'Film: drop conflict',
      'a vs b: record scheduled',
    ]);
  });

  it('is tried all the same once it is on, or where a person asked for it', () => {
    expect(ask({ now: at('21:00') })).toEqual(['Film: skip conflict', 'a vs b: record in_progress']);
    expect(ask({ now: at('21:00') + 1_000 })).toEqual([
      'Film: record in_progress',
      'a vs b: record in_progress',
    ]);
    expect(ask({ known: [known(film, 'scheduled')], now: at('21:05') })).toEqual([
      'Film: skip already_scheduled',
      'a vs b: record in_progress',
    ]);
    const wanted = [overrideOf(film, 'want', now), overrideOf(match, 'want', now)];
    expect(ask({ overrides: wanted }).filter((line) => line.includes('conflict'))).toEqual([]);
  });

  it('leaves its episode to the next airing', () => {
    const numbered = (from: string, to: string, dnaId: string) =>
      capsule(from, to, 'Show', { episode: 's1e1', dnaId });
    const rows = [match, numbered('21:00', '22:00', 'dna-one'), numbered('23:00', '24:00', 'dna-three')];
    expect(ask({ capsules: rows })).toEqual([
      'Show: skip conflict',
      'a vs b: record scheduled',
      'Show: record scheduled',
    ]);
    // With a connection for both there is nothing to leave.
    const { decisions } = within({ capsules: rows, now: at('20:00') }, slots(2));
    expect(decisions.map(({ reason }) => reason)).toEqual(['scheduled', 'scheduled', 'repeat']);
  });
});
