/** A clock that stands until a test moves it. */
import type { Clock } from '../../src/io/clock.js';

export interface ManualClock extends Clock {
  /** Lets time pass and everything that became due run to its end. */
  advance(ms: number): Promise<void>;
}

/** Enough microtasks for chains over the disk in memory to settle. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 300; turn += 1) await Promise.resolve();
}

export function manualClock(startAt = Date.parse('2026-11-23T19:30:00Z')): ManualClock {
  let mono = 0;
  let timers: { readonly at: number; readonly task: () => void }[] = [];
  return {
    now: () => startAt + mono,
    mono: () => mono,
    after(delayMs, task) {
      const timer = { at: mono + delayMs, task };
      timers.push(timer);
      return {
        cancel() {
          timers = timers.filter((other) => other !== timer);
        },
      };
    },
    async advance(ms) {
      const until = mono + ms;
      await settle();
      for (;;) {
        const due = timers.filter((timer) => timer.at <= until).toSorted((a, b) => a.at - b.at)[0];
        if (!due) break;
        timers = timers.filter((timer) => timer !== due);
        mono = Math.max(mono, due.at);
        due.task();
        await settle();
      }
      mono = until;
    },
  };
}
