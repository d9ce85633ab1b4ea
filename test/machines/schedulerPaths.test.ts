import { describe, expect, test } from 'vitest';
import { schedulerMachine } from '../../machines/scheduler.js';
import type { SchedulerContext, SchedulerEvent, SchedulerInput } from '../../machines/schedulerContext.js';
import { ActorCrash } from '../../machines/supervised.js';
import { refKey } from '../../src/domain/channel.js';
import { FIRST, fresh, SECOND, T0 } from './scenario.js';
import { edgesOf, live, named, type Move } from './walk.js';

const INPUT: SchedulerInput = { slotsMax: 1, tickMs: 30_000, at: T0 };
const at = T0 + 1_000;
const ID = fresh().id;

const LIMITS = { a: { max: 1, learned: null, reserve: 0 } };

interface State {
  readonly value: unknown;
  readonly context: SchedulerContext;
  readonly children: Readonly<Record<string, unknown>>;
}

/** Everything that the scheduler can be told, in any state; what makes no sense there must change nothing. */
function moves({ context }: State): Move[] {
  const candidates = [FIRST, SECOND].map((upstream) => ({ ...upstream, accounts: ['a'] }));
  const want = { at, candidates, openAt: T0, startAt: T0, stopAt: T0 + 60_000, fresh: true };
  const events: SchedulerEvent[] = [
    { type: 'WANTS', id: ID, priority: 10, ...want },
    { type: 'WANTS', id: 'another', priority: 30, ...want, candidates: [SECOND] },
    { type: 'ALLOT', at },
    { type: 'RELEASED', at, id: ID },
    { type: 'PAUSED', at, id: ID },
    { type: 'GONE', at, id: ID },
    { type: 'FEED_CLOSED', at, feed: refKey(FIRST), by: 'us' },
    { type: 'REFUSED', at, feed: refKey(FIRST), limit: 1 },
    { type: 'FEEDS', at, open: [] },
    { type: 'RATE', at, feed: refKey(FIRST), bitsPerSecond: 8_000_000 },
    { type: 'LIBRARIES', at, libraries: [] },
    { type: 'ACCOUNTS', at, limits: LIMITS, cooling: [{ account: 'a', until: at + 25_000 }] },
    { type: 'ADMISSION', at, admission: 'disk_floor' },
    { type: 'LIMITS', at, slotsMax: 2, tickMs: 30_000 },
    { type: 'RESUME', at, docs: [{ id: 'another', snapshot: {} }] },
    { type: 'REST', at, ids: [ID] },
    { type: 'FORWARD', at, id: ID, event: { type: 'KEEP', at } },
    {
      type: 'GUIDES',
      at,
      guides: [{ sourceId: 'xmltv-1', kind: 'guide', pollMs: 60_000, lastGood: null }],
    },
    {
      type: 'PLANNED',
      at,
      orders: [
        { do: 'record', fresh: fresh() },
        { do: 'cancel', id: 'another', reason: 'not_in_guide' },
      ],
    },
    { type: 'RECOVERED', at },
    { type: 'DRAIN', at },
    { type: 'DRAINED', at },
  ];
  const { deadline } = context;
  if (deadline) events.push({ type: 'DEADLINE', kind: deadline.kind, dueAt: deadline.at, at: deadline.at });
  const crash = new ActorCrash(new Error('boom'), { status: 'active' } as never, { type: 'KEEP', at });
  const deaths = [crash, new Error('at birth')].map((error) => ({
    type: `xstate.error.actor.${ID}`,
    actorId: ID,
    error,
  }));
  return named<{ readonly type: string }>([...events, ...deaths]);
}

/** What the chart can tell apart, as far as the tests need it. */
function view({ value, context, children }: State): string {
  const { slots, queue, restarts, deadline, admission, cooling } = context;
  return JSON.stringify([
    value,
    slots.map(({ feed, closed, holders }) => [feed, closed, holders.length]),
    queue.map(({ id }) => id),
    restarts.length > 0,
    deadline?.kind,
    admission,
    cooling.length > 0,
    Object.keys(children).length,
  ]);
}

const NEXT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  recovering: { RECOVERED: 'running', DRAIN: 'draining' },
  running: { DRAIN: 'draining' },
  draining: { DRAINED: 'stopped' },
  stopped: {},
};

describe('the scheduler’s chart', () => {
  const walked = new Set<string>();
  /** From its birth, and from after its first tick. */
  const BEGINNINGS = [[], ['RECOVERED 1', 'DEADLINE 1']];
  const DEPTH = 3;

  async function after(names: readonly string[]): Promise<State> {
    const sut = live(schedulerMachine, { input: INPUT }, walked);
    const now = () => sut.actor.getSnapshot() as unknown as State & { readonly status: string };
    for (const name of names) {
      const before = now();
      const move = moves(before).find((each) => each.name === name);
      if (!move) throw new Error(`${name} cannot happen in ${JSON.stringify(before.value)}`);
      await sut.take(move);
      const { value, context, status } = now();
      expect(status).toBe('active');
      expect(value).toBe(NEXT[String(before.value)]?.[move.type] ?? before.value);
      // P6: whatever it is told, no more than it may give out; nothing at all before all are in place.
      expect(context.slots.length).toBeLessThanOrEqual(context.slotsMax);
      if (value === 'recovering') expect(context.slots).toEqual([]);
      if (value === 'running') expect(context.deadline).not.toBeNull();
      const ids = context.slots.flatMap(({ holders }) => holders.map(({ id }) => id));
      expect(new Set(ids).size).toBe(ids.length);
      for (const { id } of context.queue) expect(ids).not.toContain(id);
    }
    const end = now();
    sut.actor.stop();
    return end;
  }

  // Its spawns look at what lives, so that only a live one can be asked where it goes.
  test('a live one goes where it should, whatever it is told in whatever order, and no edge is left out', async () => {
    const seen = new Set<string>();
    let frontier: { readonly names: readonly string[]; readonly state: State }[] = [];
    for (const names of BEGINNINGS) frontier.push({ names, state: await after(names) });
    for (let depth = 0; depth < DEPTH; depth += 1) {
      const next: typeof frontier = [];
      for (const { names, state: from } of frontier)
        for (const { name } of moves(from)) {
          const path = [...names, name];
          const state = await after(path);
          if (seen.has(view(state))) continue;
          seen.add(view(state));
          next.push({ names: path, state });
        }
      frontier = next;
    }
    expect(seen.size).toBeGreaterThan(40);
    expect([...edgesOf(schedulerMachine).keys()].filter((edge) => !walked.has(edge))).toEqual([]);
  });
});
