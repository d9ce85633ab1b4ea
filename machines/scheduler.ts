/**
 * The root: recovering → running → draining → stopped. It spawns and supervises recordings and guides, hands out slots
 * (P6), turns the plan's decisions into spawns and messages, and survives what it supervises (P8): a child that dies is
 * taken out, decided upon, and started again later or put aside. Its own time is data like everyone's.
 */

import { setup } from 'xstate';
import { allot } from '../src/domain/allot.js';
import { isFar, openAt } from '../src/domain/capturing.js';
import { DEFAULT_INTENSITY, decide, recentCrashes } from '../src/domain/intensity.js';
import { NO_SLOTS, without, type SlotTable } from '../src/domain/slots.js';
import type { RecordingEvent } from './events.js';
import { guideMachine } from './guide.js';
import { libraryMachine } from './library.js';
import { recordingMachine } from './recording.js';
import type { FreshRecording } from './recordingContext.js';
import {
  atTime,
  changed,
  deathOf,
  lettersOf,
  nextDeadline,
  type ChildDied,
  type Death,
  type SchedulerContext,
  type SchedulerEvent,
  type SchedulerInput,
  type Waited,
} from './schedulerContext.js';
import { supervised } from './supervised.js';

const ports = setup({
  types: {
    context: {} as SchedulerContext,
    events: {} as SchedulerEvent | ChildDied,
    input: {} as SchedulerInput,
  },
  actors: {
    recording: supervised(recordingMachine),
    guide: supervised(guideMachine),
    library: supervised(libraryMachine),
  },
  actions: {
    /** Looks around: plans, sweeps, beats the heart. */
    tick: (_, _now: { at: number }) => {},
    /** Has ALLOT come once everything that happens at this moment has been heard, so that a crowd is judged as one. */
    allotSoon: () => {},
    /** Writes down a recording that starts much later: it is born resting, as a document with a deadline. */
    shelve: (_, _later: { fresh: FreshRecording }) => {},
    /** Hands an event to a recording, waking it where it rests. */
    deliver: (_, _letter: { id: string; event: RecordingEvent }) => {},
    /** Closes a connection that nobody listens to. */
    dismiss: (_, _idle: { feed: string }) => {},
    /** Says that a child died, and of what. */
    mourn: (_, _death: Death) => {},
    /** Makes a recording that died ready to live again; RESUME follows. */
    revive: (_, _dead: { id: string; lastGood: unknown }) => {},
    /** Puts a child that will not stay up aside, where a person finds it. */
    quarantine: (_, _death: Death) => {},
    /** Its actor is stopped; a tombstone takes the document's place. */
    bury: (_, _dead: { id: string }) => {},
    /** Ends captures, flushes and says DRAINED. */
    drain: () => {},
  },
  guards: {
    due: ({ context, event }, kind: Waited) =>
      event.type === 'DEADLINE' &&
      event.kind === kind &&
      context.deadline?.kind === kind &&
      context.deadline.at === event.dueAt,
  },
});

/** Needs nothing of what it was: it is never put aside, and one that dies at its birth is born again later. */
function isMadeAnew(id: string): boolean {
  return id.startsWith('guide/') || id.startsWith('library/');
}

