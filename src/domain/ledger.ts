/**
 * What is known of a recording's media: the pieces it is made of, the holes between them, and why (P4).
 * Shapes of CONTRACT §4, in camelCase and epoch milliseconds; `src/finalize` writes the sidecar's snake_case.
 */

import type { UpstreamRef } from './channel.js';

/** Why a second of the window is missing; fixed words of CONTRACT §4, `http_NNN` with the status. */
export type GapCause =
  | 'connect'
  | 'reset'
  | 'eof'
  | 'stall'
  | `http_${number}`
  | 'html'
  | 'not_media'
  | 'limit'
  | 'preempted'
  | 'restart'
  | 'disk_slow'
  | 'disk_full'
  | 'disk_error'
  | 'hls_missing'
  | 'late_start'
  | 'dead';

/** Counted while the bytes pass; sums over a recording. */
export interface TsCounts {
  readonly packets: number;
  readonly continuityErrors: number;
  readonly transportErrors: number;
  readonly scrambled: number;
  readonly syncLosses: number;
  readonly skippedBytes: number;
  readonly clockJumps: number;
  readonly trimmedBytes: number;
}

/** One uninterrupted piece from one upstream connection. */
export interface Stretch {
  readonly source: UpstreamRef;
  /** Wall clock of the first and last byte written. */
  readonly fromAt: number;
  readonly toAt: number;
  readonly bytes: number;
  /** Where in the spool it begins. */
  readonly firstOffset: number;
  /** What was added to the clock of its end, for the joiner; absent where nobody knows. */
  readonly movedTicks?: number;
}

/** A gap from this length on is one a viewer notices. */
export const GAP_MS = 500;
/** And one from this length on is told: shorter ones cannot be told from a clock that is not quite even. */
export const TOLD_GAP_MS = 200;

export interface Gap {
  readonly fromAt: number;
  readonly toAt: number;
  readonly cause: GapCause;
}

export type JoinKind = 'reconnect' | 'failover' | 'restart' | 'preempted' | 'discontinuity';

export interface Join {
  readonly at: number;
  readonly kind: JoinKind;
  readonly removedOverlapS: number;
  readonly approximate: boolean;
}

/** Strongest first; the words are fixed by CONTRACT §3. */
export type Outcome = 'missed' | 'empty' | 'partial' | 'complete_with_gaps' | 'complete';

export const NO_TS: TsCounts = {
  packets: 0,
  continuityErrors: 0,
  transportErrors: 0,
  scrambled: 0,
  syncLosses: 0,
  skippedBytes: 0,
  clockJumps: 0,
  trimmedBytes: 0,
};

export function addTs(a: TsCounts, b: TsCounts): TsCounts {
  return {
    packets: a.packets + b.packets,
    continuityErrors: a.continuityErrors + b.continuityErrors,
    transportErrors: a.transportErrors + b.transportErrors,
    scrambled: a.scrambled + b.scrambled,
    syncLosses: a.syncLosses + b.syncLosses,
    skippedBytes: a.skippedBytes + b.skippedBytes,
    clockJumps: a.clockJumps + b.clockJumps,
    trimmedBytes: a.trimmedBytes + b.trimmedBytes,
  };
}
