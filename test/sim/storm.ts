/**
 * Everything that may go wrong, at times that a seed decides: streams, guides, lists, the disk, the clock, and the
 * process itself. It keeps account of what it did, so that whoever judges knows what excuses what.
 */
import { TransportFault, type TransportRequest } from '../../src/io/transport.js';
import type { Random } from '../../src/io/random.js';
import { HOUR_MS, type DaemonWorld, type WorldParts } from './daemonWorld.js';
import { unitOf, unitsIn, UNIT_MS } from './syntheticTs.js';
import type { SimulatedLibrary } from './library.js';
import type { DiskOperation } from './memoryDisk.js';
import type { Answer, Feed, Reply } from './virtualTransport.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * HOUR_MS;

export type FaultKind =
  | 'stall'
  | 'reset'
  | 'eof'
  | 'html'
  | 'limit_458'
  | 'busy_503'
  | 'burst'
  | 'clock_jump'
  | 'guide_empty'
  | 'guide_half'
  | 'guide_shifted'
  | 'guide_500'
  | 'guide_retitled'
  | 'lists_500'
  | 'provider_down'
  | 'range_200'
  | 'upstream_bad'
  | 'library_down'
  | 'library_deaf'
  | 'disk_full'
  | 'disk_error'
  | 'slow_sync'
  | 'mount_gone'
  | 'kill'
  | 'power_cut';

/** While this lasts, and shortly after, something may be missing; of one channel, or of all. */
export interface Excuse {
  readonly kind: FaultKind;
  readonly fromAt: number;
  toAt: number;
  readonly channel: number | null;
}

export interface Storm {
  readonly counts: ReadonlyMap<FaultKind, number>;
  readonly excuses: readonly Excuse[];
  weather(world: WorldParts, answer: Answering): Answering;
  /** The media server that it may take down. */
  reach(library: SimulatedLibrary): void;
  /** Lets the world go on for so long; kills and starts its daemon as it likes. */
  run(world: DaemonWorld, ms: number): Promise<void>;
  /** When the disk, the clock or the process was last not what it should be. */
  troubledAt(): number;
  /** Ends everything that lasts. */
  calm(world: DaemonWorld): void;
}

type Answering = (url: URL, request: TransportRequest) => Reply;

/** A guide gives some programmes another title for a while, and takes it back: at set times, for how long follows. */
const RETITLED_EVERY_MS = 5 * HOUR_MS;
const RETITLED_MS = 2 * HOUR_MS;
/** What is added to a title; whoever judges takes it away. */
export const RETITLED = ' (neu)';

/** Mean time between two of a kind. */
const MEAN_MS: Readonly<Record<FaultKind, number>> = {
  stall: 25 * MINUTE_MS,
  reset: 15 * MINUTE_MS,
  eof: 20 * MINUTE_MS,
  html: 70 * MINUTE_MS,
  limit_458: 80 * MINUTE_MS,
  busy_503: 60 * MINUTE_MS,
  burst: 30 * MINUTE_MS,
  clock_jump: 7 * HOUR_MS,
  guide_empty: 5 * HOUR_MS,
  guide_half: 5 * HOUR_MS,
  guide_shifted: 6 * HOUR_MS,
  guide_500: 4 * HOUR_MS,
  guide_retitled: RETITLED_EVERY_MS,
  lists_500: 6 * HOUR_MS,
  provider_down: 5 * HOUR_MS,
  range_200: 3 * HOUR_MS,
  upstream_bad: 3 * HOUR_MS,
  library_down: 4 * HOUR_MS,
  library_deaf: 5 * HOUR_MS,
  disk_full: 6 * HOUR_MS,
  disk_error: 5 * HOUR_MS,
  slow_sync: 2 * HOUR_MS,
  mount_gone: 6 * HOUR_MS,
  kill: 2.5 * HOUR_MS,
  power_cut: 6 * HOUR_MS,
};

/** A slow disk takes no longer than this over a sync. */
const SYNC_MS_MAX = 20_000;
/**
 * Nor than this over what a spool is opened by and the write behind it: bytes wait for those, for syncs only where the
 * power is cut, of which one is under way and the next begins behind it.
 */
const CHANGES_MS_MAX = 6_000;
/** What a slow disk takes its time for; reading comes from memory. */
const SYNCS: ReadonlySet<DiskOperation> = new Set(['datasync', 'syncFolder']);
const CHANGES: ReadonlySet<DiskOperation> = new Set([
  'write',
  'create',
  'link',
  'rename',
  'unlink',
  'truncate',
]);

