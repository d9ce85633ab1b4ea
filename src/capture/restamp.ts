/**
 * Packets written over in place: PID, continuity counter, and the clock in PCR, OPCR, PTS and DTS moved by whole 90 kHz
 * ticks modulo 2^33; the nine bits below a tick stay (PROTOCOLS §6.2).
 */
import {
  adaptationFlags,
  CLOCK_WRAP,
  clockBase,
  PACKET_BYTES,
  pesTimesAt,
  payloadAt,
  stampAt,
} from './tsPackets.js';

export function setPid(buffer: Buffer, at: number, pid: number): void {
  buffer[at + 1] = ((buffer[at + 1] ?? 0) & 0xe0) | (pid >> 8);
  buffer[at + 2] = pid & 0xff;
}

export function setCounter(buffer: Buffer, at: number, counter: number): void {
  buffer[at + 3] = ((buffer[at + 3] ?? 0) & 0xf0) | (counter & 15);
}

/** `offset` is between 0 and 2^33. */
export function shiftClock(buffer: Buffer, at: number, offset: number): void {
  const flags = adaptationFlags(buffer, at);
  const bytes = buffer[at + 4] ?? 0;
  const hasPcr = (flags & 0x10) !== 0;
  // What is damaged may claim clocks that it has no room for.
  if (hasPcr && bytes >= 7) shiftBase(buffer, at + 6, offset);
  if ((flags & 0x08) !== 0 && bytes >= (hasPcr ? 13 : 7)) shiftBase(buffer, at + (hasPcr ? 12 : 6), offset);
  const times = pesTimesAt(buffer, at);
  if (!times) return;
  const stamps = payloadAt(buffer, at) + 9;
  const which = (buffer[stamps - 2] ?? 0) >> 6;
  if (which >= 2) shiftStamp(buffer, stamps, offset);
  if (which === 3 && stamps + 10 <= at + PACKET_BYTES) shiftStamp(buffer, stamps + 5, offset);
}

/** Takes the PCR out; what follows it in the adaptation field moves up, and the room it leaves is stuffed. */
export function removePcr(buffer: Buffer, at: number): void {
  const end = Math.min(at + PACKET_BYTES, at + 5 + (buffer[at + 4] ?? 0));
  buffer[at + 5] = (buffer[at + 5] ?? 0) & ~0x10;
  buffer.copy(buffer, at + 6, at + 12, end);
  buffer.fill(0xff, end - 6, end);
}

/** An adaptation field alone, which says that the counters and the clock of its PID go on elsewhere. */
export function discontinuityPacket(pid: number, counter: number): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES, 0xff);
  Buffer.from([0x47, pid >> 8, pid & 0xff, 0x20 | (counter & 15), 183, 0x80]).copy(packet);
  return packet;
}

function shiftBase(buffer: Buffer, at: number, offset: number): void {
  const base = (clockBase(buffer, at) + offset) % CLOCK_WRAP;
  buffer.writeUInt32BE(Math.floor(base / 2), at);
  buffer[at + 4] = ((buffer[at + 4] ?? 0) & 0x7f) | ((base & 1) << 7);
}

function shiftStamp(buffer: Buffer, at: number, offset: number): void {
  const stamp = (stampAt(buffer, at) + offset) % CLOCK_WRAP;
  const high = Math.floor(stamp / 2 ** 30);
  buffer[at] = ((buffer[at] ?? 0) & 0xf1) | (high << 1);
  buffer[at + 1] = (stamp >>> 22) & 0xff;
  buffer[at + 2] = ((stamp >>> 14) & 0xfe) | 1;
  buffer[at + 3] = (stamp >>> 7) & 0xff;
  buffer[at + 4] = ((stamp << 1) & 0xfe) | 1;
}
