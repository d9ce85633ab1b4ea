/**
 * The words that `machines/recording.ts` is written in: its ports, actions and guards, and short names for what recurs.
 */

import { assign, setup } from 'xstate';
import type { CaptureOutcome } from '../src/domain/capture.js';
import {
  candidates,
  closeAt,
  forgiveAll,
  openAt,
  shouldLeave,
  withLastGap,
  withPiece,
} from '../src/domain/capturing.js';
import { refKey, type UpstreamRef } from '../src/domain/channel.js';
import type { FinalizeOutcome, RemoveOutcome, SealOutcome } from '../src/domain/effects.js';
import type { Deadline, Recording } from '../src/domain/recording.js';
import {
  replayHelps,
  replayRef,
  REPLAY_TRIES_MAX,
  withMended,
  type ReplayOutcome,
} from '../src/domain/replay.js';
import type { RecordingEvent, Told } from './events.js';
import { capture, finalize, remove, replay, seal } from './ports.js';
import {
  atOf,
  finished,
  interrupted,
  losesPlace,
  nextTry,
  recaptured,
  rescheduled,
  restarted,
  revived,
  withinWindow,
  withKey,
  withOutcome,
  type FreshRecording,
  type Happened,
} from './recordingContext.js';

/** A capture that was told to end is given this long to flush and say so. */
export const CLOSE_MS_MAX = 5_000;
/**
 * The end of a programme is on air some segments later over HLS: so long it is waited for where the stream is known to be
 * one, and so long where that is not known yet.
 */
const LATE_MS_MAX = 30_000;
const LATE_MS = 3_000;

function isFollowed({ closing, cursor }: Recording): boolean {
  return closing === 'window' && (cursor ?? null) !== null;
}

/** How long a capture that was told to end may take over it. */
export function closeMs(context: Recording): number {
  return CLOSE_MS_MAX + (isFollowed(context) ? LATE_MS_MAX : 0);
}

function lateMs(context: Recording): number {
  if (context.closing !== 'window') return 0;
  return isFollowed(context) ? LATE_MS_MAX : LATE_MS;
}
/** How soon a full disk or a missing mount is looked at again. */
export const BLOCKED_MS = 30_000;
/** What is over can wait for what is on. */
const ARCHIVE_PRIORITY_LESS = 1_000_000;

/** The rule by which a person's own word removes; CONTRACT §2. */
export const REMOVED_BY_USER = 'removed_by_user';

/** Backoffs and closing times run on elapsed time: only their identity is checked, not the wall clock. */
const ELAPSED: ReadonlySet<Deadline['kind']> = new Set(['retry', 'close', 'wait']);

type Args = { readonly context: Recording; readonly event: Happened };

/** A person's DELETE reached it while it was busy. */
export const doomed = { guard: 'doomed' as const, target: '#recording.expired' };

/** Asks the scheduler for a slot on the best upstream that is left. */
export const ask = {
  type: 'tell' as const,
  params: ({ context, event }: Args): Told => ({
    type: 'WANTS',
    at: atOf(event),
    id: context.id,
    candidates: candidates(context),
    priority: context.priority,
    openAt: openAt(context),
    startAt: context.window.startAt,
    stopAt: context.window.stopAt,
    fresh: context.bytes === 0,
  }),
};

/** Asks for a connection to the archive. Everything that is on now goes before it, and whatever comes may take it. */
export const askArchive = {
  type: 'tell' as const,
  params: ({ context, event }: Args): Told => ({
    type: 'WANTS',
    at: atOf(event),
    id: context.id,
    candidates: [replayRef(context.id)],
    priority: context.priority - ARCHIVE_PRIORITY_LESS,
    openAt: openAt(context),
    startAt: context.window.startAt,
    stopAt: context.window.stopAt,
    fresh: true,
  }),
};

/** Keeps its place in case the connection broke, and leaves one that others share. */
export const pause = {
  type: 'tell' as const,
  params: ({ context, event }: Args): Told => ({ type: 'PAUSED', at: atOf(event), id: context.id }),
};

/** Gives the slot back, or withdraws the wish for one. */
export const release = {
  type: 'tell' as const,
  params: ({ context, event }: Args): Told => ({ type: 'RELEASED', at: atOf(event), id: context.id }),
};