/** What is done to a stream from a moment on. */
type Spell = 'html' | 'limit_458' | 'busy_503';

interface OpenStream {
  readonly channel: number;
  readonly feed: Feed;
  silent: boolean;
}

const ALL = Object.keys(MEAN_MS) as FaultKind[];
/** What a storm is made of where nothing else is said. */
const USUAL = ALL.filter((kind) => kind !== 'slow_sync');

/** Faults of a storm; `slowDisk` adds disks that take seconds, and that a crash meets in the middle of a sync. */
export function faultKinds({ slowDisk }: { readonly slowDisk: boolean }): readonly FaultKind[] {
  return slowDisk ? ALL : USUAL;
}

export function createStorm(random: Random, kinds: readonly FaultKind[] = USUAL): Storm {
  const counts = new Map<FaultKind, number>();
  const excuses: Excuse[] = [];
  const streams = new Set<OpenStream>();
  const spells = new Map<number, { readonly spell: Spell; readonly until: number }>();
  const bursts = new Set<number>();
  let guide: { readonly mode: FaultKind; readonly until: number } | null = null;
  let listsDownUntil = 0;
  let providerDownUntil = 0;
  /** Archives break off in the middle, and answer a wish for the rest with all of it. */
  let rangeIgnoredUntil = 0;
  /** One of two addresses of a channel lets everybody in and breaks off at once. */
  let bad = { host: '', channel: 0, until: 0 };
  let library: SimulatedLibrary | null = null;
  let libraryMoodUntil = 0;
  let ends: { readonly at: number; readonly task: () => void }[] = [];
  /** `midway`: not before an operation, but while a sync takes its time. */
  let killIn: { ops: number; readonly kind: 'kill' | 'power_cut'; readonly midway: boolean } | null = null;
  let slowUntil = 0;
  let troubled = 0;
  let fatal: (() => void) | null = null;

  const next = new Map(kinds.filter((kind) => kind !== 'guide_retitled').map((kind) => [kind, wait(kind)]));

  function wait(kind: FaultKind): number {
    return -Math.log(1 - random.fraction()) * MEAN_MS[kind];
  }
  const between = (from: number, to: number) => from + random.fraction() * (to - from);
  function pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(random.fraction() * list.length)];
  }

  function note(kind: FaultKind, world: WorldParts, lastsMs: number, channel: number | null = null): Excuse {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const fromAt = world.startAt + world.clock.mono();
    const excuse = { kind, fromAt, toAt: fromAt + lastsMs, channel };
    excuses.push(excuse);
    return excuse;
  }

  /** Disk, clock and process: while they are off, much is not as it should be. */
  function trouble(world: WorldParts, lastsMs: number, task: () => void): void {
    const at = world.clock.mono() + lastsMs;
    troubled = Math.max(troubled, at);
    ends.push({ at, task });
  }

  const isQuiet = () => ends.length === 0 && killIn === null;

  function strike(kind: FaultKind, world: WorldParts): void {
    const { clock, disk } = world;
    switch (kind) {
      case 'stall':
      case 'reset':
      case 'eof': {
        const stream = pick([...streams].filter(({ silent }) => !silent));
        if (!stream) return;
        note(kind, world, kind === 'stall' ? 25_000 : 1_000, stream.channel);
        if (kind === 'stall') stream.silent = true;
        else if (kind === 'eof') stream.feed.end();
        else stream.feed.fail(new TransportFault('reset', 'reset'));
        return;
      }
      case 'html':
      case 'limit_458':
      case 'busy_503': {
        const channel = pick(world.provider.channels)?.number ?? 1;
        const lastsMs = between(20_000, 3 * MINUTE_MS);
        note(kind, world, lastsMs + (kind === 'busy_503' ? 60_000 : 0), channel);
        spells.set(channel, { spell: kind, until: clock.mono() + lastsMs });
        // It meets whoever is there as well.
        for (const stream of streams)
          if (stream.channel === channel) stream.feed.fail(new TransportFault('reset', 'reset'));
        return;
      }
      case 'burst': {
        const stream = pick([...streams]);
        if (!stream) return;
        note(kind, world, 1_000, stream.channel);
        bursts.add(stream.channel);
        stream.feed.fail(new TransportFault('reset', 'reset'));
        return;
      }
      case 'guide_empty':
      case 'guide_half':
      case 'guide_shifted':
      case 'guide_500':
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        guide = { mode: kind, until: clock.mono() + between(0.5 * HOUR_MS, 3 * HOUR_MS) };
        return;
      case 'guide_retitled':
        return;
      case 'lists_500':
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        listsDownUntil = clock.mono() + between(0.5 * HOUR_MS, 2 * HOUR_MS);
        return;
      case 'provider_down': {
        const lastsMs = between(20_000, 4 * MINUTE_MS);
        note(kind, world, lastsMs);
        providerDownUntil = clock.mono() + lastsMs;
        for (const { feed } of streams) feed.fail(new TransportFault('reset', 'reset'));
        return;
      }
      case 'upstream_bad': {
        const channel = pick(world.provider.channels.filter(({ number }) => number % 2 === 0))?.number ?? 2;
        // Nobody may need longer to see that the other one is good.
        note(kind, world, MINUTE_MS, channel);
        const host = random.fraction() < 0.5 ? 'panel.test' : 'other.test';
        bad = { host, channel, until: clock.mono() + between(10 * MINUTE_MS, 40 * MINUTE_MS) };
        for (const stream of streams)
          if (stream.channel === channel) stream.feed.fail(new TransportFault('reset', 'reset'));
        return;
      }
      case 'range_200':
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        rangeIgnoredUntil = clock.mono() + between(0.5 * HOUR_MS, 3 * HOUR_MS);
        return;
      case 'library_down':
      case 'library_deaf':
        if (!library || library.mood !== 'well') return;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        library.mood = kind === 'library_down' ? 'down' : 'deaf';
        libraryMoodUntil = clock.mono() + between(MINUTE_MS, 2 * HOUR_MS);
        return;
      case 'clock_jump': {
        if (!isQuiet()) return;
        // So far that no guide knows what is on then: a step that one covers is a correction, and is believed.
        const stepMs = (random.fraction() < 0.5 ? -1 : 1) * Math.round(between(35 * DAY_MS, 60 * DAY_MS));
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        clock.step(stepMs);
        trouble(world, between(5 * MINUTE_MS, HOUR_MS), () => clock.step(-stepMs));
        return;
      }
      case 'disk_full': {
        if (!isQuiet()) return;
        const lastsMs = between(MINUTE_MS, 4 * MINUTE_MS);
        note(kind, world, lastsMs);
        disk.resize(
          '/',
          [...disk.sizes('/rec').values()].reduce((sum, bytes) => sum + bytes, 0),
        );
        trouble(world, lastsMs, () => disk.resize('/', 2 ** 40));
        return;
      }
      case 'disk_error': {
        if (!isQuiet()) return;
        const lastsMs = between(20_000, 2 * MINUTE_MS);
        note(kind, world, lastsMs);
        failing = true;
        trouble(world, lastsMs, () => (failing = false));
        return;
      }
      case 'mount_gone': {
        if (!isQuiet()) return;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        const excuse = note(kind, world, Infinity);
        counts.set(kind, (counts.get(kind) ?? 1) - 1);
        disk.unmount('/library');
        trouble(world, between(2 * MINUTE_MS, 20 * MINUTE_MS), () => {
          disk.mount('/library');
          excuse.toAt = world.startAt + clock.mono();
        });
        return;
      }
      case 'slow_sync': {
        if (!isQuiet()) return;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        const lastsMs = between(MINUTE_MS, 6 * MINUTE_MS);
        slowUntil = clock.mono() + lastsMs;
        trouble(world, lastsMs, () => undefined);
        // Half of them end in the middle of a sync.
        if (random.fraction() < 0.5)
          killIn = { ...killOf(random.fraction() < 0.5 ? 'kill' : 'power_cut'), midway: true };
        return;
      }
      case 'kill':
      case 'power_cut':
        if (isQuiet()) killIn = killOf(kind);
        return;
    }
  }
  let failing = false;

  /** Between any two operations of the disk. */
  function killOf(kind: 'kill' | 'power_cut') {
    return { ops: 1 + Math.floor(random.fraction() * 60), kind, midway: false };
  }

  /** How long a slow disk takes: for some changes moments, for a sync from a tenth of a second to twenty. */
  function slowness(operation: DiskOperation): number {
    if (SYNCS.has(operation)) return 100 * (SYNC_MS_MAX / 100) ** random.fraction();
    return CHANGES.has(operation) && random.fraction() < 0.25 ? 10 * 200 ** random.fraction() : 0;
  }

  return {
    counts,
    excuses,
    troubledAt: () => troubled,
    weather(world, answer) {
      const writes = new Set(['write', 'datasync', 'create', 'link', 'rename']);
      world.disk.mount('/library');
      world.disk.fault = (operation) => {
        const isMidway = killIn?.midway && world.clock.mono() < slowUntil;
        if (killIn !== null && !isMidway && (killIn.ops -= 1) <= 0) fatal?.();
        return failing && writes.has(operation) ? 'EIO' : null;
      };
      world.disk.latency = (operation) => {
        if (world.clock.mono() >= slowUntil) return null;
        const ms = slowness(operation);
        if (ms === 0) return null;
        if (killIn?.midway && SYNCS.has(operation) && (killIn.ops -= 1) <= 0)
          world.clock.after(ms * random.fraction(), () => fatal?.());
        return new Promise((resolve) => void world.clock.after(ms, resolve));
      };
      return (url, request) => {
        const mono = world.clock.mono();
        if (mono < providerDownUntil) return new TransportFault('connect', 'ECONNREFUSED');
        const good = answer(url, request);
        if (good instanceof TransportFault) return good;
        if (url.pathname === '/guide.xml')
          return isRetitled(mono) ? retitled(url, request, answer, mono) : guideAnswer(good, mono);
        if (url.pathname.startsWith('/timeshift/'))
          return mono < rangeIgnoredUntil ? brokenArchive(url, request, answer) : good;
        const number = Number(/^\/live\/u\/p\/(\d+)\.ts$/.exec(url.pathname)?.[1] ?? 0);
        if (number === 0) return mono < listsDownUntil ? { status: 500, body: Buffer.from('down') } : good;
        const spell = spells.get(number);
        if (spell && mono < spell.until) return refusal(spell.spell, world.slots);
        const isBad = number === bad.channel && url.hostname === bad.host && mono < bad.until;
        return isBad ? brokenOff(good) : watched(number, good);
      };
    },
    reach: (one) => void (library = one),
    async run(world, ms) {
      const end = world.clock.mono() + ms;
      while (world.clock.mono() < end) {
        for (const [kind, at] of next) {
          if (at > world.clock.mono()) continue;
          next.set(kind, world.clock.mono() + wait(kind));
          strike(kind, world);
        }
        const due = ends.filter(({ at }) => at <= world.clock.mono());
        ends = ends.filter((one) => !due.includes(one));
        for (const { task } of due) task();
        if (library && world.clock.mono() >= libraryMoodUntil) library.mood = 'well';
        if (killIn === null) {
          const soonest = Math.min(end, ...next.values(), ...ends.map(({ at }) => at));
          await world.clock.run(Math.max(1, soonest - world.clock.mono()));
        } else await killAndStart(world);
      }
    },
    calm(world) {
      for (const { task } of ends) task();
      ends = [];
      killIn = null;
      slowUntil = 0;
      guide = null;
      listsDownUntil = 0;
      providerDownUntil = 0;
      rangeIgnoredUntil = 0;
      bad = { ...bad, until: 0 };
      if (library) library.mood = 'well';
      spells.clear();
      for (const stream of streams) if (stream.silent) stream.feed.fail(new TransportFault('reset', 'reset'));
      troubled = world.clock.mono();
    },
  };

  async function killAndStart(world: DaemonWorld): Promise<void> {
    const { kind } = killIn ?? { kind: 'kill' as const };
    const downMs = between(1_000, 40_000);
    const excuse = note(kind, world, Infinity);
    let dead = false;
    fatal = () => {
      fatal = null;
      killIn = null;
      dead = true;
      excuses.splice(excuses.indexOf(excuse), 1);
      const isSlow = world.clock.mono() < slowUntil + SYNC_MS_MAX;
      const waitedMs = isSlow ? CHANGES_MS_MAX + (kind === 'kill' ? 0 : 2 * SYNC_MS_MAX) : 0;
      excuses.push({ ...excuse, fromAt: world.startAt + world.clock.mono() - 6_000 - waitedMs });
      world.kill();
      // A kill leaves what was handed to the system; a power cut any share of what was not synced, of each file its own.
      world.disk.crash(kind === 'kill' ? 1 : () => random.fraction(), () => random.fraction());
    };
    while (!dead) await world.clock.run(500);
    await world.clock.run(downMs);
    await world.boot();
    const last = excuses.at(-1);
    for (const one of excuses)
      if (one.kind === kind && one.toAt === Infinity) one.toAt = world.startAt + world.clock.mono() + 5_000;
    if (last) troubled = world.clock.mono();
  }

  function guideAnswer(good: Answer, mono: number): Answer {
    if (guide === null || mono > guide.until || !Buffer.isBuffer(good.body)) return good;
    if (guide.mode === 'guide_500') return { status: 500, body: Buffer.from('down') };
    const text = good.body.toString();
    if (guide.mode === 'guide_empty')
      return { status: 200, body: Buffer.from('<?xml version="1.0"?>\n<tv></tv>\n') };
    if (guide.mode === 'guide_shifted') {
      const later = text.replace(
        /"(\d{14}) \+0000"/g,
        (_, stamp: string) => `"${stampOf(timeOf(stamp) + HOUR_MS)} +0000"`,
      );
      return { status: 200, body: Buffer.from(later) };
    }
    const rows = text.split('\n');
    const kept = rows.filter((row, index) => !row.startsWith('<programme') || index % 3 === 0);
    return { status: 200, body: Buffer.from(kept.join('\n')) };
  }

  /** Nothing else is wrong with the guide then. */
  function isRetitled(mono: number): boolean {
    return kinds.includes('guide_retitled') && mono % RETITLED_EVERY_MS > RETITLED_EVERY_MS - RETITLED_MS;
  }

  /** Another version of the same guide: one programme in seven by another name. Of more a shifted guide is not told. */
  function retitled(url: URL, request: TransportRequest, answer: Answering, mono: number): Reply {
    const { 'if-none-match': known, ...headers } = request.headers ?? {};
    const whole = answer(url, { ...request, headers });
    if (whole instanceof TransportFault || !Buffer.isBuffer(whole.body)) return whole;
    const etag = `"retitled ${whole.headers?.['etag'] ?? ''}"`;
    if (known === etag) return { status: 304, body: Buffer.alloc(0) };
    counts.set('guide_retitled', Math.ceil(mono / RETITLED_EVERY_MS));
    let row = 0;
    const text = whole.body
      .toString()
      .replaceAll('</title>', (end) => ((row += 1) % 7 === 0 ? `${RETITLED}${end}` : end));
    return { ...whole, headers: { ...whole.headers, etag }, body: Buffer.from(text) };
  }

  /** All of it from its beginning whatever was asked for, and broken off somewhere. */
  function brokenArchive(url: URL, request: TransportRequest, answer: Answering): Reply {
    const { range: _, ...headers } = request.headers ?? {};
    const whole = answer(url, { ...request, headers });
    if (whole instanceof TransportFault || !Buffer.isBuffer(whole.body)) return whole;
    const { body } = whole;
    const part = body.subarray(0, Math.floor(body.length * random.fraction()));
    return {
      ...whole,
      body(feed) {
        feed.push(part);
        feed.fail(new TransportFault('reset', 'reset'));
        return () => undefined;
      },
    };
  }

  function refusal(spell: Spell, slots: number): Answer {
    switch (spell) {
      case 'html':
        return {
          status: 200,
          headers: { 'content-type': 'text/html' },
          body: Buffer.from('<!doctype html><html><body>login</body></html>'),
        };
      case 'limit_458':
        return { status: 458, body: Buffer.from(`max connections: ${slots}`) };
      case 'busy_503':
        return { status: 503, headers: { 'retry-after': '30' }, body: Buffer.from('busy') };
    }
  }

  function brokenOff(good: Answer): Answer {
    return {
      ...good,
      body(feed) {
        feed.fail(new TransportFault('reset', 'reset'));
        return () => undefined;
      },
    };
  }

  /** A live stream that can be told to fall silent, to break or to end. */
  function watched(channel: number, good: Answer): Answer {
    const { body } = good;
    if (typeof body !== 'function') return good;
    return {
      ...good,
      body(feed) {
        const stream: OpenStream = { channel, feed, silent: false };
        streams.add(stream);
        let first = true;
        const stop = body({
          ...feed,
          push(chunk) {
            if (stream.silent) return;
            if (first && bursts.delete(channel)) {
              // What the last twenty seconds brought comes once more.
              const { index } = lastUnit(chunk);
              for (let back = Math.floor(20_000 / UNIT_MS); back > 0; back -= 1)
                feed.push(unitOf({ channel, index: index - back }));
            }
            first = false;
            feed.push(chunk);
          },
        });
        return () => {
          streams.delete(stream);
          stop();
        };
      },
    };
  }

  function lastUnit(chunk: Buffer): { readonly index: number } {
    return unitsIn(chunk).at(-1) ?? { index: 0 };
  }
}

function timeOf(stamp: string): number {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(stamp) ?? [];
  const [year = 0, month = 1, ...rest] = parts.map(Number);
  return Date.UTC(year, month - 1, ...rest);
}

function stampOf(at: number): string {
  return new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14);
}
