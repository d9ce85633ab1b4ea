/** The real form of the disk door: `node:fs/promises`, with every write finished before its promise resolves (P1). */
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path';

import { systemClock } from './clock.js';
import { diskCode, type Disk, type DiskFile, type DiskStat, type OpenMode } from './disk.js';
import { turns } from './turns.js';

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  append: constants.O_RDWR | constants.O_CREAT | constants.O_APPEND,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
};

/** Buffers in one `writev`; the kernel's own limit is 1024. */
const VECTOR_MAX = 512;

/**
 * Disk calls share so many threads, unless the environment says otherwise. A sync of a slow disk keeps one for seconds:
 * some are left for the writes of all others, which go to memory (P7, P8).
 */
const THREADS = Number(process.env['UV_THREADPOOL_SIZE']) || 4;
const syncing = turns(systemClock, Math.max(1, Math.floor(THREADS / 2)), Infinity);

/** Some file systems cannot sync a folder; their renames are as durable as they get. */
const FOLDER_SYNC_UNKNOWN = new Set(['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR']);

export const nodeDisk: Disk = {
  /** Folder by folder: asked for all at once Node says ENOENT where the file system is read-only. */
  async mkdir(path, mode) {
    try {
      await fs.mkdir(path, mode);
    } catch (error) {
      if (diskCode(error) === 'EEXIST' && (await fs.stat(path)).isDirectory()) return;
      if (diskCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
      await nodeDisk.mkdir(dirname(path), mode);
      await nodeDisk.mkdir(path, mode);
    }
  },
  async open(path, how, mode = 0o666) {
    return wrapHandle(await fs.open(path, FLAGS[how], mode));
  },
  readFile: (path) => fs.readFile(path),
  link: (from, to) => fs.link(from, to),
  rename: (from, to) => fs.rename(from, to),
  unlink: (path) => fs.unlink(path),
  rmdir: (path) => fs.rmdir(path),
  readdir: (path) => fs.readdir(path),
  async stat(path): Promise<DiskStat> {
    const found = await fs.stat(path);
    return {
      kind: found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other',
      bytes: found.size,
      mtimeMs: found.mtimeMs,
      inode: found.ino,
      mode: found.mode & 0o7777,
      links: found.nlink,
    };
  },
  chmod: (path, mode) => fs.chmod(path, mode),
  async syncFolder(path) {
    const folder = await fs.open(path, constants.O_RDONLY);
    try {
      await syncing(() => folder.sync());
    } catch (error) {
      if (!FOLDER_SYNC_UNKNOWN.has(diskCode(error))) throw error;
    } finally {
      await folder.close();
    }
  },
  async space(path) {
    const found = await fs.statfs(path);
    return { freeBytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize };
  },
};

function wrapHandle(handle: fs.FileHandle): DiskFile {
  return {
    write: (chunks) => writeAll(handle, chunks),
    async read(offset, length, into = Buffer.allocUnsafe(length)) {
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(into, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return into.subarray(0, filled);
    },
    truncate: (bytes) => handle.truncate(bytes),
    datasync: (first) => (first ? handle.datasync() : syncing(() => handle.datasync())),
    bytes: async () => (await handle.stat()).size,
    close: () => handle.close(),
  };
}

/** A `writev` may stop short (a signal, a nearly full disk): it goes on until all is written or an error says why not. */
async function writeAll(handle: fs.FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  let rest = chunks.filter((chunk) => chunk.byteLength > 0);
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest.slice(0, VECTOR_MAX));
    rest = dropBytes(rest, bytesWritten);
  }
}

function dropBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let index = 0;
  let left = count;
  for (let chunk = chunks[index]; chunk && left >= chunk.byteLength; chunk = chunks[index]) {
    left -= chunk.byteLength;
    index += 1;
  }
  const [first, ...others] = chunks.slice(index);
  return first === undefined ? [] : [first.subarray(left), ...others];
}
