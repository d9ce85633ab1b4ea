/** What is damaged is kept where a person can look at it, before what was readable takes its place (P5). */
import { dirname, join } from 'node:path';

import type { Disk } from '../io/disk.js';
import { replaceFile } from '../io/replaceFile.js';
import { quarantineName } from './paths.js';

/**
 * Copies bytes of `path` into `<out-dir>/.catchupd/quarantine`, for nobody else to read; returns where they are. Rejects
 * with the disk's error: then the file must be left as it is.
 */
export async function putAside(
  disk: Disk,
  privateFolder: string,
  at: number,
  path: string,
  bytes: Uint8Array,
): Promise<string> {
  const aside = await asidePath(disk, privateFolder, at, path);
  await replaceFile(disk, aside, bytes, { mode: 0o600 });
  return aside;
}

/** Puts the whole file aside and `fresh` in its place. Rejects with the disk's error; nothing is lost then. */
export async function putInPlace(
  disk: Disk,
  privateFolder: string,
  at: number,
  path: string,
  fresh: string,
): Promise<string> {
  const aside = await asidePath(disk, privateFolder, at, path);
  // Shares without links: for a moment it is under the other name alone.
  await disk.link(path, aside).catch(() => disk.rename(path, aside));
  await disk.syncFolder(dirname(aside));
  await disk.rename(fresh, path);
  await disk.syncFolder(dirname(path));
  return aside;
}

async function asidePath(disk: Disk, privateFolder: string, at: number, path: string): Promise<string> {
  const folder = join(privateFolder, 'quarantine');
  await disk.mkdir(folder);
  return join(folder, quarantineName(at, path, 1));
}