/** Nothing of it is left. */
export const sayGone = {
  type: 'tell' as const,
  params: ({ context, event }: Args): Told => ({ type: 'GONE', at: atOf(event), id: context.id }),
};

export const stopCapture = {
  type: 'stopCapture' as const,
  params: ({ context }: Args) => ({ id: context.id, lateMs: lateMs(context) }),
};

/** Sets what is awaited: a kind, and a time that follows from the context or from now. */
export function until(kind: Deadline['kind'], at: (context: Recording, now: number) => number) {
  return {
    type: 'wait' as const,
    params: ({ context, event }: Args): Deadline => ({ kind, at: at(context, atOf(event)) }),
  };
}

export function due<K extends Deadline['kind']>(kind: K) {
  return { type: 'due' as const, params: kind };
}

export function closeFor(closing: NonNullable<Recording['closing']>) {
  return { type: 'close' as const, params: closing };
}

/** Takes in how a capture ended. */
export const recorded = {
  type: 'record' as const,
  params: ({ event }: { readonly event: { readonly output: CaptureOutcome } }) => event.output,
};

/** Takes in what an archive made of it. */
export const mended = {
  type: 'mend' as const,
  params: ({ event }: { readonly event: { readonly output: ReplayOutcome } }) => event.output,
};

/** Takes in what finalizing or sealing made of it. */
export const settled = {
  type: 'finish' as const,
  params: ({ event }: { readonly event: { readonly output: FinalizeOutcome | SealOutcome } }) => event.output,
};

/** The same upstream again, after a while. */
export const tryLater = {
  type: 'wait' as const,
  params: ({
    context,
    event,
  }: {
    readonly context: Recording;
    readonly event: { readonly output: CaptureOutcome };
  }) => nextTry(context, event.output),
};

/** All of them again, after a while. */
export const tryAllLater = {
  type: 'wait' as const,
  params: ({ context, event }: Args) => nextTry(context, { kind: 'stopped', at: atOf(event), piece: null }),
};

/** Whether what happened is the very deadline that is awaited. */
function isDue({ context, event }: Args, kind: Deadline['kind']): boolean {
  return (
    'type' in event &&
    event.type === 'DEADLINE' &&
    event.kind === kind &&
    context.deadline?.kind === kind &&
    context.deadline.at === event.dueAt &&
    (ELAPSED.has(kind) || event.at >= event.dueAt)
  );
}

export function granted(context: Recording): UpstreamRef {
  if (context.current === null) throw new Error('spooling without a grant');
  return context.current;
}

