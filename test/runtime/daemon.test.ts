import { describe, expect, it } from 'vitest';
import type { Snapshot } from 'xstate';
import { openStore } from '../../src/store/store.js';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from '../sim/daemonWorld.js';

const MINUTE_MS = 60_000;

/** Changes what is stored of a recording while no daemon runs. */
async function tamper(world: DaemonWorld, id: string, change: (snapshot: object) => object): Promise<void> {
  const { clock, disk, config } = world;
  const silent = () => undefined;
  const log = { info: silent, warn: silent, error: silent };
  const open = openStore({
    disk,
    clock,
    log,
    statePath: config.places.stateFile,
    privateFolder: '/rec/.catchupd',
  });
  const store = await clock.until(open);
  const document = store.recordings().get(id);
  if (!document) throw new Error(`nothing is stored of ${id}`);
  store.put({ ...document, rev: document.rev + 1, snapshot: change(document.snapshot as Snapshot<unknown>) });
  await clock.until(store.close());
}

describe('the daemon', () => {
  it('puts aside what no chart knows, and neither records it anew nor loses what is stored of it', async () => {
    const world = await createDaemonWorld({ seed: 5 });
    await world.boot();
    await world.clock.run(HOUR_MS);
    const ahead = [...world.daemon().book.all()].find(({ path }) => path === 'scheduled.early');
    const id = ahead?.id ?? '';
    await world.stop();
    await tamper(world, id, (snapshot) => ({ ...snapshot, value: 'dreaming' }));

    const { book, store } = await world.boot();
    await world.clock.run(10 * MINUTE_MS);
    expect(book.quarantined().map((one) => one.id)).toEqual([id]);
    expect(book.get(id)).toBeUndefined();
    const twins = [...book.all()].filter(
      ({ recording }) => recording.capsule.recordKey === ahead?.recording.capsule.recordKey,
    );
    expect(twins).toEqual([]);
    expect(store.recordings().get(id)?.snapshot).toMatchObject({ value: 'dreaming' });
    await world.stop();
  });

  it('leaves nothing in the book, the store or the folders of what has expired, and knows it all the same', async () => {
    const world = await createDaemonWorld({
      seed: 5,
      options: { keep: 'sports=10m,movies=10m,general=10m' },
    });
    const { book, store } = await world.boot();
    await world.clock.run(2 * HOUR_MS);
    const removed = world.lines.flatMap(({ msg, id }) => (msg === 'removed' ? [String(id)] : []));
    expect(removed.length).toBeGreaterThan(3);
    for (const id of removed) {
      expect(book.get(id)).toBeUndefined();
      expect(store.recordings().has(id)).toBe(false);
      expect(store.tombstones().get(id)?.reason).toBe('expiry');
    }
    // It is said once of each, and no event looked for somebody who was not there.
    expect(new Set(removed).size).toBe(removed.length);
    expect(world.lines.filter(({ level }) => level !== 'info')).toEqual([]);
    await world.stop();
  });

  it('stops while a tick is due and captures take their time', async () => {
    const world = await createDaemonWorld({ seed: 5 });
    const daemon = await world.boot();
    await world.clock.run(HOUR_MS);
    expect(daemon.inside().captures.length).toBeGreaterThan(0);
    // The disk hangs: every write waits for longer than the drain does.
    const open = world.disk.open.bind(world.disk);
    world.disk.open = async (path, how, mode) => {
      const file = await open(path, how, mode);
      return path.endsWith('.partial.ts')
        ? { ...file, write: () => new Promise(() => {}), datasync: () => new Promise(() => {}) }
        : file;
    };
    const next = [...daemon.book.all()].filter(({ path }) => path === 'scheduled.early');
    const openAt = Math.min(...next.map(({ recording }) => recording.deadline?.at ?? Infinity));
    await world.clock.run(openAt - world.clock.now() + 5_000);
    const tickAt = (daemon.status().tickedAt ?? 0) + world.config.when.pollIntervalMs;
    await world.clock.run(Math.max(0, tickAt - 2_000 - world.clock.now()));
    const before = world.clock.now();
    await world.stop();
    expect(world.clock.now()).toBeGreaterThan(tickAt);
    expect(world.clock.now() - before).toBeLessThanOrEqual(8_000);
  });
});
