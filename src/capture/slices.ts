/**
 * Long looks at what is on disk, in slices (P1). After a restart every stream reads back the end of its file at once:
 * of all who do, one works in a turn of the loop, and not for long, so that those that record already are never held.
 */
import { pause, type Clock } from '../io/clock.js';

const SLICE_MS = 4;

export interface Slices {
  /** Resolves when it is one's turn to work; a slice begins. */
  turn(): Promise<void>;
  /** The slice is over: whoever goes on asks for the next turn. */
  isOver(): boolean;
}

/**
 * Who waits for a turn waits behind the last that asked. By the timers, which every recording has in common, and not by
 * the clock, which may show each of them another time.
 */
const lines = new WeakMap<Clock['after'], Promise<void>>();

export function createSlices(clock: Clock): Slices {
  let beganAt = -Infinity;
  return {
    async turn() {
      const mine = (lines.get(clock.after) ?? Promise.resolve()).then(() => pause(clock, 0));
      lines.set(clock.after, mine);
      await mine;
      beganAt = clock.mono();
    },
    isOver: () => clock.mono() - beganAt >= SLICE_MS,
  };
}
