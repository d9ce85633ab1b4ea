import { pino } from 'pino';
import { describe, expect, it } from 'vitest';

import { createInlineParse } from '../../src/guide/inlineParse.js';
import { createPlannerHere } from '../../src/runtime/planner.js';
import { seededRandom } from '../../src/io/random.js';
import { rebuild, type RebuildResult } from '../../src/runtime/rebuild.js';
import { storyOf } from '../../src/runtime/replay.js';
import { readHistory } from '../../src/store/historyFiles.js';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from '../sim/daemonWorld.js';
import { findings } from '../sim/invariants.js';

const LONG_MS = 60_000;
const STATE = ['json', 'json.prev', 'journal.ndjson', 'journal.ndjson.prev'].map(
  (end) => `/rec/recorder-state.${end}`,
);

const worldOf = (seed: number) =>
  createDaemonWorld({
    seed,
    channels: 4,
    forMs: 8 * HOUR_MS,
    options: { keep: 'sports=2h,movies=2h,general=2h' },
  });

function again(world: DaemonWorld, force = false, pid = 7): Promise<RebuildResult> {
  const { clock, disk, transport } = world;
  return clock.until(
    rebuild(
      world.config,
      {
        clock,
        disk,
        transport,
        log: pino({ level: 'silent' }),
        random: seededRandom(1),
        parse: createInlineParse(disk),
        planner: createPlannerHere(createInlineParse(disk)),
        // Nothing is asked of the world outside.
        exchange: undefined as never,
        programs: undefined as never,
        processes: {
          self: () => Promise.resolve({ host: 'sim', bootId: 'boot', pid, startTicks: '9' }),
          startTicks: (asked) => Promise.resolve(asked > 100 ? String(asked - 100) : null),
        },
      },
      force,
    ),
  );
}

async function drop(world: DaemonWorld, paths: readonly string[]): Promise<void> {
  for (const path of paths) await world.disk.unlink(path).catch(() => undefined);
}

/** What every recording is, and what is buried, for comparison. */
function content(world: DaemonWorld) {
  const { book, store } = world.daemon();
  const entries = [...book.all()].filter(({ path }) => !path.startsWith('scheduled'));
  return {
    recordings: new Map(entries.map((entry) => [entry.id, entry])),
    tombstones: [...store.tombstones().keys()].toSorted(),
  };
}

