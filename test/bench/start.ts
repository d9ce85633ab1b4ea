/** What stored recordings cost a start: time to ready and memory, beside a start of the same program with none. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, numberOption, rounded, type Bench } from './bench.js';
import { prepareState } from './bigState.js';
import { launch } from './daemonProcess.js';

const ROUNDS = 3;
/** Memory is looked at when the start is over. */
const SETTLE_MS = 3_000;

interface Start {
  readonly readyMs: number;
  readonly megabytes: number;
}

const sleep = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

async function start(words: readonly string[]): Promise<Start> {
  const from = performance.now();
  const daemon = await launch(words);
  try {
    const readyMs = performance.now() - from;
    await sleep(SETTLE_MS);
    return { readyMs, megabytes: daemon.megabytes() };
  } finally {
    await daemon.end();
  }
}

async function measure(count: number): Promise<Start> {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-bench-'));
  try {
    const words = await prepareState(folder, { recordings: count, channels: 1 });
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
