/**
 * Gives the spool its final name: by link and unlink, without a copy, wherever the file system can. That it can is found
 * by trying (bind mounts of one disk refuse links between them). P1: the spool goes only when the media is durable under
 * its new name. P9: the media appears whole. Nothing is ever overwritten.
 */
import { dirname } from 'node:path';

import { diskCode, exists, type Disk } from '../io/disk.js';
import { temporaryName } from '../io/replaceFile.js';

const BLOCK_BYTES = 2 ** 20;
const NO_LINK = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES']);

/**
 * `moved`: the media is at `target` and nowhere else. `taken`: something else is there. Finishes what a crash left
 * half done. Rejects with the disk's error; the spool is whole then.
 */
export async function moveMedia(
  disk: Disk,
  spool: string,
  target: string,
  { mode, owner }: { readonly mode: number; readonly owner: string },
): Promise<'moved' | 'taken'> {
  await syncFile(disk, spool);
  const there = await isSame(disk, spool, target);
  if (there === 'other') return 'taken';
  if (there === 'none') {
    const put = await linkOrCopy(disk, spool, target, owner);
    if (put === 'taken') return 'taken';
  }
  await disk.chmod(target, mode).catch(() => undefined);
  await disk.syncFolder(dirname(target));
  await disk.unlink(spool).catch((error: unknown) => {
    // Renamed, or unlinked before a crash.
    if (diskCode(error) !== 'ENOENT') throw error;
  });
  await disk.syncFolder(dirname(spool));
  return 'moved';
}

/** A cheap first look: whether the target is free, or can be the spool under its new name. */
export async function mayBecome(disk: Disk, spool: string, target: string): Promise<boolean> {
  if (!(await exists(disk, target))) return true;
  return (await disk.stat(target)).bytes === (await disk.stat(spool)).bytes;
}

/** Whether the target is the spool itself under a second name, or a finished copy of it. */
async function isSame(disk: Disk, spool: string, target: string): Promise<'none' | 'same' | 'other'> {
  if (!(await exists(disk, target))) return 'none';
  const [from, to] = [await disk.stat(spool), await disk.stat(target)];
  if (to.kind !== 'file' || to.bytes !== from.bytes) return 'other';
  if (to.inode === from.inode && to.links > 1) return 'same';
  return (await sameBytes(disk, spool, target, from.bytes)) ? 'same' : 'other';
}

async function sameBytes(disk: Disk, a: string, b: string, bytes: number): Promise<boolean> {
  const first = await disk.open(a, 'read');
  try {
    const second = await disk.open(b, 'read');
    try {
      for (let offset = 0; offset < bytes; offset += BLOCK_BYTES) {
        const [one, other] = [await first.read(offset, BLOCK_BYTES), await second.read(offset, BLOCK_BYTES)];
        if (!one.equals(other)) return false;
      }
      return true;
    } finally {
      await second.close();
    }
  } finally {
    await first.close();
  }
}

async function linkOrCopy(
  disk: Disk,
  spool: string,
  target: string,
  owner: string,
): Promise<'put' | 'taken'> {
  try {
    await disk.link(spool, target);
    return 'put';
  } catch (error) {
    if (diskCode(error) === 'EEXIST') return 'taken';
    if (!NO_LINK.has(diskCode(error))) throw error;
  }
  const renamed = await renameIfFree(disk, spool, target);
  if (renamed !== 'cannot') return renamed;
  const temporary = temporaryName(disk, target, owner);
  try {
    await copy(disk, spool, temporary);
    try {
      await disk.link(temporary, target);
      return 'put';
    } catch (error) {
      if (diskCode(error) === 'EEXIST') return 'taken';
      if (!NO_LINK.has(diskCode(error))) throw error;
    }
    const put = await renameIfFree(disk, temporary, target);
    if (put === 'cannot') throw Object.assign(new Error(`cannot rename to ${target}`), { code: 'EPERM' });
    return put;
  } finally {
    await disk.unlink(temporary).catch(() => undefined);
  }
}

/** Without links a look comes before the rename; the place is ours, so nobody comes in between. */
async function renameIfFree(disk: Disk, from: string, to: string): Promise<'put' | 'taken' | 'cannot'> {
  if (await exists(disk, to)) return 'taken';
  try {
    await disk.rename(from, to);
    return 'put';
  } catch (error) {
    if (NO_LINK.has(diskCode(error))) return 'cannot';
    throw error;
  }
}

async function copy(disk: Disk, from: string, to: string): Promise<void> {
  const source = await disk.open(from, 'read');
  try {
    const target = await disk.open(to, 'create', 0o600);
    try {
      for (let offset = 0; ; offset += BLOCK_BYTES) {
        const block = await source.read(offset, BLOCK_BYTES);
        if (block.length > 0) await target.write([block]);
        if (block.length < BLOCK_BYTES) break;
      }
      await target.datasync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function syncFile(disk: Disk, path: string): Promise<void> {
  const file = await disk.open(path, 'read');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}
