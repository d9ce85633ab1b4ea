/** What a capture gives back: always a fact, never an exception. Plain JSON; every member carries when it was known. */

import type { SavedCursor } from './hlsCursor.js';
import type { Gap, GapCause, JoinKind, TsCounts } from './ledger.js';

/** One connection's worth of media as it stands in the spool. */
export interface CapturePiece {
  /** Where in the spool it begins. */
  readonly firstOffset: number;
  readonly bytes: number;
  /** Wall clock of the first and last media byte; of the first one earlier by what the provider sent in advance. */
  readonly fromAt: number;
  readonly toAt: number;
  /** How long the stream was good, monotonic milliseconds. */
  readonly goodMs: number;
  readonly ts: TsCounts;
  /** What was added to the clock of its end, 0 to 2^33 ticks of 90 kHz; absent where it has none. */
  readonly movedTicks?: number;
  /** How it was put behind what the spool held; absent where that was nothing. */
  readonly join?: PieceJoin;
  /** Where the provider itself put another stream behind the one before, in their order. */
  readonly splices?: readonly PieceSplice[];
  /** What of it is missing, or worth nothing. */
  readonly gaps?: readonly Gap[];
  /** Why it begins within a session that goes on; absent for the first piece of a capture. */
  readonly after?: { readonly cause: GapCause; readonly kind: JoinKind };
  /** Where to go on in an HLS stream. */
  readonly cursor?: SavedCursor;
  /** The spool it is in, where that is not the one that was named: the container decides. */
  readonly spool?: string;
}

/** One joint, as it was made. */
export interface PieceJoin {
  /** Stream time of this piece that the spool had already, and that was cut. */
  readonly removedOverlapS: number;
  /** The length of the gap is taken from the time that passed, not from the stream. */
  readonly approximate: boolean;
  /** Stream time that is missing between the last picture before and the first after; 0 where an overlap was cut. */
  readonly gapS: number;
}

/** A joint inside a piece. */
export interface PieceSplice extends PieceJoin {
  /** Wall clock of the first byte after it. */
  readonly at: number;
}

/**
 * What a fault means for its upstream (DESIGN §3): `spent` it will not get better; `retry` the same again;
 * `no_slot` the provider counts too many connections; `backoff` it asks for patience; `disk` it is not to blame.
 */
export type CaptureRemedy = 'spent' | 'retry' | 'no_slot' | 'backoff' | 'disk';

export interface CaptureFault {
  readonly kind: 'fault';
  readonly at: number;
  readonly piece: CapturePiece | null;
  readonly cause: GapCause;
  /** A code of the error table, for a person. */
  readonly code: string;
  readonly remedy: CaptureRemedy;
  readonly retryAfterMs: number | null;
  /** The connection limit that the refusal named, if it did. */
  readonly limit: number | null;
}

export type CaptureOutcome =
  { readonly kind: 'stopped'; readonly at: number; readonly piece: CapturePiece | null } | CaptureFault | Bug;

/** Something threw that should not have. The port adapter makes one of it, so that charts need no `onError`. */
export interface Bug {
  readonly kind: 'bug';
  readonly at: number;
  readonly error: string;
}
