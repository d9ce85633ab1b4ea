/** What a big guide costs: beside a bare loop over saxes in the same run, and how long it holds the daemon's own loop. */
import { execFile } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SaxesParser } from 'saxes';
import { createInlineParse } from '../../src/guide/inlineParse.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { median, numberOption, rounded, type Bench } from './bench.js';
import { listOf, writeGuide } from './bigGuide.js';
import type { GuideLoad } from './guideLoad.js';

const LOAD = fileURLToPath(new URL('./guideLoad.js', import.meta.url));
const ROUNDS = 3;
const DAY_MS = 86_400_000;
const run = promisify(execFile);

/** Processor time in milliseconds. */
async function costOf(task: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The parser alone, with somebody who listens. */
async function bare(path: string): Promise<number> {
  const parser = new SaxesParser({ xmlns: false, position: false });
  let seen = 0;
  parser.on('error', () => {});
  parser.on('opentag', () => (seen += 1));
  parser.on('closetag', () => (seen += 1));
  parser.on('text', (text) => (seen += text.length));
  const decoder = new TextDecoder();
  for await (const chunk of createReadStream(path))
    parser.write(decoder.decode(chunk as Buffer, { stream: true }));
  parser.close();
  return seen;
}

export const guideBench: Bench = {
  name: 'guide',
  what: 'parsing a guide of 150 MB, beside a bare saxes loop, and how long it holds the loop of the daemon (Linux)',
  options: {
    programmes: 'in the guide (205000)',
    channels: 'in the guide (1000)',
  },
  async run(options) {
    const size = {
      programmes: numberOption(options, 'programmes', 205_000),
      channels: numberOption(options, 'channels', 1_000),
    };
    const folder = mkdtempSync(join(tmpdir(), 'catchupd-bench-'));
    try {
      const [path, list] = [join(folder, 'guide.xml'), join(folder, 'list.m3u')];
      const now = Date.now();
      const bytes = await writeGuide(path, size, now);
      writeFileSync(list, listOf(size, '127.0.0.1:9'));
      const job = { path, fromAt: now - DAY_MS, toAt: now + DAY_MS, timezone: 'UTC' };
      const ratios: number[] = [];
      const costs: { readonly saxesMs: number; readonly ownMs: number }[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const saxesMs = await costOf(() => bare(path));
        const ownMs = await costOf(() => createInlineParse(nodeDisk).guide(job));
        costs.push({ saxesMs, ownMs });
        ratios.push(ownMs / saxesMs);
      }
      const loads: GuideLoad[] = [];
      for (let round = 0; round < ROUNDS; round += 1)
        loads.push(JSON.parse((await run(process.execPath, [LOAD, path, list])).stdout) as GuideLoad);
      const of = (what: (load: GuideLoad) => number) => median(loads.map(what));
      return {
        budgets: [
          { what: 'of a bare saxes loop', value: median(ratios), max: 1.2 },
          {
            what: 'ms that the loop is held while it is parsed',
            value: of((load) => load.parseHeldMs),
            max: 20,
          },
          {
            what: 'ms that the loop is held while it is planned',
            value: of((load) => load.planHeldMs),
            max: 20,
          },
          { what: 'MB at most', value: of((load) => load.peakMegabytes), max: 200 },
        ],
        measured: {
          megabytes: rounded(bytes / 1e6, 1),
          ...size,
          costs: costs.map(({ saxesMs, ownMs }) => [rounded(saxesMs, 0), rounded(ownMs, 0)]),
          loads: loads.map(({ planMs, ...load }) => ({
            ...load,
            planMs: planMs.map((ms) => rounded(ms, 1)),
          })),
        },
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
