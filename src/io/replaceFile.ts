/**
 * Puts a whole small file in place so that a reader, a crash or a power cut finds the old one or the new one and
 * nothing between (P7): hidden temporary name, sync, rename, sync of the folder.
 */
import { basename, dirname, join } from 'node:path';

import type { Disk } from './disk.js';

export interface ReplaceOptions {
  /** Permission bits, set exactly (the process umask does not count). Default 0644. */
  readonly mode?: number;
  /** Told in the temporary name, so that whoever it belongs to can clear what a crash left. */
  readonly owner?: string;
  /** False for a file whose loss at a power cut is harmless (a heartbeat): the rename is still atomic. */
  readonly sync?: boolean;
}

/** Counted for each disk, so that a simulated run repeats itself to the letter. */
const counts = new WeakMap<Disk, number>();

/** A hidden name beside `path` that no other file of this process has; media servers do not look at it. */
export function temporaryName(disk: Disk, path: string, owner = ''): string {
  const count = (counts.get(disk) ?? 0) + 1;
  counts.set(disk, count);
  const base = Buffer.from(basename(path)).subarray(0, 60).toString('utf8').replaceAll('\uFFFD', '');
  return join(dirname(path), `.${owner === '' ? '' : `${owner} `}${base}.${process.pid}-${count}.tmp`);
}

/** What `temporaryName` gave, for this owner where one is named, also in an earlier life. */
export function isTemporary(name: string, owner = ''): boolean {
  return name.startsWith(owner === '' ? '.' : `.${owner} `) && /.\.\d+-\d+\.tmp$/.test(name);
}

/** All at once, also in several buffers, or, where it is long, pieces of text, between which others get their turn. */
export type Content = string | Uint8Array | readonly Uint8Array[] | Generator<string>;

/** Replaces or makes `path`. Rejects with the disk's error; the temporary file is gone then, the old one untouched. */
export async function replaceFile(
  disk: Disk,
  path: string,
  content: Content,
  options: ReplaceOptions = {},
): Promise<void> {
  const { mode = 0o644, sync = true, owner } = options;
  const temporary = temporaryName(disk, path, owner);
  try {
    await writeNew(disk, temporary, content, { mode, sync });
    await disk.rename(temporary, path);
  } catch (error) {
    await disk.unlink(temporary).catch(() => undefined);
    throw error;
  }
  if (sync) await disk.syncFolder(dirname(path));
}

/** Writes a file that must not exist yet, whole and synced. The caller syncs the folder. */
export async function writeNew(
  disk: Disk,
  path: string,
  content: Content,
  options: Required<Pick<ReplaceOptions, 'mode' | 'sync'>>,
): Promise<void> {
  const file = await disk.open(path, 'create', options.mode);
  try {
    if (typeof content === 'string') await file.write([Buffer.from(content)]);
    else if (content instanceof Uint8Array) await file.write([content]);
    else if (isList(content)) await file.write(content);
    else for (const piece of content) await file.write([Buffer.from(piece)]);
    if (options.sync) await file.datasync();
  } finally {
    await file.close();
  }
  // Shares that keep no permissions refuse this; the file is good all the same.
  await disk.chmod(path, options.mode).catch(() => undefined);
}

function isList(content: readonly Uint8Array[] | Generator<string>): content is readonly Uint8Array[] {
  return Array.isArray(content);
}
