/** What a wall clock that is wrong does to a daemon that runs, or that starts by it: nothing. P4, P5. */
import { describe, expect, it } from 'vitest';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from './daemonWorld.js';
import { createWitness, fateFindings, findings } from './invariants.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * HOUR_MS;
const LONG_MS = 120_000;
/** So few channels that a slot is always free: what is not whole was cut short. */
const SMALL = { seed: 11, channels: 3, onAir: 0.9, forMs: 8 * HOUR_MS };
const KEEP = { keep: 'sports=30m,movies=30m,general=30m' };

const removed = (world: DaemonWorld) => world.lines.filter(({ msg }) => msg === 'removed').length;
/** Those that run now and were there from their beginning. */
const whole = (world: DaemonWorld) =>
  [...world.daemon().book.all()].flatMap(({ id, path, recording }) =>
    path.startsWith('spooling') && !recording.joinedInProgress ? [id] : [],
  );
const paths = (world: DaemonWorld, start: string) =>
  [...world.daemon().book.all()].filter(({ path }) => path.startsWith(start)).map(({ id }) => id);

describe('a wall clock that is wrong for an hour', () => {
  it.each([
    ['40 days ahead', 40 * DAY_MS],
    ['40 days behind', -40 * DAY_MS],
  ])(
    '%s: nothing expires, nothing is cut short, nothing is missed',
    async (_, stepMs) => {
      const world = await createDaemonWorld({ ...SMALL, options: KEEP });
      const fates = createWitness(world);
      await world.boot();
      await world.clock.run(1.25 * HOUR_MS);
      const before = removed(world);
      expect(before).toBeGreaterThan(0);
      expect(paths(world, 'spooling').length).toBeGreaterThan(1);
      const right = world.daemon().status().now;
      world.clock.step(stepMs);
      await world.clock.run(HOUR_MS);
      expect(removed(world)).toBe(before);
      expect(world.daemon().status().now - right).toBe(HOUR_MS);
      world.clock.step(-stepMs);
      await world.clock.run(1.25 * HOUR_MS);
      // It is believed again, and what was due goes.
      expect(removed(world)).toBeGreaterThan(before);
      expect(findings(world)).toEqual([]);
      const to = world.clock.now() - 2 * MINUTE_MS;
      expect(fateFindings(world, fates, world.startAt, to)).toEqual([]);
      const codes = world.lines.flatMap(({ code, level }) => (level === 'info' ? [] : [code]));
      expect(codes).toEqual(['clock_doubtful']);
      await world.stop();
    },
    LONG_MS,
  );

  it(
    'by an hour, which no guide can tell: what runs is not cut short, and its ledger knows no jump',
    async () => {
      const world = await createDaemonWorld(SMALL);
      const fates = createWitness(world);
      await world.boot();
      await world.clock.run(1.25 * HOUR_MS);
      const running = whole(world);
      expect(running.length).toBeGreaterThan(0);
      world.clock.step(HOUR_MS);
      await world.clock.run(HOUR_MS);
      world.clock.step(-HOUR_MS);
      await world.clock.run(1.25 * HOUR_MS);
      for (const id of running) {
        const { recording, path } = fates.get(id)!.entry;
        expect([path, recording.result?.outcome]).toEqual(['published', 'complete']);
      }
      await world.stop();
    },
    LONG_MS,
  );
});

/** What the clock says of this boot is no help after the next one. */
const MARK = '/rec/.catchupd/clock';

/** A daemon that has recorded for a while and was stopped: the next start is by a clock that was set by `stepMs`. */
async function stoppedAndSet(stepOf: (now: number) => number) {
  const world = await createDaemonWorld({ ...SMALL, options: KEEP });
  const fates = createWitness(world);
  await world.boot();
  await world.clock.run(1.25 * HOUR_MS);
  const running = whole(world);
  expect(running.length).toBeGreaterThan(0);
  const right = world.daemon().status().now;
  const known = paths(world, '').length;
  await world.stop();
  const stepMs = stepOf(world.clock.now());
  world.clock.step(stepMs);
  return { world, fates, running, right, known, stepMs, before: removed(world) };
}

describe('a start by a clock that is wrong', () => {
  it.each([
    ['at the beginning of time', (now: number) => -now],
    ['40 days ahead', () => 40 * DAY_MS],
    ['three days ahead, which may have been a rest', () => 3 * DAY_MS],
  ])(
    '%s, in the same boot of the machine: everything goes on by its uptime',
    async (_, stepOf) => {
      const { world, fates, running, right, stepMs, before } = await stoppedAndSet(stepOf);
      await world.boot();
      await world.clock.run(20 * MINUTE_MS);
      expect(removed(world)).toBe(before);
      expect(Math.abs(world.daemon().status().now - right - 20 * MINUTE_MS)).toBeLessThan(1_000);
      world.kill();
      await world.boot();
      await world.clock.run(20 * MINUTE_MS);
      world.clock.step(-stepMs);
      await world.clock.run(1.25 * HOUR_MS);
      expect(findings(world)).toEqual([]);
      for (const id of running) {
        const { recording, path } = fates.get(id)!.entry;
        expect(path).toBe('published');
        const missingMs = recording.gaps.reduce((sum, { fromAt, toAt }) => sum + toAt - fromAt, 0);
        expect(missingMs).toBeLessThan(MINUTE_MS);
      }
      // And what is on was begun while the clock was wrong.
      expect(fateFindings(world, fates, world.startAt, world.clock.now() - 2 * MINUTE_MS)).toEqual([]);
      expect(removed(world)).toBeGreaterThan(before);
      await world.stop();
    },
    LONG_MS,
  );

  it.each([
    ['at the beginning of time', (now: number) => -now],
    ['40 days ahead', () => 40 * DAY_MS],
  ])(
    '%s, after a boot: what was under way goes on when it is set, and nothing else has happened',
    async (_, stepOf) => {
      const { world, fates, running, known, stepMs, before } = await stoppedAndSet(stepOf);
      await world.disk.unlink(MARK);
      await world.boot();
      await world.clock.run(5 * MINUTE_MS);
      expect(removed(world)).toBe(before);
      expect(paths(world, '').length).toBeGreaterThanOrEqual(known);
      expect(paths(world, 'failed')).toEqual([]);
      world.clock.step(-stepMs);
      await world.clock.run(1.25 * HOUR_MS);
      expect(findings(world)).toEqual([]);
      for (const id of running) {
        const { recording, path } = fates.get(id)!.entry;
        expect(path).toBe('published');
        // No more than the time that it was away for is missing.
        const missingMs = recording.gaps
          .filter(({ cause }) => cause === 'restart')
          .reduce((sum, { fromAt, toAt }) => sum + toAt - fromAt, 0);
        expect(missingMs).toBeLessThan(6 * MINUTE_MS);
      }
      expect(removed(world)).toBeGreaterThan(before);
      await world.stop();
    },
    LONG_MS,
  );
});
