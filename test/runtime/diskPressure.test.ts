import { describe, expect, it } from 'vitest';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from '../sim/daemonWorld.js';

const MINUTE_MS = 60_000;
const MIB = 2 ** 20;
const FOREIGN = '/library/general/holiday/film.ts';

function used(world: DaemonWorld): number {
  return [...world.disk.sizes('/').values()].reduce((sum, bytes) => sum + bytes, 0);
}

function published(world: DaemonWorld) {
  return [...world.daemon().book.all()].filter(({ path }) => path === 'published');
}

async function put(world: DaemonWorld, path: string): Promise<void> {
  const file = await world.disk.open(path, 'create');
  await file.write([Buffer.from('mine')]);
  await file.close();
}

describe('a disk that is short of space', () => {
  it('is pruned of the oldest of the lowest priority, early and by name, of nothing kept and nothing foreign', async () => {
    const options = { 'disk-free-min': `${8 * MIB}` };
    const world = await createDaemonWorld({ seed: 11, channels: 6, options });
    const daemon = await world.boot();
    await world.clock.run(2 * HOUR_MS);
    const before = published(world).toSorted(
      (a, b) =>
        a.recording.priority - b.recording.priority ||
        a.recording.window.stopAt - b.recording.window.stopAt ||
        (a.id < b.id ? -1 : 1),
    );
    expect(before.length).toBeGreaterThan(3);
    const [kept, first] = before;
    await world.clock.until(daemon.command('keep', kept?.id ?? ''));
    const poster = `${first?.recording.files?.folder ?? ''}/poster.jpg`;
    await world.disk.mkdir('/library/general/holiday');
    await put(world, FOREIGN);
    await put(world, poster);

    world.disk.resize('/', used(world) + 6 * MIB);
    await world.clock.run(2 * MINUTE_MS);
    const left = new Set(published(world).map(({ id }) => id));
    const gone = before.filter(({ id }) => !left.has(id));
    expect(gone.map(({ id }) => id)).toEqual(before.slice(1, 1 + gone.length).map(({ id }) => id));
    expect(gone.length).toBeGreaterThan(0);
    for (const { id, recording } of gone) {
      expect(daemon.store.tombstones().get(id)?.reason).toBe('disk-free-min');
      expect(world.disk.sizes('/').has(recording.files?.media ?? '')).toBe(false);
    }
    const early = world.lines.filter(({ msg }) => msg === 'a limit removes a recording before its time');
    expect(early.map(({ id, level, rule }) => [id, level, rule])).toEqual(
      gone.map(({ id }) => [id, 'warn', 'disk-free-min']),
    );
    for (const path of [FOREIGN, poster]) expect(world.disk.sizes('/').has(path)).toBe(true);
    const { freeBytes } = await world.disk.space('/rec');
    expect(freeBytes).toBeGreaterThanOrEqual(8 * MIB);
    await world.stop();
  });
});
