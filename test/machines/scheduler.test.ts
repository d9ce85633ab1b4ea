import { describe, expect, test } from 'vitest';
import { createActor, fromPromise, type AnyActorRef } from 'xstate';
import type { RecordingEvent, Told } from '../../machines/events.js';
import type { CaptureInput } from '../../machines/ports.js';
import { recordingMachine } from '../../machines/recording.js';
import { schedulerMachine } from '../../machines/scheduler.js';
import type { Death, SchedulerEvent } from '../../machines/schedulerContext.js';
import { supervised } from '../../machines/supervised.js';
import type { CaptureOutcome } from '../../src/domain/capture.js';
import { refKey } from '../../src/domain/channel.js';
import type { Recording } from '../../src/domain/recording.js';
import { folded } from '../../src/runtime/recover.js';
import { CAPSULE, fresh, SECOND, T0 } from './scenario.js';

const MINUTE = 60_000;
const OPEN = T0 - 15_000;

interface Capture {
  readonly id: string;
  readonly signal: AbortSignal;
  readonly end: (outcome: CaptureOutcome) => void;
}

/** Each on a channel of its own, so that each needs a connection of its own. */
function onChannel(id: string) {
  const upstreams = CAPSULE.upstreams.map((upstream) => ({ ...upstream, channel: id }));
  return fresh({ id, capsule: { ...CAPSULE, upstreams } });
}

/** The real charts; only what they ask of the world is noted here instead of done. */
function bench(slotsMax = 2) {
  const captures: Capture[] = [];
  const notes = {
    told: [] as Told[],
    mourned: [] as Death[],
    revived: [] as { id: string; lastGood: unknown }[],
    quarantined: [] as Death[],
    buried: [] as string[],
    ticks: [] as number[],
    drains: 0,
    nobody: [] as string[],
    shelved: [] as string[],
    allotments: 0,
  };
  /** Ids whose next wish throws on its way to the scheduler. */
  const poisoned = new Set<string>();
  let allotting = false;
  const recording = recordingMachine.provide({
    actors: {
      capture: fromPromise<CaptureOutcome, CaptureInput>(
        ({ input, signal }) =>
          new Promise((resolve) => {
            const closed = () => closeFeed(refKey(input.upstream));
            signal.addEventListener('abort', closed, { once: true });
            const end = (outcome: CaptureOutcome) => {
              closed();
              resolve(outcome);
            };
            captures.push({ id: input.id, signal, end });
          }),
      ),
    },
    actions: {
      tell(_, message) {
        if (message.type === 'WANTS' && poisoned.delete(message.id)) throw new Error('poisoned');
        notes.told.push(message);
        queueMicrotask(() => root.send(message));
      },
    },
  });
  const machine = schedulerMachine.provide({
    actors: { recording: supervised(recording) },
    actions: {
      deliver: (_, { id, event }) => queueMicrotask(() => deliver(id, event)),
      shelve: (_, { fresh: later }) => void notes.shelved.push(later.id),
      allotSoon() {
        if (allotting) return;
        allotting = true;
        queueMicrotask(() => {
          allotting = false;
          notes.allotments += 1;
          root.send({ type: 'ALLOT', at: context().now });
        });
      },
      tick: (_, { at }) => void notes.ticks.push(at),
      mourn: (_, death) => void notes.mourned.push(death),
      revive: (_, dead) => void notes.revived.push(dead),
      quarantine: (_, death) => void notes.quarantined.push(death),
      bury: (_, { id }) => void notes.buried.push(id),
      dismiss: (_, { feed }) => closeFeed(feed),
      drain: () => void (notes.drains += 1),
    },
  });
  const root = createActor(machine, { input: { slotsMax, tickMs: 30_000, at: OPEN - MINUTE } }).start();
  const child = (id: string) => (root.getSnapshot().children as Record<string, AnyActorRef | undefined>)[id];

  function closeFeed(feed: string): void {
    queueMicrotask(() => root.send({ type: 'FEED_CLOSED', at: OPEN, feed, by: 'us' }));
  }

  function deliver(id: string, event: RecordingEvent): void {
    const actor = child(id);
    if (actor) actor.send(event);
    else notes.nobody.push(`${id} ${event.type}`);
  }

  const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));
  async function send(event: SchedulerEvent): Promise<void> {
    root.send(event);
    await settle();
  }
  const stateOf = (id: string) => {
    const snapshot = child(id)?.getSnapshot() as { value: unknown; context: Recording } | undefined;
    return snapshot ? { value: snapshot.value, context: snapshot.context } : null;
  };
  const context = () => root.getSnapshot().context;
  function due(id: string) {
    const { deadline } = stateOf(id)?.context ?? {};
    const at = deadline?.at ?? 0;
    return { type: 'DEADLINE', kind: deadline?.kind ?? 'open', dueAt: at, at: Math.max(at, OPEN) } as const;
  }
  return {
    ...notes,
    notes,
    root,
    captures,
    poisoned,
    send,
    settle,
    stateOf,
    context,
    slots: () =>
      context()
        .slots.flatMap(({ holders }) => holders.map(({ id }) => id))
        .toSorted(),
    /** The tick that is awaited comes at `at`. */
    async tick(at: number): Promise<void> {
      const dueAt = context().deadline?.at ?? 0;
      await send({ type: 'DEADLINE', kind: 'tick', dueAt, at });
    },
    plan: (...ids: string[]) =>
      send({
        type: 'PLANNED',
        at: OPEN - MINUTE,
        orders: ids.map((id) => ({ do: 'record', fresh: onChannel(id) })),
      }),
    /** Its deadline comes. */
    call: (id: string) => child(id)?.send(due(id)),
    /** To the recording itself, as the deadline service and a capture do. */
    async tell(id: string, event: RecordingEvent): Promise<void> {
      child(id)?.send(event);
      await settle();
    },
    due,
  };
}