export const vocabulary = setup({
  types: {
    context: {} as Recording,
    events: {} as RecordingEvent,
    input: {} as FreshRecording,
  },
  actors: { capture, replay, finalize, seal, remove },
  actions: {
    /** To the scheduler. */
    tell: (_, _message: Told) => {},
    /** Asks the running capture to flush and end, at once or with what comes late; its outcome follows. */
    stopCapture: (_, _capture: { id: string; lateMs: number }) => {},
    wait: assign((_, deadline: Deadline) => ({ deadline })),
    waitForNothing: assign({ deadline: null }),
    record: assign(({ context }, outcome: CaptureOutcome) => withOutcome(context, outcome)),
    reschedule: assign(({ context, event }) =>
      event.type === 'RESCHEDULED' ? rescheduled(context, event) : {},
    ),
    recapture: assign(({ context, event }) => (event.type === 'RESTARTED' ? recaptured(context, event) : {})),
    restart: assign(({ context, event }) => (event.type === 'RESTARTED' ? restarted(context, event) : {})),
    close: assign((_, closing: NonNullable<Recording['closing']>) => ({ closing })),
    letGo: assign({ current: null, waiting: null, closing: null }),
    /** The reason for waiting stays: it is why nothing was recorded. */
    giveUp: assign({ current: null, closing: null }),
    endGaps: assign(({ context, event }) => withLastGap(context, Math.min(atOf(event), closeAt(context)))),
    hold: assign(({ event }) => (event.type === 'GRANTED' ? { current: event.upstream, waiting: null } : {})),
    queue: assign(({ event }) => (event.type === 'QUEUED' ? { waiting: event.reason } : {})),
    alias: assign(({ context, event }) =>
      event.type === 'KNOWN_AS' ? { keys: withKey(context.keys, event.recordKey) } : {},
    ),
    refuse: assign(({ event }) => (event.type === 'CANCEL' ? { cancelReason: event.reason } : {})),
    evict: assign(({ event }) => (event.type === 'EVICT' ? { evictedBy: event.rule } : {})),
    /** Said while it may still be busy: it goes as soon as nothing of it is under way any more. */
    doom: assign({ evictedBy: REMOVED_BY_USER, keep: false }),
    keepWithinWindow: assign(({ context }) => withinWindow(context)),
    interrupt: assign(({ event }) => interrupted(atOf(event))),
    revive: assign(revived),
    begin: assign(({ context, event }) => ({
      attempts: context.attempts + 1,
      startedAt: context.startedAt ?? atOf(event),
      closing: null,
    })),
    checkpoint: assign(({ context, event }) =>
      event.type === 'CHECKPOINT' ? withPiece(context, event.upstream, event.piece) : {},
    ),
    countSwitch: assign(({ context }) => ({ switches: context.switches + 1 })),
    forgive: assign(({ context }) => forgiveAll(context)),
    forgiveIfNothingLeft: assign(({ context }) =>
      candidates(context).length === 0 ? forgiveAll(context) : {},
    ),
    fail: assign((_, failReason: string) => ({ failReason })),
    pin: assign((_, keep: boolean) => ({ keep })),
    evictBy: assign((_, evictedBy: string) => ({ evictedBy })),
    finish: assign((_, outcome: FinalizeOutcome | SealOutcome) => finished(outcome)),
    mend: assign(({ context }, outcome: ReplayOutcome) =>
      outcome.kind === 'mended' ? withMended(context, outcome.mended) : {},
    ),
    countReplay: assign(({ context }) => ({ replayTries: (context.replayTries ?? 0) + 1 })),
    leaveArchive: assign({ replayTries: REPLAY_TRIES_MAX }),
    block: assign((_, outcome: RemoveOutcome) => ({
      waiting: outcome.kind === 'blocked' ? outcome.code : outcome.kind,
    })),
  },
  guards: {
    due: (args, kind: Deadline['kind']) => isDue(args, kind),
    /** The capture that was told to end for this reason has hung. */
    hung: (args, why: Recording['closing']) => isDue(args, 'close') && args.context.closing === why,
    expiryDue: (args) => isDue(args, 'expire') && !args.context.keep,
    ended: ({ context, event }) =>
      context.closing === 'window' || context.closing === 'yielded' || atOf(event) >= closeAt(context),
    programmeLasts: ({ context, event }) => atOf(event) < context.window.stopAt,
    closingFor: ({ context }, why: Recording['closing']) => context.closing === why,
    nothingLeft: ({ context }) => candidates(context).length === 0,
    /** Its time is over and nothing was captured, but an archive may have it. */
    missedButKept: (args, kind: Deadline['kind']) => isDue(args, kind) && replayHelps(args.context),
    missed: ({ context }, outcome: FinalizeOutcome) => outcome.kind === 'empty' && context.attempts === 0,
    replayHelps: ({ context }) => replayHelps(context),
    removable: ({ context }) => !context.keep,
    doomed: ({ context }) => context.evictedBy !== '',
    fromCurrent: ({ context, event }) =>
      event.type === 'CHECKPOINT' &&
      context.current !== null &&
      refKey(context.current) === refKey(event.upstream),
    gaveUp: ({ context }, outcome: CaptureOutcome) =>
      context.patience.attemptsMax > 0 &&
      withOutcome(context, outcome).faults >= context.patience.attemptsMax,
    losesPlace: ({ context }, outcome: CaptureOutcome) => losesPlace(context, outcome),
    leaves: ({ context }, outcome: CaptureOutcome) =>
      outcome.kind === 'fault' &&
      context.current !== null &&
      shouldLeave(withOutcome(context, outcome), context.current, outcome.remedy),
  },
});
