/**
 * The few fields of an MPEG-TS packet (ISO 13818-1) that looping a clip reads and rewrites. Packets are given by their
 * offset in a buffer; the clips are our own and well-formed, so nothing is checked twice.
 */

export const TS_PACKET_BYTES = 188;
/** PCR, PTS and DTS count 90 kHz ticks in 33 bits. */
export const CLOCK_WRAP = 2 ** 33;

/** Adds `ticks` to every clock value of the packet. */
export function shift(packets: Buffer, at: number, ticks: number): void {
  if (ticks === 0) return;
  const flags = adaptation(packets, at);
  if ((flags & 0x10) !== 0) shiftClock(packets, at + 6, ticks);
  if ((flags & 0x08) !== 0) shiftClock(packets, at + ((flags & 0x10) !== 0 ? 12 : 6), ticks);
  if (!startsPes(packets, at)) return;
  const pes = payload(packets, at);
  const times = (packets[pes + 7] ?? 0) >> 6;
  if (times >= 2) writeStamp(packets, pes + 9, (readStamp(packets, pes + 9) + ticks) % CLOCK_WRAP);
  if (times === 3) writeStamp(packets, pes + 14, (readStamp(packets, pes + 14) + ticks) % CLOCK_WRAP);
}

function shiftClock(packets: Buffer, at: number, ticks: number): void {
  const base = (packets.readUInt32BE(at) * 2 + ((packets[at + 4] ?? 0) >> 7) + ticks) % CLOCK_WRAP;
  packets.writeUInt32BE(Math.floor(base / 2), at);
  packets[at + 4] = ((packets[at + 4] ?? 0) & 0x7f) | ((base & 1) << 7);
}

export function readPcr(packets: Buffer, at: number): number | null {
  if ((adaptation(packets, at) & 0x10) === 0) return null;
  return packets.readUInt32BE(at + 6) * 2 + ((packets[at + 10] ?? 0) >> 7);
}

export function readStamp(packets: Buffer, at: number): number {
  const high = ((packets[at] ?? 0) >> 1) & 7;
  return high * 2 ** 30 + (packets.readUInt16BE(at + 1) >> 1) * 2 ** 15 + (packets.readUInt16BE(at + 3) >> 1);
}

function writeStamp(packets: Buffer, at: number, ticks: number): void {
  const high = Math.floor(ticks / 2 ** 30);
  packets[at] = ((packets[at] ?? 0) & 0xf1) | (high << 1);
  packets.writeUInt16BE((Math.floor(ticks / 2 ** 15) % 2 ** 15) * 2 + 1, at + 1);
  packets.writeUInt16BE((ticks % 2 ** 15) * 2 + 1, at + 3);
}

export function pid(packets: Buffer, at: number): number {
  return packets.readUInt16BE(at + 1) & 0x1fff;
}

export function unitStarts(packets: Buffer, at: number): boolean {
  return ((packets[at + 1] ?? 0) & 0x40) !== 0;
}

function adaptation(packets: Buffer, at: number): number {
  return ((packets[at + 3] ?? 0) & 0x20) !== 0 && (packets[at + 4] ?? 0) > 0 ? (packets[at + 5] ?? 0) : 0;
}

export function payload(packets: Buffer, at: number): number {
  return ((packets[at + 3] ?? 0) & 0x20) !== 0 ? at + 5 + (packets[at + 4] ?? 0) : at + 4;
}

/** A PES packet with a header begins here; sections begin with a pointer, not with 00 00 01. */
export function startsPes(packets: Buffer, at: number): boolean {
  const carries = ((packets[at + 3] ?? 0) & 0x10) !== 0;
  const from = payload(packets, at);
  if (!carries || !unitStarts(packets, at) || from + 19 > at + TS_PACKET_BYTES) return false;
  return packets[from] === 0 && packets[from + 1] === 0 && packets[from + 2] === 1;
}

export function isRandomAccess(packets: Buffer, at: number): boolean {
  return (adaptation(packets, at) & 0x40) !== 0;
}
