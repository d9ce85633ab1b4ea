/** `record` takes what is on and gets a connection at once, however much is on. */
import { expect, it } from 'vitest';
import { createDaemonWorld } from '../sim/daemonWorld.js';
import { GUIDE, MINUTE_MS, text, write } from './guideWorld.js';

it('records what there are connections for, gives up the others at once, and ends', async () => {
  const options = { xmltv: GUIDE, 'max-concurrency': '2' };
  const world = await createDaemonWorld({ seed: 6, channels: 7, slots: 7, options, mode: 'record' });
  const on = Array.from({ length: 7 }, (_, n) => ({ title: `Show ${n}`, from: -5, to: 20, channel: n + 1 }));
  await write(world, text(world, [...on, { title: 'Later', from: 30, to: 60 }]));
  const daemon = await world.boot();
  await world.clock.run(2 * MINUTE_MS);
  const paths = () => [...daemon.book.all()].map(({ path }) => path.replace(/\..*/, '')).toSorted();
  expect(paths()).toEqual([...Array.from({ length: 5 }, () => 'cancelled'), 'spooling', 'spooling']);
  await world.clock.run(30 * MINUTE_MS);
  expect(paths().filter((path) => path === 'published')).toHaveLength(2);
  expect(await world.clock.until(daemon.ended)).toBeNull();
});
