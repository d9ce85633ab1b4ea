/**
 * Processor time of recording many HLS streams, beside as many plain ones of the same rate: in two processes at the same
 * time, so that whatever else the machine does disturbs both alike.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, numberOption, rounded, type Bench, type BenchOptions } from './bench.js';
import { answer, ask, bytesIn, program, sleep } from './capture.js';
import type { Stopped, Told, Usage } from './recorder.js';

const RATIO_MAX = 1.2;
const SETTLE_MS = 8_000;
/** Of the broadcast, longer than a turn. */
const SPARE_S = 12;
const MB = 2 ** 20;
const KINDS = ['hls', 'plain'] as const;

async function run(options: BenchOptions) {
  const streams = numberOption(options, 'streams', 40);
  const seconds = numberOption(options, 'seconds', 8);
  const rounds = numberOption(options, 'rounds', 3);
  const rate = numberOption(options, 'rate', 9_000_000);
  const only = options.get('only');
  const segmentS = numberOption(options, 'segment', 2);
  const root = mkdtempSync(join(options.get('folder') ?? tmpdir(), 'catchupd-bench-'));
  const plain = fork(program('broadcastServer.js'), [
    `${rate}`,
    '12000',
    `${Math.ceil(SETTLE_MS / 1_000 + seconds) + SPARE_S}`,
  ]);
  const hls = fork(program('hlsServer.js'), [
    `${rate}`,
    `${segmentS}`,
    `${Math.ceil(SETTLE_MS / 1_000 + seconds) + SPARE_S}`,
    `${streams}`,
  ]);
  const [plainAt, hlsAt] = await Promise.all([
    answer<{ port: number }>(plain),
    answer<{ port: number }>(hls),
  ]);
  const execArgv = options.has('profile') ? ['--cpu-prof', `--cpu-prof-dir=${options.get('profile')}`] : [];
  const recorders = KINDS.map((kind) => ({ kind, child: fork(program('recorder.js'), { execArgv }) }));
  await Promise.all(recorders.map(({ child }) => answer<string>(child)));
  const faults = new Set<string>();

  async function turn(recorder: ChildProcess, urlOf: (n: number) => string): Promise<number> {
    const folder = mkdtempSync(join(root, 'turn-'));
    const urls = Array.from({ length: streams }, (_, n) => urlOf(n));
    recorder.send({ do: 'start', urls, folder } satisfies Told);
    await sleep(SETTLE_MS);
    const before = { ...(await ask<Usage>(recorder, { do: 'usage' })), bytes: bytesIn(folder) };
    await sleep(seconds * 1_000);
    const after = await ask<Usage>(recorder, { do: 'usage' });
    const megabytes = (bytesIn(folder) - before.bytes) / MB;
    const stopped = await ask<Stopped>(recorder, { do: 'stop' });
    for (const outcome of stopped.outcomes) if (outcome !== 'stopped') faults.add(outcome);
    rmSync(folder, { recursive: true });
    return (after.cpuMs - before.cpuMs) / megabytes;
  }

  try {
    const costs = { plain: [] as number[], hls: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const urlOf = {
        hls: (n: number) => `http://127.0.0.1:${hlsAt.port}/${round}-${n}/live.m3u8`,
        plain: () => `http://127.0.0.1:${plainAt.port}/live`,
      };
      await Promise.all(
        recorders
          .filter(({ kind }) => (only ?? kind) === kind)
          .map(async ({ kind, child }) => costs[kind].push(await turn(child, urlOf[kind]))),
      );
    }
    return {
      budgets: [
        {
          what: 'processor time as a share of plain streams',
          value: median(costs.hls.map((cost, round) => cost / (costs.plain[round] ?? Number.NaN))),
          max: RATIO_MAX,
        },
        { what: 'captures that did not simply run', value: faults.size, max: 0 },
      ],
      measured: {
        streams,
        segmentS,
        megabitsEach: rate / 1e6,
        cpuMsPerMegabyte: {
          hls: costs.hls.map((cost) => rounded(cost)),
          plain: costs.plain.map((cost) => rounded(cost)),
        },
        faults: [...faults],
      },
    };
  } finally {
    const children = [plain, hls, ...recorders.map(({ child }) => child)];
    for (const child of children) child.disconnect();
    await Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))));
    rmSync(root, { recursive: true, force: true });
  }
}

export const hlsBench: Bench = {
  name: 'hls',
  what: 'processor time of recording HLS streams, against plain ones',
  options: {
    streams: 'how many at once (40)',
    seconds: 'of each turn (8)',
    rounds: 'turns of each (3)',
    rate: 'bits a second of each stream (9000000)',
    segment: 'seconds of each segment (2)',
    only: 'hls or plain: nothing of the other',
    folder: 'where it writes (the temporary folder)',
    profile: 'folder for a processor profile of the recorder',
  },
  run,
};
