/**
 * How long the loop of a daemon is held while it records, and a guide as big as any comes in, is planned, comes in again
 * with changes, and is looked at: whatever holds it holds every capture (P1). The real program, with real streams.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { numberOption, rounded, type Bench } from './bench.js';
import { listOf, writeGuide } from './bigGuide.js';
import { answer, program, sleep } from './capture.js';
import { launch, type DaemonProcess } from './daemonProcess.js';
import type { Held } from './loopProbe.js';

const HELD_MS_MAX = 20;
const LOOK_MS = 250;
/** What comes after a plan: orders, connections. */
const SETTLE_MS = 3_000;
const PIECE_BYTES = 12_000;
/** Longer than it takes: where a stream begins anew, much is read back to join it. */
const BROADCAST_SECONDS = 180;

async function json<T>(daemon: DaemonProcess, path: string): Promise<T> {
  return (await (await fetch(new URL(path, daemon.url))).json()) as T;
}

/** When it planned last, by its own word. */
async function plannedAt(daemon: DaemonProcess): Promise<string | null> {
  return (await json<{ planned_at: string | null }>(daemon, '/api/guide?limit=1')).planned_at;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(LOOK_MS);
}

async function guidesTaken(daemon: DaemonProcess): Promise<string> {
  const { sources } = await json<{ sources: { kind: string; accepted_at: string | null }[] }>(
    daemon,
    '/api/sources',
  );
  return sources.map(({ kind, accepted_at: at }) => (kind === 'xmltv' ? at : '')).join(' ');
}

async function captures(daemon: DaemonProcess): Promise<number> {
  return (await json<{ total: number }>(daemon, '/api/recordings?state=running&limit=1')).total;
}

/** Listening, it still comes to the end of its start, in which it held nobody up: captures come later. */
async function started(daemon: DaemonProcess): Promise<void> {
  await json(daemon, '/healthz');
  await daemon.held();
}

/** Once it plans and records. */
async function underWay(daemon: DaemonProcess, streams: number): Promise<void> {
  await until(async () => (await plannedAt(daemon)) !== null);
  await until(async () => (await captures(daemon)) >= streams);
  await sleep(SETTLE_MS);
}

export const loopBench: Bench = {
  name: 'loop',
  what: 'how long the loop of a recording daemon is held while a huge guide is read, planned and looked at (Linux)',
  options: {
    programmes: 'in the guide (205000)',
    channels: 'in guide and list (4000)',
    streams: 'recorded meanwhile (8)',
    rate: 'bits a second of each (4000000)',
  },
  async run(options) {
    const size = {
      programmes: numberOption(options, 'programmes', 205_000),
      channels: numberOption(options, 'channels', 4_000),
    };
    const streams = numberOption(options, 'streams', 8);
    const rate = numberOption(options, 'rate', 4_000_000);
    const folder = mkdtempSync(join(tmpdir(), 'catchupd-bench-'));
    const server = fork(program('./broadcastServer.js'), [
      String(rate),
      String(PIECE_BYTES),
      String(BROADCAST_SECONDS),
    ]);
    try {
      const { port } = await answer<{ port: number }>(server);
      const [guide, next, list] = [
        join(folder, 'guide.xml'),
        join(folder, 'next.xml'),
        join(folder, 'list.m3u'),
      ];
      const now = Date.now();
      await writeGuide(guide, size, now);
      await writeGuide(next, { ...size, edition: 1 }, now);
      writeFileSync(list, listOf(size, `127.0.0.1:${port}`));
      const given = {
        m3u: list,
        xmltv: guide,
        'out-dir': join(folder, 'out'),
        listen: '127.0.0.1:0',
        horizon: '12h',
        'poll-interval': '2s',
        'max-concurrency': String(streams),
        'disk-free-min': '0',
        'log-format': 'json',
      };
      const words = Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
      const held: Record<string, Held> = {};
      let megabytes = 0;
      const life = async (from: 'ready' | 'listening', task: (daemon: DaemonProcess) => Promise<void>) => {
        const daemon = await launch(words, from);
        try {
          await task(daemon);
          megabytes = Math.max(megabytes, daemon.megabytes());
        } finally {
          await daemon.end();
        }
      };
      await life('listening', async (daemon) => {
        await started(daemon);
        await underWay(daemon, streams);
        held['first guide and plan'] = await daemon.held();
        const [taken, planned] = [await guidesTaken(daemon), await plannedAt(daemon)];
        renameSync(next, guide);
        await until(async () => (await guidesTaken(daemon)) !== taken);
        await until(async () => (await plannedAt(daemon)) !== planned);
        await sleep(SETTLE_MS);
        held['changed guide and plan'] = await daemon.held();
        for (const path of ['/api/plan', '/api/guide?limit=0', '/api/guide', '/api/why?q=programme%2059'])
          await (await fetch(new URL(path, daemon.url))).arrayBuffer();
        held['looked at'] = await daemon.held();
        await sleep(SETTLE_MS);
        held['nothing but captures'] = await daemon.held();
      });
      await life('ready', async (daemon) => {
        await daemon.held();
        await underWay(daemon, streams);
        held['started again'] = await daemon.held();
      });
      return {
        budgets: Object.entries(held).map(([what, { maxMs }]) => ({
          what: `ms that the loop is held: ${what}`,
          value: maxMs,
          max: HELD_MS_MAX,
        })),
        measured: {
          ...size,
          streams,
          megabytes: rounded(megabytes, 0),
          held: Object.fromEntries(
            Object.entries(held).map(([what, { maxMs, over, cpuMs, lateMsMax }]) => [
              what,
              {
                maxMs: rounded(maxMs, 1),
                lateMsMax: rounded(lateMsMax, 1),
                over5ms: over[0],
                over10ms: over[1],
                over20ms: over[2],
                cpuMs: rounded(cpuMs, 0),
              },
            ]),
          ),
        },
      };
    } finally {
      server.disconnect();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
