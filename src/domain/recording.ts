/**
 * A recording as data: the context of `machines/recording.ts`, and what the store, the report, `why` and the stages
 * read. Plain JSON (no undefined, Date or Map), times in epoch milliseconds of the wall clock.
 */

import type { UpstreamRef } from './channel.js';
import type { SavedCursor } from './hlsCursor.js';
import type { Capsule } from './capsule.js';
import type { Gap, GapCause, Join, Outcome, Stretch, TsCounts } from './ledger.js';

/** What is awaited and when. The guard of the waiting state re-checks it, so a stale call is harmless. */
export interface Deadline {
  /**
   * `open` capture is due; `stop` the window is over; `retry` a backoff ends; `close` a capture that was asked to end
   * did not; `wait` something outside (a mount, space) is looked at again; `expire` its keep time is over.
   */
  readonly kind: 'open' | 'stop' | 'retry' | 'close' | 'wait' | 'expire';
  readonly at: number;
}

/** The programme from start to stop, and the capture around it. */
export interface RecordingWindow {
  readonly startAt: number;
  readonly stopAt: number;
  readonly prePaddingMs: number;
  readonly postPaddingMs: number;
}

/** How one upstream has behaved in this recording. */
export interface UpstreamHealth {
  /** Faults since the last 30 s of good stream. */
  readonly tries: number;
  /** When the outage that lasts began, or null. */
  readonly outageSince: number | null;
  readonly spent: boolean;
  /** What it gave last could not go into the file of this recording: it is asked after all others. */
  readonly unfit?: true;
  /** Of the last fault that it was charged with. */
  readonly cause?: GapCause;
}

/** Files of this recording that exist or are about to; only these are ever removed (P5). */
export interface RecordingFiles {
  /** Absolute. Inside out-dir (sealed in place) or publish-dir. */
  readonly folder: string;
  readonly media: string;
  readonly nfo: string;
  readonly ledger: string;
  /** The folder was made for this recording alone and goes when it is empty. */
  readonly ownsFolder: boolean;
  /** It lies among others of a series; what they share goes with the last of them. */
  readonly series?: { readonly folder: string; readonly nfo: string };
  /** A picture that was made of the guide's icon. */
  readonly picture?: string;
}

/** What finalizing found, by which the report judges. */
export interface RecordingResult {
  readonly outcome: Outcome;
  /** A code of docs/errors.md's outcome table, or '' for `complete`. */
  readonly reason: string;
  /** Share of start..stop that is on disk, 0 to 1. */
  readonly coverage: number;
  readonly gaps: readonly Gap[];
  readonly bytes: number;
  readonly finishedAt: number;
}

/** How it retries; from the configuration, refreshed at every start. */
export interface Patience {
  readonly backoffMs: number;
  readonly backoffMsMax: number;
  /** Consecutive faults before an upstream's recording gives up; 0 is until the programme ends. */
  readonly attemptsMax: number;
  /** Whether other upstreams may be used when the first is spent. */
  readonly fallback: boolean;
}

export interface Recording {
  /** First 8 hex digits of sha1(first record key); more digits where that is taken. */
  readonly id: string;
  /** Every record key it has had, oldest first. */
  readonly keys: readonly string[];
  readonly capsule: Capsule;
  readonly priority: number;
  /** Why it is recorded: a code of the plan table. */
  readonly reason: string;
  readonly window: RecordingWindow;
  /** Longest capture from its first byte asked for; 0 is no limit. */
  readonly durationMsMax: number;
  readonly expiresAt: number;
  readonly keep: boolean;
  readonly deadline: Deadline | null;

  /** In order of preference. */
  readonly upstreams: readonly UpstreamRef[];
  readonly health: Readonly<Record<string, UpstreamHealth>>;
  /** The one that is granted, or null. */
  readonly current: UpstreamRef | null;
  /** Why it waits for a slot (`slots_full`, `disk_floor`, …), or null. */
  readonly waiting: string | null;
  /** The programme was under way when it was first seen, so its head cannot be there. */
  readonly joinedInProgress: boolean;
  /** Why the running capture was asked to end, or null. */
  readonly closing: 'window' | 'preempted' | 'cancelled' | 'yielded' | null;
  readonly lastFault: { readonly cause: GapCause; readonly code: string; readonly at: number } | null;
  /** Consecutive faults; sets the backoff. Reset after 5 s of good stream. */
  readonly faults: number;

  /** Absolute path of the spool; chosen once, so that a change of the guide does not move it. */
  readonly spool: string;
  readonly patience: Patience;
  readonly startedAt: number | null;
  readonly stretches: readonly Stretch[];
  /** Where the last piece stood in an HLS stream; absent where it is none. */
  readonly cursor?: { readonly upstream: string; readonly saved: SavedCursor } | null;
  readonly joins: readonly Join[];
  /** Holes known so far, padding included; closed ones only. */
  readonly gaps: readonly Gap[];
  /** Sums over all pieces, and over all but the last. */
  readonly ts: TsCounts;
  readonly tsBefore: TsCounts;
  readonly bytes: number;
  readonly attempts: number;
  readonly transientRetries: number;
  readonly switches: number;

  readonly recoveredAt: number | null;
  readonly recoveryReason: string;
  readonly cancelReason: string;
  /** Why it is `failed`, or ended before its time (`gave_up`), or ''. */
  readonly failReason: string;
  /** How often its archive was asked without an end; absent while never. */
  readonly replayTries?: number;
  /** The spool that another one made with the help of an archive stands for; it goes when that is published. */
  readonly superseded?: string;
  readonly files: RecordingFiles | null;
  readonly result: RecordingResult | null;
  /** The retention rule that removes it, or ''. */
  readonly evictedBy: string;
}

/** What stays when a recording is gone, so that it is not recorded again (≤ 200 B). */
export interface Tombstone {
  readonly id: string;
  readonly keys: readonly string[];
  readonly channel: string;
  readonly startAt: number;
  readonly stopAt: number;
  readonly normTitle: string;
  readonly episode: string;
  /** There was no good copy of it, so a repeat may be recorded. */
  readonly failed?: boolean;
  readonly reason: string;
  readonly at: number;
}

/** What the store keeps a recording as. `snapshot` is XState's persisted snapshot, plain JSON. */
export interface RecordingDocument {
  /** Version of the chart that wrote it. */
  readonly v: number;
  readonly id: string;
  readonly rev: number;
  readonly updatedAt: number;
  readonly deadline: Deadline | null;
  readonly snapshot: unknown;
}