/** Running, with these recordings under way as far as there are slots. */
async function started(slotsMax: number, ...ids: string[]) {
  const sut = bench(slotsMax);
  await sut.send({ type: 'RECOVERED', at: OPEN - MINUTE });
  await sut.plan(...ids);
  for (const id of ids) {
    await sut.tell(id, sut.due(id));
  }
  return sut;
}

describe('the scheduler', () => {
  test('gives slots as far as they go, says why the others wait, and gives on what comes free', async () => {
    const sut = await started(2, 'a', 'b', 'c');
    expect(sut.slots()).toEqual(['a', 'b']);
    expect(sut.captures.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(sut.stateOf('c')).toMatchObject({
      value: { scheduled: 'queued' },
      context: { waiting: 'slots_full' },
    });
    const [first] = sut.captures;
    first?.end({ kind: 'stopped', at: T0 + 31 * MINUTE, piece: null });
    await sut.settle();
    expect(sut.slots()).toEqual(['b', 'c']);
    expect(sut.stateOf('c')?.value).toEqual({ spooling: 'open' });
  });

  test('spawns what is planned once, however often it is planned', async () => {
    const sut = await started(2, 'a');
    const before = sut.stateOf('a');
    await sut.plan('a', 'b');
    expect(sut.stateOf('a')).toEqual(before);
    expect(Object.keys(sut.root.getSnapshot().children)).toEqual(['a', 'b']);
  });

  test('writes down what starts much later instead of keeping an actor for it', async () => {
    const sut = bench();
    await sut.send({ type: 'RECOVERED', at: OPEN - MINUTE });
    const at = OPEN - 16 * MINUTE;
    const later = { do: 'record', fresh: onChannel('later') } as const;
    await sut.send({ type: 'PLANNED', at, orders: [later] });
    expect([sut.shelved, sut.stateOf('later')]).toEqual([['later'], null]);
    await sut.plan('soon');
    expect([sut.shelved, sut.stateOf('soon')?.value]).toEqual([['later'], { scheduled: 'early' }]);
  });

  test('judges those that ask at one moment together, so that a crowd costs no more than one', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `r${index + 10}`);
    const sut = bench(2);
    await sut.send({ type: 'RECOVERED', at: OPEN - MINUTE });
    await sut.plan(...ids);
    for (const id of ids.toReversed()) sut.call(id);
    await sut.settle();
    expect(sut.slots()).toEqual(ids.slice(0, 2));
    expect(sut.notes.allotments).toBe(1);
  });

  test('passes on what the plan says of one that is there', async () => {
    const sut = await started(2, 'a');
    const capsule = { ...CAPSULE, stopAt: CAPSULE.stopAt + 10 * MINUTE, recordKey: 'another' };
    const at = T0 + MINUTE;
    const expiresAt = capsule.stopAt + MINUTE;
    await sut.send({
      type: 'PLANNED',
      at,
      orders: [
        { do: 'reschedule', id: 'a', capsule, expiresAt, reason: 'stop_later' },
        { do: 'alias', id: 'a', recordKey: 'third' },
      ],
    });
    expect(sut.stateOf('a')?.context).toMatchObject({
      window: { stopAt: capsule.stopAt },
      expiresAt,
      keys: [CAPSULE.recordKey, 'another', 'third'],
    });
  });

  test('cancels one that waits, gives its place to the next, and revives it when it is wanted again', async () => {
    const sut = await started(1, 'a', 'b');
    await sut.send({
      type: 'PLANNED',
      at: OPEN,
      orders: [{ do: 'cancel', id: 'b', reason: 'gone' }],
    });
    expect(sut.stateOf('b')).toMatchObject({
      value: { cancelled: 'revocable' },
      context: { cancelReason: 'gone' },
    });
    expect(sut.context().queue).toEqual([]);
    const { expiresAt } = fresh();
    await sut.send({
      type: 'PLANNED',
      at: OPEN,
      orders: [{ do: 'revive', id: 'b', capsule: CAPSULE, expiresAt, reason: 'scheduled' }],
    });
    expect(sut.stateOf('b')).toMatchObject({ value: { scheduled: 'early' }, context: { cancelReason: '' } });
  });

  test('survives words of and to those that are not there', async () => {
    const sut = await started(2, 'a');
    const at = T0;
    const events: SchedulerEvent[] = [
      {
        type: 'PLANNED',
        at,
        orders: [
          { do: 'cancel', id: 'nobody', reason: 'gone' },
          { do: 'alias', id: 'nobody', recordKey: 'k' },
          { do: 'reschedule', id: 'nobody', capsule: CAPSULE, expiresAt: at, reason: 'moved' },
        ],
      },
      { type: 'REST', at, ids: ['nobody'] },
      { type: 'FORWARD', at, id: 'nobody', event: { type: 'KEEP', at } },
      { type: 'RELEASED', at, id: 'nobody' },
      { type: 'GONE', at, id: 'nobody' },
      { type: 'DEADLINE', kind: 'tick', dueAt: 1, at },
      { type: 'DEADLINE', kind: 'restart', dueAt: 1, at },
    ];
    for (const event of events) {
      await sut.send(event);
      expect(sut.root.getSnapshot().status).toBe('active');
    }
    expect(sut.nobody).toEqual(['nobody CANCEL', 'nobody KNOWN_AS', 'nobody RESCHEDULED', 'nobody KEEP']);
    expect(sut.stateOf('a')?.value).toEqual({ spooling: 'open' });
    expect(sut.slots()).toEqual(['a']);
  });

  test('looks around at each tick, and awaits the next', async () => {
    const sut = await started(2);
    await sut.tick(T0);
    expect(sut.context().deadline).toEqual({ kind: 'tick', at: T0 + 30_000 });
    await sut.tick(T0 + 30_005);
    expect(sut.context().deadline).toEqual({ kind: 'tick', at: T0 + 60_005 });
    expect(sut.ticks).toEqual([T0, T0 + 30_005]);
  });

  test('takes a recording out when it needs no actor, with its wish and its slot', async () => {
    const sut = await started(1, 'a', 'b');
    await sut.send({ type: 'REST', at: T0, ids: ['a'] });
    expect(sut.stateOf('a')).toBeNull();
    expect(sut.captures[0]?.signal.aborted).toBe(true);
    expect(sut.slots()).toEqual(['b']);
  });

  test('buries one of which nothing is left', async () => {
    const sut = await started(2, 'a');
    await sut.send({ type: 'GONE', at: T0, id: 'a' });
    expect(sut.stateOf('a')).toBeNull();
    expect(sut.buried).toEqual(['a']);
    expect(sut.slots()).toEqual([]);
  });

  test('lets nothing new start while it may not, and gives more when the limit is raised', async () => {
    const sut = bench(1);
    await sut.send({ type: 'RECOVERED', at: OPEN - MINUTE });
    await sut.send({ type: 'ADMISSION', at: OPEN - MINUTE, admission: 'disk_floor' });
    await sut.plan('a', 'b');
    await sut.tell('a', sut.due('a'));
    await sut.tell('b', sut.due('b'));
    expect(sut.slots()).toEqual([]);
    expect(sut.stateOf('a')?.context.waiting).toBe('disk_floor');
    await sut.send({ type: 'ADMISSION', at: OPEN, admission: null });
    expect(sut.slots()).toEqual(['a']);
    expect(sut.stateOf('b')?.context.waiting).toBe('slots_full');
    await sut.send({ type: 'LIMITS', at: OPEN, slotsMax: 5, tickMs: 30_000 });
    expect(sut.slots()).toEqual(['a', 'b']);
  });
});

