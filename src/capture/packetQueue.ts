/**
 * Packets on their way to the disk. They are copied here, so that a network chunk is free at once and the disk gets few
 * large buffers. A PES packet is given out when it is whole (P7: a spool ends cleanly at almost any instant), and at
 * the end of a piece the unfinished one of each PID is dropped: no decoder could use it (P1).
 */
import { BLOCK_BYTES, dropBlock, dropBlocks, takeBlock } from './lentBlocks.js';
import { dropUnfinished } from './pesUnit.js';
import { hasPesHeader, NULL_PID, PACKET_BYTES, payloadAt, pidAt, startsUnit } from './tsPackets.js';

/** A unit that is not over after this long is not waited for: its PID is sparse, or dead. */
const HOLD_MS = 500;
/** Nothing is waited for when that much has gathered. */
const HOLD_BYTES = 4 * 1024 * 1024;

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

export function packetQueue(): PacketQueue {
  let blocks: Buffer[] = [];
  /** Absolute offsets: of the first block, of what was released, of what was appended. */
  let base = 0;
  let head = 0;
  let tail = 0;
  /** The last PES packet that began, of each PID. */
  const units = new Map<number, Unit>();
  let sealed = false;

  function note(buffer: Buffer, at: number, offset: number, mono: number): void {
    const pid = pidAt(buffer, at);
    const pes = payloadAt(buffer, at);
    if (pid === NULL_PID || pes + 4 > at + PACKET_BYTES) return;
    const starts = buffer[pes] === 0 && buffer[pes + 1] === 0 && buffer[pes + 2] === 1;
    if (starts && hasPesHeader(buffer[pes + 3] ?? 0)) units.set(pid, { at: offset, mono });
  }

  function copyIn(buffer: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      const used = (tail - base) % BLOCK_BYTES;
      if (tail - base === blocks.length * BLOCK_BYTES) {
        blocks.push(takeBlock());
      }
      const block = blocks[blocks.length - 1];
      if (!block) return;
      const bytes = buffer.copy(block, used, at, to);
      at += bytes;
      tail += bytes;
    }
  }

  function peek(bytes: number): Uint8Array[] {
    const views: Uint8Array[] = [];
    let at = head;
    const end = Math.min(tail, head + bytes);
    while (at < end) {
      const index = Math.floor((at - base) / BLOCK_BYTES);
      const start = at - base - index * BLOCK_BYTES;
      const view = blocks[index]?.subarray(start, Math.min(BLOCK_BYTES, start + end - at));
      if (!view) return views;
      views.push(view);
      at += view.length;
    }
    return views;
  }

  return {
    append(buffer, from, to, mono) {
      for (let at = from; at < to; at += PACKET_BYTES) {
        if (startsUnit(buffer, at)) note(buffer, at, tail + at - from, mono);
      }
      copyIn(buffer, from, to);
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
      while (head - base >= BLOCK_BYTES) {
        const block = blocks.shift();
        base += BLOCK_BYTES;
        if (block) dropBlock(block);
      }
      if (!sealed || head < tail) return;
      dropBlocks(blocks);
      blocks = [];
      base = head;
    },
    seal() {
      sealed = true;
      const pending = Buffer.concat(peek(tail - head));
      const begun = new Map([...units].map(([pid, unit]) => [pid, unit.at - head]));
      const { keptBytes: kept } = dropUnfinished(pending, begun);
      dropBlocks(blocks);
      blocks = [];
      base = head;
      tail = head;
      copyIn(pending, 0, kept);
      units.clear();
      return pending.length - kept;
    },
  };
}
