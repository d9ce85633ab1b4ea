/**
 * One scene of an end-to-end test: folders of its own, a provider process, daemons on free ports, and everything gone
 * when the test is over. Waits are on facts.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Report } from '../../src/domain/report.js';
import type { ReportItem } from '../../src/domain/reportItem.js';
import type { FakeProgramme } from '../fakes/provider.js';
import type { ChannelWish, ProviderWish } from '../fakes/providerProgram.js';
import {
  startCatchupd,
  startProvider,
  type Exit,
  type Program,
  type ProviderProcess,
  type Surroundings,
} from './programs.js';

export type { Report, ReportItem };

/** The clip that provider fakes loop has this many frames. */
export const CLIP_FRAMES = 160;

export interface Answer extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

export interface Daemon extends Program {
  /** Where its HTTP door is; waits until it is open. */
  url(): Promise<string>;
  /** Waits until a guide is in use. Times of programmes are best taken then: a start costs what it costs. */
  ready(): Promise<void>;
  report(): Promise<Report>;
  /** Waits until the report shows this. */
  sees(what: string, shows: (report: Report) => boolean, withinMs?: number): Promise<Report>;
  /** SIGTERM, and how it ended. */
  stop(): Promise<Exit & { readonly ms: number }>;
}

export interface Scene {
  readonly folder: string;
  readonly outDir: string;
  readonly publishDir: string;
  path(...parts: string[]): string;
  provider(wish: ProviderWish): Promise<ProviderProcess>;
  /** `run` with short times, out-dir and publish-dir of the scene, and these words. */
  daemon(words: readonly string[], around?: Partial<Surroundings>): Daemon;
  /** Any command, to its end. */
  ask(words: readonly string[], around?: Partial<Surroundings>): Promise<Answer>;
  /** Any command that goes on. */
  start(words: readonly string[], around?: Partial<Surroundings>): Program;
}

/** Times of a programme that lasts seconds, not hours; free space of the machine is no part of a test. */
export const BRISK =
  '--pre-padding 1s --post-padding 1s --poll-interval 500ms --disk-free-min 0 --log-format json'.split(' ');

type OnFinished = (task: () => Promise<void>) => void;

export function openScene(onFinished: OnFinished): Scene {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-e2e-'));
  const home = join(folder, 'home');
  mkdirSync(home);
  const ends: (() => Promise<void>)[] = [];
  onFinished(async () => {
    await Promise.all(ends.map((end) => end()));
    rmSync(folder, { recursive: true, force: true });
  });
  const outDir = join(folder, 'out');
  const publishDir = join(folder, 'library');
  const places = ['--out-dir', outDir, '--publish-dir', publishDir];

  function start(words: readonly string[], around: Partial<Surroundings> = {}): Program {
    const env = { HOME: home, ...around.env };
    const program = startCatchupd(words, { cwd: folder, ...around, env });
    ends.push(() => program.end());
    return program;
  }

  return {
    folder,
    outDir,
    publishDir,
    path: (...parts) => join(folder, ...parts),
    async provider(wish) {
      const provider = await startProvider(wish);
      ends.push(() => provider.end());
      return provider;
    },
    daemon: (words, around) =>
      daemonOf(start(['run', '--listen', '127.0.0.1:0', ...places, ...BRISK, ...words], around)),
    async ask(words, around) {
      const program = start(words, around);
      const exit = await program.exited;
      return { ...exit, stdout: program.stdout(), stderr: program.stderr() };
    },
    start,
  };
}

function daemonOf(program: Program): Daemon {
  const url = () =>
    until('the daemon listens', () => {
      if (!program.isRunning()) throw new Error(`the daemon has ended: ${program.stderr()}`);
      const line = program.lines().find(({ msg }) => msg === 'catchupd runs');
      return typeof line?.['listen'] === 'string' ? line['listen'] : null;
    });
  const report = async () => {
    const response = await fetch(`${await url()}/recordings/recorder.json?limit=0`);
    return (await response.json()) as Report;
  };
  return {
    ...program,
    url,
    async ready() {
      const base = await url();
      await until('a guide is in use', async () => (await fetch(`${base}/readyz`)).ok);
    },
    report,
    async sees(what, shows, withinMs) {
      let last: Report | null = null;
      try {
        return await until(
          what,
          async () => {
            last = await report();
            return shows(last) ? last : null;
          },
          withinMs,
        );
      } catch (error) {
        const shown = `${String(error)}\n${JSON.stringify(last, null, 1)}\n${program.stderr()}`;
        throw new Error(shown, { cause: error });
      }
    },
    async stop() {
      const from = performance.now();
      program.signal('SIGTERM');
      const exit = await program.exited;
      return { ...exit, ms: performance.now() - from };
    },
  };
}

const LOOK_MS = 50;

/** Waits until `look` gives something; the only wait there is. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  withinMs = 60_000,
): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Now, on a whole second of the wall clock: guides know no smaller ones. */
export function soon(seconds = 0): number {
  return Math.floor(Date.now() / 1000) * 1000 + seconds * 1000;
}

export function programme(
  channel: string,
  title: string,
  startAt: number,
  seconds: number,
  more: Partial<FakeProgramme> = {},
): FakeProgramme {
  return { channel, title, startAt, stopAt: startAt + seconds * 1000, desc: `About ${title}`, ...more };
}

/** What a guide shows that has nothing to record: one programme far beyond the horizon. */
export const nothingYet = (id: string): readonly FakeProgramme[] => [
  programme(id, 'Next Week', soon(7 * 86_400), 3_600),
];

export const channel = (id: string, more: Partial<ChannelWish> = {}): ChannelWish => ({
  id,
  name: `Channel ${id}`,
  tvgId: `${id}.tv`,
  ...more,
});

export const titles = (items: readonly ReportItem[]): string[] => items.map(({ title }) => title).toSorted();

/** Every file below, relative, in order. */
export function filesUnder(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}

export function json(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

/** A warning or worse that the daemon has said, by its code. */
export function said(program: Program, code: string): Readonly<Record<string, unknown>> | undefined {
  return program.lines().find((line) => line['code'] === code);
}

/** A port that was free a moment ago, and is refused until somebody takes it. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

export const xmltvStamp = (at: number): string =>
  `${new Date(at).toISOString().replace(/\D/g, '').slice(0, 14)} +0000`;

/** A guide file by hand: one channel, these programmes. */
export function guideText(channelId: string, shows: readonly FakeProgramme[]): string {
  const rows = shows.map(
    ({ title, startAt, stopAt }) =>
      `<programme start="${xmltvStamp(startAt)}" stop="${xmltvStamp(stopAt)}" channel="${channelId}">` +
      `<title>${title}</title></programme>`,
  );
  return `<tv><channel id="${channelId}"><display-name>${channelId}</display-name></channel>${rows.join('')}</tv>`;
}

/** A channel list by hand: ids and addresses. */
export function listText(channels: Readonly<Record<string, string>>): string {
  const rows = Object.entries(channels).map(
    ([id, url]) => `#EXTINF:-1 tvg-id="${id}.tv",Channel ${id}\n${url}\n`,
  );
  return `#EXTM3U\n${rows.join('')}`;
}

export const modeOf = (path: string): number => statSync(path).mode & 0o7777;
