import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDeadlines, type AwaitedDeadline, type Deadlines } from '../../src/runtime/deadlines.js';
import { virtualClock } from '../sim/virtualClock.js';

const START_AT = Date.UTC(2026, 10, 23, 19, 30);

interface Call {
  readonly id: string;
  readonly kind: string;
  readonly dueAt: number;
  /** What the wall and elapsed time showed when it came, from the start on. */
  readonly at: number;
  readonly mono: number;
}

function bench(onCall: (deadlines: Deadlines, id: string, deadline: AwaitedDeadline) => void = () => {}) {
  const clock = virtualClock(START_AT);
  const calls: Call[] = [];
  const deadlines: Deadlines = createDeadlines(clock, (id, deadline, at) => {
    const { kind } = deadline;
    calls.push({ id, kind, dueAt: deadline.at - START_AT, at: at - START_AT, mono: clock.mono() });
    onCall(deadlines, id, deadline);
  });
  const await_ = (id: string, kind: string, inMs: number) => deadlines.set(id, { kind, at: START_AT + inMs });
  return { clock, calls, deadlines, awaits: await_, ids: () => calls.map(({ id }) => id) };
}

describe('deadlines', () => {
  it('are called in the order of their times, then of their names, whatever the order of asking', async () => {
    const asked = fc.uniqueArray(fc.record({ id: fc.string(), inMs: fc.integer({ min: 0, max: 200_000 }) }), {
      selector: ({ id }) => id,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(asked, async (list) => {
        const { clock, awaits, ids } = bench();
        for (const { id, inMs } of list) awaits(id, 'stop', inMs);
        await clock.run(200_000);
        const order = list.toSorted((a, b) => a.inMs - b.inMs || (a.id < b.id ? -1 : 1));
        expect(ids()).toEqual(order.map(({ id }) => id));
      }),
      { numRuns: 60 },
    );
  });

  it('come at their very time, also weeks ahead, and never sleep longer than half a minute', async () => {
    const { clock, calls, awaits } = bench();
    awaits('far', 'expire', 40 * 86_400_000);
    const sleeps: number[] = [];
    const { after } = clock;
    clock.after = (delayMs, task) => {
      sleeps.push(delayMs);
      return after(delayMs, task);
    };
    awaits('near', 'open', 61_500);
    await clock.run(40 * 86_400_000);
    expect(calls.map(({ id, at }) => [id, at])).toEqual([
      ['near', 61_500],
      ['far', 40 * 86_400_000],
    ]);
    expect(Math.max(...sleeps)).toBe(30_000);
  });

  it('that are replaced or taken back are not called', async () => {
    const { clock, calls, awaits, deadlines } = bench();
    awaits('a', 'stop', 1_000);
    awaits('a', 'stop', 5_000);
    awaits('b', 'stop', 1_000);
    deadlines.set('b', null);
    awaits('c', 'stop', 9_000);
    awaits('c', 'retry', 2_000);
    expect(deadlines.size()).toBe(2);
    await clock.run(60_000);
    expect(calls.map(({ id, at }) => [id, at])).toEqual([
      ['c', 2_000],
      ['a', 5_000],
    ]);
  });

  it('an earlier one wakes a service that sleeps for a later one', async () => {
    const { clock, calls, awaits } = bench();
    awaits('late', 'stop', 20_000);
    await clock.run(1_000);
    awaits('soon', 'stop', 1_500);
    awaits('past', 'stop', -60_000);
    await clock.run(500);
    expect(calls.map(({ id }) => id)).toEqual(['past', 'soon']);
  });

  it('that are still awaited after the call are called again, once a second, not at once and for ever', async () => {
    const { clock, calls, awaits } = bench((deadlines, id, deadline) => deadlines.set(id, deadline));
    awaits('stubborn', 'tick', 1_000);
    await clock.run(4_500);
    expect(calls.map(({ mono }) => mono)).toEqual([1_000, 2_000, 3_000, 4_000]);
  });

  it('of the same kind and time that are set anew after another one come at once again', async () => {
    const { clock, calls, awaits } = bench();
    awaits('a', 'stop', 1_000);
    await clock.run(1_000);
    awaits('a', 'expire', 99_000);
    awaits('a', 'stop', 1_000);
    await clock.run(0);
    expect(calls.map(({ mono }) => mono)).toEqual([1_000, 1_000]);
  });

  it('nothing is called after the end', async () => {
    const { clock, calls, awaits, deadlines } = bench();
    awaits('a', 'stop', 1_000);
    deadlines.stop();
    awaits('b', 'stop', 1_000);
    await clock.run(60_000);
    expect(calls).toEqual([]);
    expect(clock.waiting()).toBe(0);
  });
});

describe('when the wall clock is stepped', () => {
  const WALL = ['open', 'stop', 'expire'];
  const ELAPSED = ['retry', 'close', 'wait', 'restart', 'tick', 'poll'];

  it.each([
    ['forward, what waits for the wall comes by the wall', WALL, 600_000, 900_000, 300_000],
    ['forward, what runs on elapsed time stays', ELAPSED, 600_000, 900_000, 900_000],
    ['back, what waits for the wall comes by the wall', WALL, -600_000, 900_000, 1_500_000],
    ['back, what runs on elapsed time stays', ELAPSED, -600_000, 900_000, 900_000],
  ])('%s', async (_, kinds, stepMs, inMs, expectedMono) => {
    const { clock, calls, awaits } = bench();
    for (const kind of kinds) awaits(kind, kind, inMs);
    await clock.run(100_000);
    clock.step(stepMs);
    await clock.run(1_600_000);
    expect(calls.map(({ id }) => id).toSorted()).toEqual(kinds.toSorted());
    for (const { mono } of calls) expect(mono).toBe(expectedMono);
  });

  it('over the time itself, it is noticed within half a minute', async () => {
    const { clock, calls, awaits } = bench();
    awaits('a', 'stop', 900_000);
    await clock.run(100_000);
    clock.step(3_600_000);
    await clock.run(30_000);
    expect(calls).toHaveLength(1);
  });

  it('no wall time is ever called early, however the wall is stepped and drifts', async () => {
    const steps = fc.array(
      fc.record({
        runMs: fc.integer({ min: 0, max: 90_000 }),
        stepMs: fc.oneof(fc.integer({ min: -500, max: 500 }), fc.integer({ min: -400_000, max: 400_000 })),
        setInMs: fc.integer({ min: -1_000, max: 300_000 }),
      }),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const { clock, calls, deadlines } = bench();
        for (const [index, { runMs, stepMs, setInMs }] of list.entries()) {
          deadlines.set(`r${index}`, { kind: 'stop', at: clock.now() + setInMs });
          await clock.run(runMs);
          clock.step(stepMs);
        }
        await clock.run(20 * 400_000 + 600_000);
        expect(calls.every(({ at, dueAt }) => at >= dueAt)).toBe(true);
        expect(calls).toHaveLength(list.length);
      }),
      { numRuns: 60 },
    );
  });
});
