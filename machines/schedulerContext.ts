/**
 * What the scheduler is told and what it makes of it: its events, its context, and the pure steps between them. When
 * each happens is said by `machines/scheduler.ts`.
 */

import type { Capsule } from '../src/domain/capsule.js';
import type { Ahead } from '../src/domain/reserve.js';
import {
  nextChance,
  withAccounts,
  withClosed,
  withOnlyOpen,
  without,
  withPaused,
  withRate,
  withRefusal,
  withWant,
  type Admission,
  type Candidate,
  type Cooling,
  type SlotTable,
} from '../src/domain/slots.js';
import type { DeadlineEvent, RecordingEvent, Told } from './events.js';
import type { GuideInput } from './guide.js';
import type { LibraryInput } from './library.js';
import type { FreshRecording } from './recordingContext.js';
import { ActorCrash } from './supervised.js';

/** What the plan asks for; skips never come here. */
export type Order =
  | { readonly do: 'record'; readonly fresh: FreshRecording }
  | {
      readonly do: 'reschedule';
      readonly id: string;
      readonly capsule: Capsule;
      readonly priority?: number;
      readonly expiresAt: number;
      readonly reason: string;
    }
  /** What the plan itself had dropped is wanted again. */
  | {
      readonly do: 'revive';
      readonly id: string;
      readonly capsule: Capsule;
      readonly priority?: number;
      readonly expiresAt: number;
      readonly reason: string;
    }
  /** A finished one was recognised under another key. */
  | { readonly do: 'alias'; readonly id: string; readonly recordKey: string }
  | { readonly do: 'cancel'; readonly id: string; readonly reason: string };

/** A stored recording that has been made ready to live (RESTARTED folded in). */
export interface Resumed {
  readonly id: string;
  readonly snapshot: unknown;
}

export type Waited = 'tick' | 'restart' | 'chance';

export type SchedulerEvent =
  | Exclude<Told, { type: 'WANTS' }>
  /** Upstreams come in the order in which they shall be asked, with the accounts that they count against. */
  | (Omit<Extract<Told, { type: 'WANTS' }>, 'candidates'> & {
      readonly candidates: readonly Candidate[];
      readonly lane?: string;
    })
  | (DeadlineEvent & { readonly kind: Waited })
  /** A connection is gone. */
  | {
      readonly type: 'FEED_CLOSED';
      readonly at: number;
      readonly feed: string;
      readonly by: 'us' | 'provider';
    }
  /** The provider refused a connection because there are too many; it may have said how many are allowed. */
  | { readonly type: 'REFUSED'; readonly at: number; readonly feed: string; readonly limit: number | null }
  /** Every connection that is open now; what is not there is no slot. */
  | {
      readonly type: 'FEEDS';
      readonly at: number;
      readonly open: readonly string[];
      /** Programmes that will ask for a connection; left out where it does not matter. */
      readonly ahead?: readonly Ahead[];
    }
  /** What accounts allow, and what was closed on them in an earlier life. */
  | {
      readonly type: 'ACCOUNTS';
      readonly at: number;
      readonly limits: SlotTable['limits'];
      readonly cooling: readonly Cooling[];
    }
  /** Everything that happened at this moment has been heard: slots are given out. */
  | { readonly type: 'ALLOT'; readonly at: number }
  | { readonly type: 'RECOVERED'; readonly at: number }
  | { readonly type: 'GUIDES'; readonly at: number; readonly guides: readonly GuideInput[] }
  /** A chart for each receiver of the outbox; those of others end. */
  | { readonly type: 'LIBRARIES'; readonly at: number; readonly libraries: readonly LibraryInput[] }
  | { readonly type: 'PLANNED'; readonly at: number; readonly orders: readonly Order[] }
  | { readonly type: 'RESUME'; readonly at: number; readonly docs: readonly Resumed[] }
  /** These need no actor for now; their documents stay. */
  | { readonly type: 'REST'; readonly at: number; readonly ids: readonly string[] }
  /** For a recording that may have to be woken first. */
  | { readonly type: 'FORWARD'; readonly at: number; readonly id: string; readonly event: RecordingEvent }
  | { readonly type: 'ADMISSION'; readonly at: number; readonly admission: Admission }
  | (Partial<Pick<SlotTable, 'cooldownMs' | 'preempt' | 'bandwidthMax' | 'laneMax'>> & {
      readonly type: 'LIMITS';
      readonly at: number;
      readonly slotsMax: number;
      readonly tickMs: number;
    })
  /** What a connection brings, as it was measured. */
  | { readonly type: 'RATE'; readonly at: number; readonly feed: string; readonly bitsPerSecond: number }
  | { readonly type: 'DRAIN'; readonly at: number }
  | { readonly type: 'DRAINED'; readonly at: number };

