/**
 * When each unit of a PID is decoded, also of those that do not say: a provider need not stamp every picture
 * (ISO 13818-1, 2.7.4), and they come one step after another.
 */
import { CLOCK_HZ, CLOCK_WRAP, ticksBetween } from './tsPackets.js';

export interface UnitTimes {
  /** Takes a unit in, -1 where it has no time. When it is decoded, in ticks of 90 kHz; -1 where nobody knows. */
  take(dts: number): number;
  /** From unit to unit; 0 where that is not known. */
  stepTicks(): number;
}

/** A longer way from one unit to the next is a hole. */
const STEP_TICKS_MAX = CLOCK_HZ / 2;

export function unitTimes(): UnitTimes {
  let last = -1;
  /** That came since then without a time. */
  let bare = 0;
  let step = 0;
  return {
    take(dts) {
      if (dts < 0) {
        bare++;
        return last < 0 || step === 0 ? -1 : Math.round(last + bare * step) % CLOCK_WRAP;
      }
      const each = last < 0 ? 0 : ticksBetween(last, dts) / (bare + 1);
      if (each > 0 && each <= STEP_TICKS_MAX) step = each;
      last = dts;
      bare = 0;
      return dts;
    },
    stepTicks: () => step,
  };
}
