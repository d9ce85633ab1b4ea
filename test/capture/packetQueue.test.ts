import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dropBlock, takeBlock } from '../../src/capture/lentBlocks.js';
import { packetQueue } from '../../src/capture/packetQueue.js';
import { startPoint } from '../../src/capture/startPoint.js';
import { packetAligner } from '../../src/capture/packetAligner.js';
import { PACKET_BYTES } from '../../src/capture/tsPackets.js';
import { clipBytes } from '../media/clip.js';
import { breaksOf, decode } from '../media/frames.js';

const VIDEO = 0x100;
const AUDIO = 0x101;

/** `starts` a PES packet of `pesBytes` after its first six bytes (0: no length given). */
function packet(pid: number, tag: number, starts?: { readonly pesBytes: number }): Buffer {
  const bytes = Buffer.alloc(PACKET_BYTES, tag);
  Buffer.from([0x47, (starts ? 0x40 : 0) | (pid >> 8), pid & 0xff, 0x10]).copy(bytes);
  if (starts) {
    Buffer.from([0, 0, 1, 0xe0, starts.pesBytes >> 8, starts.pesBytes & 0xff]).copy(bytes, 4);
  }
  return bytes;
}

const taken = (views: readonly Uint8Array[]) => Buffer.concat(views);

describe('the packet queue', () => {
  it('gives out what was put in, in order, in any portions', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4_000 }), { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 12 }),
        (runs, portions) => {
          const queue = packetQueue();
          const put: Buffer[] = [];
          const got: Buffer[] = [];
          runs.forEach((count, i) => {
            const run = Buffer.concat(
              Array.from({ length: count }, (_, n) => packet(VIDEO, (i * 7 + n) & 0xff)),
            );
            put.push(run);
            queue.append(run, 0, run.length, 0);
            const bytes = Math.min(queue.readyBytes(0), (portions[i % portions.length] ?? 1) * PACKET_BYTES);
            got.push(taken(queue.peek(bytes)));
            queue.release(bytes);
          });
          got.push(taken(queue.peek(queue.pendingBytes())));
          expect(Buffer.concat(got).equals(Buffer.concat(put))).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('keeps what is in lent blocks without copying it, whoever takes blocks meanwhile', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ count: fc.integer({ min: 1, max: 1_400 }), lent: fc.boolean(), out: fc.nat(2_000) }),
          { maxLength: 16 },
        ),
        fc.boolean(),
        (runs, isSealed) => {
          const queue = packetQueue();
          const put: Buffer[] = [];
          const got: Buffer[] = [];
          const take = (bytes: number) => {
            got.push(taken(queue.peek(bytes)));
            queue.release(bytes);
          };
          runs.forEach(({ count, lent, out }, i) => {
            const run = Buffer.concat(
              Array.from({ length: count }, (_, n) => packet(VIDEO, (i * 7 + n) & 0xff)),
            );
            put.push(run);
            const buffer = lent ? takeBlock() : Buffer.from(run);
            run.copy(buffer);
            queue.append(buffer, 0, run.length, 0);
            if (lent) dropBlock(buffer);
            // Of somebody else, who fills it at once.
            const other = takeBlock();
            other.fill(0xee);
            dropBlock(other);
            take(Math.min(queue.readyBytes(0), out * PACKET_BYTES));
          });
          if (isSealed) queue.seal();
          take(queue.pendingBytes());
          expect(queue.pendingBytes()).toBe(0);
          expect(Buffer.concat(got).equals(Buffer.concat(put))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('copies nothing of a long run in a lent block', () => {
    const queue = packetQueue();
    const block = takeBlock();
    for (let at = 0; at < block.length; at += PACKET_BYTES) packet(VIDEO, 1).copy(block, at);
    queue.append(block, 0, block.length, 0);
    expect(queue.peek(block.length).map(({ buffer }) => buffer)).toEqual([block.buffer]);
    queue.release(block.length);
    dropBlock(block);
    expect(takeBlock().buffer).toBe(block.buffer);
  });

  it('holds an unfinished picture back until the next one begins', () => {
    const queue = packetQueue();
    const first = Buffer.concat([packet(VIDEO, 1, { pesBytes: 0 }), packet(VIDEO, 2)]);
    queue.append(first, 0, first.length, 0);
    expect(queue.readyBytes(10)).toBe(0);
    const next = packet(VIDEO, 3, { pesBytes: 0 });
    queue.append(next, 0, next.length, 40);
    expect(queue.readyBytes(50)).toBe(first.length);
  });

  it('does not wait for a stream that fell silent', () => {
    const queue = packetQueue();
    const bytes = packet(AUDIO, 1, { pesBytes: 0 });
    queue.append(bytes, 0, bytes.length, 0);
    expect(queue.readyBytes(499)).toBe(0);
    expect(queue.readyBytes(500)).toBe(PACKET_BYTES);
  });

  it('drops at its end what is unfinished of each stream, and only that', () => {
    const queue = packetQueue();
    const kept = [
      packet(VIDEO, 1, { pesBytes: 0 }),
      packet(VIDEO, 2),
      packet(AUDIO, 3, { pesBytes: 178 }),
      packet(0, 4),
    ];
    const all = [kept[0], kept[1], packet(VIDEO, 9, { pesBytes: 0 }), kept[2], packet(VIDEO, 9), kept[3]];
    const bytes = Buffer.concat(all.filter((one) => one !== undefined));
    queue.append(bytes, 0, bytes.length, 0);
    expect(queue.seal()).toBe(2 * PACKET_BYTES);
    expect(queue.readyBytes(0)).toBe(kept.length * PACKET_BYTES);
    expect(taken(queue.peek(queue.pendingBytes())).equals(Buffer.concat(kept))).toBe(true);
  });

  it('drops a unit whose length says that more should come', () => {
    const queue = packetQueue();
    const bytes = packet(AUDIO, 1, { pesBytes: 179 });
    queue.append(bytes, 0, bytes.length, 0);
    expect(queue.seal()).toBe(PACKET_BYTES);
    expect(queue.pendingBytes()).toBe(0);
  });

  it('leaves a stream that was cut anywhere, at both ends, decodable without an error', async () => {
    const clip = await clipBytes({ pesBytes: 2_930 });
    const half = clip.length >> 1;
    await fc.assert(
      fc.asyncProperty(fc.nat(half), fc.nat(half >> 1), async (front, back) => {
        const queue = packetQueue();
        const start = startPoint((buffer, from, to) => queue.append(buffer, from, to, 0));
        const aligner = packetAligner((buffer, from, to) => start.push(buffer, from, to, 0));
        aligner.push(clip.subarray(front, clip.length - back));
        aligner.end();
        queue.seal();
        const { frames, errors } = await decode(taken(queue.peek(queue.pendingBytes())), 'warning');
        expect(errors).toEqual([]);
        expect(frames.length).toBeGreaterThan(0);
        expect(breaksOf(frames)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});
