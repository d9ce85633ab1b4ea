/**
 * The product's own way from the network to the disk, in a process of its own, told by messages what to record: as in
 * the daemon, without charts and store.
 */
import { join } from 'node:path';
import { createFeeds } from '../../src/capture/feeds.js';
import { hlsTransport } from '../../src/capture/hlsTransport.js';
import { capture } from '../../src/capture/protocols.js';
import { waitPool } from '../../src/capture/waitPool.js';
import type { CaptureOutcome } from '../../src/domain/capture.js';
import { BEST } from '../../src/domain/hlsVariant.js';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';

export type Told =
  | { readonly do: 'start'; readonly urls: readonly string[]; readonly folder: string }
  | { readonly do: 'usage' }
  | { readonly do: 'stop' };

export interface Usage {
  readonly cpuMs: number;
  readonly rssBytes: number;
}

export interface Stopped {
  readonly outcomes: readonly string[];
  readonly bytes: number;
  readonly packets: number;
  readonly continuityErrors: number;
}

const clock = systemClock;
const pool = waitPool();
const feeds = createFeeds({
  transport: hlsTransport(undiciTransport(clock), clock),
  clock,
  pool,
  onClosed: () => undefined,
  lingerMs: 0,
});
let aborts: AbortController[] = [];
let running: Promise<CaptureOutcome>[] = [];

function start(urls: readonly string[], folder: string): void {
  aborts = urls.map(() => new AbortController());
  running = urls.map((url, n) => {
    const { signal } = aborts[n] ?? new AbortController();
    const input = {
      url,
      headers: {},
      spoolPath: join(folder, `${n}.partial.ts`),
      indexPath: join(folder, 'index', `${n}`),
      firstByteTimeoutMs: 10_000,
      stallTimeoutMs: 10_000,
      hls: { from: 0, cursor: null, quality: BEST, oneAtATime: false },
    };
    const transport = {
      open: (address: string, request: Parameters<typeof feeds.open>[2]) =>
        feeds.open(`${n}`, address, request),
      close: () => Promise.resolve(),
    };
    return capture(input, { transport, disk: nodeDisk, clock, pool, signal, onCheckpoint: () => undefined });
  });
}

async function stop(): Promise<Stopped> {
  for (const abort of aborts) abort.abort();
  const outcomes = await Promise.all(running);
  feeds.close();
  const pieces = outcomes.flatMap((outcome) => ('piece' in outcome && outcome.piece ? [outcome.piece] : []));
  return {
    outcomes: outcomes.map((outcome) => (outcome.kind === 'fault' ? outcome.code : outcome.kind)),
    bytes: pieces.reduce((sum, { bytes }) => sum + bytes, 0),
    packets: pieces.reduce((sum, { ts }) => sum + ts.packets, 0),
    continuityErrors: pieces.reduce((sum, { ts }) => sum + ts.continuityErrors, 0),
  };
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1_000, rssBytes: process.resourceUsage().maxRSS * 1_024 };
}

process.on('message', (told: Told) => {
  switch (told.do) {
    case 'start':
      return start(told.urls, told.folder);
    case 'usage':
      return void process.send?.(usage());
    case 'stop':
      return void stop().then((stopped) => process.send?.(stopped));
  }
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
