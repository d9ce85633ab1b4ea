/** Where the clocks of one stream stand, and how far they may be a moment later. */
import { CLOCK_HZ } from './tsPackets.js';

export interface Mark {
  readonly ticks: number;
  /** Monotonic time at which it should have come: when it did, without what the stream was behind. */
  readonly due: number;
  /** From the one before to it; 0 where that is not known. */
  readonly step: number;
}

export interface StreamClocks {
  pcr: Mark | null;
  /** The longest way from one PCR to the next, of late. */
  pcrStep: number;
  /** Milliseconds that the last PCR came later than the stream plays, beside the one that came soonest. */
  behind: number;
  /** The last DTS of each PID of sound or pictures. */
  readonly stamps: Map<number, Mark>;
}

export const unknownClocks = (): StreamClocks => ({ pcr: null, pcrStep: 0, behind: 0, stamps: new Map() });

/** Ticks that the time since then is long. */
export function ticksSince({ due }: Mark, mono: number): number {
  return (Math.max(0, mono - due) * CLOCK_HZ) / 1000;
}
