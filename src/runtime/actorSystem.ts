/**
 * The living charts: the scheduler and what it spawned, the one tap that stores whatever they become, and the way an
 * event finds a recording whether it lives or rests.
 */

import { createActor, type AnyActorRef, type InspectionEvent } from 'xstate';
import type { RecordingEvent, Told } from '../../machines/events.js';
import type { GuideContext } from '../../machines/guide.js';
import type { LibraryEvent } from '../../machines/library.js';
import type { FreshRecording } from '../../machines/recordingContext.js';
import type { SchedulerContext, SchedulerEvent, SchedulerInput } from '../../machines/schedulerContext.js';
import type { Capsule } from '../domain/capsule.js';
import type { UpstreamRef } from '../domain/channel.js';
import type { Candidate } from '../domain/slots.js';
import type { Log } from '../log.js';
import { plugged, type Plugs } from './actors.js';
import type { Book } from './book.js';
import type { AwaitedDeadline, Deadlines } from './deadlines.js';
import type { LocalTimes } from './localTime.js';
import { born } from './recover.js';

export interface ActorSystem {
  start(): void;
  /** In place of a scheduler that died another one, with nothing in it. */
  startAnew(): void;
  /** It died and no other has taken its place. */
  isDead(): boolean;
  send(event: SchedulerEvent): void;
  /** To a live recording, or to a resting one by waking it. */
  deliver(id: string, event: RecordingEvent): void;
  /** To a live recording only. */
  whisper(id: string, event: RecordingEvent): void;
  /** A deadline has come. */
  call(id: string, deadline: AwaitedDeadline, at: number): void;
  /** Ids of recordings that have an actor. */
  live(): readonly string[];
  /** To the chart of a receiver of the outbox, where it lives. */
  toLibrary(receiver: string, event: LibraryEvent): void;
  /** Every guide looks at its source now. */
  refreshGuides(at: number): void;
  /** State of every guide's chart. */
  guideStates(): readonly string[];
  scheduler(): { readonly state: string; readonly context: SchedulerContext };
}

export interface ActorSystemDoors {
  readonly plugs: Omit<Plugs, 'tell' | 'deliver' | 'allotSoon' | 'shelve'>;
  readonly input: () => SchedulerInput;
  readonly book: Book;
  readonly deadlines: Deadlines;
  readonly times: LocalTimes;
  /** Upstreams in the order in which they shall be asked now. */
  readonly rank: (refs: readonly UpstreamRef[], capsule: Capsule) => readonly Candidate[];
  /** Every change of slots and limits, to be remembered. */
  readonly onScheduler: (context: SchedulerContext) => void;
  readonly log: Log;
  readonly onGuide: (sourceId: string, state: string, context: GuideContext) => void;
  /** Sees everything that the charts do; must not throw. */
  readonly inspect: (event: InspectionEvent) => void;
  /** `fresh` is what one was to be made of that could not be. */
  readonly onBroken: (id: string, error: unknown, fresh?: unknown) => void;
  /** The scheduler itself died: nothing is supervised any more. */
  readonly onDeath: (error: unknown, event: unknown) => void;
}

const SCHEDULER = 'scheduler';
const GUIDE = 'guide/';
const LIBRARY = 'library/';

/** What every actor has, and XState's inspection type does not say. */
type Seen = AnyActorRef & { readonly src?: unknown };
interface Shown {
  readonly status: string;
  readonly value?: unknown;
  readonly context?: { readonly deadline: AwaitedDeadline | null };
}

export function isGuide(id: string): boolean {
  return id.startsWith(GUIDE);
}

