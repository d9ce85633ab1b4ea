/**
 * A door that lets so many in at once; the others wait in the order in which they came. Who leaves hands the place to
 * whoever waits longest, so that nobody slips in between. Nobody waits longer than the patience: a holder that hangs
 * takes nothing from others then (P8).
 */
import type { Clock } from './clock.js';

/** Runs a task once it is its turn. What it resolves to or rejects with is its own. */
export type Turns = <T>(task: () => Promise<T>) => Promise<T>;

/** `patienceMs` of Infinity waits for as long as it takes, without a timer. */
export function turns(clock: Clock, atOnce: number, patienceMs: number): Turns {
  const waiting: (() => void)[] = [];
  let inside = 0;

  /** In a place that is its own. */
  function run<T>(task: () => Promise<T>): Promise<T> {
    // What throws rejects, so that nobody leaves before `run` has returned.
    return (async () => task())().finally(leave);
  }

  function leave(): void {
    // Where the impatient made it too many there is no place to hand over.
    const next = inside > atOnce ? undefined : waiting.shift();
    if (next) next();
    else inside -= 1;
  }

  return (task) => {
    if (inside < atOnce) {
      inside += 1;
      return run(task);
    }
    return new Promise((resolve) => {
      // It begins at once and is not only told to: who comes in the next moment would be before it.
      const go = () => {
        timer?.cancel();
        resolve(run(task));
      };
      const timer = patienceMs < Infinity ? clock.after(patienceMs, giveUp) : null;
      waiting.push(go);
      function giveUp(): void {
        waiting.splice(waiting.indexOf(go), 1);
        inside += 1;
        go();
      }
    });
  };
}
