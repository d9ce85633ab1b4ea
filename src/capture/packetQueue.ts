/**
 * Packets on their way to the disk. They are copied here, so that a network chunk is free at once and the disk gets few
 * large buffers; long runs in a lent block (`lentBlocks.ts`) stay where they are. A PES packet is given out when it is whole (P7: a spool ends cleanly at almost any instant), and at
 * the end of a piece the unfinished one of each PID is dropped: no decoder could use it (P1).
 */
import { dropBlock, isLent, keepBlock, takeBlock } from './lentBlocks.js';
import { dropUnfinished } from './pesUnit.js';
import { hasPesHeader, NULL_PID, PACKET_BYTES, payloadAt, pidAt, startsUnit } from './tsPackets.js';

/** A unit that is not over after this long is not waited for: its PID is sparse, or dead. */
const HOLD_MS = 500;
/** Nothing is waited for when that much has gathered. */
const HOLD_BYTES = 4 * 1024 * 1024;
/** Of a lent block; less is copied. */
const KEPT_BYTES_MIN = 32 * 1024;
/** For what is copied between runs that are kept, which is a packet or two. */
const SMALL_BYTES = 8 * PACKET_BYTES;

interface Unit {
  /** Where it begins, counted from the queue's first byte. */
  readonly at: number;
  readonly mono: number;
}

export interface PacketQueue {
  /** Copies whole packets in; `mono` is when they came. */
  append(buffer: Buffer, from: number, to: number, mono: number): void;
  /** Bytes that wait, whether or not they may be written. */
  pendingBytes(): number;
  /** Bytes that may be written now. */
  readyBytes(mono: number): number;
  /** The oldest `bytes`, as views: theirs until `release`. */
  peek(bytes: number): Uint8Array[];
  release(bytes: number): void;
  /** Drops every unfinished PES packet at the end; afterwards all that waits may be written. Gives the bytes dropped. */
  seal(): number;
}

/** A run of bytes that follow each other in one buffer. */
interface Part {
  readonly buffer: Buffer;
  readonly from: number;
  to: number;
  /** Up to where it may be filled. */
  readonly end: number;
}

export function packetQueue(): PacketQueue {
  let parts: Part[] = [];
  /** Absolute offsets: of the first part, of what was released, of what was appended. */
  let base = 0;
  let head = 0;
  let tail = 0;
  /** The last PES packet that began, of each PID. */
  const units = new Map<number, Unit>();
  let sealed = false;
  let keeps = false;

  function note(buffer: Buffer, at: number, offset: number, mono: number): void {
    const pid = pidAt(buffer, at);
    const pes = payloadAt(buffer, at);
    if (pid === NULL_PID || pes + 4 > at + PACKET_BYTES) return;
    const starts = buffer[pes] === 0 && buffer[pes + 1] === 0 && buffer[pes + 2] === 1;
    if (starts && hasPesHeader(buffer[pes + 3] ?? 0)) units.set(pid, { at: offset, mono });
  }

  function room(bytes: number): Part {
    const last = parts.at(-1);
    if (last && last.to < last.end) return last;
    const buffer = keeps && bytes <= SMALL_BYTES ? Buffer.allocUnsafe(SMALL_BYTES) : takeBlock();
    const part = { buffer, from: 0, to: 0, end: buffer.length };
    parts.push(part);
    return part;
  }

  function copyIn(buffer: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      const part = room(to - at);
      const bytes = buffer.copy(part.buffer, part.to, at, Math.min(to, at + part.end - part.to));
      at += bytes;
      part.to += bytes;
      tail += bytes;
    }
  }

  function keep(buffer: Buffer, from: number, to: number): void {
    keepBlock(buffer);
    keeps = true;
    parts.push({ buffer, from, to, end: to });
    tail += to - from;
  }

  function peek(bytes: number): Uint8Array[] {
    const views: Uint8Array[] = [];
    let at = base;
    const end = Math.min(tail, head + bytes);
    for (const { buffer, from, to } of parts) {
      if (at >= end) break;
      const start = from + Math.max(0, head - at);
      const stop = Math.min(to, from + end - at);
      if (stop > start) views.push(buffer.subarray(start, stop));
      at += to - from;
    }
    return views;
  }

  function dropAll(): void {
    for (const { buffer } of parts) dropBlock(buffer);
    parts = [];
    base = head;
  }

  return {
    append(buffer, from, to, mono) {
      for (let at = from; at < to; at += PACKET_BYTES) {
        if (startsUnit(buffer, at)) note(buffer, at, tail + at - from, mono);
      }
      if (to - from >= KEPT_BYTES_MIN && isLent(buffer)) keep(buffer, from, to);
      else copyIn(buffer, from, to);
    },
    pendingBytes: () => tail - head,
    readyBytes(mono) {
      let until = tail;
      if (!sealed && tail - head < HOLD_BYTES) {
        for (const unit of units.values()) {
          if (mono - unit.mono < HOLD_MS) until = Math.min(until, unit.at);
        }
      }
      return Math.max(0, until - head);
    },
    peek,
    release(bytes) {
      head += bytes;
      for (let first = parts[0]; first; first = parts[0]) {
        const isOpen = parts.length === 1 && first.to < first.end && !sealed;
        if (base + first.to - first.from > head || isOpen) break;
        parts.shift();
        base += first.to - first.from;
        dropBlock(first.buffer);
      }
    },
    seal() {
      sealed = true;
      const pending = Buffer.concat(peek(tail - head));
      const begun = new Map([...units].map(([pid, unit]) => [pid, unit.at - head]));
      const { keptBytes: kept } = dropUnfinished(pending, begun);
      dropAll();
      tail = head;
      copyIn(pending, 0, kept);
      units.clear();
      return pending.length - kept;
    },
  };
}
