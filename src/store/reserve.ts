/** Space held back for the journal: given up when the disk is full, so that the state can still say so (DESIGN §3). */
import { dirname } from 'node:path';

import { exists, type Disk } from '../io/disk.js';

const BLOCK = Buffer.alloc(2 ** 20);
/** A disk with less room than this many reserves is left alone. */
const ROOM = 4;

/** Makes the reserve where it is missing and there is room for it. Never rejects: it is a comfort, not a need. */
export async function keepReserve(disk: Disk, path: string, bytes: number): Promise<void> {
  try {
    if (bytes === 0 || (await exists(disk, path))) return;
    const { freeBytes } = await disk.space(dirname(path));
    if (freeBytes < bytes * ROOM) return;
    const file = await disk.open(path, 'create', 0o600);
    try {
      for (let left = bytes; left > 0; left -= BLOCK.length) await file.write([BLOCK.subarray(0, left)]);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch {
    await disk.unlink(path).catch(() => undefined);
  }
}
