/**
 * A process as the daemon is while a big guide comes in: the file is parsed behind the door to the worker, then planned,
 * while the loop is watched for how long it is held. Told by its arguments, answers with one line of JSON.
 */
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { resolveConfig } from '../../src/config/resolve.js';
import { createWorkerParse } from '../../src/guide/workerParse.js';
import { decide } from '../../src/runtime/planning.js';

export interface GuideLoad {
  readonly parseMs: number;
  readonly parseHeldMs: number;
  /** First, and again with nothing changed. */
  readonly planMs: readonly number[];
  readonly planHeldMs: number;
  readonly peakMegabytes: number;
  readonly programmes: number;
  readonly decisions: number;
}

const [, , path = '', list = '', horizon = '3h'] = process.argv;
const DAY_MS = 86_400_000;

const { config } = await resolveConfig({
  command: 'run',
  line: new Map(Object.entries({ m3u: [list], xmltv: [path], 'out-dir': ['/tmp/none'], horizon: [horizon] })),
  env: {},
  cwd: '/',
  readFile: () => Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' })),
});
const parse = createWorkerParse();
const { channels } = await parse.list({ kind: 'm3u', path: list, source: 'list', includeAdult: false });
const now = Date.now();
const window = { fromAt: now - DAY_MS, toAt: now + DAY_MS + config.what.horizonMs };
const settle = () => new Promise((resolve) => setTimeout(resolve, 50));
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
await settle();
delay.reset();
const from = performance.now();
const data = await parse.guide({ path, ...window, timezone: 'UTC' });
const parseMs = performance.now() - from;
await settle();
const parseHeldMs = delay.max / 1e6;
const input = {
  config,
  guide: { channels, guides: [data], aliases: undefined },
  entries: [],
  tombstones: [],
  overrides: [],
  rules: undefined,
  capacity: { slotsMax: 2, limits: {}, preempt: true, accountsOf: () => [[]] },
  now,
};
delay.reset();
const planMs: number[] = [];
let decisions = 0;
let previousRowKeys: ReadonlySet<string> | null = null;
for (let round = 0; round < 5; round += 1) {
  const before = performance.now();
  const outlook = decide({ ...input, previousRowKeys });
  planMs.push(performance.now() - before);
  previousRowKeys = outlook.rowKeys;
  decisions = outlook.decisions.length;
  await settle();
}
const planHeldMs = delay.max / 1e6;
const peak = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
const load: GuideLoad = {
  parseMs,
  parseHeldMs,
  planMs,
  planHeldMs,
  peakMegabytes: Number(peak ?? Number.NaN) / 1024,
  programmes: data.programmes.length,
  decisions,
};
process.stdout.write(`${JSON.stringify(load)}\n`);
await parse.close();
