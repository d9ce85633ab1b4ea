/**
 * By how much the clock of a piece is moved where nothing of it overlaps: so that its first unit comes after the last
 * written one, with the gap between them at its true length (PROTOCOLS §6.2). A stream that kept its own clock through
 * the gap tells the length itself; else the time that passed does.
 */
import type { PidState } from './streamScan.js';
import { CLOCK_HZ, CLOCK_WRAP, ticksBetween, type PesTimes } from './tsPackets.js';

/** Where a unit has no neighbour to tell how long it is: one picture of 25 a second. */
const STEP_TICKS = CLOCK_HZ / 25;
/** Within one connection a clock that went on is where the time that passed puts it, give or take a buffer. */
const SAME_CLOCK_TICKS = 2.5 * CLOCK_HZ;
/** Of two connections one may be as far behind what is on air as providers buffer, and the other not. */
const SAME_CLOCK_TICKS_APART = 30 * CLOCK_HZ;
/**
 * A piece that by its clock began so far before the end of what is written would repeat it. Nothing of it does, so that
 * is not its clock: providers let it begin anew at every connection.
 */
const BEGUN_BEFORE_TICKS_MAX = CLOCK_HZ;
/** Within one connection nothing is between the two but what the clock says. */
const BEGUN_BEFORE_TICKS_MAX_HERE = CLOCK_HZ / 10;

export interface Anchor {
  /** 0 to 2^33. */
  readonly offset: number;
  /** What is missing between the pictures. */
  readonly gapTicks: number;
  /** The stream's own clock went on. */
  readonly sameClock: boolean;
}

export interface AnchorInput {
  /** Of the stream in the file. */
  readonly last: PidState;
  /** Of the first unit that is written. */
  readonly first: PesTimes;
  /** From the end of what is written to this unit, as far as it is known without looking at the clocks. */
  readonly gapTicks: number;
  /** The piece comes in the same multiplex, so its clock may be the same too. */
  readonly sameStreams: boolean;
  /** It came over the same connection. */
  readonly isSeam: boolean;
  /** What was added to the clock of what is written last. */
  readonly movedTicks: number;
  /** Of the first unit that came of the piece, written or not; -1 where nobody knows. */
  readonly begunDts: number;
}

export function anchorAfter(input: AnchorInput): Anchor {
  const { last, first, gapTicks, sameStreams, isSeam, movedTicks, begunDts } = input;
  if (last.dts < 0) return { offset: 0, gapTicks, sameClock: false };
  const step = last.stepTicks > 0 ? last.stepTicks : STEP_TICKS;
  const own = modulo(last.dts - movedTicks);
  const ahead = ticksBetween(own, first.dts);
  const before = isSeam ? BEGUN_BEFORE_TICKS_MAX_HERE : BEGUN_BEFORE_TICKS_MAX;
  const isLater = begunDts < 0 || ticksBetween(own, begunDts) > -before;
  const tolerance = isSeam ? SAME_CLOCK_TICKS : SAME_CLOCK_TICKS_APART;
  if (sameStreams && isLater && ahead > 0 && Math.abs(ahead - step - gapTicks) < tolerance) {
    return { offset: movedTicks, gapTicks: Math.max(0, ahead - step), sameClock: true };
  }
  // Decoded after all that was decoded and shown after all that was shown.
  const byDts = modulo(last.dts + step + gapTicks - first.dts);
  const byPts = modulo(last.ptsMax + step + gapTicks - first.pts);
  return { offset: ticksBetween(byDts, byPts) > 0 ? byPts : byDts, gapTicks, sameClock: false };
}

function modulo(ticks: number): number {
  return ((Math.round(ticks) % CLOCK_WRAP) + CLOCK_WRAP) % CLOCK_WRAP;
}
