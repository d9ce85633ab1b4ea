/**
 * Damage under the real program: the folder of a real run that was killed in the middle of a recording, with bytes of
 * one of its files changed or the file cut, and started again. It starts, it answers, it knows every recording that it
 * knew but for the one line that was hit, says what it lost, and records on (P5, P7, P8).
 * `CATCHUPD_DAMAGE=N` hits N places of each file one by one, and also those that a start waits for; `test/runtime` and
 * `test/store` have every byte.
 */
import { cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import {
  channel,
  filesUnder,
  nothingYet,
  openScene,
  programme,
  soon,
  until,
  type Daemon,
  type Report,
  type Scene,
} from './scene.js';

const ASKED = process.env['CATCHUPD_DAMAGE'] ?? '';
const MORE = ASKED === 'all' ? 40 : Number(ASKED);
const LONG_MS = MORE > 0 ? 7_200_000 : 300_000;
/** A byte that was changed in one of these is told where it took something; in the second kind always. */
const STATE = /recorder-state\.(?:json|journal\.ndjson)$/;
const TOLD = /\/(?:sources\.json|history\/[^/]*)$/;
/** A root whose marker says nothing may be another disk: that is said, and nothing is written there (P5). */
const MARKER = /\/\.catchupd-root$/;
/** Nothing to be read, or media; a lock that nobody can read is watched for half a minute. */
const LEFT_OUT = /\.(?:nfo|prev)$|\/reserve$|\/library\/.*\.ts$/;
const SLOW = /\/lock$/;

interface Hit {
  readonly path: string;
  readonly what: string;
  readonly bytes: Buffer;
  readonly isCut: boolean;
}

const idsOf = ({ active, completed, failed }: Report): string[] =>
  [...active, ...completed, ...failed]
    .filter(({ machine_state }) => machine_state !== 'scheduled')
    .map(({ id }) => id)
    .toSorted();

/** A base with something in it, a journal behind it, one recording in the library and one that grows; then SIGKILL. */
async function lived(scene: Scene) {
  const provider = await scene.provider({
    channels: [channel('one', { clip: { gop: 5 } }), channel('two', { clip: { gop: 5 } })],
    programmes: nothingYet('one.tv'),
  });
  const words = ['--m3u', provider.m3uUrl];
  const first = scene.daemon(words);
  await first.ready();
  const short = programme('one.tv', 'Short News', soon(-1), 4);
  await provider.setProgrammes([short, programme('one.tv', 'Next Week', soon(7 * 86_400), 3_600)]);
  await first.sees('it is published', ({ completed }) => completed.length === 1);
  first.signal('SIGKILL');
  await first.exited;
  // A line that is not ended: the next start makes a new base of all.
  const journal = join(scene.outDir, 'recorder-state.journal.ndjson');
  truncateSync(journal, statSync(journal).size - 1);
  const second = scene.daemon(words);
  await second.ready();
  await provider.setProgrammes([
    short,
    programme('two.tv', 'Long Match', soon(-1), 7_200),
    programme('one.tv', 'Later', soon(3_600), 3_600),
  ]);
  const size = () =>
    filesUnder(scene.outDir)
      .filter((path) => path.endsWith('.partial.ts'))
      .reduce((sum, path) => sum + statSync(join(scene.outDir, path)).size, 0);
  await until('it is captured', () => size() > 300 * 188);
  const ids = idsOf(await second.report());
  second.signal('SIGKILL');
  await second.exited;
  return { words, ids, size };
}

/** Where a file is hit: at even distances, nowhere the same as in another. */
function placesIn(path: string, bytes: Buffer, count: number): number[] {
  const first = (basename(path).length * 0.618) % 1;
  return Array.from({ length: count }, (_, hit) => Math.floor(((hit + first) / count) * bytes.length));
}

/** In the short form each file is changed or cut in its turn, and those that tell of it both. */
function* hitsOf(path: string, bytes: Buffer, turn: number): Generator<Hit> {
  const count = MORE > 0 ? MORE : 1;
  const isBoth = MORE > 0 || STATE.test(path) || TOLD.test(path);
  for (const at of placesIn(path, bytes, Math.min(count, bytes.length))) {
    const changed = Buffer.from(bytes);
    changed[at] = (bytes[at] ?? 0) ^ 1;
    if (isBoth || turn % 2 === 0) yield { path, what: `byte ${at} changed`, bytes: changed, isCut: false };
    if (isBoth || turn % 2 === 1)
      yield { path, what: `cut at ${at}`, bytes: bytes.subarray(0, at), isCut: true };
  }
}

async function answers(daemon: Daemon): Promise<Report> {
  const health = await fetch(`${await daemon.url()}/healthz`);
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({ ok: true, degraded: false });
  return daemon.report();
}

const errorsOf = (daemon: Daemon, path: string) =>
  daemon.lines().filter(({ level, path: about }) => level === 'error' && about === path);

/** What is wrong after a start; '' for nothing. */
async function judged(
  scene: Scene,
  { words, ids, size }: Awaited<ReturnType<typeof lived>>,
  { path, isCut }: Hit,
): Promise<string> {
  const daemon = scene.daemon(words);
  const wrong: string[] = [];
  const report = await answers(daemon);
  const found = idsOf(report);
  const lost = ids.filter((id) => !found.includes(id));
  if (lost.length > (STATE.test(path) && path.includes('journal') ? 1 : 0)) wrong.push(`lost ${lost.join()}`);
  if (lost.length > 0 && errorsOf(daemon, path).length === 0) wrong.push('it does not say what it lost');
  if (TOLD.test(path) && (!isCut || path.endsWith('sources.json')))
    await until('it is told', () => errorsOf(daemon, path).length > 0, 5_000).catch(() =>
      wrong.push('not told'),
    );
  const before = size();
  const isAside = () => MARKER.test(path) && daemon.lines().some(({ code }) => code === 'mount_missing');
  await until('it records on', () => size() > before || isAside(), 10_000).catch(() =>
    wrong.push('nothing is recorded'),
  );
  const bugs = daemon.lines().filter(({ code }) => code === 'bug');
  wrong.push(...bugs.map((line) => JSON.stringify(line)));
  const { code } = await daemon.stop();
  if (code !== 0) wrong.push(`it ended with ${code}`);
  return wrong.join('; ');
}

it(
  'starts over any damage of a real folder, knows what it knew, says what it lost, and records on',
  async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const life = await lived(scene);
    const kept = scene.path('kept');
    for (const folder of ['out', 'library'])
      cpSync(scene.path(folder), join(kept, folder), { recursive: true });
    const paths = filesUnder(kept).filter(
      (path) =>
        !LEFT_OUT.test(`/${path}`) && (MORE > 0 || !SLOW.test(path)) && statSync(join(kept, path)).size > 0,
    );
    expect(paths.map((path) => basename(path))).toEqual(
      expect.arrayContaining([
        'recorder-state.json',
        'recorder-state.journal.ndjson',
        'sources.json',
        'heartbeat',
      ]),
    );
    const wrong: string[] = [];
    for (const [turn, path] of paths.entries())
      for (const hit of hitsOf(scene.path(path), readFileSync(join(kept, path)), turn)) {
        for (const folder of ['out', 'library']) {
          rmSync(scene.path(folder), { recursive: true });
          cpSync(join(kept, folder), scene.path(folder), { recursive: true });
        }
        writeFileSync(hit.path, hit.bytes);
        const found = await judged(scene, life, hit).catch((error: unknown) => String(error));
        if (found !== '') wrong.push(`${path}, ${hit.what}: ${found}`);
      }
    expect(wrong).toEqual([]);
  },
  LONG_MS,
);
