/**
 * Cuts what comes over a connection into packets, whatever their stride is, and finds them again where bytes are missing
 * or the stride becomes another one. Everything after this file sees whole packets only, as runs `(buffer, from, to)` of
 * a length that is a multiple of 188 (P1: what is written can always be appended to). The loops are plain: 40 streams of
 * 9 Mbit/s go through them in a few percent of a core.
 */
import { findLock, findStride, packetStripper, STRIDE_LOOK_BYTES, type Stripper } from './packetStride.js';
import { PACKET_BYTES, SYNC_BYTE } from './tsPackets.js';

/**
 * Whole packets: `to - from` is a multiple of 188, and every packet begins with 0x47. Valid during the call only.
 * `isEarlier`: it is one that began to come with an earlier chunk, and was held back.
 */
export type PacketSink = (buffer: Buffer, from: number, to: number, isEarlier?: boolean) => void;

export interface PacketAligner {
  push(chunk: Buffer): void;
  /** Nothing follows: gives out a whole packet that was held back. What is left of a torn one is dropped. */
  end(): void;
  /** Times the packet grid was lost. */
  syncLosses(): number;
  /** Bytes that belonged to no packet, the torn end included once `end` was called. */
  skippedBytes(): number;
}

/** No stride puts more between the beginnings of two packets, nor any change from one to another. */
const NEXT_BYTES_MAX = 208;

/**
 * Cuts chunks of any size into runs of whole packets. The last packet is held back until the sync byte after it is
 * seen: where bytes were lost inside a packet, the next grid begins within it, and a packet made of two halves would
 * only harm the decoder.
 */
export function packetAligner(sink: PacketSink): PacketAligner {
  const held = Buffer.alloc(2 * PACKET_BYTES);
  let heldBytes = 0;
  /** While the grid is unknown: what came since. */
  let search: Buffer | null = Buffer.alloc(0);
  /** That begins with a packet that may be whole or torn: the stride that was lost there; else 0. */
  let suspect = 0;
  /** While the packets that come are longer than they should be. */
  let stripper: Stripper | null = null;
  let syncLosses = 0;
  let skippedBytes = 0;

  function hold(chunk: Buffer, from: number, to: number): void {
    chunk.copy(held, heldBytes, from, to);
    heldBytes += to - from;
  }

  /** These begin with a packet whose successor is not where it should be. */
  function lose(bytes: Buffer, stride: number): void {
    syncLosses++;
    suspect = stride;
    search = bytes;
    relock();
  }

  /**
   * What is searched comes before the next grid as far as `past`. The packet that it may begin with is whole where the
   * next one comes behind it; one of a longer stride only where that is another one then.
   */
  function judge(bytes: Buffer, past: number, stride: number): void {
    const isWhole = suspect > 0 && past >= PACKET_BYTES;
    if (isWhole && (suspect === PACKET_BYTES || suspect !== stride)) {
      sink(bytes, 0, PACKET_BYTES);
      skippedBytes -= PACKET_BYTES;
    }
    skippedBytes += past;
    suspect = 0;
  }

  /** Finds the grid, whatever its stride is now: a provider may put another multiplexer behind the first. */
  function relock(): void {
    if (!search) return;
    const bytes = search;
    const lock = findLock(bytes, suspect > 0 ? 1 : 0);
    const other = findStride(bytes);
    if (other && (lock < 0 || other.at < lock)) {
      judge(bytes, other.at, other.bytes);
      search = null;
      stripper = packetStripper(other.bytes, sink, (rest) => {
        stripper = null;
        lose(rest, other.bytes);
      });
      stripper.push(bytes.subarray(other.at));
    } else if (lock >= 0) {
      judge(bytes, lock, PACKET_BYTES);
      search = null;
      locked(bytes, lock);
    } else {
      // Whatever cannot be the first of five any more is no packet.
      const past = Math.max(0, bytes.length - STRIDE_LOOK_BYTES);
      if (suspect > 0 && past <= NEXT_BYTES_MAX) return;
      judge(bytes, past, suspect);
      search = bytes.subarray(past);
    }
  }

  /** `chunk[start]` begins a packet and nothing is held. */
  function locked(chunk: Buffer, start: number): void {
    let at = start;
    const { length } = chunk;
    while (at < length && chunk[at] === SYNC_BYTE) at += PACKET_BYTES;
    if (at >= length) {
      // The grid is whole as far as it can be seen. The last packet, whole or not, waits for its successor.
      const last = at - PACKET_BYTES;
      if (last > start) sink(chunk, start, last);
      if (last >= start) hold(chunk, last, length);
      return;
    }
    const last = at - PACKET_BYTES;
    if (last > start) sink(chunk, start, last);
    lose(Buffer.from(chunk.subarray(Math.max(start, last))), PACKET_BYTES);
  }

  return {
    push(chunk) {
      if (stripper) {
        stripper.push(chunk);
        return;
      }
      if (search) {
        search = Buffer.concat([search, chunk]);
        relock();
        return;
      }
      let at = 0;
      if (heldBytes > 0) {
        // To the end of the held packet, and one byte further to see the grid go on.
        at = Math.min(chunk.length, PACKET_BYTES - heldBytes);
        if (heldBytes < PACKET_BYTES) hold(chunk, 0, at);
        else at = 0;
        if (at >= chunk.length) return;
        if (chunk[at] !== SYNC_BYTE) {
          const bytes = Buffer.concat([held.subarray(0, heldBytes), chunk.subarray(at)]);
          heldBytes = 0;
          lose(bytes, PACKET_BYTES);
          return;
        }
        heldBytes = 0;
        sink(held, 0, PACKET_BYTES, true);
      }
      locked(chunk, at);
    },
    end() {
      skippedBytes += stripper?.end() ?? 0;
      if (search && suspect === PACKET_BYTES && search.length >= PACKET_BYTES) {
        sink(search, 0, PACKET_BYTES);
        skippedBytes -= PACKET_BYTES;
      }
      if (search) skippedBytes += search.length;
      else if (heldBytes >= PACKET_BYTES) sink(held, 0, PACKET_BYTES);
      else skippedBytes += heldBytes;
      search = null;
      heldBytes = 0;
    },
    syncLosses: () => syncLosses,
    skippedBytes: () => skippedBytes,
  };
}
