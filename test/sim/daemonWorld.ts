/**
 * The real daemon in a world of its own: virtual time, network and disk, and one seed that decides everything. Two
 * worlds of one seed end in the same state, byte for byte.
 */

import { createHash } from 'node:crypto';
import { pino } from 'pino';
import type { Config } from '../../src/config/config.js';
import { resolveConfig } from '../../src/config/resolve.js';
import { createInlineParse } from '../../src/guide/inlineParse.js';
import { createPlannerHere } from '../../src/runtime/planner.js';
import type { Outlook } from '../../src/runtime/planning.js';
import type { Exchange } from '../../src/io/exchange.js';
import type { ProcessProbe } from '../../src/io/processProbe.js';
import type { Programs } from '../../src/io/programs.js';
import { seededRandom } from '../../src/io/random.js';
import { TransportFault, type TransportRequest } from '../../src/io/transport.js';
import { startDaemon, type Daemon } from '../../src/runtime/daemon.js';
import type { RunMode } from '../../src/runtime/lookout.js';
import type { Doors } from '../../src/runtime/doors.js';
import { createLife, type Life } from './life.js';
import { memoryDisk, type MemoryDisk } from './memoryDisk.js';
import { createProvider, type Provider } from './provider.js';
import { virtualClock, type VirtualClock } from './virtualClock.js';
import { virtualTransport, type Reply, type VirtualTransport } from './virtualTransport.js';

export const HOUR_MS = 3_600_000;
/** Of the scenes that do not ask for another number. */
const SLOTS = 8;
const START_AT = Date.UTC(2026, 10, 23, 6, 0);

