import { describe, expect, it } from 'vitest';
import { createSlices } from '../../src/capture/slices.js';
import type { Clock } from '../../src/io/clock.js';

/** Time passes by working alone; whoever waits goes on when the loop turns. */
function workedClock() {
  let mono = 0;
  let due: (() => void)[] = [];
  const clock: Clock = {
    now: () => mono,
    mono: () => mono,
    after(_delayMs, task) {
      due.push(task);
      return { cancel: () => undefined };
    },
  };
  return {
    clock,
    work: () => void (mono += 1),
    async turnOfTheLoop() {
      const now = due;
      due = [];
      for (const task of now) task();
      await new Promise<void>((resolve) => void setImmediate(resolve));
      return now.length;
    },
  };
}

describe('work in slices', () => {
  it('is done by one in a turn of the loop, a few milliseconds long, and everybody comes to the end', async () => {
    const { clock, work, turnOfTheLoop } = workedClock();
    const worked: string[] = [];
    const left = new Map([
      ['a', 23],
      ['b', 7],
      ['c', 40],
    ]);
    for (const name of left.keys())
      void (async () => {
        // Each recording has a clock of its own, with the timers of all.
        const slices = createSlices({ ...clock });
        for (let rest = left.get(name) ?? 0; rest > 0; rest -= 1) {
          if (slices.isOver()) await slices.turn();
          work();
          worked.push(name);
          left.set(name, rest - 1);
        }
      })();
    expect(worked).toEqual([]);
    let before = 0;
    while ([...left.values()].some((rest) => rest > 0)) {
      expect(await turnOfTheLoop()).toBeLessThanOrEqual(1);
      const slice = worked.slice(before);
      before = worked.length;
      expect(new Set(slice).size).toBeLessThanOrEqual(1);
      expect(slice.length).toBeLessThanOrEqual(4);
    }
    expect(worked).toHaveLength(70);
    // In turn: the shortest is not behind the longest.
    expect(worked.lastIndexOf('b')).toBeLessThan(worked.indexOf('c', 20));
  });
});