const chart = ports.extend({
  actions: {
    /** Gives out what is free, makes room where it may, and tells each that waits why. */
    allot: ports.enqueueActions(({ context, enqueue }) => {
      const { now: at } = context;
      const { table, granted, refused, preempted, yielded, dismissed } = allot(context, at);
      enqueue.assign(table);
      const tell = (id: string, event: RecordingEvent) => enqueue({ type: 'deliver', params: { id, event } });
      for (const { id, upstream } of granted) tell(id, { type: 'GRANTED', at, upstream });
      for (const { id, reason } of refused) tell(id, { type: 'QUEUED', at, reason });
      for (const id of preempted) tell(id, { type: 'PREEMPTED', at });
      for (const id of yielded) tell(id, { type: 'YIELD', at });
      for (const feed of dismissed) enqueue({ type: 'dismiss', params: { feed } });
    }),
    change: ports.assign(({ context, event }) => changed(context, event)),
    clock: ports.assign(({ context, event }) => ('at' in event ? atTime(context, event.at) : {})),
    reap: ports.enqueueActions(({ context, event, enqueue }) => {
      if (!('actorId' in event)) return;
      const death = deathOf(event, context.now);
      const recent = recentCrashes(context.crashes[death.id] ?? [], death.at, DEFAULT_INTENSITY);
      const verdict = decide(recent, death.at, DEFAULT_INTENSITY);
      enqueue.stopChild(death.id);
      enqueue({ type: 'mourn', params: death });
      const restartAt = verdict.kind === 'restart' ? verdict.at : death.at + DEFAULT_INTENSITY.withinMs;
      const stays = isMadeAnew(death.id) || (verdict.kind === 'restart' && death.lastGood !== null);
      if (!stays) enqueue({ type: 'quarantine', params: death });
      const { [death.id]: _, ...others } = context.crashes;
      enqueue.assign({
        ...without(context, death.id),
        crashes: stays ? { ...context.crashes, [death.id]: recent } : others,
        restarts: stays
          ? [...context.restarts, { id: death.id, at: restartAt, lastGood: death.lastGood }]
          : context.restarts,
      });
    }),
    restart: ports.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'DEADLINE') return;
      for (const { id, at, lastGood } of context.restarts)
        if (at <= event.dueAt) enqueue({ type: 'revive', params: { id, lastGood } });
      enqueue.assign({ restarts: context.restarts.filter(({ at }) => at > event.dueAt) });
    }),
    rearm: ports.assign(({ context }) => ({ deadline: nextDeadline(context) })),
    ticked: ports.assign(({ context, event }) =>
      'at' in event ? { tickAt: event.at + context.tickMs } : {},
    ),
    spawnGuides: ports.assign(({ event, spawn, self }) => {
      if (event.type !== 'GUIDES') return {};
      const children = self.getSnapshot().children;
      for (const input of event.guides)
        if (!children[`guide/${input.sourceId}`])
          spawn('guide', { id: `guide/${input.sourceId}`, input: { fresh: input } });
      return {};
    }),
    spawnLibraries: ports.enqueueActions(({ event, enqueue, self }) => {
      if (event.type !== 'LIBRARIES') return;
      const children = self.getSnapshot().children;
      const wanted = new Map(event.libraries.map((input) => [`library/${input.receiver}`, input]));
      for (const id of Object.keys(children))
        if (id.startsWith('library/') && !wanted.has(id)) enqueue.stopChild(id);
      enqueue.assign(({ spawn }) => {
        for (const [id, input] of wanted)
          if (!children[id]) spawn('library', { id, input: { fresh: input } });
        return {};
      });
    }),
    spawnFresh: ports.assign(({ event, spawn, self }) => {
      if (event.type !== 'PLANNED') return {};
      const children = self.getSnapshot().children;
      for (const order of event.orders)
        if (order.do === 'record' && !children[order.fresh.id] && !isFar(openAt(order.fresh), event.at))
          spawn('recording', { id: order.fresh.id, input: { fresh: order.fresh } });
      return {};
    }),
    shelveFar: ports.enqueueActions(({ event, enqueue }) => {
      if (event.type !== 'PLANNED') return;
      for (const order of event.orders)
        if (order.do === 'record' && isFar(openAt(order.fresh), event.at))
          enqueue({ type: 'shelve', params: { fresh: order.fresh } });
    }),
    passOn: ports.enqueueActions(({ event, enqueue }) => {
      if (event.type !== 'PLANNED') return;
      for (const order of event.orders)
        for (const letter of lettersOf(order, event.at)) enqueue({ type: 'deliver', params: letter });
    }),
    resume: ports.enqueueActions(({ event, enqueue, self }) => {
      if (event.type !== 'RESUME') return;
      const children = self.getSnapshot().children;
      const docs = event.docs.filter(({ id }) => !children[id]);
      enqueue.assign(({ spawn }) => {
        for (const { id, snapshot } of docs) spawn('recording', { id, input: { resume: snapshot as never } });
        return {};
      });
    }),
    wake: ports.enqueueActions(({ event, enqueue }) => {
      if (event.type !== 'RESUME') return;
      for (const { id } of event.docs)
        enqueue({ type: 'deliver', params: { id, event: { type: 'WOKEN', at: event.at } } });
    }),
    forward: ports.enqueueActions(({ event, enqueue }) => {
      if (event.type === 'FORWARD')
        enqueue({ type: 'deliver', params: { id: event.id, event: event.event } });
    }),
    rest: ports.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'REST') return;
      let table: Pick<SlotTable, 'slots' | 'queue'> = context;
      for (const id of event.ids) {
        enqueue.stopChild(id);
        table = without(table, id);
      }
      enqueue.assign({ slots: table.slots, queue: table.queue });
    }),
    leave: ports.enqueueActions(({ event, enqueue }) => {
      if (event.type !== 'GONE') return;
      enqueue.stopChild(event.id);
      enqueue({ type: 'bury', params: { id: event.id } });
    }),
  },
});

