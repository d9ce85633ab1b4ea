/**
 * Real disks that fill up, go away and come back under state and spools: what runs waits or goes on, nothing is deleted
 * or forgotten, and it is said. P1, P5, P8. Needs to mount, so it needs to be root. `disks.test.ts` has the library's.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
  type Scene,
} from './scene.js';

const mount = (...words: string[]) => execFileSync('mount', words, { stdio: 'pipe' });
const unmount = (path: string) => execFileSync('umount', ['-l', path], { stdio: 'pipe' });

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-mount-'));
  try {
    mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder);
    unmount(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}
/** Whatever waits for a disk looks every half a minute; the simulated disks show the same in no time. */
const ABLE = process.env['CATCHUPD_DISKS'] !== undefined && process.platform === 'linux' && mayMount();

type OnFinished = (task: () => Promise<void>) => void;

/** A folder of the scene that can be taken away and put back. */
function removable(scene: Scene, path: string, onFinished: OnFinished) {
  const real = scene.path(`real-${path.split('/').at(-1)}`);
  mkdirSync(real);
  mkdirSync(path, { recursive: true });
  let there = false;
  const put = () => {
    mount('--bind', real, path);
    there = true;
  };
  const take = () => {
    if (there) unmount(path);
    there = false;
  };
  onFinished(async () => take());
  put();
  return { real, put, take };
}

const mediaUnder = (folder: string) => filesUnder(folder).filter((path) => path.endsWith('.ts'));

async function twoChannels(scene: Scene) {
  const provider = await scene.provider({
    channels: [channel('one', { clip: { gop: 5 } }), channel('two', { clip: { gop: 5 } })],
    programmes: nothingYet('one.tv'),
  });
  const daemon = scene.daemon(['--m3u', provider.m3uUrl]);
  await daemon.ready();
  const now = soon();
  return { provider, daemon, now };
}

(ABLE ? describe.concurrent : describe.skip)('a disk', () => {
  it('that is full under state and spools is waited for, and what was recorded goes on in its file', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    mkdirSync(scene.outDir);
    mount('-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', scene.outDir);
    onTestFinished(async () => void unmount(scene.outDir));
    const { provider, daemon, now } = await twoChannels(scene);
    await provider.setProgrammes([
      programme('one.tv', 'Short', now - 1_000, 6),
      programme('two.tv', 'Long', now - 1_000, 45),
    ]);
    await daemon.sees('one is published', ({ completed }) => completed.length === 1);
    const spool = join(
      scene.outDir,
      filesUnder(scene.outDir).find((path) => path.endsWith('.partial.ts')) ?? '',
    );
    // What is held back for the state is given up, and taken as well.
    const filler = join(scene.outDir, 'filler');
    const cannot = () =>
      daemon.lines().filter(({ msg }) => String(msg).startsWith('the state cannot be written'));
    await until(
      'both find the disk full',
      async () => {
        fill(filler);
        const { active } = await daemon.report();
        return cannot().length > 0 && active.some((item) => item.machine_state === 'retrying');
      },
      60_000,
    );
    const before = readFileSync(spool);
    expect((await daemon.report()).completed.map(({ title }) => title)).toEqual(['Short']);
    expect(mediaUnder(scene.publishDir)).toHaveLength(1);
    rmSync(filler);
    const report = await daemon.sees('both are published', ({ completed }) => completed.length === 2, 90_000);
    expect(titles(report.completed)).toEqual(['Long', 'Short']);
    expect(report.failed).toEqual([]);
    const path = join(
      scene.publishDir,
      mediaUnder(scene.publishDir).find((name) => name.includes('Long')) ?? '',
    );
    const whole = readFileSync(path);
    const kept = before.length - (before.length % 188);
    expect(whole.subarray(0, kept).equals(before.subarray(0, kept))).toBe(true);
    const { gaps } = json(path.replace(/\.ts$/, '.catchupd.json')) as { gaps: { cause: string }[] };
    expect(gaps.map(({ cause }) => cause)).toContain('disk_full');
    expect(cannot().length).toBeLessThan(4);
    expect(filesUnder(join(scene.outDir, '.catchupd', 'quarantine'))).toEqual([]);
  }, 240_000);

  it('that is gone under state and spools for a while costs nothing that was recorded', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const out = removable(scene, scene.outDir, onTestFinished);
    const { provider, daemon, now } = await twoChannels(scene);
    await provider.setProgrammes([programme('one.tv', 'Long', now - 1_000, 30)]);
    const spool = await until('it is captured', () => {
      const name = filesUnder(out.real).find((path) => path.endsWith('.partial.ts'));
      const path = join(out.real, name ?? '.');
      return name !== undefined && statSync(path).size > 200_000 && path;
    });
    const before = readFileSync(spool);
    out.take();
    await until('it is said', () => said(daemon, 'mount_missing'), 60_000);
    expect(daemon.isRunning()).toBe(true);
    expect(filesUnder(scene.outDir)).toEqual([]);
    out.put();
    const report = await daemon.sees('it is published', ({ completed }) => completed.length === 1, 120_000);
    expect(report.failed).toEqual([]);
    const [media = ''] = mediaUnder(scene.publishDir);
    const whole = readFileSync(join(scene.publishDir, media));
    const kept = before.length - (before.length % 188);
    expect(whole.subarray(0, kept).equals(before.subarray(0, kept))).toBe(true);
    expect((await daemon.stop()).code).toBe(0);
  }, 240_000);
});

/** Until not a byte more goes in. */
function fill(path: string): void {
  const file = openSync(path, 'a');
  try {
    for (let bytes = 1 << 20; bytes >= 1; bytes = bytes > 1 ? bytes >> 1 : 0)
      try {
        while (writeSync(file, Buffer.alloc(bytes)) === bytes);
      } catch {
        // That much did not fit; half of it may.
      }
  } finally {
    closeSync(file);
  }
}
