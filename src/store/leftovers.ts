/**
 * Half-written files that a crash left beside the state: those that this program alone makes, by their exact names
 * (P5). Only for the holder of the lock.
 */
import { basename, dirname, join } from 'node:path';

import type { Disk } from '../io/disk.js';
import type { StatePaths } from './paths.js';

const PRIVATE = ['lock', 'heartbeat', 'sources.json'];
/** Nobody but this program has anything in these, so whatever is half-written there is its own. */
const OWN_FOLDERS = ['guide', 'guide/past', 'history', 'index'];

/** Never rejects: what stays is looked at again at the next start. */
export async function dropLeftovers(disk: Disk, paths: StatePaths): Promise<void> {
  await dropIn(disk, paths.folder, [basename(paths.base), basename(paths.journal)]);
  const privateFolder = dirname(paths.quarantine);
  await dropIn(disk, privateFolder, PRIVATE);
  for (const folder of OWN_FOLDERS) await dropIn(disk, join(privateFolder, folder), null);
}

/** What `temporaryName` gives for these names, or for any, whichever process made it. */
async function dropIn(disk: Disk, folder: string, names: readonly string[] | null): Promise<void> {
  const found = await disk.readdir(folder).catch(() => []);
  for (const name of found) {
    const [, of = ''] = /^\.(.*)\.\d+-\d+\.tmp$/.exec(name) ?? [];
    if (of !== '' && (names?.includes(of) ?? true))
      await disk.unlink(join(folder, name)).catch(() => undefined);
  }
}
