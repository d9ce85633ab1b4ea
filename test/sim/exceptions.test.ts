/** P8: an exception in any action or guard of any chart, in the real daemon, and the others do not notice. */
import { afterEach, describe, expect, it } from 'vitest';
import { guideMachine } from '../../machines/guide.js';
import { libraryMachine } from '../../machines/library.js';
import { recordingMachine } from '../../machines/recording.js';
import { schedulerMachine } from '../../machines/scheduler.js';
import { sabotage, type Strike } from '../machines/sabotage.js';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from './daemonWorld.js';
import { createWitness, fateFindings, findings } from './invariants.js';
import { createLibrary, LIBRARY_OPTIONS, type SimulatedLibrary } from './library.js';

const MINUTE_MS = 60_000;
const LONG_MS = 180_000;
const CHARTS = {
  recording: recordingMachine,
  guide: guideMachine,
  library: libraryMachine,
  scheduler: schedulerMachine,
};
/** Of the outbox of a receiver that is away for a while; the others need one that refuses us, `tell` is plugged in. */
const LIBRARY_PARTS = ['owe', 'awaitRow', 'due', 'begin', 'succeed', 'fail', 'awaitRetry'];

const undo: (() => void)[] = [];
afterEach(() => {
  for (const task of undo.splice(0)) task();
});

function breakAll(strikeOf: (chart: string) => Strike): void {
  for (const [chart, machine] of Object.entries(CHARTS)) undo.push(sabotage(machine, strikeOf(chart)));
}

async function quietWorld() {
  let library: SimulatedLibrary | null = null;
  const world = await createDaemonWorld({
    seed: 21,
    channels: 3,
    onAir: 0.9,
    forMs: 10 * HOUR_MS,
    options: LIBRARY_OPTIONS,
    exchange: (parts) => (library = createLibrary(parts)).exchange,
  });
  return { world, library: library!, fates: createWitness(world) };
}

const crashes = (world: DaemonWorld) =>
  [...world.disk.sizes('/rec/.catchupd/crashes').keys()].filter((path) => path.endsWith('.json'));