describe('while it recovers and while it drains', () => {
  test('wishes are noted before everything is back, and granted then', async () => {
    const sut = bench(1);
    const wants = (id: string, priority: number): SchedulerEvent => ({
      type: 'WANTS',
      at: OPEN,
      id,
      candidates: [{ ...SECOND, channel: id }],
      priority,
      openAt: OPEN,
      startAt: OPEN,
      stopAt: OPEN + 1_800_000,
      fresh: false,
    });
    await sut.send(wants('low', 10));
    await sut.send(wants('high', 30));
    expect(sut.slots()).toEqual([]);
    await sut.send({ type: 'RECOVERED', at: OPEN });
    expect(sut.slots()).toEqual(['high']);
  });

  test('nothing is granted any more, and it stops when all is flushed', async () => {
    const sut = await started(1, 'a', 'b');
    await sut.send({ type: 'DRAIN', at: T0 });
    expect(sut.notes.drains).toBe(1);
    sut.captures[0]?.end({ kind: 'stopped', at: T0, piece: null });
    await sut.settle();
    expect(sut.stateOf('a')?.value).toEqual({ retrying: 'awaitingSlot' });
    expect(sut.slots()).toEqual([]);
    expect(sut.captures).toHaveLength(1);
    await sut.send({ type: 'DRAINED', at: T0 });
    expect(sut.root.getSnapshot().value).toBe('stopped');
    await sut.send({ type: 'RELEASED', at: T0, id: 'a' });
    expect(sut.slots()).toEqual([]);
  });
});

