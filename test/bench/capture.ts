/**
 * Processor time of recording many live streams, beside as many `curl -o` (and once ffmpeg, where it is installed) fed
 * by the same server in the same run. Both record in turns, several times, and medians are compared: what else the
 * machine does meanwhile disturbs both. Only the time of an even flow is counted, no start and no end.
 */
import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, numberOption, rounded, type Bench, type BenchOptions } from './bench.js';
import { processorMs } from './processorTime.js';
import type { Stopped, Told, Usage } from './recorder.js';

const RATIO_MAX = 0.8;
const RSS_MB_MAX = 200;
/** From the start to an even flow. */
const SETTLE_MS = 2_000;
const MB = 2 ** 20;

interface Turn {
  readonly cpuMs: number;
  readonly megabytes: number;
}

export const sleep = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
export const program = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export async function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a process of the bench ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.removeListener('exit', onExit);
      resolve(message as T);
    });
  });
}

export async function ask<T>(child: ChildProcess, told: Told): Promise<T> {
  const answered = answer<T>(child);
  child.send(told);
  return answered;
}

export function bytesIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true })
    .filter((each) => each.isFile())
    .reduce((sum, { name }) => sum + statSync(join(folder, name)).size, 0);
}

/** Records in `folder` with one process a stream, for as long as a turn takes. */
async function programs(
  command: string,
  argsOf: (n: number) => readonly string[],
  folder: string,
  streams: number,
  turnMs: number,
): Promise<Turn> {
  const children = Array.from({ length: streams }, (_, n) =>
    spawn(command, [...argsOf(n)], { stdio: 'ignore' }),
  );
  try {
    const pids = children.flatMap(({ pid }) => pid ?? []);
    await sleep(SETTLE_MS);
    const before = { cpuMs: processorMs(pids), bytes: bytesIn(folder) };
    await sleep(turnMs);
    return { cpuMs: processorMs(pids) - before.cpuMs, megabytes: (bytesIn(folder) - before.bytes) / MB };
  } finally {
    const ended = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(ended);
  }
}

async function run(options: BenchOptions) {
  const streams = numberOption(options, 'streams', 40);
  const seconds = numberOption(options, 'seconds', 5);
  const rounds = numberOption(options, 'rounds', 4);
  const rate = numberOption(options, 'rate', 9_000_000);
  const turnMs = seconds * 1_000;
  const root = mkdtempSync(join(options.get('folder') ?? tmpdir(), 'catchupd-bench-'));
  const server = fork(program('broadcastServer.js'), [
    `${rate}`,
    '12000',
    `${seconds + SETTLE_MS / 1_000 + 5}`,
  ]);
  const { port } = await answer<{ port: number }>(server);
  const url = `http://127.0.0.1:${port}/live`;
  const execArgv = options.has('profile') ? ['--cpu-prof', `--cpu-prof-dir=${options.get('profile')}`] : [];
  const recorder = fork(program('recorder.js'), { execArgv });
  await answer<string>(recorder);
  let turns = 0;
  const folderOfTurn = () => mkdtempSync(join(root, `${(turns += 1)}-`));
  const urls = Array.from({ length: streams }, () => url);
  let rssBytes = 0;
  const faults = new Set<string>();

  async function ours(): Promise<Turn> {
    const folder = folderOfTurn();
    recorder.send({ do: 'start', urls, folder } satisfies Told);
    await sleep(SETTLE_MS);
    const before = { ...(await ask<Usage>(recorder, { do: 'usage' })), bytes: bytesIn(folder) };
    await sleep(turnMs);
    const after = await ask<Usage>(recorder, { do: 'usage' });
    const megabytes = (bytesIn(folder) - before.bytes) / MB;
    ({ rssBytes } = after);
    const stopped = await ask<Stopped>(recorder, { do: 'stop' });
    for (const outcome of stopped.outcomes) if (outcome !== 'stopped') faults.add(outcome);
    if (stopped.continuityErrors > 0) faults.add(`${stopped.continuityErrors} continuity errors`);
    rmSync(folder, { recursive: true });
    return { cpuMs: after.cpuMs - before.cpuMs, megabytes };
  }

  async function theirs(
    command: string,
    argsOf: (folder: string, n: number) => readonly string[],
  ): Promise<Turn> {
    const folder = folderOfTurn();
    const turn = await programs(command, (n) => argsOf(folder, n), folder, streams, turnMs);
    rmSync(folder, { recursive: true });
    return turn;
  }
  const curl = () => theirs('curl', (folder, n) => ['-s', '-o', join(folder, `${n}.ts`), url]);
  const ffmpeg = () =>
    theirs('ffmpeg', (folder, n) => [
      '-v',
      'error',
      '-i',
      url,
      '-map',
      '0',
      '-c',
      'copy',
      '-f',
      'mpegts',
      join(folder, `${n}.ts`),
    ]);
  const perSecond = (turn: Turn) => rounded(turn.cpuMs / seconds, 1);

  try {
    const oursTurns: Turn[] = [];
    const curlTurns: Turn[] = [];
    for (let round = 0; round < rounds; round++) {
      oursTurns.push(await ours());
      curlTurns.push(await curl());
    }
    const hasFfmpeg =
      !options.has('profile') && spawnSync('ffmpeg', ['-version'], { stdio: 'ignore' }).status === 0;
    const ffmpegTurn = hasFfmpeg ? await ffmpeg() : null;
    const cost = (turns: readonly Turn[]) => median(turns.map(({ cpuMs, megabytes }) => cpuMs / megabytes));
    const ratio = cost(oursTurns) / cost(curlTurns);
    return {
      budgets: [
        { what: 'processor time as a share of curl -o', value: ratio, max: RATIO_MAX },
        { what: 'peak memory in MB', value: rssBytes / MB, max: RSS_MB_MAX },
        { what: 'captures that did not simply run', value: faults.size, max: 0 },
      ],
      measured: {
        streams,
        megabitsEach: rate / 1e6,
        seconds,
        node: process.version,
        ours: {
          cpuMsPerSecond: oursTurns.map(perSecond),
          cpuMsPerMegabyte: rounded(cost(oursTurns)),
          megabytes: oursTurns.map(({ megabytes }) => rounded(megabytes, 1)),
        },
        curl: {
          cpuMsPerSecond: curlTurns.map(perSecond),
          cpuMsPerMegabyte: rounded(cost(curlTurns)),
          megabytes: curlTurns.map(({ megabytes }) => rounded(megabytes, 1)),
        },
        ...(ffmpegTurn && {
          ffmpeg: {
            cpuMsPerSecond: perSecond(ffmpegTurn),
            ofCurl: rounded(cost([ffmpegTurn]) / cost(curlTurns)),
            megabytes: rounded(ffmpegTurn.megabytes, 1),
          },
        }),
        faults: [...faults],
      },
    };
  } finally {
    server.disconnect();
    recorder.disconnect();
    await Promise.all(
      [server, recorder].map((child) => new Promise((resolve) => child.once('exit', resolve))),
    );
    rmSync(root, { recursive: true, force: true });
  }
}

export const captureBench: Bench = {
  name: 'capture',
  what: 'processor time and memory of recording live streams, against curl -o',
  options: {
    streams: 'how many at once (40)',
    seconds: 'of each turn (5)',
    rounds: 'turns of each (4)',
    rate: 'bits a second of each stream (9000000)',
    folder: 'where it writes (the temporary folder)',
    profile: 'folder for a processor profile of the recorder; leaves ffmpeg out',
  },
  run,
};
