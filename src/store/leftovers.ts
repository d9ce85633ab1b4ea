/**
 * Half-written files that a crash left beside the state: those that this program alone makes, by their exact names
 * (P5). Only for the holder of the lock.
 */
import { basename, dirname, join } from 'node:path';

import type { Disk } from '../io/disk.js';
import type { StatePaths } from './paths.js';

const PRIVATE = ['lock', 'heartbeat', 'sources.json'];

/** Never rejects: what stays is looked at again at the next start. */
export async function dropLeftovers(disk: Disk, paths: StatePaths): Promise<void> {
  await dropIn(disk, paths.folder, [basename(paths.base), basename(paths.journal)]);
  await dropIn(disk, dirname(paths.quarantine), PRIVATE);
}

/** What `temporaryName` gives for these names, whichever process made it. */
async function dropIn(disk: Disk, folder: string, names: readonly string[]): Promise<void> {
  const found = await disk.readdir(folder).catch(() => []);
  for (const name of found) {
    const [, of = ''] = /^\.(.*)\.\d+-\d+\.tmp$/.exec(name) ?? [];
    if (names.includes(of)) await disk.unlink(join(folder, name)).catch(() => undefined);
  }
}
