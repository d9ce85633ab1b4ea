/** Far more is wanted than there are connections, and the daemon is killed in the middle of it. */
import { expect, it } from 'vitest';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from './daemonWorld.js';

const SLOTS = 2;
/** Of the crowd that waits, so many are taken up at a time. */
const TURN = 50;

const idsOf = (world: DaemonWorld, state: string) =>
  [...world.daemon().book.all()].filter(({ path }) => path.startsWith(state)).map(({ id }) => id);

it('takes up first what ran when it was killed, then in turns the crowd that waits for connections', async () => {
  const world = await createDaemonWorld({
    seed: 5,
    slots: SLOTS,
    channels: 150,
    onAir: 1,
    archive: false,
    options: { preempt: 'false', horizon: '2h' },
  });
  await world.boot();
  await world.clock.run(0.7 * HOUR_MS);
  const running = idsOf(world, 'spooling');
  const waiting = idsOf(world, 'scheduled.queued');
  expect(running.length).toBe(SLOTS);
  expect(waiting.length).toBeGreaterThan(2 * TURN);
  world.kill();
  world.disk.crash(1);

  await world.clock.run(5_000);
  const daemon = await world.boot();
  const { live } = daemon.inside();
  expect(live).toEqual(expect.arrayContaining(running));
  expect(live.filter((id) => waiting.includes(id)).length).toBeLessThanOrEqual(TURN);
  // What has no place yet is as it was: no restart kept it from being recorded.
  expect(idsOf(world, 'scheduled.queued')).toEqual(expect.arrayContaining(waiting));
  expect(daemon.book.get(waiting[0] ?? '')?.recording.recoveryReason).toBe('');

  await world.clock.run(60_000);
  expect(idsOf(world, 'spooling')).toEqual(expect.arrayContaining(running));
  const { live: then } = daemon.inside();
  const still = idsOf(world, 'scheduled.queued').filter((id) => waiting.includes(id));
  expect(still.length).toBeGreaterThan(TURN);
  expect(then).toEqual(expect.arrayContaining(still));

  // They are asked when a connection comes free.
  await world.clock.run(0.7 * HOUR_MS);
  const came = waiting.filter((id) => (daemon.book.get(id)?.recording.startedAt ?? null) !== null);
  expect(came.length).toBeGreaterThan(0);
  for (const id of running) expect(daemon.book.get(id)?.recording.recoveryReason).toBe('daemon_restart');
  expect(world.lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  await world.stop();
  expect(world.clock.waiting()).toBe(0);
});
