/**
 * Looks around at every tick and whenever something changed: is there room, what does the plan say now, what has to
 * go, who needs no actor any more. It measures and asks; `src/domain` judges, and the scheduler acts.
 */

import type { SchedulerEvent, Order } from '../../machines/schedulerContext.js';
import type { GuideContext } from '../../machines/guide.js';
import type { Config } from '../config/config.js';
import { isFar } from '../domain/capturing.js';
import type { Decision } from '../domain/plan.js';
import type { TimerHandle } from '../io/clock.js';
import type { Store } from '../store/store.js';
import { createAdmission } from './admission.js';
import type { Book } from './book.js';
import { isResting, type Entry } from './entries.js';
import { createDiskWatch } from './diskWatch.js';
import type { Doors } from './doors.js';
import { isNear } from './nearness.js';
import { createRemovedMedia } from './removedMedia.js';
import type { Planned } from './replan.js';
import type { Roots } from './roots.js';
import { createSourceNews } from './sourceNews.js';
import type { Sources } from './sources.js';
import { createSweep } from './sweeping.js';

/** After a look that took long the next one waits, unless a tick asks for it: nine parts of the time are for captures. */
const REST_PARTS = 9;
const REST_MS_MAX = 1_000;
/** So many orders are given before captures get their turn again: each may wake, move and store a recording. */
const ORDERS_A_TURN = 2;
/** So many give back their actors. */
const RESTED_A_TURN = 8;
/** With no news from a source the plan is made anew this often. */
const REPLAN_MS_MAX = 300_000;

/** `once` looks once and ends with what it found; `record` takes only what is on and gets a slot at once. */
export type RunMode = 'always' | 'once' | 'record';

export interface LookoutDoors {
  readonly config: Config;
  readonly doors: Doors;
  readonly mode: RunMode;
  readonly book: Book;
  readonly store: Store;
  readonly roots: Roots;
  readonly sources: Sources;
  readonly send: (event: SchedulerEvent) => void;
  /** Rejects where it could not be made. */
  readonly plan: () => Promise<Planned>;
  /** Reads the rules again where they changed. */
  readonly rulesChanged: () => Promise<boolean>;
  /** Ids of recordings that have an actor. */
  readonly live: () => readonly string[];
  /** Value of every guide's chart. */
  readonly guideStates: () => readonly string[];
  readonly refreshGuides: (at: number) => void;
  /** Whether anything may be removed or dropped for its date (P5). */
  readonly timeTrusted: () => boolean;
  /** Nothing says what time it is: no plan can be made. */
  readonly timeLost: () => boolean;
  /** Nothing is left to do (`--once`, `record`); a code where nothing could be done. */
  readonly onIdle: (problem: string | null) => void;
  /** Something is about to go out of the outbox. */
  readonly isOwing: () => boolean;
  /** Why nothing new starts from now on; null is that it does. */
  readonly onAdmission: (code: string | null) => void;
  /** A guide or list was refused by the sanity gate. */
  readonly onHeld: (source: string, reason: string) => void;
}

export interface Lookout {
  start(): void;
  look(): void;
  /** Another list or guide is in use. */
  sourceChanged(): void;
  /** A recording changed its state. */
  changed(): void;
  /** Looks at every source now. */
  refresh(): void;
  guideMoved(sourceId: string, state: string, context: GuideContext): void;
  stop(): void;
}