export function createActorSystem(doors: ActorSystemDoors): ActorSystem {
  const { book, deadlines, times, log } = doors;
  /** Events that a resting recording was already woken for. */
  const woken = new WeakSet<RecordingEvent>();
  /** Whom a letter is on its way to: put to rest before it comes, they would never read it. */
  const underway = new Map<string, number>();
  let allotting = false;
  // One chart never runs inside another's transition: there, what it spawned cannot be seen yet, and a recording that
  // was just buried would be stored once more by the snapshot that ends its transition.
  const logic = plugged({
    ...doors.plugs,
    tell: (message) => queueMicrotask(() => hear(message)),
    deliver({ id, event }) {
      underway.set(id, (underway.get(id) ?? 0) + 1);
      queueMicrotask(() => {
        const left = (underway.get(id) ?? 1) - 1;
        if (left > 0) underway.set(id, left);
        else underway.delete(id);
        deliver(id, event);
      });
    },
    shelve: ({ fresh }) => queueMicrotask(() => shelve(fresh)),
    // What waits to be heard now comes before it.
    allotSoon() {
      if (allotting) return;
      allotting = true;
      queueMicrotask(() => {
        allotting = false;
        send({ type: 'ALLOT', at: doors.plugs.clock.now() });
      });
    },
  });
  /** The event that the scheduler works on, for the report of its death. */
  let heard: unknown = null;
  let root = birth();

  function birth() {
    const actor = createActor(logic, { id: SCHEDULER, input: doors.input(), inspect: tap });
    actor.subscribe({ error: (error) => doors.onDeath(error, heard) });
    return actor;
  }

  /** A chart knows its upstreams; which is best at this moment is known here. */
  function ranked(message: Told): SchedulerEvent {
    const lag = times.lagOf(message.id);
    const at = message.at + lag;
    const entry = message.type === 'WANTS' ? book.get(message.id) : undefined;
    if (message.type !== 'WANTS' || !entry) return { ...message, at };
    const { capsule } = entry.recording;
    const { lane } = capsule;
    const candidates = doors.rank(message.candidates, capsule);
    const { openAt, startAt, stopAt } = message;
    return {
      ...message,
      at,
      lane,
      candidates,
      openAt: openAt + lag,
      startAt: startAt + lag,
      stopAt: stopAt + lag,
    };
  }

  /** An event as the recording lives it: by the time that it began with. */
  function local(id: string, event: RecordingEvent): RecordingEvent {
    const lag = times.lagOf(id);
    return lag === 0 ? event : { ...event, at: event.at - lag };
  }

  const isDead = () => root.getSnapshot().status !== 'active';

  function send(event: SchedulerEvent): void {
    // The next scheduler asks everybody anew.
    if (isDead()) return;
    if (event.type === 'REST') root.send({ ...event, ids: event.ids.filter((id) => !underway.has(id)) });
    else root.send(event);
  }

  /** A wish of one that died in the same breath would hold a slot for ever. */
  function hear(message: Told): void {
    if (message.type !== 'WANTS' || children()[message.id]) send(ranked(message));
  }

  function children(): Readonly<Record<string, AnyActorRef | undefined>> {
    return root.getSnapshot().children;
  }

  function deliver(id: string, event: RecordingEvent): void {
    const actor = children()[id];
    if (actor) actor.send(local(id, event));
    else if (event.type === 'WOKEN' || woken.has(event) || !book.get(id))
      log.warn({ id, event: event.type }, 'an event found nobody');
    else wake(id, event);
  }

  function shelve(fresh: FreshRecording): void {
    try {
      if (!book.get(fresh.id)) book.observe(fresh.id, born(fresh));
    } catch (error) {
      doors.onBroken(fresh.id, error, fresh);
    }
  }

  function wake(id: string, event: RecordingEvent): void {
    try {
      woken.add(event);
      send({ type: 'RESUME', at: event.at, docs: [{ id, snapshot: book.snapshot(id) }] });
      send({ type: 'FORWARD', at: event.at, id, event });
    } catch (error) {
      doors.onBroken(id, error);
    }
  }

  /** Whatever a recording is sent is written down, whatever it becomes is stored. Must never throw. */
  function tap(event: InspectionEvent): void {
    try {
      const actor = event.actorRef as Seen;
      if (event.type === '@xstate.event') {
        if (actor.id === SCHEDULER) heard = event.event;
        if (actor.src === 'recording' && event.event.type !== 'xstate.init')
          book.note(actor.id, event.event as RecordingEvent);
      } else if (event.type === '@xstate.snapshot') look(actor, event.snapshot);
      doors.inspect(event);
    } catch (error) {
      log.error({ error: String(error) }, 'the tap failed');
    }
  }

  function look(actor: Seen, snapshot: Shown): void {
    if (snapshot.status !== 'active') return;
    if (actor.src === 'recording') book.observe(actor.id, actor.getPersistedSnapshot());
    if (actor.src === 'guide' || actor.src === 'library' || actor.id === SCHEDULER)
      deadlines.set(actor.id, snapshot.context?.deadline ?? null);
    if (actor.id === SCHEDULER) doors.onScheduler(snapshot.context as never);
    if (actor.src === 'guide')
      doors.onGuide(actor.id.slice(GUIDE.length), String(snapshot.value), snapshot.context as never);
  }

  return {
    start: () => void root.start(),
    startAnew() {
      root = birth();
      root.start();
    },
    isDead,
    send,
    deliver,
    whisper: (id, event) => children()[id]?.send(local(id, event)),
    call(id, deadline, at) {
      // Woken now, a stored recording would live raw, without RESTARTED: it is called again when all are in place.
      if (id !== SCHEDULER && root.getSnapshot().value === 'recovering') return deadlines.set(id, deadline);
      const event = { type: 'DEADLINE', kind: deadline.kind, dueAt: deadline.at, at } as const;
      if (id === SCHEDULER) send(event as SchedulerEvent);
      else if (id.startsWith(GUIDE) || id.startsWith(LIBRARY)) children()[id]?.send(event);
      else deliver(id, { ...event, at: at + times.lagOf(id) } as RecordingEvent);
    },
    live: () => Object.keys(children()).filter((id) => !id.startsWith(GUIDE) && !id.startsWith(LIBRARY)),
    toLibrary: (receiver, event) => children()[LIBRARY + receiver]?.send(event),
    refreshGuides(at) {
      for (const [id, actor] of Object.entries(children()))
        if (id.startsWith(GUIDE)) actor?.send({ type: 'REFRESH', at });
    },
    guideStates: () =>
      Object.entries(children()).flatMap(([id, actor]) =>
        id.startsWith(GUIDE) ? [String((actor?.getSnapshot() as Shown | undefined)?.value)] : [],
      ),
    scheduler: () => {
      const { value, context } = root.getSnapshot();
      return { state: value, context };
    },
  };
}
