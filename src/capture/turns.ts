/**
 * Who may load a segment now. Sessions on one provider hear of new segments at the same moment, and all of them at once
 * would fill the memory; so a few go at a time. Nobody waits long: a host that is slow takes nothing from others (P8).
 */
import type { Clock } from '../io/clock.js';

const AT_ONCE = 8;
const PATIENCE_MS = 500;

export interface Turns {
  /** Resolves when it is one's turn, or when one has waited enough; with what gives it back. */
  take(): Promise<() => void>;
}

export function turns(clock: Clock, atOnce = AT_ONCE, patienceMs = PATIENCE_MS): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;

  function give(): void {
    running--;
    if (running < atOnce) waiting.shift()?.();
  }

  return {
    async take() {
      if (running >= atOnce)
        await new Promise<void>((resolve) => {
          const go = () => {
            timer.cancel();
            const place = waiting.indexOf(go);
            if (place >= 0) waiting.splice(place, 1);
            resolve();
          };
          const timer = clock.after(patienceMs, go);
          waiting.push(go);
        });
      running++;
      return give;
    },
  };
}
