/**
 * Where the space that recordings take will level off: what is planned now, at the rate that was measured, for as long as
 * each lane keeps it. An estimate, and said as one; limits of lanes and of all count.
 */

import { isRecorded } from './forecast.js';
import type { Decision } from './plan.js';
import type { ByLane } from './retention.js';

export interface LevelInput {
  readonly decisions: readonly Decision[];
  readonly now: number;
  /** How far ahead the decisions look. */
  readonly horizonMs: number;
  /** Connections at a time; 0 is no limit. */
  readonly slotsMax: number;
  readonly bytesPerMs: number;
  /** 0 is for ever. */
  readonly keepMs: ByLane;
  readonly bytesMaxPerLane: ByLane;
  readonly bytesMax: number;
}

/** A usual stream of 8 Mbit/s, where nothing was measured yet. */
export const USUAL_BYTES_PER_MS = 1_000;

/** Bytes, or null where nothing would ever go. */
export function levelOff(input: LevelInput): number | null {
  const { decisions, now, horizonMs, slotsMax, keepMs } = input;
  const until = now + horizonMs;
  const recorded = new Map<string, number>();
  for (const decision of decisions.filter(isRecorded)) {
    const { lane, startAt, stopAt } = decision.capsule;
    const ms = Math.max(0, Math.min(stopAt, until) - Math.max(startAt, now));
    recorded.set(lane, (recorded.get(lane) ?? 0) + ms);
  }
  const all = [...recorded.values()].reduce((sum, ms) => sum + ms, 0);
  const share = slotsMax === 0 ? 1 : Math.min(1, (slotsMax * horizonMs) / Math.max(1, all));
  let level = 0;
  for (const [lane, ms] of recorded) {
    const kept = keepMs[lane] ?? 0;
    const most = input.bytesMaxPerLane[lane] || Infinity;
    const own = kept === 0 && ms > 0 ? Infinity : ((ms * share) / horizonMs) * kept * input.bytesPerMs;
    level += Math.min(own, most);
  }
  level = Math.min(level, input.bytesMax || Infinity);
  return level === Infinity ? null : Math.round(level);
}
