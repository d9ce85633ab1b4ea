/**
 * The daemon as a process, recording, while somebody asks all of its doors a thousand times a second: whether everything
 * is answered, how soon, and whether one of the recordings lost anything.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answered, Asking } from './asker.js';
import { numberOption, rounded, type Bench, type BenchOptions } from './bench.js';
import { answer, program, sleep } from './capture.js';
import { launch, type DaemonProcess } from './daemonProcess.js';

/** From the start of the daemon to the start of the programmes. */
const LEAD_MS = 12_000;
/** Programmes go on for so long after the last question, if all comes in time. */
const AFTER_MS = 4_000;
const END_MS_MAX = 60_000;
/** Causes of what is missing where a programme begins and ends, between two key frames and two pictures. */
const EDGES: ReadonlySet<string> = new Set(['late_start', 'eof']);
const EDGE_S_MAX = 1;
const PATHS = [
  '/healthz',
  '/recordings/recorder.json',
  '/api/recordings',
  '/api/plan',
  '/api/guide',
  '/api/upstreams',
  '/api/storage',
  '/metrics',
  '/',
];

interface Item {
  readonly bytes_recorded?: number;
  readonly outcome?: string;
  readonly gaps?: readonly { readonly cause: string; readonly seconds: number }[];
  readonly ts_errors?: Readonly<Record<string, number>>;
}
interface Report {
  readonly active: readonly Item[];
  readonly completed: readonly Item[];
  readonly failed: readonly Item[];
}

const stamp = (at: number) => `${new Date(at).toISOString().replace(/\D/g, '').slice(0, 14)} +0000`;

/** Everybody starts at one moment, on a channel each. Gives the words to start the daemon with. */
function prepare(folder: string, streamUrl: string, streams: number, seconds: number): string[] {
  const startAt = Math.ceil((Date.now() + LEAD_MS) / 1_000) * 1_000;
  const stopAt = startAt + seconds * 1_000;
  const all = Array.from({ length: streams }, (_, index) => index);
  const [list, guide] = [join(folder, 'list.m3u'), join(folder, 'guide.xml')];
  const rows = all.map((n) => `#EXTINF:-1 tvg-id="c${n}.tv",Channel ${n}\n${streamUrl}?n=${n}\n`);
  const shows = all.map(
    (n) =>
      `<programme channel="c${n}.tv" start="${stamp(startAt)}" stop="${stamp(stopAt)}"><title>Show ${n}</title></programme>`,
  );
  writeFileSync(list, `#EXTM3U\n${rows.join('')}`);
  writeFileSync(guide, `<?xml version="1.0"?><tv>${shows.join('')}</tv>`);
  const places = ['--out-dir', join(folder, 'out'), '--publish-dir', join(folder, 'library')];
  const window = [
    '--pre-padding',
    '0s',
    '--post-padding',
    '0s',
    '--max-concurrency',
    '0',
    '--disk-free-min',
    '0',
  ];
  return [
    ...places,
    '--m3u',
    list,
    '--xmltv',
    guide,
    '--listen',
    '127.0.0.1:0',
    '--log-format',
    'json',
    ...window,
  ];
}

async function report({ url }: DaemonProcess): Promise<Report> {
  return (await (await fetch(`${url}/recordings/recorder.json?limit=1000`)).json()) as Report;
}

async function until(
  daemon: DaemonProcess,
  fits: (report: Report) => boolean,
  within: number,
): Promise<Report> {
  for (const end = performance.now() + within; ; await sleep(200)) {
    const now = await report(daemon);
    if (fits(now) || performance.now() > end) return now;
  }
}

const bringsBytes = ({ bytes_recorded: bytes = 0 }: Item) => bytes > 0;

/** Not late by a second, which a busy machine may need to begin, and every packet from then on. */
const isWhole = ({ outcome, gaps = [], ts_errors: errors }: Item) =>
  outcome === 'complete' &&
  errors?.['continuity_errors'] === 0 &&
  gaps.every(({ cause, seconds }) => EDGES.has(cause) && seconds < EDGE_S_MAX);

async function run(options: BenchOptions) {
  const streams = numberOption(options, 'streams', 8);
  const seconds = numberOption(options, 'seconds', 20);
  const perSecond = numberOption(options, 'requests', 1_000);
  const rate = numberOption(options, 'rate', 5_000_000);
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-bench-'));
  const asker = fork(program('asker.js'));
  const server = fork(program('broadcastServer.js'), [`${rate}`, '12000', `${seconds + 20}`]);
  try {
    const { port } = await answer<{ port: number }>(server);
    const words = prepare(folder, `http://127.0.0.1:${port}/live`, streams, seconds + AFTER_MS / 1_000);
    const daemon = await launch(words);
    try {
      await until(
        daemon,
        ({ active }) => active.filter(bringsBytes).length === streams,
        LEAD_MS + END_MS_MAX,
      );
      const asking: Asking = { url: daemon.url, paths: PATHS, perSecond, seconds };
      const answering = answer<Answered>(asker);
      asker.send(asking);
      const answered = await answering;
      const { completed, failed } = await until(
        daemon,
        (now) => now.completed.length + now.failed.length === streams,
        END_MS_MAX,
      );
      const { 200: well = 0 } = answered.statuses;
      return {
        budgets: [
          { what: 'requests without their answer', value: answered.asked - well, max: 0 },
          {
            what: 'requests a second fewer than were to be answered',
            value: Math.max(0, perSecond * 0.98 - answered.perSecond),
            max: 0,
          },
          {
            what: 'recordings that are not whole',
            value: streams - completed.filter(isWhole).length,
            max: 0,
          },
        ],
        measured: {
          streams,
          megabitsEach: rate / 1e6,
          answered: {
            ...answered,
            perSecond: rounded(answered.perSecond, 0),
            slowMs: rounded(answered.slowMs, 1),
          },
          lost: [...completed, ...failed].filter((item) => !isWhole(item)).map((item) => item),
        },
      };
    } finally {
      await daemon.end();
    }
  } finally {
    asker.disconnect();
    server.disconnect();
    await Promise.all([asker, server].map((child) => new Promise((resolve) => child.once('exit', resolve))));
    rmSync(folder, { recursive: true, force: true });
  }
}

export const doorsBench: Bench = {
  name: 'doors',
  what: 'recording while all doors are asked a thousand times a second',
  options: {
    streams: 'recordings at once (8)',
    rate: 'bits a second of each (5000000)',
    requests: 'a second (1000)',
    seconds: 'how long (20)',
  },
  run,
};
