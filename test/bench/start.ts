/** What stored recordings cost a start: time to ready and memory, beside a start of the same program with none. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { openStore } from '../../src/store/store.js';
import { median, numberOption, rounded, type Bench } from './bench.js';
import { storedRecording } from './storedRecordings.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const ROUNDS = 3;
/** Memory is looked at when the start is over. */
const SETTLE_MS = 3_000;
const DAY_MS = 86_400_000;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

interface Start {
  readonly readyMs: number;
  readonly megabytes: number;
}

const sleep = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

/** A state of that many, written out whole, and their media, so that nobody seems to have removed them. */
async function prepare(folder: string, count: number): Promise<string[]> {
  const [outDir, library] = [join(folder, 'out'), join(folder, 'library')];
  for (const [path, uuid] of [
    [outDir, 'uuid-out'],
    [library, 'uuid-library'],
  ] as const) {
    mkdirSync(path);
    writeFileSync(join(path, '.catchupd-root'), JSON.stringify({ uuid }));
  }
  const statePath = join(outDir, 'recorder-state.json');
  const opening = { disk: nodeDisk, clock: systemClock, log, statePath, reserveBytes: 0 };
  const store = await openStore(opening);
  store.set('roots', outDir, 'uuid-out');
  store.set('roots', library, 'uuid-library');
  const now = Date.now();
  for (let index = 0; index < count; index += 1) {
    const document = storedRecording(index, now, outDir, library);
    const { folder: place, media } = (
      document.snapshot as { context: { files: { folder: string; media: string } } }
    ).context.files;
    mkdirSync(place, { recursive: true });
    writeFileSync(media, 'G');
    store.put(document);
    if (index % 500 === 499) await store.flush();
  }
  await store.close();
  // As after a while of running: everything in the base, the journal short.
  const again = await openStore({ ...opening, compactBytes: 1 });
  again.set('hosts', 'bench', { made: true });
  await again.flush();
  await again.close();
  const stamp = (at: number) => `${new Date(at).toISOString().replace(/\D/g, '').slice(0, 14)} +0000`;
  const [list, guide] = [join(folder, 'list.m3u'), join(folder, 'guide.xml')];
  writeFileSync(list, '#EXTM3U\n#EXTINF:-1 tvg-id="a.tv",A\nhttp://127.0.0.1:9/a.ts\n');
  writeFileSync(
    guide,
    `<tv><channel id="a.tv"><display-name>A</display-name></channel><programme channel="a.tv" start="${stamp(now + 7 * DAY_MS)}" stop="${stamp(now + 8 * DAY_MS)}"><title>Later</title></programme></tv>`,
  );
  const places = ['--out-dir', outDir, '--publish-dir', library, '--m3u', list, '--xmltv', guide];
  return [...places, '--listen', '127.0.0.1:0', '--log-format', 'json', '--disk-free-min', '0'];
}

async function start(words: readonly string[]): Promise<Start> {
  const from = performance.now();
  const child = spawn(process.execPath, [MAIN, 'run', ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.once('exit', () => reject(new Error(`the daemon ended: ${said}`)));
      child.stderr.on('data', (text) => {
        said += String(text);
        const listen = /"listen":"(http[^"]+)"/.exec(said)?.[1];
        if (listen !== undefined) resolve(listen);
      });
    });
    while (!(await fetch(new URL('/readyz', url))).ok) await sleep(5);
    const readyMs = performance.now() - from;
    await sleep(SETTLE_MS);
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return { readyMs, megabytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024 };
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

async function measure(count: number): Promise<Start> {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-bench-'));
  try {
    const words = await prepare(folder, count);
    const starts: Start[] = [];
    for (let round = 0; round < ROUNDS; round += 1) starts.push(await start(words));
    return {
      readyMs: median(starts.map(({ readyMs }) => readyMs)),
      megabytes: median(starts.map(({ megabytes }) => megabytes)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const startBench: Bench = {
  name: 'start',
  what: 'time to ready and memory with many recordings stored (Linux)',
  options: { recordings: 'how many are stored (10000)' },
  async run(options) {
    const count = numberOption(options, 'recordings', 10_000);
    const none = await measure(0);
    const many = await measure(count);
    return {
      budgets: [
        { what: 'ms to ready that they add', value: many.readyMs - none.readyMs, max: 1_000 },
        { what: 'MB that they add', value: many.megabytes - none.megabytes, max: 40 },
      ],
      measured: {
        recordings: count,
        readyMs: rounded(many.readyMs, 0),
        readyMsWithNone: rounded(none.readyMs, 0),
        megabytes: rounded(many.megabytes, 1),
        megabytesWithNone: rounded(none.megabytes, 1),
      },
    };
  },
};
