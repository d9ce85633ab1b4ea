/** MPEG-TS packets (ISO 13818-1): how a stream of them is known, and what their headers say. */

export const PACKET_BYTES = 188;
export const SYNC_BYTE = 0x47;
export const NULL_PID = 0x1fff;
export const PID_COUNT = 0x2000;
/** 33 bits at 90 kHz; PCR, PTS and DTS wrap there, after 26.5 h. */
export const CLOCK_WRAP = 2 ** 33;
export const CLOCK_HZ = 90_000;

export function pidAt(buffer: Uint8Array, at: number): number {
  return (((buffer[at + 1] ?? 0) & 0x1f) << 8) | (buffer[at + 2] ?? 0);
}

/** Payload unit start: a PES packet or a section begins here. */
export function startsUnit(buffer: Uint8Array, at: number): boolean {
  return ((buffer[at + 1] ?? 0) & 0x40) !== 0;
}

export function hasPayload(buffer: Uint8Array, at: number): boolean {
  return ((buffer[at + 3] ?? 0) & 0x10) !== 0;
}

/** Only who has the key can read its payload. */
export function isScrambled(buffer: Uint8Array, at: number): boolean {
  return ((buffer[at + 3] ?? 0) & 0xc0) !== 0;
}

/** Flags of the adaptation field (0x80 discontinuity, 0x40 random access, 0x10 PCR, 0x08 OPCR), 0 without one. */
export function adaptationFlags(buffer: Uint8Array, at: number): number {
  const has = ((buffer[at + 3] ?? 0) & 0x20) !== 0 && (buffer[at + 4] ?? 0) > 0;
  return has ? (buffer[at + 5] ?? 0) : 0;
}

/** Offset of the payload, or the packet's end where there is none (or where the adaptation field claims it all). */
export function payloadAt(buffer: Uint8Array, at: number): number {
  const control = (buffer[at + 3] ?? 0) & 0x30;
  if ((control & 0x10) === 0) return at + PACKET_BYTES;
  if (control === 0x10) return at + 4;
  return Math.min(at + PACKET_BYTES, at + 5 + (buffer[at + 4] ?? 0));
}

/** Base of the PCR in 90 kHz ticks, or -1 where the packet has none. */
export function pcrAt(buffer: Uint8Array, at: number): number {
  if ((adaptationFlags(buffer, at) & 0x10) === 0 || (buffer[at + 4] ?? 0) < 7) return -1;
  return clockBase(buffer, at + 6);
}

/** 33 bits at 90 kHz, as PCR and OPCR have them. */
export function clockBase(buffer: Uint8Array, at: number): number {
  const high = (buffer[at] ?? 0) * 2 ** 25 + ((buffer[at + 1] ?? 0) << 17);
  return high + ((buffer[at + 2] ?? 0) << 9) + ((buffer[at + 3] ?? 0) << 1) + ((buffer[at + 4] ?? 0) >> 7);
}

export interface PesTimes {
  /** 90 kHz ticks, or -1. */
  readonly pts: number;
  readonly dts: number;
}

/** PTS and DTS of the PES header that begins at the payload of this packet, or null where none does. */
export function pesTimesAt(buffer: Uint8Array, at: number): PesTimes | null {
  const pes = payloadAt(buffer, at);
  if (!startsUnit(buffer, at) || pes + 14 > at + PACKET_BYTES) return null;
  if (buffer[pes] !== 0 || buffer[pes + 1] !== 0 || buffer[pes + 2] !== 1) return null;
  if (!hasPesHeader(buffer[pes + 3] ?? 0)) return null;
  const flags = (buffer[pes + 7] ?? 0) >> 6;
  const pts = flags >= 2 ? stampAt(buffer, pes + 9) : -1;
  const dts = flags === 3 && pes + 19 <= at + PACKET_BYTES ? stampAt(buffer, pes + 14) : pts;
  return { pts, dts };
}

/** The DTS there, the PTS where it has no other, or -1: `pesTimesAt` without an object a unit. */
export function pesDtsAt(buffer: Uint8Array, at: number): number {
  const pes = payloadAt(buffer, at);
  if (!startsUnit(buffer, at) || pes + 14 > at + PACKET_BYTES) return -1;
  if (buffer[pes] !== 0 || buffer[pes + 1] !== 0 || buffer[pes + 2] !== 1) return -1;
  if (!hasPesHeader(buffer[pes + 3] ?? 0)) return -1;
  const flags = (buffer[pes + 7] ?? 0) >> 6;
  if (flags < 2) return -1;
  return stampAt(buffer, flags === 3 && pes + 19 <= at + PACKET_BYTES ? pes + 14 : pes + 9);
}

/** Padding, private 2, program stream map and the like have no optional header (ISO 13818-1, 2.4.3.7). */
export function hasPesHeader(streamId: number): boolean {
  return streamId >= 0xbd && ![0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff].includes(streamId);
}

/** A PTS or DTS: 3 + 15 + 15 bits, each group followed by a marker bit. */
export function stampAt(buffer: Uint8Array, at: number): number {
  const high = (((buffer[at] ?? 0) >> 1) & 7) * 2 ** 30 + ((buffer[at + 1] ?? 0) << 22);
  const middle = ((buffer[at + 2] ?? 0) >> 1) << 15;
  return high + middle + ((buffer[at + 3] ?? 0) << 7) + ((buffer[at + 4] ?? 0) >> 1);
}

/** `later - earlier` on a clock that wraps: between -2^32 and 2^32. */
export function ticksBetween(earlier: number, later: number): number {
  const delta = (((later - earlier) % CLOCK_WRAP) + CLOCK_WRAP) % CLOCK_WRAP;
  return delta > CLOCK_WRAP / 2 ? delta - CLOCK_WRAP : delta;
}
