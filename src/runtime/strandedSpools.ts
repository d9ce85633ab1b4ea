/**
 * Spools that no recording speaks for, after a state was lost or one of before was put back. Where the history or a
 * ledger tells whose it is, the recording is taken up again as it was then, and recovery makes of it what is right
 * now (P7). The others are said and left alone: nothing that was captured is deleted (P1, P5).
 */

import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { Disk } from '../io/disk.js';
import type { Store } from '../store/store.js';
import type { Doors } from './doors.js';
import { findAll, spoolOf } from './rebuild.js';

const SPOOL = /\.partial\.[a-z0-9]+$/;

/** For the start, before anything lives. Never rejects. */
export async function adoptStrandedSpools(
  config: Config,
  doors: Doors,
  folder: string,
  store: Store,
): Promise<void> {
  const { disk, log } = doors;
  const stranded = await strandedIn(disk, config.places.outDir, store);
  if (stranded.size === 0) return;
  const found = await findAll(config, doors, folder, store).catch((error: unknown) => {
    log.error({ error: String(error) }, 'what spools belong to could not be found out');
    return null;
  });
  for (const { id, document } of found?.documents ?? []) {
    const path = spoolOf(document);
    if (!stranded.delete(path)) continue;
    store.put(document);
    log.warn({ id, path }, 'a spool that the state did not know is taken up again');
  }
  for (const path of stranded)
    log.warn({ path, code: 'spool_stranded' }, 'no recording speaks for this spool; it is left alone');
}

async function strandedIn(disk: Disk, outDir: string, store: Store): Promise<Set<string>> {
  const stranded = new Set<string>();
  for (const lane of await disk.readdir(outDir).catch(() => [])) {
    if (lane.startsWith('.')) continue;
    for (const name of await disk.readdir(join(outDir, lane)).catch(() => [])) {
      const path = join(outDir, lane, name);
      if (SPOOL.test(name)) stranded.add(path);
    }
  }
  // Mostly there is none, and nobody has to be asked.
  if (stranded.size > 0)
    for (const document of store.recordings().values()) stranded.delete(spoolOf(document));
  return stranded;
}
