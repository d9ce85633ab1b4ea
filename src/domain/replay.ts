/**
 * Programmes that are over and lack something, and what a provider's archive can do for them: fill the holes where the
 * archive has the very same stream, else be the better copy. Pure; `machines/recording.ts` says when.
 */

import type { Bug } from './capture.js';
import type { UpstreamRef } from './channel.js';
import type { Gap, Join, Stretch, TsCounts } from './ledger.js';
import { resultOf } from './outcome.js';
import type { Recording } from './recording.js';

/** Of the programme itself; less is not worth a download. */
const MISSING_MS_MIN = 1_000;
/** Archives lag behind what is on. */
export const ARCHIVE_LAG_MS = 120_000;
/** Nobody waits longer than that for a free connection; what was captured is published then. */
export const REPLAY_WAIT_MS_MAX = 2 * 3_600_000;
export const REPLAY_TRIES_MAX = 3;

/** What the archive made of a recording: another spool, with other facts. */
export interface Mended {
  readonly spool: string;
  readonly bytes: number;
  readonly stretches: readonly Stretch[];
  readonly gaps: readonly Gap[];
  readonly joins: readonly Join[];
  readonly ts: TsCounts;
}

export type ReplayOutcome =
  | { readonly kind: 'mended'; readonly at: number; readonly mended: Mended }
  /** The archive has nothing that helps. */
  | { readonly kind: 'none'; readonly at: number; readonly code: string }
  /** It broke off: what came is kept, and it is gone on with. */
  | { readonly kind: 'again'; readonly at: number; readonly code: string }
  | Bug;

/** Where what comes from the archive is gathered, and what is made of it. No media server knows these names. */
export function replayPaths(spool: string): { readonly fetched: string; readonly mended: string } {
  const base = spool.replace(/\.(?:partial\.ts|mended\.part)$/, '');
  return { fetched: `${base}.replay.part`, mended: `${base}.mended.part` };
}

/** Files beside a spool that are of no use once it is published or removed. */
export function leftBehind({
  spool,
  superseded,
}: Pick<Recording, 'spool' | 'superseded'>): readonly string[] {
  const { fetched, mended } = replayPaths(spool);
  return [
    fetched,
    `${fetched}.again`,
    `${fetched}.tag`,
    ...(superseded === undefined ? [mended] : [superseded]),
  ].filter((path) => path !== spool);
}

/** A connection of its own for each recording: an archive is shared with nobody. */
export function replayRef(id: string): UpstreamRef {
  return { source: 'replay', channel: id, index: 0 };
}

export function isReplay({ source }: Pick<UpstreamRef, 'source'>): boolean {
  return source === 'replay';
}

type Facts = Pick<Recording, 'stretches' | 'gaps' | 'bytes' | 'window'>;

/** Of start..stop, in order. */
export function missingOf(recording: Recording): readonly Gap[] {
  return resultOf(recording, recording.bytes, 0).gaps;
}

/** Whether the archive is worth asking: it may know the programme, something is missing, and nobody gave up yet. */
export function replayHelps(recording: Recording): boolean {
  const { capsule, cancelReason, durationMsMax, replayTries = 0, superseded } = recording;
  if (capsule.replayable !== true || superseded !== undefined || replayTries >= REPLAY_TRIES_MAX)
    return false;
  // Somebody did not want all of it.
  if (cancelReason !== '' || durationMsMax > 0) return false;
  const missingMs = missingOf(recording).reduce((sum, { fromAt, toAt }) => sum + toAt - fromAt, 0);
  return missingMs >= MISSING_MS_MIN;
}

/** When the archive can be expected to have all of it. */
export function archiveReadyAt({ window }: Pick<Facts, 'window'>): number {
  return window.stopAt + ARCHIVE_LAG_MS;
}

/** The other spool takes the place of the one that was captured, which goes when the other is published. */
export function withMended(recording: Recording, mended: Mended): Partial<Recording> {
  const { spool, bytes, stretches, gaps, joins, ts } = mended;
  return { spool, bytes, stretches, gaps, joins, ts, tsBefore: ts, superseded: recording.spool };
}
