/**
 * Blocks of memory for media on its way, used again and again: new ones for every quarter of a megabyte of every stream
 * would keep the garbage collector busier than the streams do. Whoever holds a view of a block longer than a call says
 * so, and says when it is done; a block that somebody forgets to give back is left to the collector, so forgetting costs
 * speed and no more. Views of anything else may be kept and dropped, too; that does nothing.
 */
import { PACKET_BYTES } from './tsPackets.js';

/** 256 KiB and a little, in whole packets. */
export const BLOCK_BYTES = 1400 * PACKET_BYTES;
/** What is kept for later: of a few segments on their way in and out. */
const SPARE_MAX = 160;

const holders = new WeakMap<ArrayBufferLike, number>();
const spare: Buffer[] = [];

/** One holder: the caller. */
export function takeBlock(): Buffer {
  const block = spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  holders.set(block.buffer, 1);
  return block;
}

/** Whether it is a view of a block that somebody holds, so that its bytes stay as they are for whoever keeps it. */
export function isLent({ buffer }: Buffer): boolean {
  return holders.has(buffer);
}

export function keepBlock({ buffer }: Buffer): void {
  const count = holders.get(buffer);
  if (count !== undefined) holders.set(buffer, count + 1);
}

/** Once for every time that it was taken or kept: its bytes may be others from now on. */
export function dropBlock({ buffer }: Buffer): void {
  const count = holders.get(buffer);
  if (count === undefined) return;
  if (count > 1) {
    holders.set(buffer, count - 1);
    return;
  }
  holders.delete(buffer);
  if (spare.length < SPARE_MAX) spare.push(Buffer.from(buffer));
}

export function dropBlocks(views: readonly Buffer[]): void {
  for (const view of views) dropBlock(view);
}
