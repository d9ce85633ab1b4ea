/**
 * The life of one recording, from the plan's decision to the day nothing of it is left.
 *
 *   scheduled → spooling ⇄ retrying, failover → finalizing → published → expired      (+ failed, cancelled)
 *
 * It keeps P2 (one programme, one artefact: every way back into `spooling` appends to the same spool) and P3 (only the
 * end of the window leaves the capturing states for good). Time is data: each waiting state sets `deadline`, and a
 * DEADLINE that is not the one awaited does nothing. Effects are ports; what they give back is judged here.
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
import type { RecordingEvent, Told } from './events.js';
import { capture, finalize, remove, seal } from './ports.js';
import {
  atOf,
  finished,
  freshRecording,
  interrupted,
  nextTry,
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
const CLOSE_MS_MAX = 5_000;
/** How soon a full disk or a missing mount is looked at again. */
const BLOCKED_MS = 30_000;

/** Backoffs and closing times run on elapsed time: only their identity is checked, not the wall clock. */
const ELAPSED: ReadonlySet<Deadline['kind']> = new Set(['retry', 'close', 'wait']);

type Args = { readonly context: Recording; readonly event: Happened };

/** Asks the scheduler for a slot on the best upstream that is left. */
const ask = {
  type: 'tell' as const,
  params: ({ context, event }: Args): Told => ({
    type: 'WANTS',
    at: atOf(event),
    id: context.id,
    candidates: candidates(context),
    priority: context.priority,
    openAt: openAt(context),
    fresh: context.bytes === 0,
  }),
};

/** Gives the slot back, or withdraws the wish for one. */
const release = {
  type: 'tell' as const,
  params: ({ context, event }: Args): Told => ({ type: 'RELEASED', at: atOf(event), id: context.id }),
};

