/**
 * Time as a test gives it out. It stands while anything is left to do and then moves to the next timer, by due time,
 * then by order of asking. The wall can be stepped on its own, as an NTP server or a person does.
 */

import type { Clock, TimerHandle } from '../../src/io/clock.js';

export interface VirtualClock extends Clock {
  /** Lets so much time pass, and everything that comes due in it run to its end. */
  run(ms: number): Promise<void>;
  /** Lets time pass until `task` has settled. Throws when nothing is left that could settle it. */
  until<T>(task: Promise<T>): Promise<T>;
  /** Moves the wall alone. */
  step(ms: number): void;
  /** Timers that came due so far. */
  fired(): number;
  /** Timers that wait. */
  waiting(): number;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  task: (() => void) | null;
}

/** Everything that runs on microtasks has run by then. */
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

export function virtualClock(startAt: number): VirtualClock {
  let mono = 0;
  let wall = startAt;
  let orders = 0;
  let fired = 0;
  const heap = timerHeap();

  async function fire(): Promise<void> {
    const timer = heap.pop();
    if (!timer?.task) return;
    mono = Math.max(mono, timer.at);
    const { task } = timer;
    timer.task = null;
    fired += 1;
    task();
    await turn();
  }

  return {
    now: () => wall + Math.floor(mono),
    mono: () => mono,
    uptimeMs: () => mono,
    after(delayMs, task): TimerHandle {
      const timer: Timer = { at: mono + Math.max(0, delayMs), order: (orders += 1), task };
      heap.push(timer);
      return { cancel: () => void (timer.task = null) };
    },
    async run(ms) {
      const end = mono + ms;
      await turn();
      for (let next = heap.peek(); next && next.at <= end; next = heap.peek()) await fire();
      mono = end;
    },
    async until(task) {
      let settled = false;
      const note = () => void (settled = true);
      task.then(note, note);
      await turn();
      while (!settled) {
        if (!heap.peek()) throw new Error('nothing is left that could settle it');
        await fire();
      }
      return task;
    },
    step(ms) {
      wall += ms;
    },
    fired: () => fired,
    waiting: () => heap.size(),
  };
}

/** Earliest first, then the first that was asked for; cancelled ones fall out at the top. */
function timerHeap() {
  const items: Timer[] = [];
  const before = (a: Timer, b: Timer) => a.at < b.at || (a.at === b.at && a.order < b.order);

  function sink(timer: Timer): void {
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const [left, right] = [items[child], items[child + 1]];
      if (!left) break;
      const least = right && before(right, left) ? right : left;
      if (least === right) child += 1;
      if (!before(least, timer)) break;
      items[index] = least;
      index = child;
    }
    items[index] = timer;
  }

  function pop(): Timer | undefined {
    const [first] = items;
    const last = items.pop();
    if (first && last && first !== last) sink(last);
    return first;
  }

  return {
    pop,
    push(timer: Timer): void {
      let index = items.push(timer) - 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        const above = items[parent];
        if (!above || !before(timer, above)) break;
        items[index] = above;
        index = parent;
      }
      items[index] = timer;
    },
    peek(): Timer | undefined {
      while (items[0] && items[0].task === null) pop();
      return items[0];
    },
    size: () => items.filter((timer) => timer.task !== null).length,
  };
}