export function createLookout(doors: LookoutDoors): Lookout {
  const { config, mode, book, store, sources, send } = doors;
  const { clock, log } = doors.doors;
  const isOnce = mode !== 'always';
  const watch = createDiskWatch(config, doors.doors, doors.roots, book);
  const admission = createAdmission({
    doors: doors.doors,
    book,
    store,
    watch,
    send,
    onChange: doors.onAdmission,
    isOver: () => stopped,
  });
  const removedMedia = createRemovedMedia(doors.doors, book, doors.roots, send);
  const sweep = createSweep(config, doors.doors, book, watch, send);
  const news = createSourceNews(config, doors.doors, sources, store, doors.onHeld);
  let planned = false;
  /** A plan is being made; it may take seconds. */
  let planning = false;
  /** A source changed, so that what was planned may be wrong. */
  let planDue = true;
  let plannedAt = -Infinity;
  let stopped = false;
  let soon: TimerHandle | null = null;
  /** What of the plan the scheduler was not told yet. */
  let due: readonly Decision[] = [];
  let orderOf: Planned['orderOf'] = () => null;
  let ordering: TimerHandle | null = null;
  let next: TimerHandle | null = null;
  let resting: TimerHandle | null = null;
  let looking = false;
  let lookMs = 0;
  let again = false;

  function look(): void {
    if (stopped) return;
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    const began = clock.mono();
    void lookAround()
      .catch((error: unknown) => log.error({ error: String(error) }, 'looking around failed'))
      .finally(() => {
        looking = false;
        lookMs = clock.mono() - began;
        if (!again) return;
        again = false;
        lookSoon();
      });
  }

  function lookSoon(): void {
    if (stopped || soon) return;
    soon = clock.after(Math.min(REST_MS_MAX, lookMs * REST_PARTS), () => {
      soon = null;
      look();
    });
  }

  async function lookAround(): Promise<void> {
    await admission.look();
    if (await doors.rulesChanged()) planDue = true;
    planNow();
    const { writable } = store.status();
    if (writable) await removedMedia.look();
    if (writable && doors.timeTrusted()) sweep();
    if (!resting) rest();
    endIfIdle();
  }

  function planNow(): void {
    if (planning || stopped || doors.timeLost() || sources.guides().length === 0) return;
    if (isOnce && (planned || !settled())) return;
    // Rows come into the horizon hours before they start: a whole plan at every tick would be for nothing.
    const replanMs = Math.min(REPLAN_MS_MAX, config.what.horizonMs / 4);
    if (!planDue && clock.mono() - plannedAt < replanMs) return;
    planDue = false;
    plannedAt = clock.mono();
    planning = true;
    void doors
      .plan()
      .then(take)
      .catch((error: unknown) => {
        planDue = true;
        log.error({ error: String(error) }, 'no plan could be made; it is tried again');
      })
      .finally(() => {
        planning = false;
      });
  }

  function take(outlook: Planned): void {
    if (stopped) return;
    const at = clock.now();
    wakeFor(outlook.rest.nextTryAt, at);
    if (!planned) sayLevel(outlook.rest.levelBytes);
    planned = true;
    orderOf = outlook.orderOf;
    due = outlook.decisions.toSorted(byStart);
    if (!ordering) order();
    if (planDue || isOnce) lookSoon();
  }

  /** The next of what the plan asks for. A whole guide at once would hold everything up. */
  function order(): void {
    ordering = null;
    if (stopped || due.length === 0) return;
    const at = clock.now();
    const orders: Order[] = [];
    let count = 0;
    // What opens at once is work for a whole turn.
    while (count < ORDERS_A_TURN && !orders.some((each) => opensNow(each, at))) {
      const decision = due[count++];
      const made = decision && orderOf(decision);
      if (made) orders.push(made);
    }
    due = due.slice(count);
    const asked = isOnce ? orders.filter((each) => isDueNow(each, at)) : orders;
    if (asked.length > 0) send({ type: 'PLANNED', at, orders: asked });
    if (due.length > 0) ordering = clock.after(0, order);
    else if (mode === 'record') ordering = clock.after(0, cancelQueued);
  }

  /** What was skipped for want of connections is planned anew when it is on. */
  function wakeFor(tryAt: number | null, at: number): void {
    next?.cancel();
    next =
      tryAt === null
        ? null
        : clock.after(Math.max(0, tryAt - at), () => {
            planDue = true;
            look();
          });
  }

  /** `--once` records what is live or due within the lead time, `record` only what is live. */
  function isDueNow(order: Order, at: number): boolean {
    if (order.do !== 'record') return true;
    const { startAt, prePaddingMs } = order.fresh.window;
    return mode === 'record' ? startAt <= at : startAt - prePaddingMs <= at;
  }

  function opensNow(order: Order, at: number): boolean {
    return order.do === 'record' && isDueNow(order, at);
  }

  /** Who got no slot by now gets none. */
  function cancelQueued(): void {
    ordering = null;
    if (stopped) return;
    const at = clock.now();
    for (const { id, path } of book.all())
      if (path === 'scheduled.queued')
        send({ type: 'FORWARD', at, id, event: { type: 'CANCEL', at, reason: 'no_slot' } });
  }

  function sayLevel(bytes: number | null): void {
    if (bytes === null)
      log.info('the space that recordings take never levels off: something is kept for ever');
    else log.info({ bytes }, 'where the space that recordings take will level off, about');
  }

  function settled(): boolean {
    const states = doors.guideStates();
    return states.length > 0 && states.every((state) => state !== 'fetching' && state !== 'starting');
  }

  /** Who needs no actor for now gives it back; the document and its deadline stay. Where they are many, a few at a time. */
  function rest(): void {
    resting = null;
    if (stopped) return;
    const at = clock.now();
    const ids = doors.live().filter((id) => {
      const entry = book.get(id);
      if (!entry) return false;
      const far = entry.path === 'scheduled.early' && isFar(entry.recording.deadline?.at ?? 0, at);
      return far || isResting(entry.path);
    });
    if (ids.length > 0) send({ type: 'REST', at, ids: ids.slice(0, RESTED_A_TURN) });
    if (ids.length > RESTED_A_TURN) resting = clock.after(0, rest);
  }

  function endIfIdle(): void {
    if (!isOnce || stopped || !settled()) return;
    if (sources.guides().length === 0) return doors.onIdle('no_guide');
    if (sources.channels().length === 0 && config.sources.streamBaseUrl === null)
      return doors.onIdle('no_list');
    const busy = [...book.all()].some(isBusy);
    if (planned && !planning && !ordering && !busy && !again && !doors.isOwing()) doors.onIdle(null);
  }

  function isBusy(entry: Entry): boolean {
    const { path } = entry;
    if (isResting(path) || path.endsWith('.blocked') || path.endsWith('.revocable')) return false;
    return path !== 'scheduled.early' || (entry.recording.deadline?.at ?? 0) <= clock.now();
  }

  function spawnGuides(): void {
    send({
      type: 'GUIDES',
      at: clock.now(),
      guides: sources.refs().map(({ id, kind, location }) => ({
        sourceId: id,
        kind: kind === 'xmltv' ? 'guide' : 'list',
        pollMs: isNear(location) ? config.when.pollIntervalMs : config.sources.intervalMs,
        lastGood: sources.counts(id),
      })),
    });
  }

  return {
    start() {
      planDue = true;
      admission.forget();
      spawnGuides();
      lookSoon();
    },
    look,
    sourceChanged() {
      if (stopped) return;
      planDue = true;
      spawnGuides();
      news.sayIfWideOpen();
      lookSoon();
    },
    changed: lookSoon,
    refresh: () => doors.refreshGuides(clock.now()),
    guideMoved(sourceId, state, context) {
      news.moved(sourceId, state, context);
      if (mode !== 'always') lookSoon();
    },
    stop() {
      stopped = true;
      soon?.cancel();
      next?.cancel();
      resting?.cancel();
    },
  };
}

/** Letters first, then whoever is on the air soonest. */
function byStart(one: Decision, other: Decision): number {
  const startOf = ({ action, capsule }: Decision) => (action === 'record' ? capsule.startAt : -Infinity);
  return startOf(one) < startOf(other) ? -1 : startOf(one) > startOf(other) ? 1 : 0;
}
