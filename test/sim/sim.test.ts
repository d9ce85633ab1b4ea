import { describe, expect, it } from 'vitest';
import { createDaemonWorld, digestOf, HOUR_MS, sha256, type DaemonWorld } from './daemonWorld.js';
import { createWitness, fateFindings, findings, historyFindings } from './invariants.js';
import { unitsIn, UNIT_MS } from './syntheticTs.js';

const HOURS = 24;
const MINUTE_MS = 60_000;
/** On a machine that is busy otherwise. */
const LONG_MS = 600_000;
/** How long a day is lived again, to see that it is the same. */
const AGAIN_HOURS = 5;

/** One more than stays at any time: counts and budgets are met as well as expiry. */
const options = { 'retain-completed-per-lane': 'movies=6', 'budget-bytes-per-lane': 'general=8MB' };

async function dayOf(seed: number, hours = HOURS) {
  const world = await createDaemonWorld({ seed, options });
  const fates = createWitness(world);
  const begun = performance.now();
  await world.boot();
  const found: string[] = [];
  let digest: Record<string, string> = {};
  for (let step = 0; step < hours * 2; step += 1) {
    await world.clock.run(HOUR_MS / 2);
    found.push(...findings(world).map((finding) => `hour ${(step + 1) / 2}: ${finding}`));
    if ((step + 1) / 2 === AGAIN_HOURS) digest = digestOf(world);
  }
  const ratio = Math.round((hours * HOUR_MS) / (performance.now() - begun));
  return { world, fates, found, ratio, digest };
}

/** What the limits of this day make it say, and nothing else. */
const WARNINGS = [
  'warn a limit removes a recording before its time',
  'warn limits stay exceeded: what is left is kept by a person or being recorded',
];

function saidIn(world: DaemonWorld): string[] {
  const said = world.lines.filter(({ level }) => level !== 'info').map(({ level, msg }) => `${level} ${msg}`);
  return [...new Set(said)].toSorted();
}

async function leave(world: DaemonWorld): Promise<void> {
  await world.stop();
  expect(world.disk.openFiles()).toBe(0);
  expect(world.transport.openStreams()).toEqual([]);
  expect(world.clock.waiting()).toBe(0);
}

describe('a day of eight slots', () => {
  it(
    'keeps the promises every half hour, and ends the same whenever it is lived again',
    async () => {
      const { world, fates, found, ratio, digest } = await dayOf(1);
      // oxlint-disable-next-line no-console -- the ratio is for a person; a shared machine is no place to assert it
      console.info(`simulated at ${ratio} times real time, ${world.clock.fired()} timers`);
      expect(found).toEqual([]);
      expect(fateFindings(world, fates, world.startAt, world.clock.now() - 2 * MINUTE_MS)).toEqual([]);
      expect(await historyFindings(world)).toEqual([]);

      // It was a day with something in it: more was on than there are slots, and every way out of the library was taken.
      const outcomes = [...fates.values()].map(({ entry }) => entry.recording.result?.outcome);
      expect(outcomes.filter((outcome) => outcome === 'complete').length).toBeGreaterThan(100);
      expect(outcomes).toContain('partial');
      const { store } = world.daemon();
      const rules = new Set([...store.tombstones().values()].map(({ reason }) => reason));
      expect([...rules].toSorted()).toEqual(['budget-bytes-per-lane', 'expiry', 'retain-completed-per-lane']);
      expect(world.transport.requests.get('304 /guide.xml')).toBeGreaterThan(0);
      expect(saidIn(world)).toEqual(WARNINGS);

      await leave(world);
      const again = await dayOf(1, AGAIN_HOURS);
      expect(again.digest).toEqual(digest);
      await leave(again.world);
    },
    LONG_MS,
  );

  it(
    'is another day from another seed, and keeps the promises as well',
    async () => {
      const { world, fates, found } = await dayOf(2, HOURS / 4);
      expect(found).toEqual([]);
      expect(fateFindings(world, fates, world.startAt, world.clock.now() - 2 * MINUTE_MS)).toEqual([]);
      expect(await historyFindings(world)).toEqual([]);
      const other = await createDaemonWorld({ seed: 1, options });
      expect(world.provider.showings).not.toEqual(other.provider.showings);
      await leave(world);
    },
    LONG_MS,
  );
});

describe('a daemon that is stopped and started again', () => {
  it(
    'goes on in the same spools, and each running programme is one file with one gap',
    async () => {
      const world = await createDaemonWorld({ seed: 6, archive: false, options: { preempt: 'false' } });
      const fates = createWitness(world);
      await world.boot();
      await world.clock.run(2 * HOUR_MS + 10 * MINUTE_MS);
      const running = [...world.daemon().book.all()].filter(({ path }) => path.startsWith('spooling'));
      expect(running.length).toBeGreaterThan(2);
      await world.stop();
      const stoppedAt = world.clock.now();
      const spools = new Map(
        running.map(({ id, recording }) => [id, world.disk.files(recording.spool).get(recording.spool)]),
      );
      expect(world.transport.openStreams()).toEqual([]);

      await world.clock.run(20_000);
      const daemon = await world.boot();
      const backAt = world.clock.now();
      await world.clock.run(1_000);
      const opened = [...daemon.book.all()].filter(({ path }) => path.startsWith('spooling'));
      expect(opened.map(({ id }) => id)).toEqual(expect.arrayContaining(running.map(({ id }) => id)));
      for (let step = 0; step < 6; step += 1) {
        await world.clock.run(HOUR_MS / 2);
        expect(findings(world)).toEqual([]);
      }

      let whole = 0;
      for (const { id, recording } of running) {
        const fate = fates.get(id);
        const { files, result, joins } = fate?.entry.recording ?? recording;
        expect(fate?.entry.path).toBe('published');
        expect(fate?.entry.recording.spool).toBe(recording.spool);
        const media = world.disk.files(files?.media).get(files?.media ?? '') ?? Buffer.alloc(0);
        const before = spools.get(id) ?? Buffer.alloc(0);
        expect(before.length).toBeGreaterThan(0);
        expect(sha256(media.subarray(0, before.length))).toBe(sha256(before));
        expect(joins.map(({ kind }) => kind)).toEqual(['restart']);
        // What was stopped in its padding has a gap that is none of the programme's.
        const inside = recording.window.stopAt > backAt && recording.window.startAt < stoppedAt;
        const [gap, ...others] = (result?.gaps ?? []).filter(({ cause }) => cause === 'restart');
        expect(others).toEqual([]);
        if (!inside) continue;
        whole += 1;
        expect(gap?.fromAt).toBeLessThanOrEqual(stoppedAt);
        // The last unit lasted on, and the first that comes began before: that much of the silence is made good.
        expect(gap?.toAt).toBeGreaterThanOrEqual(backAt - 2 * UNIT_MS);
        expect((gap?.toAt ?? 0) - (gap?.fromAt ?? 0)).toBeLessThan(20_000 + 2 * UNIT_MS);
        const units = unitsIn(media).map(({ index }) => index);
        const jumps = units.filter((index, at) => at > 0 && index !== (units[at - 1] ?? 0) + 1);
        expect(jumps).toHaveLength(1);
      }
      expect(whole).toBeGreaterThan(1);
      expect(fateFindings(world, fates, backAt, world.clock.now() - 2 * MINUTE_MS)).toEqual([]);
      expect(world.lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
      await leave(world);
    },
    LONG_MS,
  );
});
