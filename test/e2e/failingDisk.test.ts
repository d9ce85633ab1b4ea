/**
 * A disk that fails under a real daemon: writes, syncs, renames and openings end in EIO or ENOSPC while a file says so
 * (`faultyDisk.c`, compiled here and loaded before the C library; root is not needed). Recordings wait or go on, nothing
 * is deleted, it is said once, and afterwards everything is whole. P1, P5, P8. `stateDisks.test.ts` has real mounts.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import {
  channel,
  filesUnder,
  json,
  nothingYet,
  openScene,
  programme,
  said,
  soon,
  titles,
  until,
  type Daemon,
  type ReportItem,
  type Scene,
} from './scene.js';

const folder = mkdtempSync(join(tmpdir(), 'catchupd-shim-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Path of the compiled library, or why there is none. */
function compiled(): { readonly library: string } | { readonly missing: string } {
  if (process.env['CATCHUPD_DISKS'] === undefined) return { missing: 'CATCHUPD_DISKS is not set' };
  if (process.platform !== 'linux') return { missing: 'only Linux loads libraries before others' };
  const library = join(folder, 'faultyDisk.so');
  const source = fileURLToPath(new URL('faultyDisk.c', import.meta.url));
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'], { stdio: 'pipe' });
    return { library };
  } catch (error) {
    return { missing: `cc does not compile it (apt-get install gcc libc6-dev): ${String(error)}` };
  }
}
const shim = compiled();

/** `HANG`: what is asked of it does not return. */
type Code = 'EIO' | 'ENOSPC' | 'HANG';

async function recording(scene: Scene, seconds = 40) {
  if ('missing' in shim) throw new Error(shim.missing);
  const control = scene.path('faults');
  const provider = await scene.provider({
    channels: ['one', 'two', 'three', 'four', 'five'].map((id) => channel(id, { clip: { gop: 5 } })),
    programmes: nothingYet('one.tv'),
  });
  const words = ['--m3u', provider.m3uUrl, '--max-concurrency', '5'];
  const env = { LD_PRELOAD: shim.library, CATCHUPD_FAULTS: control, UV_USE_IO_URING: '0' };
  const daemon = scene.daemon(words, { env });
  await daemon.ready();
  await provider.setProgrammes([programme('one.tv', 'Long', soon(-1), seconds)]);
  const spool = await until('it is captured', () => {
    const name = filesUnder(scene.outDir).find((path) => path.endsWith('.partial.ts'));
    const path = join(scene.outDir, name ?? '.');
    return name !== undefined && statSync(path).size > 200_000 && path;
  });
  return {
    daemon,
    provider,
    spool,
    again: () => scene.daemon(words, { env }),
    fail: (code: Code, ...below: string[]) =>
      writeFileSync(control, below.map((path) => `${code} ${path}\n`).join('')),
    heal: () => rmSync(control, { force: true }),
  };
}

const isSpooling = ({ machine_state }: ReportItem) => machine_state === 'spooling';

const saying = (daemon: Daemon, text: string) =>
  daemon.lines().filter(({ msg }) => String(msg).startsWith(text)).length;

