/**
 * Every event of the charts. Each carries `at`, the wall clock when it was sent, because no chart reads a clock: the
 * same events give the same states, at any time and any number of times.
 */

import type { CapturePiece } from '../src/domain/capture.js';
import type { UpstreamRef } from '../src/domain/channel.js';
import type { Capsule } from '../src/domain/capsule.js';
import type { SpoolTail } from '../src/domain/foundSpool.js';
import type { Deadline, Patience } from '../src/domain/recording.js';

interface Timed {
  readonly at: number;
}

/** A time that was waited for has come. `dueAt` is the deadline's own, so that a stale call can be told. */
export interface DeadlineEvent extends Timed {
  readonly type: 'DEADLINE';
  readonly kind: string;
  readonly dueAt: number;
}

export type RecordingEvent =
  | (DeadlineEvent & { readonly kind: Deadline['kind'] })
  /** The scheduler's answers to WANTS. */
  | (Timed & { readonly type: 'GRANTED'; readonly upstream: UpstreamRef })
  | (Timed & { readonly type: 'QUEUED'; readonly reason: string })
  /** A more important recording needs the slot; the bytes stay and it comes back. */
  | (Timed & { readonly type: 'PREEMPTED' })
  /** What runs is padding only, and a programme needs the slot. */
  | (Timed & { readonly type: 'YIELD' })
  /** What the running connection has written so far. */
  | (Timed & { readonly type: 'CHECKPOINT'; readonly upstream: UpstreamRef; readonly piece: CapturePiece })
  /** The guide moved, lengthened, shortened or retitled it. */
  | (Timed & {
      readonly type: 'RESCHEDULED';
      readonly capsule: Capsule;
      /** Left out where it stays. */
      readonly priority?: number;
      readonly expiresAt: number;
      readonly reason: string;
    })
  | (Timed & { readonly type: 'CANCEL'; readonly reason: string })
  | (Timed & { readonly type: 'RETRY' })
  /** The guide calls it by another key; it is the same programme. */
  | (Timed & { readonly type: 'KNOWN_AS'; readonly recordKey: string })
  | (Timed & { readonly type: 'KEEP' })
  | (Timed & { readonly type: 'UNKEEP' })
  /** A person wants nothing of it to be left, whatever it is doing. */
  | (Timed & { readonly type: 'DELETE' })
  /** A retention rule chose it. */
  | (Timed & { readonly type: 'EVICT'; readonly rule: string })
  /** A person removed the published media while its root was there. */
  | (Timed & { readonly type: 'MEDIA_GONE' })
  /** Folded into a stored snapshot before it lives again (recovery, or after a crash of its actor). */
  | (Timed & {
      readonly type: 'RESTARTED';
      readonly downFrom: number;
      readonly reason: string;
      readonly spool: SpoolTail | null;
      readonly patience: Patience | null;
    })
  /** Sent to every actor that was resumed: what it had asked for was lost with its past life. */
  | (Timed & { readonly type: 'WOKEN' });

/** What a recording tells the scheduler. */
export type Told =
  | (Timed & {
      readonly type: 'WANTS';
      readonly id: string;
      readonly candidates: readonly UpstreamRef[];
      readonly priority: number;
      readonly openAt: number;
      /** The programme itself; the rest is padding, which yields. */
      readonly startAt: number;
      readonly stopAt: number;
      /** It has captured nothing yet. */
      readonly fresh: boolean;
    })
  /** It backs off: a place whose connection broke is kept for it, one that others share is left. */
  | (Timed & { readonly type: 'PAUSED'; readonly id: string })
  /** Gives back its slot, or withdraws what it wanted. */
  | (Timed & { readonly type: 'RELEASED'; readonly id: string })
  | (Timed & { readonly type: 'GONE'; readonly id: string });
