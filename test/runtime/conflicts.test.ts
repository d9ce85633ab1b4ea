/** One decision for plan, forecast and scheduler, where there is one connection for two. */
import { expect, it } from 'vitest';
import { createDaemonWorld, type DaemonWorld } from '../sim/daemonWorld.js';
import { entry, GUIDE, MINUTE_MS, text, write, type Row } from './guideWorld.js';

const MATCH = { title: 'a vs b', from: 30, to: 40, channel: 2 };
const FILM = { title: 'Film', from: 30, to: 40 };
const FAR = Array.from({ length: 20 }, (_, i) => ({ title: `Far ${i}`, from: 600 + i, to: 601 + i }));

async function worldOf(rows: readonly Row[]): Promise<DaemonWorld> {
  const options = { xmltv: GUIDE, keep: 'general=0,sports=0', 'max-concurrency': '1' };
  const world = await createDaemonWorld({ seed: 3, channels: 2, options });
  await write(world, text(world, [...rows, ...FAR]));
  await world.boot();
  await world.clock.run(2 * MINUTE_MS);
  return world;
}

function said(world: DaemonWorld, title: string): string | undefined {
  const { decisions } = world.outlook();
  const one = decisions.find(({ capsule }) => capsule.title === title);
  return one && `${one.action} ${one.reason}`;
}

const stateOf = (world: DaemonWorld, title: string) => entry(world, title)?.path.split('.')[0];

it('the lower of two is not scheduled ahead, waits once it is on, and is missed with its reason', async () => {
  const world = await worldOf([MATCH, FILM]);
  expect([said(world, 'Film'), stateOf(world, 'Film')]).toEqual(['skip conflict', undefined]);
  expect([said(world, 'a vs b'), stateOf(world, 'a vs b')]).toEqual(['record scheduled', 'scheduled']);
  await world.clock.run(30 * MINUTE_MS);
  expect(entry(world, 'Film')).toMatchObject({
    path: 'scheduled.queued',
    recording: { waiting: 'slots_full' },
  });
  expect(said(world, 'Film')).toMatch(/already_scheduled|starting_soon|in_progress/);
  await world.clock.run(10 * MINUTE_MS);
  expect(entry(world, 'Film')).toMatchObject({
    path: expect.stringMatching(/^failed/) as string,
    recording: { result: { outcome: 'missed', reason: 'slots_full' } },
  });
  expect(entry(world, 'a vs b')).toMatchObject({
    path: 'published',
    recording: { result: { outcome: 'complete' } },
  });
  await world.stop();
});

it('the lower of two is recorded where the guide takes the other away, and given up where it brings it', async () => {
  const world = await worldOf([FILM]);
  expect(stateOf(world, 'Film')).toBe('scheduled');
  await write(world, text(world, [FILM, MATCH, ...FAR]));
  await world.clock.run(2 * MINUTE_MS);
  expect(entry(world, 'Film')?.recording.cancelReason).toBe('conflict');
  expect(said(world, 'a vs b')).toBe('record scheduled');
  const quiz = { title: 'Quiz', from: 41, to: 50, channel: 2 };
  await write(world, text(world, [FILM, { ...MATCH, from: 60, to: 70 }, quiz, ...FAR]));
  await world.clock.run(40 * MINUTE_MS);
  expect(entry(world, 'Film')).toMatchObject({
    path: 'published',
    recording: { result: { outcome: 'complete' } },
  });
  await world.stop();
});

it('the lower of two comes in while it lasts when the other gives its connection back', async () => {
  const world = await worldOf([
    { ...MATCH, to: 60 },
    { ...FILM, to: 60 },
  ]);
  await world.clock.run(30 * MINUTE_MS);
  const match = entry(world, 'a vs b');
  await world.clock.until(world.daemon().command('cancel', match?.id ?? ''));
  await world.clock.run(MINUTE_MS);
  expect(stateOf(world, 'Film')).toBe('spooling');
  await world.clock.run(40 * MINUTE_MS);
  expect(entry(world, 'Film')).toMatchObject({
    path: 'published',
    recording: { result: { outcome: 'partial' } },
  });
  await world.stop();
});