/** What was in the spool at one moment is the beginning of what is published, and a new start finds nothing wrong. */
async function isWhole(scene: Scene, daemon: Daemon, again: () => Daemon, before: Buffer): Promise<void> {
  const report = await daemon.sees('it is published', ({ completed }) => completed.length === 1, 120_000);
  expect(report.failed).toEqual([]);
  const [media = ''] = filesUnder(scene.publishDir).filter((path) => path.endsWith('.ts'));
  const whole = readFileSync(join(scene.publishDir, media));
  const kept = before.length - (before.length % 188);
  expect(whole.subarray(0, kept).equals(before.subarray(0, kept))).toBe(true);
  expect(whole.length % 188).toBe(0);
  expect(filesUnder(join(scene.outDir, '.catchupd', 'quarantine'))).toEqual([]);
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  const next = again();
  expect(titles((await next.report()).completed)).toEqual(['Long']);
  expect(next.lines().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  expect(await next.stop()).toMatchObject({ code: 0 });
}

const causesIn = (scene: Scene): string[] => {
  const [path = ''] = filesUnder(scene.publishDir).filter((name) => name.endsWith('.catchupd.json'));
  const { gaps } = json(join(scene.publishDir, path)) as { gaps: { cause: string }[] };
  return gaps.map(({ cause }) => cause);
};

describe.skipIf('missing' in shim)(
  `a disk that fails${'missing' in shim ? ` (${shim.missing})` : ''}`,
  () => {
    it.each<Code>(['EIO', 'ENOSPC'])(
      'with %s under the state costs no stream: captures go on, and it is said once',
      async (code) => {
        await inScene(async (scene) => {
          const { daemon, spool, fail, heal, again } = await recording(scene);
          fail(code, join(scene.outDir, 'recorder-state'), join(scene.outDir, '.catchupd'));
          await until('it is said', () => saying(daemon, 'the state cannot be written') > 0, 60_000);
          const before = readFileSync(spool);
          await until('the capture goes on', () => statSync(spool).size > before.length + 200_000, 60_000);
          expect(await (await fetch(`${await daemon.url()}/healthz`)).text()).toContain('degraded');
          heal();
          await until('it is taken back', () => saying(daemon, 'the state is written again') > 0, 60_000);
          expect(saying(daemon, 'the state cannot be written')).toBe(1);
          await isWhole(scene, daemon, again, before);
          expect(causesIn(scene).filter((cause) => cause.startsWith('disk'))).toEqual([]);
        });
      },
      300_000,
    );

    it.each<readonly [Code, string]>([
      ['EIO', 'disk_error'],
      ['ENOSPC', 'disk_full'],
    ])(
      'with %s under the spools is waited for, and the recording goes on in its file',
      async (code, cause) => {
        await inScene(async (scene) => {
          const { daemon, spool, fail, heal, again } = await recording(scene);
          fail(code, join(scene.outDir, 'general'));
          await daemon.sees('it waits', ({ active }) => active[0]?.machine_state === 'retrying', 60_000);
          const before = readFileSync(spool);
          heal();
          await until('the capture goes on', () => statSync(spool).size > before.length + 200_000, 90_000);
          await isWhole(scene, daemon, again, before);
          expect(causesIn(scene)).toContain(cause);
        });
      },
      300_000,
    );

    it('with EIO under all of it, killed and started again meanwhile, loses nothing that was there', async () => {
      await inScene(async (scene) => {
        const { daemon, spool, fail, heal, again } = await recording(scene);
        fail('EIO', scene.outDir, scene.publishDir);
        await until('it is said', () => saying(daemon, 'the state cannot be written') > 0, 60_000);
        const before = readFileSync(spool);
        await daemon.end();
        // It cannot take its lock, and says so.
        const refused = again();
        expect((await refused.exited).code).toBe(1);
        expect(refused.stderr()).toMatch(/state_unwritable|folder_unwritable/);
        expect(readFileSync(spool).equals(before)).toBe(true);
        heal();
        await isWhole(scene, again(), again, before);
      });
    }, 300_000);

    it('that hangs under the spools ends nothing but their growing, and the program ends in time', async () => {
      await inScene(async (scene) => {
        const { daemon, spool, fail, heal, again } = await recording(scene);
        const before = readFileSync(spool);
        let last = -1;
        fail('HANG', join(scene.outDir, 'general'));
        await until(
          'it grows no more',
          () => {
            const { size } = statSync(spool);
            const isStill = size === last;
            last = size;
            return isStill;
          },
          60_000,
        );
        const { ms, code, signal } = await daemon.stop();
        expect([ms < 8_000, code ?? signal]).toEqual([true, 'SIGKILL']);
        heal();
        await isWhole(scene, again(), again, before);
      });
    }, 300_000);

    it('that hangs under the library keeps no capture from going on, nor what is new from being recorded', async () => {
      await inScene(async (scene) => {
        const { daemon, provider, spool, fail, heal } = await recording(scene, 90);
        const shorts = ['two', 'three', 'four', 'five'].map((id) => programme(`${id}.tv`, id, soon(-1), 12));
        const long = programme('one.tv', 'Long', soon(-10), 90);
        await provider.setProgrammes([long, ...shorts]);
        await daemon.sees('all are captured', ({ active }) => active.filter(isSpooling).length === 5, 60_000);
        fail('HANG', scene.publishDir);
        await daemon.sees(
          'they are at their end',
          ({ active }) => active.filter((item) => item.machine_state === 'finalizing').length === 4,
          60_000,
        );
        await until('it is said', () => said(daemon, 'mount_missing'), 60_000);
        const before = readFileSync(spool);
        await until('the capture goes on', () => statSync(spool).size > before.length + 400_000, 30_000);
        expect((await fetch(`${await daemon.url()}/healthz`)).status).toBe(200);
        heal();
        const report = await daemon.sees(
          'all are published',
          ({ completed }) => completed.length === 5,
          120_000,
        );
        expect(report.failed).toEqual([]);
        expect(await daemon.stop()).toMatchObject({ code: 0 });
      });
    }, 300_000);

    it('with EIO under the library is waited for, and it is published when that is over', async () => {
      await inScene(async (scene) => {
        const { daemon, spool, fail, heal, again } = await recording(scene);
        fail('EIO', scene.publishDir);
        const before = readFileSync(spool);
        await daemon.sees(
          'it is at its end',
          ({ active }) => active[0]?.machine_state === 'finalizing',
          120_000,
        );
        expect(filesUnder(scene.publishDir).filter((path) => path.endsWith('.ts'))).toEqual([]);
        heal();
        await isWhole(scene, daemon, again, before);
      });
    }, 300_000);
  },
);

async function inScene(task: (scene: Scene) => Promise<void>): Promise<void> {
  const ends: (() => Promise<void>)[] = [];
  try {
    await task(openScene((end) => void ends.push(end)));
  } finally {
    for (const end of ends) await end();
  }
}
