/** `levelOff` for a configuration and what is known of it: `run` and `doctor` say the same. */

import type { Config } from '../config/config.js';
import { levelOff, USUAL_BYTES_PER_MS } from '../domain/levelOff.js';
import type { Decision } from '../domain/plan.js';
import { gist, type Entry } from './entries.js';

/** Bytes a millisecond, as measured; a usual stream where nothing was. */
export function rateOf(entries: Iterable<Entry>): number {
  let bytes = 0;
  let capturedMs = 0;
  for (const entry of entries) {
    const captured = gist(entry);
    bytes += captured.pieceBytes;
    capturedMs += captured.capturedMs;
  }
  return capturedMs > 0 ? bytes / capturedMs : USUAL_BYTES_PER_MS;
}

export function levelOf(
  { what, how, keep }: Config,
  decisions: readonly Decision[],
  bytesPerMs: number,
  now: number,
): number | null {
  return levelOff({
    decisions,
    now,
    horizonMs: Math.max(1, what.horizonMs),
    slotsMax: how.concurrencyMax,
    bytesPerMs,
    keepMs: keep.keepMs,
    bytesMaxPerLane: keep.bytesMaxPerLane,
    bytesMax: keep.bytesMax,
  });
}
