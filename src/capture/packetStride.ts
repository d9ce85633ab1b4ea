/**
 * Transport streams whose packets are longer than 188 bytes (PROTOCOLS §6.1): M2TS puts four bytes of a clock in front
 * of each, broadcast gear sixteen of Reed-Solomon code behind. What is more than a packet is taken off here, so that
 * everything after sees packets alone.
 */
import { PACKET_BYTES, SYNC_BYTE } from './tsPackets.js';

/** Sync bytes that must follow each other at one stride before it is believed. */
const LOCK_STRIDES = 5;
const STRIDES = [192, 204] as const;

/** Bytes from which on it is not sure yet whether one of these begins there. */
export const STRIDE_LOOK_BYTES = (LOCK_STRIDES - 1) * Math.max(...STRIDES);

export interface Stride {
  readonly bytes: number;
  /** Of the first packet. */
  readonly at: number;
}

/** The first place where packets that are longer than they should be follow each other, or null. */
export function findStride(bytes: Uint8Array): Stride | null {
  let first: Stride | null = null;
  for (const stride of STRIDES) {
    const at = lockAt(bytes, stride);
    if (at >= 0 && (first === null || at < first.at)) first = { bytes: stride, at };
  }
  return first;
}

/** First offset from `from` on where five sync bytes follow at the stride of plain packets, or -1. */
export function findLock(bytes: Uint8Array, from = 0): number {
  return lockAt(bytes, PACKET_BYTES, from);
}

/** Whether this begins like a transport stream, whatever the stride of its packets. */
export function isTransportStream(bytes: Uint8Array): boolean {
  return findLock(bytes) >= 0 || findStride(bytes) !== null;
}

function lockAt(bytes: Uint8Array, stride: number, from = 0): number {
  const span = (LOCK_STRIDES - 1) * stride;
  for (let at = from; at + span < bytes.length; at++) {
    let found = 0;
    while (found < LOCK_STRIDES && bytes[at + found * stride] === SYNC_BYTE) found++;
    if (found === LOCK_STRIDES) return at;
  }
  return -1;
}

export interface Stripper {
  push(chunk: Buffer): void;
  /** Nothing follows; gives the bytes that belonged to no packet. */
  end(): number;
}

/**
 * Gives `sink` the packets of a stream whose stride is known and that begins with one. A packet goes out when the next
 * one is where it should be; where it is not, all from there on is given to `onLost`, and nothing is taken any more.
 */
export function packetStripper(
  stride: number,
  sink: (buffer: Buffer, from: number, to: number) => void,
  onLost: (rest: Buffer) => void,
): Stripper {
  let rest: Buffer = Buffer.alloc(0);

  return {
    push(chunk) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const packets = Buffer.allocUnsafe(Math.ceil(bytes.length / stride) * PACKET_BYTES);
      let filled = 0;
      let at = 0;
      for (; bytes[at] === SYNC_BYTE && bytes[at + stride] === SYNC_BYTE; at += stride)
        filled += bytes.copy(packets, filled, at, at + PACKET_BYTES);
      rest = Buffer.from(bytes.subarray(at));
      if (filled > 0) sink(packets, 0, filled);
      if (rest.length > stride || (rest.length > 0 && rest[0] !== SYNC_BYTE)) onLost(rest);
    },
    end() {
      if (rest.length < PACKET_BYTES) return rest.length;
      sink(rest, 0, PACKET_BYTES);
      return Math.max(0, rest.length - stride);
    },
  };
}