/** An event that breaks a chart: in an assign, in a guard, or in the entry of the state that it leads to. */
const BREAKS: Record<string, (sut: Awaited<ReturnType<typeof started>>) => Promise<void>> = {
  'an assign': (sut) =>
    sut.tell('a', { type: 'RESCHEDULED', at: T0, capsule: null as never, expiresAt: 0, reason: '' }),
  'a guard': (sut) => sut.tell('a', { type: 'CHECKPOINT', at: T0, upstream: null, piece: null } as never),
  'an entry': async (sut) => {
    sut.poisoned.add('a');
    sut.captures.find(({ id }) => id === 'a')?.end({ kind: 'stopped', at: T0, piece: null });
    await sut.settle();
  },
};

describe('a recording that breaks', () => {
  test.each(Object.entries(BREAKS))(
    'in %s leaves its sibling untouched, loses its capture and slot, and comes back after a while as it was',
    async (_, breakIt) => {
      const sut = await started(2, 'a', 'b', 'c');
      const sibling = sut.stateOf('b');
      const before = sut.stateOf('a');
      await sut.tick(T0);
      await breakIt(sut);

      expect(sut.stateOf('a')).toBeNull();
      expect(sut.stateOf('b')).toEqual(sibling);
      expect(sut.mourned).toMatchObject([{ id: 'a', lastGood: { status: 'active' } }]);
      expect(sut.quarantined).toEqual([]);
      const [own, others] = [
        sut.captures.filter(({ id }) => id === 'a'),
        sut.captures.filter(({ id }) => id !== 'a'),
      ];
      // One that had ended by itself has nothing left to abort.
      const ended = String((sut.mourned[0]?.event as { type?: string })?.type).startsWith('xstate.done');
      if (!ended) expect(own.map(({ signal }) => signal.aborted)).toEqual([true]);
      expect(others.map(({ id, signal }) => [id, signal.aborted])).toEqual([
        ['b', false],
        ['c', false],
      ]);
      expect(sut.slots()).toEqual(['b', 'c']);

      const { deadline, now } = sut.context();
      expect(deadline).toEqual({ kind: 'restart', at: now + 1_000 });
      expect(sut.revived).toEqual([]);
      await sut.send({ type: 'DEADLINE', kind: 'restart', dueAt: now + 1_000, at: now + 1_000 });
      expect(sut.revived).toMatchObject([{ id: 'a', lastGood: { context: { attempts: 1 } } }]);

      const { lastGood } = sut.revived[0] ?? {};
      const at = now + 1_000;
      const event = { reason: 'actor_crash', spool: null, patience: null } as const;
      const snapshot = folded(lastGood, { type: 'RESTARTED', at, downFrom: at - 1_000, ...event });
      await sut.send({ type: 'RESUME', at, docs: [{ id: 'a', snapshot }] });
      expect(sut.stateOf('a')).toMatchObject({
        value: { retrying: 'awaitingSlot' },
        context: { attempts: before?.context.attempts, startedAt: before?.context.startedAt },
      });
      // It wants its slot back, and waits like everybody.
      expect(sut.context().queue.map(({ id }) => id)).toEqual(['a']);
    },
  );

  test('a fourth time within a minute is put aside and said, and the others go on', async () => {
    const sut = await started(2, 'a', 'b');
    await sut.tick(T0);
    for (let crash = 1; crash <= 4; crash += 1) {
      const { deadline, now } = sut.context();
      if (crash > 1) {
        expect(deadline?.kind).toBe('restart');
        const at = deadline?.at ?? 0;
        await sut.send({ type: 'DEADLINE', kind: 'restart', dueAt: at, at });
        const snapshot = sut.revived.at(-1)?.lastGood;
        await sut.send({ type: 'RESUME', at, docs: [{ id: 'a', snapshot }] });
      }
      await sut.tell('a', {
        type: 'RESCHEDULED',
        at: Math.max(T0, now),
        capsule: null as never,
        expiresAt: 0,
        reason: '',
      });
    }
    expect(sut.mourned).toHaveLength(4);
    expect(sut.revived).toHaveLength(3);
    expect(sut.quarantined).toMatchObject([{ id: 'a', event: { type: 'RESCHEDULED' } }]);
    expect(sut.context()).toMatchObject({ restarts: [], crashes: {}, deadline: { kind: 'tick' } });
    expect(sut.stateOf('a')).toBeNull();
    expect(sut.stateOf('b')?.value).toEqual({ spooling: 'open' });
    expect(sut.slots()).toEqual(['b']);
  });

  test('at its birth is put aside at once: there is nothing to come back as', async () => {
    const sut = await started(2, 'b');
    await sut.send({
      type: 'PLANNED',
      at: T0,
      orders: [{ do: 'record', fresh: { ...fresh({ id: 'a' }), capsule: null as never } }],
    });
    expect(sut.quarantined).toMatchObject([{ id: 'a', lastGood: null }]);
    expect(sut.root.getSnapshot().status).toBe('active');
    expect(sut.stateOf('b')?.value).toEqual({ spooling: 'open' });
  });
});
