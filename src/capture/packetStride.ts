/**
 * Transport streams whose packets are longer than 188 bytes (PROTOCOLS §6.1): M2TS puts four bytes of a clock in front
 * of each, broadcast gear sixteen of Reed-Solomon code behind. What is more than a packet is taken off here, so that
 * everything after sees packets alone.
 */

const PACKET_BYTES = 188;
const SYNC_BYTE = 0x47;
/** Sync bytes that must follow each other at one stride before it is believed. */
const LOCK_STRIDES = 5;
const STRIDES = [192, 204] as const;

/** Enough to tell any stride, from any position inside a packet. */
export const STRIDE_LOOK_BYTES = (LOCK_STRIDES - 1) * 204 + 204;

export interface Stride {
  readonly bytes: number;
  /** Of the first packet. */
  readonly at: number;
}

/** The stride of packets that are longer than they should be, or null. */
export function findStride(bytes: Uint8Array): Stride | null {
  for (const stride of STRIDES) {
    const at = lockAt(bytes, stride, 0);
    if (at >= 0) return { bytes: stride, at };
  }
  return null;
}

function lockAt(bytes: Uint8Array, stride: number, from: number): number {
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
  end(): void;
  syncLosses(): number;
  /** Bytes that belonged to no packet; what is taken off between packets is no loss. */
  skippedBytes(): number;
}

/** Gives `sink` the packets of a stream whose stride is known. A packet goes out when it is whole. */
export function packetStripper(
  stride: number,
  sink: (buffer: Buffer, from: number, to: number) => void,
): Stripper {
  let rest: Buffer = Buffer.alloc(0);
  let locked = false;
  let syncLosses = 0;
  let skippedBytes = 0;

  function relock(bytes: Buffer): number {
    const at = lockAt(bytes, stride, 0);
    if (at >= 0) {
      locked = true;
      skippedBytes += at;
      return at;
    }
    // The last bytes may be the beginning of what is looked for.
    const past = Math.max(0, bytes.length - (LOCK_STRIDES - 1) * stride);
    skippedBytes += past;
    return past;
  }

  function take(bytes: Buffer): Buffer {
    const packets = Buffer.allocUnsafe(Math.ceil(bytes.length / stride) * PACKET_BYTES);
    let filled = 0;
    let at = 0;
    for (;;) {
      if (!locked) {
        at += relock(bytes.subarray(at));
        if (!locked) break;
      }
      if (at + PACKET_BYTES > bytes.length) break;
      const next = at + stride;
      // The sync byte that should follow tells whether this packet is one.
      if (next < bytes.length ? bytes[next] !== SYNC_BYTE : bytes[at] !== SYNC_BYTE) {
        locked = false;
        syncLosses++;
        skippedBytes++;
        at++;
        continue;
      }
      if (next >= bytes.length) break;
      filled += bytes.copy(packets, filled, at, at + PACKET_BYTES);
      at = next;
    }
    if (filled > 0) sink(packets, 0, filled);
    return Buffer.from(bytes.subarray(at));
  }

  return {
    push(chunk) {
      rest = take(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
    },
    end() {
      const whole = locked && rest.length >= PACKET_BYTES && rest[0] === SYNC_BYTE;
      if (whole) sink(Buffer.from(rest.subarray(0, PACKET_BYTES)), 0, PACKET_BYTES);
      skippedBytes += whole ? Math.max(0, rest.length - stride) : rest.length;
      rest = Buffer.alloc(0);
    },
    syncLosses: () => syncLosses,
    skippedBytes: () => skippedBytes,
  };
}