export interface LogLine {
  readonly at: number;
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface DaemonWorld {
  readonly clock: VirtualClock;
  readonly disk: MemoryDisk;
  readonly transport: VirtualTransport;
  readonly provider: Provider;
  readonly config: Config;
  readonly lines: readonly LogLine[];
  readonly startAt: number;
  /** Connections that may be open at once. */
  readonly slots: number;
  /** Called with each line, at the moment that it speaks of. */
  watch(listener: (line: LogLine) => void): void;
  /** The daemon that runs; throws while none does. */
  daemon(): Daemon;
  /** What it planned last. */
  outlook(): Outlook;
  /** As when the thread dies that keeps the guides. */
  loseGuides(): void;
  boot(): Promise<Daemon>;
  /** As on SIGTERM. */
  stop(): Promise<void>;
  /** As on SIGKILL: from now on the daemon that runs can do nothing, in the middle of whatever it was at. */
  kill(): void;
  isRunning(): boolean;
}

export interface WorldOptions {
  readonly seed: number;
  /** Options by name, over those of this world. */
  readonly options?: Readonly<Record<string, string>>;
  readonly slots?: number;
  readonly channels?: number;
  /** False: none of the channels has an archive. */
  readonly archive?: boolean;
  /** Share of the time that something is on a channel. */
  readonly onAir?: number;
  /** Other than that of `run`. */
  readonly mode?: RunMode;
  /** When the world begins, instead of on a plain morning. */
  readonly startAt?: number;
  /** How long the provider has a programme. */
  readonly forMs?: number;
  /** What stands between the provider and the daemon. */
  readonly weather?: (world: WorldParts, answer: Answering) => Answering;
  /** Who answers everything that is no stream, list or guide; nobody unless given. */
  readonly exchange?: (world: WorldParts) => Exchange;
}

type Answering = (url: URL, request: TransportRequest) => Reply;

export type WorldParts = Pick<DaemonWorld, 'clock' | 'disk' | 'provider' | 'startAt' | 'slots'>;

export async function createDaemonWorld(options: WorldOptions): Promise<DaemonWorld> {
  const random = seededRandom(options.seed);
  const { slots = SLOTS, startAt = START_AT } = options;
  const clock = virtualClock(startAt);
  const disk = memoryDisk({ now: clock.now });
  const provider = createProvider(clock, {
    random,
    channels: options.channels ?? 12,
    onAir: options.onAir ?? 0.5,
    archive: options.archive ?? true,
    fromAt: startAt - HOUR_MS,
    toAt: startAt + (options.forMs ?? 30 * HOUR_MS),
  });
  const plain: Answering = (url, request) => provider.answer(url, request);
  const parts: WorldParts = { clock, disk, provider, startAt, slots };
  const exchange = options.exchange?.(parts) ?? NOBODY;
  const transport = virtualTransport(clock, options.weather?.(parts, plain) ?? plain, slots);
  const config = await configOf({
    catalog: provider.catalogUrl,
    m3u: provider.m3uUrl,
    xmltv: provider.guideUrl,
    'out-dir': '/rec',
    'publish-dir': '/library',
    'max-concurrency': String(slots),
    preempt: 'true',
    'post-padding': '60s',
    keep: 'sports=3h,movies=5h,general=4h',
    ...options.options,
  });
  const lines: LogLine[] = [];
  const listeners: ((line: LogLine) => void)[] = [];
  const log = pino(
    {
      level: 'info',
      base: null,
      timestamp: () => `,"at":${clock.now()}`,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write(text: string) {
        if (!life?.isAlive()) return;
        const line = JSON.parse(text) as LogLine;
        lines.push(line);
        if (daemon) for (const listener of listeners) listener(line);
      },
    },
  );
  let lives = 0;
  let life: Life | null = null;
  let daemon: Daemon | null = null;
  let planner: PlannerHere | null = null;
  let lose: () => void = () => undefined;

  function running(): Daemon {
    if (!daemon) throw new Error('no daemon runs');
    return daemon;
  }

  return {
    clock,
    disk,
    transport,
    provider,
    config,
    lines,
    startAt,
    slots,
    watch: (listener) => void listeners.push(listener),
    daemon: running,
    loseGuides: () => lose(),
    outlook() {
      if (!planner) throw new Error('no daemon ran');
      return planner.desk.outlook();
    },
    async boot() {
      lives += 1;
      life = createLife({ clock, disk, transport, exchange });
      const parse = createInlineParse(life.doors.disk);
      planner = withLoss(createPlannerHere(parse), (task) => (lose = task));
      const doors: Doors = {
        ...life.doors,
        log,
        random,
        parse,
        planner,
        processes: processOf(lives),
        programs: NOTHING,
      };
      daemon = await clock.until(startDaemon({ config, doors, mode: options.mode ?? 'always' }));
      return daemon;
    },
    async stop() {
      await clock.until(running().stop());
      daemon = null;
    },
    kill() {
      life?.end();
      daemon = null;
    },
    isRunning: () => daemon !== null,
  };
}

type PlannerHere = ReturnType<typeof createPlannerHere>;

/** One whose guides can be lost; `onTask` is told how. */
function withLoss(planner: PlannerHere, onTask: (task: () => void) => void): PlannerHere {
  const numbers = new Set<number>();
  return {
    ...planner,
    async read(job, beside) {
      const guide = await planner.read(job, beside);
      numbers.add(guide.number);
      return guide;
    },
    onLost(task) {
      onTask(() => {
        for (const number of numbers) planner.release(number);
        task();
      });
    },
  };
}

/** Nobody answers and nothing runs but the provider, unless a scene says so. */
const NOBODY: Exchange = { ask: () => Promise.reject(new TransportFault('connect', 'ECONNREFUSED')) };
const NOTHING: Programs = {
  environment: () => ({}),
  run: () => Promise.resolve({ kind: 'absent', code: 'ENOENT' }),
};

/** The process of this life; earlier ones are gone. */
function processOf(life: number): ProcessProbe {
  const pid = 100 + life;
  const startTicks = String(life);
  return {
    self: () => Promise.resolve({ host: 'sim', bootId: 'boot', pid, startTicks }),
    startTicks: (asked) => Promise.resolve(asked === pid ? startTicks : null),
  };
}

async function configOf(options: Readonly<Record<string, string>>): Promise<Config> {
  const { config } = await resolveConfig({
    command: 'run',
    line: new Map(Object.entries(options).map(([name, text]) => [name, [text]])),
    env: {},
    cwd: '/',
    readFile: () => Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' })),
  });
  return config;
}

/** Everything that a run leaves behind, part by part, so that two runs that differ show where. */
export function digestOf(world: DaemonWorld): Record<string, string> {
  const { store } = world.daemon();
  return {
    recordings: sha256(JSON.stringify([...store.recordings()])),
    tombstones: sha256(JSON.stringify([...store.tombstones()])),
    library: sha256(JSON.stringify(contents(world.disk, '/library'))),
    /** Spools, base, journal, history, last good guide. */
    private: sha256(JSON.stringify(contents(world.disk, '/rec'))),
    log: sha256(JSON.stringify(world.lines)),
    occupancy: sha256(JSON.stringify(world.transport.occupancy)),
  };
}

function contents(disk: MemoryDisk, folder: string): [string, string][] {
  return [...disk.files(folder)].map(([path, bytes]) => [path, sha256(bytes)]);
}

export function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