describe('a state that was lost', () => {
  it(
    'comes back from the history as it was: spools grow on, the library is known, nothing is recorded twice',
    async () => {
      const world = await worldOf(11);
      await world.boot();
      await world.clock.run(1.25 * HOUR_MS);
      const before = content(world);
      await expect(again(world)).rejects.toMatchObject({ code: 'state_locked' });
      await world.stop();
      await drop(world, STATE);
      const files = [...world.disk.files('/library').keys()];

      const result = await again(world);
      expect(result.problems).toEqual([]);
      expect(result.spools).toEqual([]);
      expect(result.recordings.map(({ id }) => id).toSorted()).toEqual(
        [...before.recordings.keys()].toSorted(),
      );
      expect([...world.disk.files('/library').keys()]).toEqual(files);
      // Once more: there is nothing to do, and nothing is done.
      const state = world.disk.files('/rec').get(STATE[2] ?? '');
      expect(await again(world)).toMatchObject({ recordings: [], known: before.recordings.size });
      expect(world.disk.files('/rec').get(STATE[2] ?? '')).toEqual(state);

      const recorded = new Set(before.recordings.keys());
      await world.clock.run(5_000);
      const daemon = await world.boot();
      for (const [id, { recording, path }] of before.recordings) {
        const entry = daemon.book.get(id);
        expect(entry?.recording).toMatchObject({ keys: recording.keys, expiresAt: recording.expiresAt });
        if (path === 'published') expect(entry?.recording.files).toEqual(recording.files);
      }
      await world.clock.run(HOUR_MS / 2);
      expect(findings(world)).toEqual([]);
      const { entries } = await readHistory(world.disk, '/rec/.catchupd/history');
      for (const [id, document] of daemon.store.recordings()) {
        const own = entries.filter((entry) => entry.id === id);
        expect(storyOf(id, own, document, false).verdict).toBe('same');
      }
      // Every programme is one recording still, and those that ran are whole but for the time between.
      const keys = [...daemon.book.all()].flatMap(({ recording }) => recording.keys);
      expect(new Set(keys).size).toBe(keys.length);
      const resumed = [...before.recordings.values()].filter(({ path }) => path === 'spooling.open');
      expect(resumed.length).toBeGreaterThan(0);
      for (const { id } of resumed)
        expect(daemon.book.get(id)?.recording).toMatchObject({ recoveryReason: 'daemon_restart' });
      expect(recorded.size).toBeGreaterThan(3);
      await world.stop();
    },
    LONG_MS,
  );

  it(
    'comes back from the ledgers alone with lane, window and keep time, and goes when its time is over',
    async () => {
      const world = await worldOf(12);
      await world.boot();
      await world.clock.run(1.5 * HOUR_MS);
      const before = content(world);
      const published = [...before.recordings.values()].filter(({ path }) => path === 'published');
      expect(published.length).toBeGreaterThan(2);
      await world.stop();
      await drop(world, [...STATE, ...world.disk.files('/rec/.catchupd').keys()]);
      // One that a person took away meanwhile, one whose ledger is older than keep times, and one that is no ledger.
      const [removed, old] = published;
      await drop(world, [removed?.recording.files?.media ?? '']);
      const path = old?.recording.files?.ledger ?? '';
      const ledger = JSON.parse(world.disk.files().get(path)?.toString() ?? '') as Record<string, unknown>;
      const { expires_at: _, record_keys: __, ...bare } = ledger;
      await drop(world, [path]);
      const file = await world.disk.open(path, 'create');
      await file.write([Buffer.from(JSON.stringify(bare))]);
      await file.close();
      const strange = await world.disk.open('/library/sports/mine.catchupd.json', 'create');
      await strange.write([Buffer.from('{"recording_id": "../../etc"}')]);

      const result = await again(world);
      expect(result.problems.map(({ path: at }) => at)).toEqual(['/library/sports/mine.catchupd.json']);
      expect(result.recordings.map(({ id }) => id).toSorted()).toEqual(
        published.map(({ id }) => id).toSorted(),
      );
      for (const { recording, path: state, from } of result.recordings) {
        const was = before.recordings.get(recording.id)?.recording;
        expect([state, from]).toEqual(['published', 'ledger']);
        expect(recording).toMatchObject({
          keys: was?.keys,
          window: was?.window,
          expiresAt: was?.expiresAt,
          keep: was?.keep,
          files: was?.files,
          // What only a joint needs to know is in no ledger.
          stretches: was?.stretches.map(({ movedTicks: _, ...stretch }) => stretch),
          gaps: was?.result?.gaps,
          result: was?.result,
          capsule: { lane: was?.capsule.lane, title: was?.capsule.title, startAt: was?.capsule.startAt },
        });
      }
      const daemon = await world.boot();
      await world.clock.run(HOUR_MS / 2);
      expect(daemon.book.get(removed?.id ?? '')).toBeUndefined();
      expect(daemon.store.tombstones().get(removed?.id ?? '')?.reason).toBe('removed_by_user');
      const keys = [...daemon.book.all()].flatMap(({ recording }) => recording.keys);
      expect(new Set(keys).size).toBe(keys.length);
      await world.clock.run(2.5 * HOUR_MS);
      for (const { id, recording } of published) {
        expect(daemon.store.tombstones().has(id)).toBe(true);
        expect(world.disk.files().has(recording.files?.media ?? '')).toBe(false);
      }
      expect(world.disk.files().has('/library/sports/mine.catchupd.json')).toBe(true);
      await world.stop();
    },
    LONG_MS,
  );

  it(
    'comes back from the library alone where all else is gone for good, with consent',
    async () => {
      const world = await worldOf(14);
      await world.boot();
      await world.clock.run(1.5 * HOUR_MS);
      const before = content(world);
      await world.stop();
      await drop(world, [...world.disk.files('/rec').keys()]);
      await expect(again(world)).rejects.toMatchObject({
        code: 'mount_missing',
        detail: expect.stringMatching(/^\/rec .*--force/) as string,
      });
      const published = [...before.recordings.values()].filter(({ path }) => path === 'published');
      expect(published.length).toBeGreaterThan(0);
      const { recordings } = await again(world, true);
      expect(recordings.map(({ id }) => id).toSorted()).toEqual(published.map(({ id }) => id).toSorted());
      await world.boot();
      expect([...content(world).recordings.keys()]).toEqual(
        expect.arrayContaining(published.map(({ id }) => id)),
      );
      await world.stop();
    },
    LONG_MS,
  );

  it(
    'is only added to with consent while it can be read, and never where its disk may be missing',
    async () => {
      const world = await worldOf(13);
      await world.boot();
      await world.clock.run(1.5 * HOUR_MS);
      const before = content(world);
      await world.stop();
      const whole = world.disk.files('/rec');
      await drop(world, STATE);
      await world.boot();
      await world.stop();
      const fresh = world.disk.files('/rec').get(STATE[0] ?? '');
      await expect(again(world)).rejects.toMatchObject({ code: 'state_readable' });
      expect(world.disk.files('/rec').get(STATE[0] ?? '')).toEqual(fresh);
      const added = await again(world, true);
      expect(added.recordings.length).toBeGreaterThanOrEqual(
        [...before.recordings.values()].filter(({ path }) => path === 'published').length,
      );

      // A state that is damaged beyond reading needs no consent; what is left of it is put aside.
      await drop(world, STATE);
      const broken = await world.disk.open(STATE[0] ?? '', 'create');
      await broken.write([whole.get(STATE[0] ?? '')?.subarray(0, 40) ?? Buffer.alloc(1)]);
      await broken.close();
      const result = await again(world);
      expect(result.damage.length).toBeGreaterThan(0);
      // What is only a spool was taken up again by the start above; now it comes from the history too.
      expect(result.recordings.map(({ id }) => id).toSorted()).toEqual(
        [...before.recordings.keys()].toSorted(),
      );

      await drop(world, [...STATE, ...world.disk.files('/rec/.catchupd/history').keys()]);
      for (const name of world.disk.files('/library').keys()) await world.disk.unlink(name);
      await expect(again(world)).rejects.toMatchObject({ code: 'mount_missing', detail: '/library' });
    },
    LONG_MS,
  );
});
