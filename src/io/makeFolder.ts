/** Folders that other programs must be able to read: made with exactly the mode asked for, and durable. */
import { dirname } from 'node:path';

import { exists, type Disk } from './disk.js';

/** Makes `path` and what is missing above it. Folders that are there are left as they are. */
export async function makeFolder(disk: Disk, path: string, mode: number): Promise<void> {
  if (await exists(disk, path)) return;
  await makeFolder(disk, dirname(path), mode);
  await disk.mkdir(path, mode);
  // Shares that keep no permissions refuse this; the folder is good all the same.
  await disk.chmod(path, mode).catch(() => undefined);
  await disk.syncFolder(dirname(path));
}