describe('an exception in a chart', () => {
  it(
    'is survived wherever it comes from: each programme is one file, with a gap where it was hit',
    async () => {
      const { world, fates } = await quietWorld();
      const broken = new Set<string>();
      let next = Infinity;
      breakAll((chart) => (part, name, context) => {
        const { id = '' } = context as { id?: string };
        const isBirth = chart === 'recording' && !world.daemon().book.get(id);
        const key = `${chart} ${part} ${name}`;
        // One at a time, as exceptions come; more in a minute are another matter.
        if (world.clock.mono() < next || broken.has(key) || isBirth) return;
        broken.add(key);
        next = world.clock.mono() + 90_000;
        throw new TypeError(`boom in ${key}`);
      });
      await world.boot();
      await world.clock.run(30 * MINUTE_MS);
      next = 0;
      await world.clock.run(3 * HOUR_MS);
      next = Infinity;
      await world.clock.run(10 * MINUTE_MS);
      expect(broken.size).toBeGreaterThan(15);
      expect(findings(world)).toEqual([]);
      expect(world.daemon().book.quarantined()).toEqual([]);
      const until = world.clock.now() - 2 * MINUTE_MS;
      expect(fateFindings(world, fates, world.startAt, until)).toEqual([]);
      for (const { entry } of fates.values())
        expect(['complete', 'complete_with_gaps', 'partial']).toContain(entry.recording.result?.outcome);
      expect(crashes(world)).toHaveLength(broken.size);
      const report = JSON.parse(
        world.disk.files(crashes(world)[0]).values().next().value!.toString(),
      ) as object;
      expect(Object.keys(report)).toEqual(['id', 'at', 'error', 'stack', 'event', 'lastGood', 'fresh']);
      await world.stop();
    },
    LONG_MS,
  );

  it(
    'in the outbox of a receiver costs no delivery, whichever part of it throws',
    async () => {
      const { world, library } = await quietWorld();
      const broken = new Set<string>();
      let next = 0;
      breakAll((chart) => (_, name) => {
        if (chart !== 'library' || world.clock.mono() < next || broken.has(name)) return;
        broken.add(name);
        next = world.clock.mono() + 15_000;
        throw new TypeError(`boom in ${name}`);
      });
      await world.boot();
      for (const mood of ['well', 'down', 'well'] as const) {
        library.mood = mood;
        await world.clock.run(HOUR_MS);
      }
      expect([...broken]).toEqual(expect.arrayContaining(LIBRARY_PARTS));
      const told = library.told.map(({ folder }) => folder);
      const folders = [...world.daemon().book.all()].flatMap(({ path, recording }) =>
        path === 'published' ? (recording.files?.folder ?? []) : [],
      );
      expect(folders.length).toBeGreaterThan(3);
      expect(folders.filter((folder) => !told.includes(folder))).toEqual([]);
      expect(world.daemon().store.all('outbox').size).toBe(0);
      expect(findings(world)).toEqual([]);
      await world.stop();
    },
    LONG_MS,
  );

  it('at the birth of a recording puts that one aside, once and for good, and the next start knows it', async () => {
    const { world } = await quietWorld();
    const { context } = recordingMachine.config;
    let victim = '';
    recordingMachine.config.context = (({ input }: { input: { id: string } }) => {
      victim ||= input.id;
      if (input.id === victim) throw new TypeError('boom at birth');
      return (context as (args: unknown) => never)({ input });
    }) as never;
    undo.push(() => (recordingMachine.config.context = context));
    await world.boot();
    await world.clock.run(30 * MINUTE_MS);
    const aside = () =>
      world
        .daemon()
        .book.quarantined()
        .map(({ id }) => id);
    expect(aside()).toEqual([victim]);
    // It is said once, not at every plan.
    expect(world.lines.filter(({ msg, id }) => msg === 'put aside' && id === victim)).toHaveLength(1);
    await world.stop();
    await world.boot();
    expect(aside()).toEqual([victim]);
    await world.clock.run(10 * MINUTE_MS);
    expect(world.daemon().book.get(victim)).toBeUndefined();
    expect(findings(world).filter((finding) => !finding.includes(victim))).toEqual([]);
    await world.stop();
  });

  it('that comes back whenever the scheduler does ends the process, and what was captured stays', async () => {
    const { world } = await quietWorld();
    let broken = false;
    breakAll((chart) => (part, name) => {
      if (broken && chart === 'scheduler' && part === 'action' && name === 'allot')
        throw new TypeError('boom');
    });
    const daemon = await world.boot();
    await world.clock.run(45 * MINUTE_MS);
    const spools = [...world.disk.sizes('/rec')].filter(([path]) => path.endsWith('.partial.ts'));
    expect(spools.length).toBeGreaterThan(0);
    broken = true;
    expect(await world.clock.until(daemon.ended)).toBe('bug');
    const after = world.disk.sizes('/rec');
    for (const [path, bytes] of spools) expect(after.get(path)).toBeGreaterThanOrEqual(bytes);
    expect(world.transport.openStreams()).toEqual([]);
    expect(world.disk.openFiles()).toBe(0);
  });

  it('that comes back at every turn of one recording puts that one aside and leaves its bytes', async () => {
    const { world } = await quietWorld();
    let victim = '';
    breakAll((chart) => (_, name, context) => {
      const { id } = context as { id?: string };
      if (chart === 'recording' && victim !== '' && id === victim && name === 'hold')
        throw new TypeError('boom');
    });
    await world.boot();
    await world.clock.run(45 * MINUTE_MS);
    const [entry] = [...world.daemon().book.all()].filter(({ path }) => path === 'scheduled.early');
    victim = entry!.id;
    await world.clock.run(entry!.recording.window.startAt - world.clock.now() + 5 * MINUTE_MS);
    expect(
      world
        .daemon()
        .book.quarantined()
        .map(({ id }) => id),
    ).toEqual([victim]);
    expect(world.daemon().inside().captures).not.toContain(victim);
    await world.stop();
  });
});
