import { describe, expect, it } from 'vitest';
import { turns } from '../../src/capture/turns.js';
import { systemClock } from '../../src/io/clock.js';

/** A clock whose timers come due when told to. */
function handClock() {
  const due: (() => void)[] = [];
  const after = (_ms: number, wake: () => void) => {
    due.push(wake);
    return { cancel: () => void due.splice(due.indexOf(wake), 1) };
  };
  return { clock: { ...systemClock, after }, ring: () => due.splice(0).forEach((wake) => wake()), due };
}

describe('turns', () => {
  it('are given to so many at once, then in the order of asking', async () => {
    const { clock, due } = handClock();
    const line = turns(clock, 2, 500);
    const [first, second] = [await line.take(), await line.take()];
    const order: number[] = [];
    const third = line.take().then((give) => (order.push(3), give));
    const fourth = line.take().then((give) => (order.push(4), give));
    first();
    (await third)();
    (await fourth)();
    second();
    expect(order).toEqual([3, 4]);
    expect(due).toEqual([]);
  });

  it('come to everybody who has waited enough, whoever is slow', async () => {
    const { clock, ring } = handClock();
    const line = turns(clock, 1, 500);
    await line.take();
    const second = line.take();
    const third = line.take();
    ring();
    const gives = await Promise.all([second, third]);
    for (const give of gives) give();
  });
});
