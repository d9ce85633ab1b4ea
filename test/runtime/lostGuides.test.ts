/** The thread that keeps the guides may die: nothing is dropped for it, and the plan goes on with what is on disk. */
import { expect, it } from 'vitest';
import { createDaemonWorld } from '../sim/daemonWorld.js';
import { entry, GUIDE, MINUTE_MS, text, write } from './guideWorld.js';

const SHOWS = Array.from({ length: 20 }, (_, i) => ({
  title: `Show ${i}`,
  from: 30 + i * 60,
  to: 60 + i * 60,
}));

it('reads the last good guide again, cancels nothing, and plans on with the source away', async () => {
  const options = { xmltv: GUIDE, keep: 'general=0,sports=0', horizon: '2h' };
  const world = await createDaemonWorld({ seed: 5, channels: 1, options });
  await write(world, text(world, SHOWS));
  await world.boot();
  await world.clock.run(2 * MINUTE_MS);
  expect(entry(world, 'Show 0')?.path).toBe('scheduled.early');
  expect(entry(world, 'Show 4')).toBeUndefined();
  await world.disk.unlink(GUIDE);
  await world.clock.run(2 * MINUTE_MS);
  world.loseGuides();
  expect(world.daemon().status().ready).toBe(false);
  await world.clock.run(MINUTE_MS);
  expect(world.daemon().status().ready).toBe(true);
  await world.clock.run(4 * 60 * MINUTE_MS);
  expect(entry(world, 'Show 0')?.path).toBe('published');
  expect(entry(world, 'Show 4')).toMatchObject({
    path: expect.stringMatching(/^(scheduled|spooling)/) as string,
  });
  expect([...world.daemon().book.all()].filter(({ path }) => path.startsWith('cancelled'))).toEqual([]);
  await world.stop();
});
