/**
 * PES packets whole and torn. At the end of what is written the unfinished one of each PID is dropped: no decoder could
 * use it, and nothing else is ever cut (P1).
 */
import { hasPayload, PACKET_BYTES, payloadAt, pidAt } from './tsPackets.js';

/**
 * Where the PES packet that begins at `at` ends; `at` itself where it is torn. Where it does not say its length (most
 * video does not), its last packet tells: a multiplexer has to pad it, for the next unit begins in a packet of its own.
 * One in 184 fits without padding and is taken for torn. Where the counter jumps, what follows belongs to something else.
 */
export function unitEnd(packets: Buffer, at: number, pid: number): number {
  const pes = payloadAt(packets, at);
  const length = ((packets[pes + 4] ?? 0) << 8) | (packets[pes + 5] ?? 0);
  let missing = length === 0 ? Number.POSITIVE_INFINITY : 6 + length;
  let last = at;
  for (let next = at; next < packets.length && missing > 0; next += PACKET_BYTES) {
    if (pidAt(packets, next) !== pid || !hasPayload(packets, next)) continue;
    const step = ((packets[next + 3] ?? 0) - (packets[last + 3] ?? 0)) & 15;
    if (next > at && step === 0) continue;
    if (next > at && step !== 1) break;
    missing -= next + PACKET_BYTES - payloadAt(packets, next);
    last = next;
  }
  const isWhole = missing <= 0 || (length === 0 && isPadded(packets, last));
  return isWhole ? last + PACKET_BYTES : at;
}

/** Whether the adaptation field is longer than what its flags ask for. */
function isPadded(packets: Buffer, at: number): boolean {
  if (((packets[at + 3] ?? 0) & 0x20) === 0) return false;
  const bytes = packets[at + 4] ?? 0;
  if (bytes === 0) return true;
  const flags = packets[at + 5] ?? 0;
  let used = 1;
  if ((flags & 0x10) !== 0) used += 6;
  if ((flags & 0x08) !== 0) used += 6;
  if ((flags & 0x04) !== 0) used += 1;
  if ((flags & 0x02) !== 0) used += 1 + (packets[at + 5 + used] ?? 0);
  if ((flags & 0x01) !== 0) used += 1 + (packets[at + 5 + used] ?? 0);
  return bytes > used;
}

/**
 * Drops what is unfinished, and what comes after a unit without being one, in place. `units` says where the last PES packet of each PID begins.
 * Gives the bytes that are left, and where the first dropped packet was (`packets.length` where none was).
 */
export function dropUnfinished(
  packets: Buffer,
  units: ReadonlyMap<number, number>,
): { readonly keptBytes: number; readonly firstDropped: number } {
  const ends = new Map<number, number>();
  for (const [pid, at] of units) if (at >= 0) ends.set(pid, unitEnd(packets, at, pid));
  const isUnfinished = (at: number) => {
    const end = ends.get(pidAt(packets, at));
    return end !== undefined && at >= end && hasPayload(packets, at);
  };
  let firstDropped = Math.min(packets.length, ...ends.values());
  while (firstDropped < packets.length && !isUnfinished(firstDropped)) firstDropped += PACKET_BYTES;
  let kept = firstDropped;
  for (let at = firstDropped; at < packets.length; at += PACKET_BYTES) {
    if (isUnfinished(at)) continue;
    if (kept < at) packets.copy(packets, kept, at, at + PACKET_BYTES);
    kept += PACKET_BYTES;
  }
  return { keptBytes: kept, firstDropped };
}
