import { describe, expect, it } from 'vitest';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from '../sim/daemonWorld.js';

const MINUTE_MS = 60_000;

async function after<T>(world: DaemonWorld, said: Promise<T>): Promise<T> {
  const answer = await world.clock.until(said);
  await world.clock.run(2 * MINUTE_MS);
  return answer;
}

/** Entries by their path, the earliest programme first. */
function entries(world: DaemonWorld, path: string) {
  return [...world.daemon().book.all()]
    .filter((entry) => entry.path.startsWith(path))
    .toSorted((a, b) => a.recording.window.startAt - b.recording.window.startAt);
}

describe('what a person says of a programme', () => {
  it('records what the policy leaves out, over a restart, and lets go of it when it is taken back', async () => {
    const world = await createDaemonWorld({ seed: 7, options: { 'exclude-channels': '*' } });
    await world.boot();
    await world.clock.run(MINUTE_MS);
    expect(entries(world, '')).toEqual([]);
    const other = await createDaemonWorld({ seed: 7 });
    await other.boot();
    await other.clock.run(MINUTE_MS);
    const wanted = entries(other, 'scheduled').at(-1)?.recording.capsule;
    await other.stop();
    if (!wanted) throw new Error('nothing is scheduled in this world');

    expect(await after(world, world.daemon().override('nobody:202611230000:knows', 'want'))).toBe(false);
    expect(await after(world, world.daemon().override(wanted.capsuleId, 'want'))).toBe(true);
    expect(entries(world, 'scheduled')).toMatchObject([{ recording: { reason: 'wanted', priority: 100 } }]);
    await world.stop();
    await world.boot();
    await world.clock.run(2 * MINUTE_MS);
    expect(entries(world, 'scheduled')).toHaveLength(1);

    expect(await after(world, world.daemon().override(wanted.capsuleId, null))).toBe(true);
    expect(entries(world, 'cancelled')).toMatchObject([{ recording: { cancelReason: 'channel_excluded' } }]);
    await world.stop();
  });

  it('ends what runs and keeps it ended, until it is wanted again: on the same spool', async () => {
    const world = await createDaemonWorld({ seed: 7 });
    await world.boot();
    await world.clock.run(HOUR_MS);
    const running = entries(world, 'spooling').find(
      ({ recording }) => recording.window.stopAt - world.clock.now() > 15 * MINUTE_MS,
    );
    if (!running) throw new Error('nothing runs in this world');
    const { id, recording } = running;
    const path = () => world.daemon().book.get(id)?.path;

    await after(world, world.daemon().override(recording.capsule.capsuleId, 'skip'));
    expect(path()).toBe('cancelled.revocable');
    world.daemon().refresh();
    await world.clock.run(6 * MINUTE_MS);
    expect(path()).toBe('cancelled.revocable');

    await after(world, world.daemon().override(recording.capsule.capsuleId, 'want'));
    expect(path()).toMatch(/^spooling/);
    expect(world.daemon().book.get(id)?.recording.spool).toBe(recording.spool);
    await world.stop();
  });
});