export const schedulerMachine = chart.createMachine({
  id: 'scheduler',
  context: ({ input }) => ({
    ...NO_SLOTS,
    slotsMax: input.slotsMax,
    tickMs: input.tickMs,
    tickAt: input.at,
    now: input.at,
    crashes: {},
    restarts: [],
    deadline: null,
  }),
  initial: 'recovering',
  on: {
    WANTS: { actions: ['clock', 'change'] },
    RELEASED: { actions: ['clock', 'change'] },
    PAUSED: { actions: ['clock', 'change'] },
    GONE: { actions: ['clock', 'change', 'leave'] },
    FEED_CLOSED: { actions: ['clock', 'change'] },
    REFUSED: { actions: ['clock', 'change'] },
    ACCOUNTS: { actions: ['clock', 'change'] },
    ADMISSION: { actions: ['clock', 'change'] },
    LIMITS: { actions: ['clock', 'change'] },
    RATE: { actions: ['clock', 'change'] },
    RESUME: { actions: ['clock', 'resume', 'wake'] },
    REST: { actions: ['clock', 'rest'] },
    FORWARD: { actions: ['clock', 'forward'] },
    'xstate.error.actor.*': { actions: ['reap', 'rearm'] },
  },
  states: {
    /** Stored recordings are put in place; wishes are noted, nothing is granted yet. */
    recovering: {
      on: {
        RECOVERED: { target: 'running', actions: 'clock' },
        DRAIN: { target: 'draining', actions: 'clock' },
      },
    },
    running: {
      entry: ['allot', 'rearm'],
      on: {
        WANTS: { actions: ['clock', 'change', 'allotSoon'] },
        RELEASED: { actions: ['clock', 'change', 'allotSoon'] },
        PAUSED: { actions: ['clock', 'change', 'allotSoon'] },
        GONE: { actions: ['clock', 'change', 'leave', 'allotSoon'] },
        FEED_CLOSED: { actions: ['clock', 'change', 'allotSoon'] },
        ALLOT: { actions: ['clock', 'allot', 'rearm'] },
        REFUSED: { actions: ['clock', 'change', 'allot', 'rearm'] },
        FEEDS: { actions: ['clock', 'change', 'allot', 'rearm'] },
        ACCOUNTS: { actions: ['clock', 'change', 'allot', 'rearm'] },
        ADMISSION: { actions: ['clock', 'change', 'allot', 'rearm'] },
        LIMITS: { actions: ['clock', 'change', 'allot', 'rearm'] },
        RATE: { actions: ['clock', 'change', 'allot', 'rearm'] },
        REST: { actions: ['clock', 'rest', 'allotSoon'] },
        GUIDES: { actions: ['clock', 'spawnGuides'] },
        LIBRARIES: { actions: ['clock', 'spawnLibraries'] },
        PLANNED: { actions: ['clock', 'spawnFresh', 'shelveFar', 'passOn'] },
        'xstate.error.actor.*': { actions: ['reap', 'rearm', 'allot'] },
        DEADLINE: [
          {
            guard: { type: 'due', params: 'tick' },
            actions: [
              'clock',
              'ticked',
              'rearm',
              { type: 'tick', params: ({ event }) => ({ at: event.at }) },
            ],
          },
          { guard: { type: 'due', params: 'restart' }, actions: ['clock', 'restart', 'rearm'] },
          { guard: { type: 'due', params: 'chance' }, actions: ['clock', 'allot', 'rearm'] },
        ],
        DRAIN: { target: 'draining', actions: 'clock' },
      },
    },
    /** No slot is given any more; captures end, what they know is stored, and they go on at the next start. */
    draining: {
      entry: 'drain',
      on: { DRAINED: 'stopped' },
    },
    stopped: {},
  },
});
