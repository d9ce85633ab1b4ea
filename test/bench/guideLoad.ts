/**
 * A process as the daemon is while a big guide comes in: the file is read and planned behind the door to the thread of
 * the guides, while the loop is watched for how long it is held. Told by its arguments, answers with one line of JSON.
 */
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { resolveConfig } from '../../src/config/resolve.js';
import { createWorkerParse } from '../../src/guide/workerParse.js';
import type { PlanFacts } from '../../src/runtime/planFacts.js';
import { createThreadPlanner } from '../../src/runtime/threadPlanner.js';

export interface GuideLoad {
  readonly parseMs: number;
  readonly parseHeldMs: number;
  /** First, and again with nothing changed. */
  readonly planMs: readonly number[];
  readonly planHeldMs: number;
  readonly peakMegabytes: number;
  readonly programmes: number;
}

const [, , path = '', listPath = '', horizon = '3h'] = process.argv;
const DAY_MS = 86_400_000;

const { config } = await resolveConfig({
  command: 'run',
  line: new Map(
    Object.entries({ m3u: [listPath], xmltv: [path], 'out-dir': ['/tmp/none'], horizon: [horizon] }),
  ),
  env: {},
  cwd: '/',
  readFile: () => Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' })),
});
const parse = createWorkerParse();
const planner = createThreadPlanner();
const list = await parse.list({ kind: 'm3u', path: listPath, source: 'list', includeAdult: false });
const now = Date.now();
const window = { fromAt: now - DAY_MS, toAt: now + DAY_MS + config.what.horizonMs };
const settle = () => new Promise((resolve) => setTimeout(resolve, 50));
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
await settle();
delay.reset();
const from = performance.now();
const guide = await planner.read({ path, ...window, timezone: 'UTC' }, null);
const parseMs = performance.now() - from;
await settle();
const parseHeldMs = delay.max / 1e6;
const facts: PlanFacts = {
  config,
  lists: new Map([['list', { list }]]),
  aliases: undefined,
  guides: [guide.number],
  known: new Map(),
  tombstones: new Map(),
  overrides: new Map(),
  rules: undefined,
  accounts: new Map(),
};
delay.reset();
const planMs: number[] = [];
for (let round = 0; round < 5; round += 1) {
  const before = performance.now();
  await planner.plan(facts, { at: now, bytesPerMs: 1_000 });
  planMs.push(performance.now() - before);
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
  programmes: guide.counts.programmes,
};
process.stdout.write(`${JSON.stringify(load)}\n`);
await Promise.all([parse.close(), planner.close()]);
