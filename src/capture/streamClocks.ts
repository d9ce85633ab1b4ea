/** Where the clocks of one stream stand, and how far they may be a moment later. */
import { CLOCK_HZ, ticksBetween } from './tsPackets.js';

export interface Mark {
  readonly ticks: number;
  /** Monotonic time at which it should have come: when it did, without what the stream was behind. */
  readonly due: number;
  /** From the one before to it; 0 where that is not known. */
  readonly step: number;
}

/** How fast a stream came in the last second. */
interface Pace {
  readonly ticks: number;
  readonly mono: number;
}

export interface StreamClocks {
  pcr: Mark | null;
  /** The longest way from one PCR to the next, of late. */
  pcrStep: number;
  /** Milliseconds that the last PCR came later than the stream plays, beside the one that came soonest. */
  behind: number;
  /** The last DTS of each PID of sound or pictures. */
  readonly stamps: Map<number, Mark>;
  pace: Pace | null;
  /** It came no faster than it plays. */
  isPaced: boolean;
}

/** From this length on a jump forward is a hole, unless the clock is shown that rarely. */
const HOLE_TICKS_MIN = CLOCK_HZ / 5;
const HOLE_STEPS_MIN = 3;
/** What is usual is forgotten within some dozens of steps. */
const STEP_DECAY = 0.98;
/** And so much of what it had fallen behind may a stream make good, whether it was sent late or taken late by us. */
const BEHIND_MS_MAX = 60_000;
const PACE_MS = 1_000;
const PACE_MAX = 1.3;

export function unknownClocks(): StreamClocks {
  return { pcr: null, pcrStep: 0, behind: 0, stamps: new Map(), pace: null, isPaced: false };
}

/** What is missing before a PCR that came `step` ticks after the last one, in ticks; 0 where nothing is. */
export function holeTicks({ pcr, pcrStep }: StreamClocks, step: number): number {
  const isHole = pcrStep > 0 && step >= HOLE_TICKS_MIN && step > HOLE_STEPS_MIN * pcrStep;
  return isHole ? step - (pcr?.step ?? 0) : 0;
}

/** Takes a PCR in; `step`: ticks since the last one, 0 where it does not go on from that. */
export function takePcr(clocks: StreamClocks, ticks: number, step: number, mono: number): void {
  const { pcr: before } = clocks;
  const isHole = holeTicks(clocks, step) > 0;
  const behind = before && step > 0 ? ((ticksSince(before, mono) - step) * 1000) / CLOCK_HZ : 0;
  clocks.behind = Math.min(Math.max(0, behind), BEHIND_MS_MAX);
  clocks.pcr = {
    ticks,
    due: mono - clocks.behind,
    step: isHole || step === 0 ? (before?.step ?? 0) : step,
  };
  if (step > 0 && !isHole) clocks.pcrStep = Math.max(step, clocks.pcrStep * STEP_DECAY);
  const pace = step > 0 && !isHole ? clocks.pace : null;
  if (pace && mono - pace.mono < PACE_MS) return;
  if (pace)
    clocks.isPaced = ticksBetween(pace.ticks, ticks) <= (PACE_MAX * (mono - pace.mono) * CLOCK_HZ) / 1000;
  clocks.pace = { ticks, mono };
}

/** Ticks that the time since then is long. */
export function ticksSince({ due }: Mark, mono: number): number {
  return (Math.max(0, mono - due) * CLOCK_HZ) / 1000;
}
