/** A spool that is gone on with: opened, with what its end says and its index. */
import { diskCode, type Disk } from '../io/disk.js';
import type { Clock } from '../io/clock.js';
import { isTrouble, openSpool, troubleOf, type DiskTrouble, type Spool } from './spool.js';
import { openSpoolIndex, type SpoolIndex } from './spoolIndex.js';
import { readTail, TAIL_S, type SpoolTail } from './spoolTail.js';

export interface SpoolPlace {
  readonly spoolPath: string;
  /** Of the index of the spool; none is kept where it is left out. */
  readonly indexPath?: string;
  /** When this connection began to give media. */
  readonly startedAt: number;
}

/** The spool, and what its end says where it has one. */
export interface Written {
  readonly spool: Spool;
  readonly tail: SpoolTail | null;
  readonly index: SpoolIndex | null;
}

/** Rejects with nothing that a disk does. */
export async function openWritten(
  { disk, clock }: { readonly disk: Disk; readonly clock: Clock },
  place: SpoolPlace,
  tailS = TAIL_S,
): Promise<Written | DiskTrouble> {
  const spool = await openSpool(disk, place.spoolPath);
  if (isTrouble(spool)) return spool;
  const { firstOffset } = spool;
  try {
    const tail = firstOffset === 0 ? null : await readTail(spool.read, firstOffset, clock, tailS);
    return { spool, tail, index: await openIndex(disk, place, spool) };
  } catch (error) {
    await spool.close();
    if (diskCode(error) === 'UNKNOWN') throw error;
    return troubleOf(error);
  }
}

async function openIndex(
  disk: Disk,
  { indexPath, startedAt }: SpoolPlace,
  { firstOffset: spoolBytes, trimmedBytes, read }: Spool,
): Promise<SpoolIndex | null> {
  if (indexPath === undefined) return null;
  return openSpoolIndex(disk, { path: indexPath, spoolBytes, trimmed: trimmedBytes > 0, startedAt, read });
}
