/** A disk that fills, fails, or goes away under the state, and comes back: nothing is lost, begun, shown or taken away. */
import { describe, expect, it } from 'vitest';

import type { DiskOperation } from '../sim/memoryDisk.js';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from '../sim/daemonWorld.js';
import { findings, historyFindings } from '../sim/invariants.js';

const LONG_MS = 60_000;
const JOURNAL = '/rec/recorder-state.journal.ndjson';

const MEDIA = /^\/library\/.*\.ts$/;

async function running(seed: number): Promise<DaemonWorld> {
  const world = await createDaemonWorld({
    seed,
    channels: 6,
    forMs: 6 * HOUR_MS,
    options: { keep: 'sports=30m,movies=30m,general=30m' },
  });
  await world.boot();
  await world.clock.run(1.5 * HOUR_MS);
  return world;
}

const library = (world: DaemonWorld) => [...world.disk.sizes('/library').keys()];
const published = (world: DaemonWorld) =>
  [...world.daemon().book.all()].filter(({ path }) => path === 'published').map(({ id }) => id);

const isState = (path: string) => path.startsWith('/rec/recorder-state') || path.startsWith('/rec/.catchupd');

describe('a state that cannot be written', () => {
  const faults: [string, (operation: DiskOperation, path: string) => string | null][] = [
    ['EIO', (operation, path) => (operation === 'datasync' && path === JOURNAL ? 'EIO' : null)],
    ['ENOSPC', (operation, path) => (operation === 'write' && isState(path) ? 'ENOSPC' : null)],
  ];
  it.each(faults)(
    'for %s lets captures go on, begins, shows and takes away nothing, and makes up for it',
    async (code, fault) => {
      const world = await running(21);
      const [before, shown] = [library(world), published(world)];
      const spools = new Map(world.disk.sizes('/rec'));
      const spooling = [...world.daemon().book.all()].filter(({ path }) => path === 'spooling.open');
      expect(spooling.length).toBeGreaterThan(1);
      world.disk.fault = fault;
      await world.clock.run(HOUR_MS / 2);
      expect(world.daemon().status().degraded).toBe(code);
      expect(library(world)).toEqual(before);
      expect(published(world)).toEqual(shown);
      for (const { recording } of spooling)
        expect(world.disk.sizes('/rec').get(recording.spool)).toBeGreaterThan(
          spools.get(recording.spool) ?? 0,
        );
      const open = [...world.daemon().book.all()].filter(({ path }) => path.startsWith('spooling'));
      expect(open.map(({ id }) => id).filter((id) => !spooling.some((one) => one.id === id))).toEqual([]);
      const said = world.lines.filter(({ level }) => level === 'error').map(({ msg }) => msg);
      expect(said).toEqual(['the state cannot be written; trying every second']);

      world.disk.fault = () => null;
      await world.clock.run(HOUR_MS / 2);
      expect(world.daemon().status().degraded).toBeNull();
      expect(findings(world)).toEqual([]);
      expect(await historyFindings(world)).toEqual([]);
      for (const { id } of spooling)
        expect(world.daemon().store.recordings().has(id) || world.daemon().store.tombstones().has(id)).toBe(
          true,
        );
      expect(published(world)).not.toEqual(shown);
      await world.stop();
    },
    LONG_MS,
  );

  it(
    'because its disk is gone has lists and guides that wait for it, which is said once and is no bug',
    async () => {
      const world = await running(23);
      world.disk.fault = (_operation, path) => (path.startsWith('/rec') ? 'ENOENT' : null);
      const from = world.lines.length;
      for (let look = 0; look < 3; look += 1) {
        world.daemon().refresh();
        await world.clock.run(HOUR_MS / 6);
      }
      const lines = world.lines.slice(from);
      expect(lines.map(({ code }) => code)).not.toContain('bug');
      expect(lines.filter(({ effect }) => effect !== undefined)).toEqual([]);
      const told = lines.flatMap(({ source, code }) =>
        source === undefined ? [] : [JSON.stringify([source, code])],
      );
      expect(told.length).toBeGreaterThan(0);
      expect(told).toEqual([...new Set(told)]);
      world.disk.fault = () => null;
      await world.clock.run(HOUR_MS / 2);
      expect(world.daemon().status().degraded).toBeNull();
      await world.stop();
    },
    LONG_MS,
  );

  it(
    'is on disk before anything is taken away because of it',
    async () => {
      const world = await running(22);
      const early: string[] = [];
      let unlinked = 0;
      world.disk.fault = (operation, path) => {
        if (operation !== 'unlink' || !MEDIA.test(path)) return null;
        unlinked += 1;
        const entry = [...world.daemon().book.all()].find(({ recording }) => recording.files?.media === path);
        const journal = ['', '.prev'].map(
          (end) => world.disk.files().get(`${JOURNAL}${end}`)?.toString() ?? '',
        );
        const last = journal
          .reverse()
          .join('')
          .split('\n')
          .filter((line) => line.includes(`"${entry?.id}":{`))
          .at(-1);
        if (!last?.includes('"value":{"expired":"removing"}')) early.push(path);
        return null;
      };
      await world.clock.run(HOUR_MS);
      expect(unlinked).toBeGreaterThan(1);
      expect(early).toEqual([]);
      await world.stop();
    },
    LONG_MS,
  );
});
