/** A disk as the next start finds it. */
import { dirname } from 'node:path';

import type { Disk } from '../../src/io/disk.js';

/** Files by their paths; no power cut takes them. */
export async function layDown(disk: Disk, content: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [path, bytes] of content) {
    await disk.mkdir(dirname(path));
    const file = await disk.open(path, 'create');
    await file.write([bytes]);
    await file.datasync();
    await file.close();
    await disk.syncFolder(dirname(path));
  }
}
