/**
 * Space held back for the journal: given up when the disk is full, so that the state can still say so, and made again
 * when there is room (DESIGN §3).
 */
import { dirname } from 'node:path';

import type { Clock } from '../io/clock.js';
import { exists, type Disk } from '../io/disk.js';
import type { StoreLog } from './journalAdapter.js';

const BLOCK = Buffer.alloc(2 ** 20);
/** A disk with less room than this many reserves is left alone. */
const ROOM = 4;
const AGAIN_MS = 60_000;

export interface Reserve {
  /** Makes it where it is missing and there is room. Never rejects: it is a comfort, not a need. */
  keep(): Promise<void>;
  /** False where there is none. */
  giveUp(): Promise<boolean>;
  /** After it was given up, now and then: is there room again? Waits for nothing. */
  look(): void;
  settled(): Promise<void>;
}

export interface ReserveDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: StoreLog;
}

/** 0 bytes is none. */
export function createReserve({ disk, clock, log }: ReserveDoors, path: string, bytes: number): Reserve {
  let missingSince: number | null = null;
  let making = Promise.resolve();

  async function make(): Promise<void> {
    try {
      if (bytes === 0 || (await exists(disk, path))) return;
      const { freeBytes } = await disk.space(dirname(path));
      if (freeBytes < bytes * ROOM) {
        missingSince = clock.mono();
        return;
      }
      const file = await disk.open(path, 'create', 0o600);
      try {
        for (let left = bytes; left > 0; left -= BLOCK.length) await file.write([BLOCK.subarray(0, left)]);
        await file.datasync();
      } finally {
        await file.close();
      }
    } catch {
      missingSince = clock.mono();
      await disk.unlink(path).catch(() => undefined);
    }
  }

  function keep(): Promise<void> {
    missingSince = null;
    making = making.then(make);
    return making;
  }

  return {
    keep,
    async giveUp() {
      try {
        await disk.unlink(path);
        missingSince = clock.mono();
        log.warn({ path }, 'the disk is full; the reserve kept for the state was given up');
        return true;
      } catch {
        return false;
      }
    },
    look() {
      if (missingSince !== null && clock.mono() - missingSince >= AGAIN_MS) void keep();
    },
    settled: () => making,
  };
}
