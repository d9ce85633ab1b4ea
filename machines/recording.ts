/**
 * The life of one recording, from the plan's decision to the day nothing of it is left.
 *
 *   scheduled → spooling ⇄ retrying, failover → finalizing → published → expired      (+ failed, cancelled)
 *
 * It keeps P2 (one programme, one artefact: every way back into `spooling` appends to the same spool) and P3 (only the
 * end of the window leaves the capturing states for good). Time is data: each waiting state sets `deadline`, and a
 * DEADLINE that is not the one awaited does nothing. Effects are ports; what they give back is judged here.
 */

import { candidates, closeAt, cursorFor, openAt } from '../src/domain/capturing.js';
import { archive } from './recordingArchive.js';
import { freshRecording } from './recordingContext.js';
import { leftovers } from './recordingLeftovers.js';
import {
  ask,
  BLOCKED_MS,
  closeFor,
  closeMs,
  doomed,
  due,
  granted,
  pause,
  recorded,
  release,
  REMOVED_BY_USER,
  sayGone,
  settled,
  stopCapture,
  tryAllLater,
  tryLater,
  until,
  vocabulary,
} from './recordingVocabulary.js';

export const recordingMachine = vocabulary.createMachine({
  id: 'recording',
  context: ({ input }) => freshRecording(input),
  initial: 'scheduled',
  on: {
    KNOWN_AS: { actions: 'alias' },
    KEEP: { actions: { type: 'pin', params: true } },
    UNKEEP: { actions: { type: 'pin', params: false } },
    DELETE: { actions: 'doom' },
  },
  states: {
    scheduled: {
      initial: 'early',
      on: {
        RESCHEDULED: { target: '.early', actions: ['reschedule', release] },
        RESTARTED: { target: '.early', actions: 'restart' },
        CANCEL: { target: 'cancelled', actions: 'refuse' },
        DELETE: { target: 'cancelled', actions: 'doom' },
      },
      states: {
        early: {
          entry: until('open', openAt),
          on: { DEADLINE: { guard: due('open'), target: 'queued' } },
        },
        queued: {
          entry: [until('stop', (context) => context.window.stopAt), ask],
          on: {
            GRANTED: { target: '#recording.spooling', actions: 'hold' },
            QUEUED: { actions: 'queue' },
            WOKEN: { actions: ask },
            DEADLINE: [
              { guard: { type: 'missedButKept', params: 'stop' }, target: '#recording.finalizing' },
              {
                guard: due('stop'),
                target: '#recording.failed',
                actions: { type: 'fail', params: 'missed' },
              },
            ],
          },
        },
      },
    },

    spooling: {
      entry: ['begin', until('stop', closeAt)],
      invoke: {
        id: 'capture',
        src: 'capture',
        input: ({ context }) => ({
          id: context.id,
          upstream: granted(context),
          spool: context.spool,
          lastMediaAt: context.stretches.at(-1)?.toAt ?? null,
          movedTicks: context.stretches.at(-1)?.movedTicks ?? null,
          hasOthers: candidates(context).length > 1,
          from: openAt(context),
          cursor: cursorFor(context, granted(context)),
        }),
        onDone: [
          {
            guard: { type: 'closingFor', params: 'cancelled' },
            target: 'cancelled',
            actions: recorded,
          },
          {
            guard: 'ended',
            target: 'finalizing',
            actions: recorded,
          },
          {
            guard: ({ event }) => event.output.kind === 'stopped',
            target: 'retrying.awaitingSlot',
            actions: [recorded, 'letGo', release],
          },
          {
            guard: { type: 'gaveUp', params: ({ event }) => event.output },
            target: 'finalizing',
            actions: [recorded, { type: 'fail', params: 'gave_up' }],
          },
          {
            guard: { type: 'leaves', params: ({ event }) => event.output },
            target: 'failover',
            actions: recorded,
          },
          {
            guard: { type: 'losesPlace', params: ({ event }) => event.output },
            target: 'retrying.backingOff',
            actions: [recorded, tryLater, 'letGo', release],
          },
          {
            target: 'retrying.backingOff',
            actions: [recorded, tryLater, 'letGo', pause],
          },
        ],
      },
      initial: 'open',
      on: {
        CHECKPOINT: {
          guard: 'fromCurrent',
          actions: 'checkpoint',
        },
        RESTARTED: [
          {
            guard: { type: 'closingFor', params: 'cancelled' },
            target: 'cancelled',
            actions: 'recapture',
          },
          { target: 'retrying.awaitingSlot', actions: 'recapture' },
        ],
      },
      states: {
        open: {
          on: {
            DEADLINE: {
              guard: due('stop'),
              target: 'closing',
              actions: closeFor('window'),
            },
            YIELD: { target: 'closing', actions: closeFor('yielded') },
            PREEMPTED: { target: 'closing', actions: closeFor('preempted') },
            CANCEL: { target: 'closing', actions: ['refuse', closeFor('cancelled')] },
            DELETE: { target: 'closing', actions: ['doom', closeFor('cancelled')] },
            RESCHEDULED: {
              actions: ['reschedule', until('stop', closeAt), ask],
            },
          },
        },
        /** Told to end; the outcome comes with the last bytes. One that hangs is left behind. */
        closing: {
          entry: [until('close', (context, at) => at + closeMs(context)), stopCapture],
          on: {
            CANCEL: { actions: ['refuse', closeFor('cancelled'), stopCapture] },
            DELETE: { actions: ['doom', closeFor('cancelled'), stopCapture] },
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
              { guard: due('close'), target: '#recording.finalizing' },
            ],
          },
        },
      },
    },

    /** Something failed and the window lasts: the same upstream again, or whatever slot comes free. */
    retrying: {
      on: {
        CANCEL: { target: 'cancelled', actions: 'refuse' },
        DELETE: { target: 'cancelled', actions: 'doom' },
        RESTARTED: { target: '.awaitingSlot', actions: 'recapture' },
      },
      initial: 'awaitingSlot',
      states: {
        /** Its place is kept meanwhile, unless it was the place that was refused. */
        backingOff: {
          on: {
            RESCHEDULED: [
              {
                guard: ({ context }) => context.deadline?.kind === 'stop',
                target: 'awaitingSlot',
                actions: 'reschedule',
              },
              { actions: ['reschedule', 'keepWithinWindow'] },
            ],
            DEADLINE: [
              { guard: due('stop'), target: '#recording.finalizing' },
              { guard: due('retry'), target: 'awaitingSlot' },
            ],
            PREEMPTED: { target: 'awaitingSlot', actions: ['interrupt', 'letGo', release] },
          },
        },
        awaitingSlot: {
          entry: ['forgiveIfNothingLeft', until('stop', closeAt), ask],
          on: {
            RESCHEDULED: { actions: ['reschedule', 'keepWithinWindow', ask] },
            GRANTED: { target: '#recording.spooling', actions: 'hold' },
            QUEUED: { actions: 'queue' },
            WOKEN: { actions: ask },
            DEADLINE: { guard: due('stop'), target: '#recording.finalizing' },
          },
        },
      },
    },

    /** This upstream is spent: the slot goes back, and the best of the others is asked for. */
    failover: {
      entry: ['letGo', release, until('stop', closeAt), ask],
      always: {
        guard: 'nothingLeft',
        target: 'retrying.backingOff',
        actions: [tryAllLater, 'forgive', release],
      },
      on: {
        GRANTED: {
          target: 'spooling',
          actions: ['hold', 'countSwitch'],
        },
        QUEUED: { actions: 'queue' },
        WOKEN: { actions: ask },
        CANCEL: { target: 'cancelled', actions: 'refuse' },
        DELETE: { target: 'cancelled', actions: 'doom' },
        RESCHEDULED: { actions: ['reschedule', 'keepWithinWindow', ask] },
        RESTARTED: { target: 'retrying.awaitingSlot', actions: 'recapture' },
        DEADLINE: { guard: due('stop'), target: 'finalizing' },
      },
    },

    finalizing: {
      entry: ['endGaps', 'letGo', release],
      on: { RESTARTED: { target: '.choosing', actions: 'restart' } },
      initial: 'choosing',
      states: {
        /** What is missing may be in the provider's archive; what is complete goes on at once. */
        choosing: { always: [{ guard: 'replayHelps', target: 'archive' }, { target: 'working' }] },
        archive,
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
                actions: settled,
              },
              {
                guard: { type: 'missed', params: ({ event }) => event.output },
                target: '#recording.failed',
                actions: [settled, { type: 'fail', params: 'missed' }],
              },
              {
                guard: ({ event }) => event.output.kind === 'empty',
                target: '#recording.failed',
                actions: [settled, { type: 'fail', params: 'empty' }],
              },
              { target: 'blocked', actions: settled },
            ],
          },
        },
        /** A missing mount or a full disk is waited for: what was captured is safe where it is. */
        blocked: {
          entry: until('wait', (_, at) => at + BLOCKED_MS),
          on: { DEADLINE: { guard: due('wait'), target: 'working' } },
        },
      },
    },

    published: {
      entry: until('expire', (context) => context.expiresAt),
      always: doomed,
      on: {
        DEADLINE: {
          guard: 'expiryDue',
          target: 'expired',
          actions: { type: 'evictBy', params: 'expiry' },
        },
        EVICT: { guard: 'removable', target: 'expired', actions: 'evict' },
        MEDIA_GONE: { target: 'expired', actions: { type: 'evictBy', params: REMOVED_BY_USER } },
        KEEP: { actions: [{ type: 'pin', params: true }, 'waitForNothing'] },
        UNKEEP: {
          actions: [{ type: 'pin', params: false }, until('expire', (context) => context.expiresAt)],
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
          entry: until('wait', (_, at) => at + BLOCKED_MS),
          on: { DEADLINE: { guard: due('wait'), target: 'removing' } },
        },
        /** Not final, so that nothing is announced under its name: the scheduler stops it, a tombstone stays. */
        gone: {
          on: { WOKEN: { actions: sayGone } },
          entry: sayGone,
        },
      },
    },
  },
});
