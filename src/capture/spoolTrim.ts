/**
 * The end of a spool that a killed process left: a torn packet, and perhaps PES packets that no decoder could use. They
 * are cut (P1, P7), and of what lay between them and the file's end every packet is written again at once. A piece that
 * was ended in good order has none of it, and nothing is touched.
 */
import type { DiskFile } from '../io/disk.js';
import { dropUnfinished } from './pesUnit.js';
import {
  hasPesHeader,
  NULL_PID,
  PACKET_BYTES,
  payloadAt,
  pidAt,
  startsUnit,
  SYNC_BYTE,
} from './tsPackets.js';

/** No unit of any stream is larger; the writer holds back no more either. */
export const TRIM_BYTES_MAX = Math.floor((4 * 1024 * 1024) / PACKET_BYTES) * PACKET_BYTES;

export interface Trimmed {
  /** Of the file now. */
  readonly bytes: number;
  readonly trimmedBytes: number;
  /** Bytes that were sure before are written again: until they are synced a power cut could take them. */
  readonly isLoose: boolean;
}

/** Rejects with what the disk says. */
export async function trimSpool(file: DiskFile): Promise<Trimmed> {
  const found = await file.bytes();
  const torn = found % PACKET_BYTES;
  if (torn > 0) await file.truncate(found - torn);
  const whole = found - torn;
  const from = Math.max(0, whole - TRIM_BYTES_MAX);
  const packets = whole > 0 ? await file.read(from, whole - from) : Buffer.alloc(0);
  const units = lastUnits(packets);
  const { keptBytes, firstDropped } = dropUnfinished(packets, units);
  if (firstDropped === packets.length) return { bytes: whole, trimmedBytes: torn, isLoose: false };
  await file.truncate(from + firstDropped);
  if (keptBytes > firstDropped) await file.write([packets.subarray(firstDropped, keptBytes)]);
  return { bytes: from + keptBytes, trimmedBytes: torn + packets.length - keptBytes, isLoose: true };
}

/** Where the last PES packet of each PID begins. */
function lastUnits(packets: Buffer): Map<number, number> {
  const units = new Map<number, number>();
  for (let at = 0; at + PACKET_BYTES <= packets.length; at += PACKET_BYTES) {
    if (packets[at] !== SYNC_BYTE || !startsUnit(packets, at)) continue;
    const pid = pidAt(packets, at);
    const pes = payloadAt(packets, at);
    if (pid === NULL_PID || pes + 4 > at + PACKET_BYTES) continue;
    const starts = packets[pes] === 0 && packets[pes + 1] === 0 && packets[pes + 2] === 1;
    if (starts && hasPesHeader(packets[pes + 3] ?? 0)) units.set(pid, at);
  }
  return units;
}