export type ChildDied = {
  readonly type: `xstate.error.actor.${string}`;
  readonly error: unknown;
  readonly actorId: string;
};

export interface SchedulerInput {
  readonly slotsMax: number;
  readonly tickMs: number;
  readonly at: number;
}

export interface SchedulerContext extends SlotTable {
  readonly tickMs: number;
  readonly tickAt: number;
  /** The time that the last event carried. */
  readonly now: number;
  readonly crashes: Readonly<Record<string, readonly number[]>>;
  readonly restarts: readonly { readonly id: string; readonly at: number; readonly lastGood: unknown }[];
  readonly deadline: { readonly kind: Waited; readonly at: number } | null;
}

/** What is known of a death, for the log, the quarantine and the next life. */
export interface Death {
  readonly id: string;
  readonly at: number;
  readonly error: string;
  readonly stack: string;
  readonly event: unknown;
  readonly lastGood: unknown;
  /** What it was to be made of, where it died at its birth. */
  readonly fresh: unknown;
}

export function deathOf(event: ChildDied, now: number): Death {
  const { error, actorId } = event;
  const crash = error instanceof ActorCrash ? error : null;
  const cause = crash ? crash.cause : error;
  return {
    id: actorId,
    at: Math.max(crash?.at ?? now, now),
    error: cause instanceof Error ? cause.message : String(cause),
    stack: cause instanceof Error ? (cause.stack ?? '') : '',
    event: crash?.event ?? null,
    lastGood: crash?.lastGood ?? null,
    fresh: crash?.fresh ?? null,
  };
}

export function nextDeadline(context: SchedulerContext): SchedulerContext['deadline'] {
  const waited: { kind: Waited; at: number }[] = [
    { kind: 'tick', at: context.tickAt },
    ...context.restarts.map(({ at }) => ({ kind: 'restart' as const, at })),
  ];
  const chanceAt = nextChance(context, context.now);
  if (chanceAt !== null) waited.push({ kind: 'chance', at: chanceAt });
  return waited.reduce((first, each) => (each.at < first.at ? each : first));
}

const STEP_MS = 60_000;

/** A wall clock that was stepped back must not make a cool-down as long as the step. */
export function atTime(context: SchedulerContext, at: number): Partial<SchedulerContext> {
  if (at >= context.now) return { now: at };
  // Events that crossed on their way are no step.
  if (context.now - at < STEP_MS) return {};
  const latest = at + context.cooldownMs;
  const notLater = (gone: readonly Cooling[]) =>
    gone.map((each) => ({ ...each, until: Math.min(each.until, latest) }));
  return { now: at, cooling: notLater(context.cooling), lost: notLater(context.lost) };
}

/** What an event does to slots and their limits. */
export function changed(
  context: SchedulerContext,
  event: SchedulerEvent | ChildDied,
): Partial<SchedulerContext> {
  switch (event.type) {
    case 'WANTS':
      return withWant(context, event);
    case 'RELEASED':
    case 'GONE':
      return without(context, event.id);
    case 'PAUSED':
      return withPaused(context, event.id);
    case 'FEED_CLOSED':
      return withClosed(context, event.feed, event.by, event.at);
    case 'REFUSED':
      return withRefusal(context, event.feed, event.limit, event.at);
    case 'FEEDS':
      return { ...withOnlyOpen(context, new Set(event.open)), ahead: event.ahead ?? [] };
    case 'ACCOUNTS':
      return withAccounts(context, event.limits, event.cooling);
    case 'RATE':
      return withRate(context, event.feed, event.bitsPerSecond);
    case 'ADMISSION':
      return { admission: event.admission };
    case 'LIMITS': {
      const { slotsMax, tickMs } = event;
      const { cooldownMs, preempt, bandwidthMax, laneMax } = { ...context, ...event };
      return { slotsMax, tickMs, cooldownMs, preempt, bandwidthMax, laneMax };
    }
    default:
      return {};
  }
}

/** What a recording is told of an order; `record` is a birth, not a letter. */
export function lettersOf(order: Order, at: number): { id: string; event: RecordingEvent }[] {
  switch (order.do) {
    case 'record':
      return [];
    case 'revive':
    case 'reschedule': {
      const { id, do: what, ...told } = order;
      const news = { id, event: { type: 'RESCHEDULED', at, ...told } as const };
      return what === 'revive' ? [{ id, event: { type: 'RETRY', at } }, news] : [news];
    }
    case 'alias':
      return [{ id: order.id, event: { type: 'KNOWN_AS', at, recordKey: order.recordKey } }];
    case 'cancel':
      return [{ id: order.id, event: { type: 'CANCEL', at, reason: order.reason } }];
  }
}
