/**
 * Spools that no recording speaks for, after a state was lost. They are said and left alone: the same programme, while
 * it is on, goes on in its own (P1), and `rebuild` knows those that the history tells of.
 */

import { join } from 'node:path';
import type { Disk } from '../io/disk.js';
import type { Log } from '../log.js';
import type { Book } from './book.js';

const SPOOL = /\.partial\.[a-z0-9]+$/;

/** Never rejects. */
export async function sayStrandedSpools(disk: Disk, outDir: string, book: Book, log: Log): Promise<void> {
  const owned = new Set([...book.all(), ...book.aside()].map(({ recording }) => recording.spool));
  for (const lane of await disk.readdir(outDir).catch(() => [])) {
    if (lane.startsWith('.')) continue;
    for (const name of await disk.readdir(join(outDir, lane)).catch(() => [])) {
      const path = join(outDir, lane, name);
      if (SPOOL.test(name) && !owned.has(path))
        log.warn({ path, code: 'spool_stranded' }, 'no recording speaks for this spool; it is left alone');
    }
  }
}
