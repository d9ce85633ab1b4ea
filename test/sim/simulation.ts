/** A run of the real daemon through a storm: one seed decides all, and the same seed gives the same run. */
import { recordingMachine } from '../../machines/recording.js';
import { seededRandom } from '../../src/io/random.js';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from './daemonWorld.js';
import { historyFindings } from './invariants.js';
import { createLibrary, LIBRARY_OPTIONS, type SimulatedLibrary } from './library.js';
import { createStorm, faultKinds, type FaultKind } from './storm.js';
import { createJudge } from './truth.js';

const MINUTE_MS = 60_000;
/** How often everything is looked at. */
const LOOK_MS = 10 * MINUTE_MS;
/** At the end it is calm this long, so that everything can come to rest. */
const CALM_MS = 45 * MINUTE_MS;

/** More channels than slots, so that there is a fight for them; few of both, so that hours pass quickly. */
const SLOTS = 3;
const MORE_CHANNELS = 2;

export interface Ran {
  readonly seed: number;
  /** Words that make the same run again. */
  readonly again: string;
  readonly findings: readonly string[];
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly checks: ReadonlyMap<string, number>;
  /** Pairs of states that a recording went through, of all that its chart has. */
  readonly steps: ReadonlySet<string>;
  readonly ratio: number;
  readonly world: DaemonWorld;
}

export interface RunOptions {
  readonly seed: number;
  readonly hours: number;
  readonly kinds?: readonly FaultKind[];
  /** Without `kinds`: with slow disks among them. */
  readonly slowDisk?: boolean;
  readonly slots?: number;
  /** Ends with the first thing that it finds. */
  readonly untilFound?: boolean;
}

export async function simulate({
  seed,
  hours,
  slowDisk = false,
  kinds = faultKinds({ slowDisk }),
  slots = SLOTS,
  untilFound = false,
}: RunOptions): Promise<Ran> {
  const storm = createStorm(seededRandom(seed * 7_919 + 1), kinds);
  let library: SimulatedLibrary | null = null;
  const world = await createDaemonWorld({
    seed,
    slots,
    channels: slots + MORE_CHANNELS,
    forMs: (hours + 32) * HOUR_MS,
    options: {
      preempt: 'true',
      'poll-interval': '60s',
      'post-padding': '240s',
      'provider-max': `u@panel.test=${slots}`,
      'retain-completed-per-lane': 'movies=6',
      'budget-bytes-per-lane': 'general=8MB',
      ...LIBRARY_OPTIONS,
    },
    weather: (parts, answer) => storm.weather(parts, answer),
    exchange(parts) {
      library = createLibrary(parts);
      storm.reach(library);
      return library.exchange;
    },
  });
  if (!library) throw new Error('no media server');
  const judge = createJudge(storm, world, library);
  const steps = new Set<string>();
  world.watch(({ msg, from, to }) => {
    if (msg === 'recording') steps.add(`${JSON.stringify(from ?? null)} → ${JSON.stringify(to)}`);
  });
  const begun = performance.now();
  await world.boot();
  for (let at = 0; at < hours * HOUR_MS; at += LOOK_MS) {
    await storm.run(world, LOOK_MS);
    judge.look(world);
    if (untilFound && judge.findings.length > 0) break;
  }
  storm.calm(world);
  for (let at = 0; at < CALM_MS; at += LOOK_MS) {
    await world.clock.run(LOOK_MS);
    judge.look(world);
  }
  const toAt = world.startAt + world.clock.mono() - 30 * MINUTE_MS;
  judge.conclude(world, world.startAt, toAt);
  const cuts = ['kill', 'power_cut', 'disk_full', 'disk_error'] as const;
  const cutsMax = cuts.reduce((sum, kind) => sum + (storm.counts.get(kind) ?? 0), 0);
  const told = await historyFindings(world, cutsMax);
  await world.stop();
  const left = [
    ...world.disk.openNames().map((name) => `${name} is open at the end`),
    ...(world.transport.openStreams().length > 0 ? ['streams are open at the end'] : []),
  ];
  const again = `--hours ${hours} --seed ${seed} --slots ${slots}${kinds.includes('slow_sync') ? ' --slow-disk' : ''}`;
  return {
    seed,
    again,
    findings: [...judge.findings, ...told.map((finding) => `P10 ${finding}`), ...left],
    faults: storm.counts,
    checks: judge.checks,
    steps,
    ratio: Math.round((hours * HOUR_MS) / (performance.now() - begun)),
    world,
  };
}

/** For a person, and for whoever has to find it again. */
export function told({ seed, again, faults, checks, steps, ratio, findings }: Ran): string {
  const list = (map: ReadonlyMap<string, number>) =>
    [...map]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const states = Object.keys(recordingMachine.states).length;
  return [
    `seed ${seed}: ${ratio} times real time`,
    `  faults: ${list(faults)}`,
    `  checked: ${list(checks)}`,
    `  edges covered: ${steps.size} ways from state to state, ${states} states`,
    ...(findings.length > 0
      ? [`  FOUND (npm run sim -- ${again}):`, ...findings.map((each) => `    ${each}`)]
      : []),
  ].join('\n');
}
