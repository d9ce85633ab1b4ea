/**
 * The file a recording grows in: append-only (P1), whole packets only. What a killed process or a failed write left
 * unfinished at its end is cut when it is opened again: the one cut there is, and it is counted.
 */
import { dirname } from 'node:path';
import { diskCode, type Disk, type DiskFile } from '../io/disk.js';
import { trimSpool } from './spoolTrim.js';
import { PACKET_BYTES } from './tsPackets.js';

/** What the disk did not do. `code` is one of the error table. */
export interface DiskTrouble {
  readonly code: 'disk_full' | 'disk_error';
}

export interface Spool {
  /** Where this piece begins in the file. */
  readonly firstOffset: number;
  /** Unfinished bytes that were cut when it was opened. */
  readonly trimmedBytes: number;
  /** What its opening did (its name, what was cut) a power cut could still undo: it is to be synced at once. */
  readonly isLoose: boolean;
  /** Up to `length` bytes of the file from `offset`. Rejects with what the disk says. */
  readonly read: (offset: number, length: number) => Promise<Buffer>;
  /** One call at a time. The chunks belong to the disk until it is done. Null is success. */
  write(chunks: readonly Uint8Array[]): Promise<DiskTrouble | null>;
  /** Makes what was written before survive a power cut. Others may write meanwhile. One call at a time. */
  sync(): Promise<DiskTrouble | null>;
  /** Whole packets of this piece that are in the file, also after a write that failed half-way. */
  bytesWritten(): number;
  close(): Promise<void>;
}

/** The folder must be there: whether it may be made is not known here (a mount may be missing, P5). */
export async function openSpool(disk: Disk, path: string): Promise<Spool | DiskTrouble> {
  let file: DiskFile;
  let firstOffset: number;
  let trimmedBytes: number;
  try {
    file = await disk.open(path, 'append');
  } catch (error) {
    return troubleOf(error);
  }
  let isLoose: boolean;
  try {
    ({ bytes: firstOffset, trimmedBytes, isLoose } = await trimSpool(file));
  } catch (error) {
    await closeQuietly(file);
    return troubleOf(error);
  }
  let bytes = 0;
  let isNamed = firstOffset > 0;

  return {
    firstOffset,
    trimmedBytes,
    isLoose: isLoose || !isNamed,
    read: (offset, length) => file.read(offset, length),
    async write(chunks) {
      try {
        await file.write(chunks);
        for (const chunk of chunks) bytes += chunk.length;
        return null;
      } catch (error) {
        bytes = await settle(file, firstOffset, bytes);
        return troubleOf(error);
      }
    },
    async sync() {
      // A name that a power cut takes takes all that was synced under it.
      const names = isNamed ? [] : foldersOf(path).map((folder) => synced(() => disk.syncFolder(folder)));
      const all = await Promise.all([synced(() => file.datasync()), ...names]);
      const trouble = all.find((each) => each !== null) ?? null;
      isNamed ||= trouble === null;
      return trouble;
    },
    bytesWritten: () => bytes,
    close: () => closeQuietly(file),
  };
}

/** That hold the file's name, and that of its folder, which may be as new. */
function foldersOf(path: string): readonly string[] {
  return [dirname(path), dirname(dirname(path))];
}

/** All that was written is on disk; or what stands in the way. */
export async function synced(sync: () => Promise<void>): Promise<DiskTrouble | null> {
  try {
    await sync();
    return null;
  } catch (error) {
    return troubleOf(error);
  }
}

export function isTrouble(value: object): value is DiskTrouble {
  return 'code' in value;
}

export function troubleOf(error: unknown): DiskTrouble {
  const code = diskCode(error);
  return { code: code === 'ENOSPC' || code === 'EDQUOT' ? 'disk_full' : 'disk_error' };
}

/** How much of a failed write is there all the same, in whole packets; the torn one is cut where that works. */
async function settle(file: DiskFile, firstOffset: number, known: number): Promise<number> {
  try {
    const length = (await file.bytes()) - firstOffset;
    const torn = length % PACKET_BYTES;
    if (torn > 0) await file.truncate(firstOffset + length - torn);
    return Math.max(known, length - torn);
  } catch {
    // The disk does not even answer. The next opening looks again.
    return known;
  }
}

async function closeQuietly(file: DiskFile): Promise<void> {
  try {
    await file.close();
  } catch {
    // All that counts was synced before; a file that does not close cannot be helped.
  }
}
