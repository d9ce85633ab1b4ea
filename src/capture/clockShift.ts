/** A clock that alone becomes another one: the same stream goes on, and pictures and sound say by how much it jumped. */
import type { Mark } from './streamClocks.js';
import type { StreamKind } from './psi.js';
import { CLOCK_HZ, CLOCK_WRAP, ticksBetween } from './tsPackets.js';

/** What would put the next unit of a stream right behind the one before. */
export interface Shift {
  readonly ticks: number;
  readonly kind: StreamKind;
}

/** So far back a provider may have gone to send once more what it had sent: that is for the joiner to find. */
const AGAIN_TICKS_MAX = 60 * CLOCK_HZ;
/** Packets of sound are not all of one length. */
const SLACK_TICKS = CLOCK_HZ / 5;

/** The clock jumped before the unit of that time; null where nobody knows how far it is from unit to unit. */
export function shiftBehind(before: Mark, dts: number, kind: StreamKind): Shift | null {
  if (before.step === 0) return null;
  const ticks = ticksBetween(dts, before.ticks) + before.step;
  return { ticks: (ticks + CLOCK_WRAP) % CLOCK_WRAP, kind };
}

/**
 * What is to be added to a clock that alone has become another one: pictures and sound say the same. Null where they do
 * not, or where it may be the same again; `unknown` until both have said it, where both are there.
 */
export function shiftOf(shifts: ReadonlyMap<number, Shift>, pids: number): number | 'unknown' | null {
  const [first, second] = shifts.values();
  if (!first || (!second && pids > 1)) return 'unknown';
  if (second && Math.abs(ticksBetween(first.ticks, second.ticks)) > SLACK_TICKS) return null;
  const { ticks } = second?.kind === 'video' ? second : first;
  return ticks <= AGAIN_TICKS_MAX ? null : ticks;
}
