import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSteadyClock, type Doubt } from '../../src/runtime/steadyClock.js';
import { virtualClock } from '../sim/virtualClock.js';

const START_AT = Date.UTC(2026, 10, 23, 19, 30);
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A guide that knows two weeks from the day before on. */
const covers = (at: number) => at >= START_AT - DAY_MS && at < START_AT + 14 * DAY_MS;

function bench(lastWrittenAt = START_AT, wallAt = START_AT, toldAt: number | null = null) {
  const wall = virtualClock(wallAt);
  let slept = 0;
  const doubts: Doubt[] = [];
  const jumps: number[] = [];
  const clock = createSteadyClock({
    clock: { ...wall, sleptMs: () => slept },
    onDoubt: (doubt) => doubts.push(doubt),
    onTrust: (jumpMs) => jumps.push(jumpMs),
  });
  clock.begin(lastWrittenAt, toldAt);
  return {
    wall,
    clock,
    doubts,
    jumps,
    sleep(ms: number) {
      slept += ms;
      wall.step(ms);
    },
  };
}

describe('the daemon’s clock', () => {
  it('is the wall, and follows what corrects it', async () => {
    const { wall, clock, doubts } = bench();
    for (const stepMs of [5_000, -90_000, 119_000, -1, 60_000]) {
      wall.step(stepMs);
      expect(clock.now()).toBe(wall.now());
      clock.look(covers);
      await wall.run(30_000);
    }
    expect(doubts).toEqual([]);
  });

  it.each([40 * DAY_MS, -40 * DAY_MS])('goes on by itself while the wall is %d ms off', async (stepMs) => {
    const { wall, clock, doubts, jumps } = bench();
    wall.step(stepMs);
    expect(clock.now()).toBe(START_AT);
    await wall.run(60 * MINUTE_MS);
    clock.look(covers);
    expect(clock.now()).toBe(START_AT + 60 * MINUTE_MS);
    expect(clock.trusted()).toBeNull();
    wall.step(-stepMs);
    clock.look(covers);
    expect([clock.now(), clock.trusted()]).toEqual([wall.now(), wall.now()]);
    expect([doubts, jumps]).toEqual([['jumped'], [0]]);
  });

  it.each([3, -3])('believes a jump by %d hours as soon as a guide knows what is on then', (hours) => {
    const { wall, clock, jumps } = bench();
    wall.step(hours * 60 * MINUTE_MS);
    expect(clock.now()).toBe(START_AT);
    clock.look(covers);
    expect([clock.now(), jumps]).toEqual([wall.now(), [hours * 60 * MINUTE_MS]]);
  });

  it('takes a sleep of the machine for what it is', () => {
    const { sleep, wall, clock, doubts } = bench();
    sleep(9 * DAY_MS);
    expect(clock.now()).toBe(wall.now());
    expect(doubts).toEqual([]);
  });

  it('goes on from the state where the wall is before it, until that is set', async () => {
    const { wall, clock, doubts, jumps } = bench(START_AT, 0);
    expect(clock.now()).toBe(START_AT);
    await wall.run(10_000);
    clock.look(covers);
    expect(clock.now()).toBe(START_AT + 10_000);
    wall.step(START_AT + MINUTE_MS);
    clock.look(() => false);
    expect(clock.now()).toBe(wall.now());
    expect([doubts, jumps]).toEqual([['behind'], [0]]);
  });

  it('has no idea of the time when the wall is long after the state, until a guide has or it is set', () => {
    for (const isSet of [false, true]) {
      const { wall, clock, doubts } = bench(START_AT, START_AT + 8 * DAY_MS);
      clock.look(() => false);
      expect([clock.doubt(), clock.trusted()]).toEqual(['ahead', null]);
      if (isSet) wall.step(-5 * DAY_MS);
      clock.look(isSet ? () => false : covers);
      expect([clock.doubt(), clock.now()]).toEqual([null, wall.now()]);
      expect(doubts).toEqual(['ahead']);
    }
  });

  it('needs no guide after a week or less, nor where nothing was ever written', () => {
    for (const [lastWrittenAt, wallAt] of [
      [START_AT, START_AT + 7 * DAY_MS],
      [START_AT, START_AT],
      [START_AT, START_AT - MINUTE_MS],
      [0, 0],
    ] as const) {
      const { clock, wall } = bench(lastWrittenAt, wallAt);
      expect([clock.doubt(), clock.now()]).toEqual([null, wall.now()]);
    }
  });

  it.each([40 * DAY_MS, -40 * DAY_MS, 3 * DAY_MS])(
    'goes on by the uptime at a start where the wall is %d ms off',
    async (offMs) => {
      const toldAt = START_AT + 5 * MINUTE_MS;
      const { wall, clock, doubts, jumps } = bench(START_AT, toldAt + offMs, toldAt);
      await wall.run(MINUTE_MS);
      clock.look(() => false);
      expect([clock.now(), clock.trusted(), doubts]).toEqual([toldAt + MINUTE_MS, null, ['jumped']]);
      wall.step(-offMs);
      clock.look(() => false);
      expect([clock.now(), clock.doubt(), jumps]).toEqual([wall.now(), null, [0]]);
    },
  );

  it('believes the state more than an uptime that is behind it, and doubts a long rest whatever the uptime says', () => {
    const behind = bench(START_AT, START_AT + MINUTE_MS, START_AT - DAY_MS);
    expect([behind.clock.doubt(), behind.clock.now()]).toEqual([null, START_AT + MINUTE_MS]);
    const rested = bench(START_AT, START_AT + 40 * DAY_MS, START_AT + 40 * DAY_MS);
    expect([rested.clock.doubt(), rested.clock.trusted()]).toEqual(['ahead', null]);
  });

  it('never goes by more than what elapsed while it doubts, whatever the wall does', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            stepMs: fc.integer({ min: -60 * DAY_MS, max: 60 * DAY_MS }),
            runMs: fc.integer({ min: 0, max: DAY_MS }),
          }),
          { maxLength: 8 },
        ),
        async (moves) => {
          const { wall, clock } = bench();
          for (const { stepMs, runMs } of moves) {
            const before = clock.now();
            wall.step(stepMs);
            await wall.run(runMs);
            const passed = clock.now() - before;
            if (clock.trusted() === null) expect(passed).toBeLessThanOrEqual(runMs + 2 * MINUTE_MS);
            else expect(clock.now()).toBe(wall.now());
            clock.look(() => false);
          }
        },
      ),
      { numRuns: 60 },
    ));
});
