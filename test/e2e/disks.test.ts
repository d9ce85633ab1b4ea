/**
 * Disks that come and go under a daemon that runs: real mounts, so only where the tests may mount. Nothing foreign is
 * deleted, nothing is forgotten, one copy remains, and the reason is said (P5, P9).
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  channel,
  filesUnder,
  nothingYet,
  openScene,
  programme,
  said,
  soon,
  until,
  type Scene,
} from './scene.js';

function mount(...words: string[]): boolean {
  try {
    execFileSync('mount', words, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const umount = (path: string) => execFileSync('umount', [path], { stdio: 'ignore' });

/** A folder of its own that is gone afterwards, mounted or not. */
function mountable(scene: Scene, onFinished: (task: () => Promise<void>) => void): string {
  const path = scene.publishDir;
  mkdirSync(path);
  onFinished(() => {
    try {
      umount(path);
    } catch {
      // Not mounted.
    }
    return Promise.resolve();
  });
  return path;
}

const mayMount = (() => {
  if (process.getuid?.() !== 0 || !existsSync('/bin/mount')) return false;
  const probe = `/tmp/catchupd-mount-${process.pid}`;
  mkdirSync(probe);
  const can = mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe);
  if (can) umount(probe);
  rmSync(probe, { recursive: true });
  return can;
})();

/** To the last byte. */
function fill(path: string): void {
  try {
    for (;;) appendFileSync(path, Buffer.alloc(4096));
  } catch {
    // Full.
  }
}

const media = (folder: string) => filesUnder(folder).filter((name) => name.endsWith('.ts'));

// Mounts need root, and what waits for a disk looks every half a minute; the simulated disks show the same in no time.
describe
  .skipIf(!mayMount || !process.env['CATCHUPD_DISKS'])
  .concurrent('a library on a mount of its own', () => {
    it('that goes away is waited for, that cannot be written is said, and what others put there stays', async ({
      onTestFinished,
    }) => {
      const scene = openScene(onTestFinished);
      const library = mountable(scene, onTestFinished);
      const disk = scene.path('disk');
      mkdirSync(disk);
      mount('--bind', disk, library);
      const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
      const daemon = scene.daemon(['--m3u', provider.m3uUrl]);
      await daemon.ready();
      await provider.setProgrammes([programme('one.tv', 'First', soon(1), 3)]);
      const first = await daemon.sees(
        'the first is published',
        ({ completed }) => completed.length === 1,
        60_000,
      );
      expect(media(scene.outDir)).toEqual([]);
      expect(media(library)).toHaveLength(1);
      const [one] = first.completed;
      const folder = one && 'published_dir' in one ? one.published_dir : '';
      const foreign = [join(library, 'general', 'mine.mkv'), join(folder, 'poster.jpg')];
      for (const path of foreign) writeFileSync(path, 'mine');

      umount(library);
      await provider.setProgrammes([programme('one.tv', 'Second', soon(1), 3)]);
      await until('it is said', () => said(daemon, 'mount_missing'), 60_000);
      await daemon.sees('it waits', ({ active }) => active.some(({ title }) => title === 'Second'));
      expect(readdirSync(library)).toEqual([]);
      expect((await daemon.report()).completed.map(({ title }) => title)).toEqual(['First']);

      mount('--bind', disk, library);
      const both = await daemon.sees(
        'the second is published',
        ({ completed }) => completed.length === 2,
        90_000,
      );
      const again = both.completed.find(({ title }) => title === 'Second');
      expect(media(library)).toHaveLength(2);

      mount('-o', 'remount,ro,bind', library);
      await provider.setProgrammes([programme('one.tv', 'Third', soon(1), 3)]);
      await until('that is said too', () => said(daemon, 'folder_unwritable'), 60_000);
      expect((await daemon.report()).completed).toHaveLength(2);
      mount('-o', 'remount,rw,bind', library);
      await daemon.sees('the third is published', ({ completed }) => completed.length === 3, 90_000);

      const base = await daemon.url();
      await fetch(`${base}/api/recordings/${one?.id ?? ''}/delete`, { method: 'POST' });
      rmSync(again && 'published_dir' in again ? (again.published_dir ?? '') : '', { recursive: true });
      await daemon.sees('both are gone', ({ completed }) => completed.length === 1, 60_000);
      // They leave the list when they begin to go, and are remembered when they have gone.
      const removed = await until('the second is remembered', async () => {
        const why = (await (await fetch(`${base}/api/why?q=second`)).json()) as {
          removed: { reason: string }[];
        };
        return why.removed.length > 0 && why.removed;
      });
      expect(removed.map(({ reason }) => reason)).toEqual(['removed_by_user']);
      await until('of the first only what is not ours is left', () => readdirSync(folder).length === 1);
      expect(readdirSync(folder)).toEqual(['poster.jpg']);
      for (const path of foreign) expect(existsSync(path)).toBe(true);
      expect(media(scene.outDir)).toEqual([]);
      await daemon.stop();
    }, 300_000);

    it('that is another disk gets one whole copy, over a kill in the middle of it, and over a disk that is full', async ({
      onTestFinished,
    }) => {
      const scene = openScene(onTestFinished);
      const library = mountable(scene, onTestFinished);
      mount('-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', library);
      const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
      const run = ['--m3u', provider.m3uUrl];
      const first = scene.daemon(run, { env: { CATCHUPD_FAILPOINT: 'copy_written' } });
      await first.ready();
      await provider.setProgrammes([programme('one.tv', 'News', soon(1), 3)]);
      expect((await first.exited).signal).toBe('SIGKILL');
      expect(media(library)).toEqual([]);
      const [spool = ''] = media(scene.outDir);
      const { size } = statSync(join(scene.outDir, spool));

      // Somebody else fills what is left.
      fill(join(library, 'mine.bin'));
      const second = scene.daemon(run);
      await until('it is said', () => said(second, 'disk_full'), 60_000);
      expect(media(library)).toEqual([]);
      expect(media(scene.outDir)).toEqual([spool]);
      rmSync(join(library, 'mine.bin'));
      await second.sees('it is published', ({ completed }) => completed.length === 1, 90_000);
      const [name = ''] = media(library);
      expect(statSync(join(library, name)).size).toBeGreaterThanOrEqual(size);
      expect(filesUnder(library).filter((path) => path.endsWith('.tmp'))).toEqual([]);
      expect(media(scene.outDir)).toEqual([]);
      await second.stop();
    }, 300_000);
  });