const stopCapture = {
  type: 'stopCapture' as const,
  params: ({ context }: Args) => ({ id: context.id }),
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

function granted(context: Recording): UpstreamRef {
  if (context.current === null) throw new Error('spooling without a grant');
  return context.current;
}

const chart = setup({
  types: {
    context: {} as Recording,
    events: {} as RecordingEvent,
    input: {} as FreshRecording,
  },
  actors: { capture, finalize, seal, remove },
  actions: {
    /** To the scheduler. */
    tell: (_, _message: Told) => {},
    /** Asks the running capture to flush and end; its outcome follows. */
    stopCapture: (_, _capture: { id: string }) => {},
    wait: assign((_, deadline: Deadline) => ({ deadline })),
    waitForNothing: assign({ deadline: null }),
    record: assign(({ context }, outcome: CaptureOutcome) => withOutcome(context, outcome)),
    reschedule: assign(({ context, event }) =>
      event.type === 'RESCHEDULED' ? rescheduled(context, event) : {},
    ),
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
    forgive: assign(forgiveAll),
    fail: assign((_, failReason: string) => ({ failReason })),
    pin: assign((_, keep: boolean) => ({ keep })),
    evictBy: assign((_, evictedBy: string) => ({ evictedBy })),
    finish: assign((_, outcome: FinalizeOutcome | SealOutcome) => finished(outcome)),
    block: assign((_, outcome: RemoveOutcome) => ({
      waiting: outcome.kind === 'blocked' ? outcome.code : outcome.kind,
    })),
  },
  guards: {
    due: (args, kind: Deadline['kind']) => isDue(args, kind),
    /** The capture that was told to end for this reason has hung. */
    hung: (args, why: Recording['closing']) => isDue(args, 'close') && args.context.closing === why,
    retryDueWithSlot: (args) => isDue(args, 'retry') && args.context.current !== null,
    expiryDue: (args) => isDue(args, 'expire') && !args.context.keep,
    ended: ({ context, event }) =>
      context.closing === 'window' || context.closing === 'yielded' || atOf(event) >= closeAt(context),
    programmeLasts: ({ context, event }) => atOf(event) < context.window.stopAt,
    closingFor: ({ context }, why: Recording['closing']) => context.closing === why,
    nothingLeft: ({ context }) => candidates(context).length === 0,
    removable: ({ context }) => !context.keep,
    fromCurrent: ({ context, event }) =>
      event.type === 'CHECKPOINT' &&
      context.current !== null &&
      refKey(context.current) === refKey(event.upstream),
    gaveUp: ({ context }, outcome: CaptureOutcome) =>
      context.patience.attemptsMax > 0 &&
      withOutcome(context, outcome).faults >= context.patience.attemptsMax,
    leaves: ({ context }, outcome: CaptureOutcome) =>
      outcome.kind === 'fault' &&
      context.current !== null &&
      shouldLeave(withOutcome(context, outcome), context.current, outcome.remedy),
  },
});

/**
 * What a failed or cancelled recording leaves. Until the programme is over it can be taken up again on the same spool;
 * then what was captured is sealed where it lies, and rests until a retention rule takes it.
 */
const leftovers = chart.createStateConfig({
  initial: 'revocable',
  states: {
    revocable: {
      entry: { type: 'wait', params: ({ context }) => ({ kind: 'stop', at: context.window.stopAt }) },
      on: {
        RETRY: { guard: 'programmeLasts', target: '#recording.scheduled', actions: 'revive' },
        DEADLINE: { guard: { type: 'due', params: 'stop' }, target: 'sealing' },
      },
    },
    sealing: {
      entry: 'waitForNothing',
      invoke: {
        id: 'seal',
        src: 'seal',
        input: ({ context }) => ({ recording: context }),
        onDone: [
          {
            guard: ({ event }) => event.output.kind === 'sealed',
            target: 'resting',
            actions: { type: 'finish', params: ({ event }) => event.output },
          },
          { target: 'blocked', actions: { type: 'finish', params: ({ event }) => event.output } },
        ],
      },
      on: { RESTARTED: { target: 'sealing', reenter: true, actions: 'restart' } },
    },
    blocked: {
      entry: { type: 'wait', params: ({ event }) => ({ kind: 'wait', at: atOf(event) + BLOCKED_MS }) },
      on: { DEADLINE: { guard: { type: 'due', params: 'wait' }, target: 'sealing' } },
    },
    resting: {
      entry: 'waitForNothing',
      on: { EVICT: { guard: 'removable', target: '#recording.expired', actions: 'evict' } },
    },
  },
});

export const recordingMachine = chart.createMachine({
  id: 'recording',
  context: ({ input }) => freshRecording(input),
  initial: 'scheduled',
  on: {
    KNOWN_AS: { actions: 'alias' },
    KEEP: { actions: { type: 'pin', params: true } },
    UNKEEP: { actions: { type: 'pin', params: false } },
  },
  states: {
    scheduled: {
      initial: 'early',
      on: {
        RESCHEDULED: { target: '.early', actions: ['reschedule', release] },
        RESTARTED: { target: '.early', actions: 'restart' },
        CANCEL: { target: 'cancelled', actions: 'refuse' },
      },
      states: {
        early: {
          entry: { type: 'wait', params: ({ context }) => ({ kind: 'open', at: openAt(context) }) },
          on: { DEADLINE: { guard: { type: 'due', params: 'open' }, target: 'queued' } },
        },
        queued: {
          entry: [
            { type: 'wait', params: ({ context }) => ({ kind: 'stop', at: context.window.stopAt }) },
            ask,
          ],
          on: {
            GRANTED: { target: '#recording.spooling', actions: 'hold' },
            QUEUED: { actions: 'queue' },
            WOKEN: { actions: ask },
            DEADLINE: {
              guard: { type: 'due', params: 'stop' },
              target: '#recording.failed',
              actions: { type: 'fail', params: 'missed' },
            },
          },
        },
      },
    },

    spooling: {
      entry: ['begin', { type: 'wait', params: ({ context }) => ({ kind: 'stop', at: closeAt(context) }) }],
      invoke: {
        id: 'capture',
        src: 'capture',
        input: ({ context }) => ({ id: context.id, upstream: granted(context), spool: context.spool }),
        onDone: [
          {
            guard: { type: 'closingFor', params: 'cancelled' },
            target: 'cancelled',
            actions: { type: 'record', params: ({ event }) => event.output },
          },
          {
            guard: 'ended',
            target: 'finalizing',
            actions: { type: 'record', params: ({ event }) => event.output },
          },
          {
            guard: ({ event }) => event.output.kind === 'stopped',
            target: 'retrying.awaitingSlot',
            actions: [{ type: 'record', params: ({ event }) => event.output }, 'letGo', release],
          },
          {
            guard: { type: 'gaveUp', params: ({ event }) => event.output },
            target: 'finalizing',
            actions: [
              { type: 'record', params: ({ event }) => event.output },
              { type: 'fail', params: 'gave_up' },
            ],
          },
          {
            guard: { type: 'leaves', params: ({ event }) => event.output },
            target: 'failover',
            actions: { type: 'record', params: ({ event }) => event.output },
          },
          {
            guard: ({ event }) => event.output.kind === 'fault' && event.output.remedy === 'no_slot',
            target: 'retrying.backingOff',
            actions: [
              { type: 'record', params: ({ event }) => event.output },
              { type: 'wait', params: ({ context, event }) => nextTry(context, event.output) },
              'letGo',
              release,
            ],
          },
          {
            target: 'retrying.backingOff',
            actions: [
              { type: 'record', params: ({ event }) => event.output },
              { type: 'wait', params: ({ context, event }) => nextTry(context, event.output) },
            ],
          },
        ],
      },
      initial: 'open',
      on: {
        CHECKPOINT: {
          guard: 'fromCurrent',
          actions: 'checkpoint',
        },
        RESTARTED: { target: 'retrying.awaitingSlot', actions: 'restart' },
      },
      states: {
        open: {
          on: {
            DEADLINE: {
              guard: { type: 'due', params: 'stop' },
              target: 'closing',
              actions: { type: 'close', params: 'window' },
            },
            YIELD: { target: 'closing', actions: { type: 'close', params: 'yielded' } },
            PREEMPTED: { target: 'closing', actions: { type: 'close', params: 'preempted' } },
            CANCEL: { target: 'closing', actions: ['refuse', { type: 'close', params: 'cancelled' }] },
            RESCHEDULED: {
              actions: [
                'reschedule',
                { type: 'wait', params: ({ context }) => ({ kind: 'stop', at: closeAt(context) }) },
              ],
            },
          },
        },
        /** Told to end; the outcome comes with the last bytes. One that hangs is left behind. */
        closing: {
          entry: [
            { type: 'wait', params: ({ event }) => ({ kind: 'close', at: atOf(event) + CLOSE_MS_MAX }) },
            stopCapture,
          ],
          on: {
            CANCEL: { actions: ['refuse', { type: 'close', params: 'cancelled' }] },
            DEADLINE: [
              {
                guard: { type: 'hung', params: 'cancelled' },
                target: '#recording.cancelled',
              },
              {
                guard: { type: 'hung', params: 'preempted' },
                target: '#recording.retrying.awaitingSlot',
                actions: ['interrupt', 'letGo', release],
              },
              { guard: { type: 'due', params: 'close' }, target: '#recording.finalizing' },
            ],
          },
        },
      },
    },

    /** Something failed and the window lasts: the same upstream again, or whatever slot comes free. */
    retrying: {
      on: {
        CANCEL: { target: 'cancelled', actions: 'refuse' },
        RESCHEDULED: { actions: ['reschedule', 'keepWithinWindow'] },
        RESTARTED: { target: '.awaitingSlot', actions: 'restart' },
      },
      initial: 'awaitingSlot',
      states: {
        /** The slot is kept meanwhile, unless it was the slot that was refused. */
        backingOff: {
          on: {
            DEADLINE: [
              { guard: { type: 'due', params: 'stop' }, target: '#recording.finalizing' },
              { guard: 'retryDueWithSlot', target: '#recording.spooling' },
              { guard: { type: 'due', params: 'retry' }, target: 'awaitingSlot' },
            ],
            PREEMPTED: { target: 'awaitingSlot', actions: ['interrupt', 'letGo', release] },
          },
        },
        awaitingSlot: {
          entry: [{ type: 'wait', params: ({ context }) => ({ kind: 'stop', at: closeAt(context) }) }, ask],
          on: {
            GRANTED: { target: '#recording.spooling', actions: 'hold' },
            QUEUED: { actions: 'queue' },
            WOKEN: { actions: ask },
            DEADLINE: { guard: { type: 'due', params: 'stop' }, target: '#recording.finalizing' },
          },
        },
      },
    },

    /** This upstream is spent: the slot goes back, and the best of the others is asked for. */
    failover: {
      entry: [
        'letGo',
        release,
        { type: 'wait', params: ({ context }) => ({ kind: 'stop', at: closeAt(context) }) },
        ask,
      ],
      always: {
        guard: 'nothingLeft',
        target: 'retrying.backingOff',
        actions: [
          {
            type: 'wait',
            params: ({ context, event }) =>
              nextTry(context, { kind: 'stopped', at: atOf(event), piece: null }),
          },
          'forgive',
        ],
      },
      on: {
        GRANTED: {
          target: 'spooling',
          actions: ['hold', 'countSwitch'],
        },
        QUEUED: { actions: 'queue' },
        WOKEN: { actions: ask },
        CANCEL: { target: 'cancelled', actions: 'refuse' },
        RESCHEDULED: { actions: ['reschedule', 'keepWithinWindow'] },
        RESTARTED: { target: 'retrying.awaitingSlot', actions: 'restart' },
        DEADLINE: { guard: { type: 'due', params: 'stop' }, target: 'finalizing' },
      },
    },

    finalizing: {
      entry: ['endGaps', 'letGo', release],
      on: { RESTARTED: { target: '.working', actions: 'restart' } },
      initial: 'working',
      states: {
        working: {
          entry: 'waitForNothing',
          invoke: {
            id: 'finalize',
            src: 'finalize',
            input: ({ context }) => ({ recording: context }),
            onDone: [
              {
                guard: ({ event }) => event.output.kind === 'published',
                target: '#recording.published',
                actions: { type: 'finish', params: ({ event }) => event.output },
              },
              {
                guard: ({ event }) => event.output.kind === 'empty',
                target: '#recording.failed',
                actions: [
                  { type: 'finish', params: ({ event }) => event.output },
                  { type: 'fail', params: 'empty' },
                ],
              },
              { target: 'blocked', actions: { type: 'finish', params: ({ event }) => event.output } },
            ],
          },
        },
        /** A missing mount or a full disk is waited for: what was captured is safe where it is. */
        blocked: {
          entry: { type: 'wait', params: ({ event }) => ({ kind: 'wait', at: atOf(event) + BLOCKED_MS }) },
          on: { DEADLINE: { guard: { type: 'due', params: 'wait' }, target: 'working' } },
        },
      },
    },

    published: {
      entry: { type: 'wait', params: ({ context }) => ({ kind: 'expire', at: context.expiresAt }) },
      on: {
        DEADLINE: {
          guard: 'expiryDue',
          target: 'expired',
          actions: { type: 'evictBy', params: 'expiry' },
        },
        EVICT: { guard: 'removable', target: 'expired', actions: 'evict' },
        MEDIA_GONE: { target: 'expired', actions: { type: 'evictBy', params: 'removed_by_user' } },
        KEEP: { actions: [{ type: 'pin', params: true }, 'waitForNothing'] },
        UNKEEP: {
          actions: [
            { type: 'pin', params: false },
            { type: 'wait', params: ({ context }) => ({ kind: 'expire', at: context.expiresAt }) },
          ],
        },
        RESTARTED: { actions: 'restart' },
      },
    },

    failed: {
      entry: ['giveUp', release],
      ...leftovers,
    },

    cancelled: {
      entry: ['endGaps', 'giveUp', release],
      ...leftovers,
    },

    expired: {
      initial: 'removing',
      states: {
        removing: {
          entry: 'waitForNothing',
          invoke: {
            id: 'remove',
            src: 'remove',
            input: ({ context }) => ({ recording: context }),
            onDone: [
              { guard: ({ event }) => event.output.kind === 'removed', target: 'gone' },
              { target: 'blocked', actions: { type: 'block', params: ({ event }) => event.output } },
            ],
          },
          on: { RESTARTED: { target: 'removing', reenter: true, actions: 'restart' } },
        },
        blocked: {
          entry: { type: 'wait', params: ({ event }) => ({ kind: 'wait', at: atOf(event) + BLOCKED_MS }) },
          on: { DEADLINE: { guard: { type: 'due', params: 'wait' }, target: 'removing' } },
        },
        /** Not final, so that nothing is announced under its name: the scheduler stops it, a tombstone stays. */
        gone: {
          entry: {
            type: 'tell',
            params: ({ context, event }) => ({ type: 'GONE', at: atOf(event), id: context.id }),
          },
        },
      },
    },
  },
});
