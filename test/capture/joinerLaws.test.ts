import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasPayload, PACKET_BYTES, pidAt, startsUnit } from '../../src/capture/tsPackets.js';
import { clipBytes } from '../media/clip.js';
import { breaksOf, decode } from '../media/frames.js';
import { faultsOf, payloads, recordPiece, recordPieces, remuxed } from './spoolOfPieces.js';

const VIDEO = 0x100;
const AUDIO = 0x101;
const FRAMES = 160;
/** B-frames, and sound in packets with pictures between them. */
let clip: Buffer;
let pictures: string[];
let sounds: string[];
beforeAll(async () => {
  clip = await clipBytes({ encoder: '-bf 2 -b_strategy 0', pesBytes: 700 });
  const { spool } = await recordPieces([clip]);
  pictures = payloads(spool, VIDEO);
  sounds = payloads(spool, AUDIO);
  expect(pictures.length).toBeGreaterThanOrEqual(FRAMES - 1);
});

/** `inside`: bytes into the packet at that share of the clip. */
const cutAt = (share: number, inside = 0) =>
  Math.min(clip.length, Math.floor((share * clip.length) / PACKET_BYTES) * PACKET_BYTES + inside);

/** Whether the pictures of a file are those of the clip in their order, some left out. */
function isInOrder(spool: Buffer): boolean {
  let place = -1;
  return payloads(spool, VIDEO).every((unit) => (place = pictures.indexOf(unit, place + 1)) >= 0);
}

const pieceCut = fc.record({
  /** Of the clip, where the piece ends, after the last one's end. */
  length: fc.double({ min: 0.05, max: 0.5, noNaN: true }),
  /** How far it begins before the end of the last one: before the key frame that may be torn there. */
  overlap: fc.double({ min: 0.08, max: 0.4, noNaN: true }),
  inside: fc.nat(PACKET_BYTES - 1),
  chunkBytes: fc.integer({ min: 200, max: 20_000 }),
  /** Another multiplex: its clock, its counters. */
  ticks: fc.option(
    fc.nat(2 ** 31 - 1).map((ticks) => ticks * 4),
    { nil: null },
  ),
  counters: fc.nat(15),
});

interface Cut {
  readonly length: number;
  readonly overlap: number;
  readonly inside: number;
  readonly chunkBytes: number;
  readonly ticks: number | null;
  readonly counters: number;
}

/** Pieces of one encode, each of which repeats some of what was there before. */
async function record(cuts: readonly Cut[]): Promise<Buffer> {
  let spool: Buffer = Buffer.alloc(0);
  let end = 0.25;
  ({ spool } = await recordPiece(spool, clip.subarray(0, cutAt(end))));
  for (const [n, { length, overlap, inside, chunkBytes, ticks, counters }] of cuts.entries()) {
    const from = Math.max(0, end - overlap);
    end = n === cuts.length - 1 ? 1 : Math.min(1, end + length);
    const whole = ticks === null ? clip : remuxed(clip, new Map(), ticks, counters);
    ({ spool } = await recordPiece(spool, whole.subarray(cutAt(from, inside), cutAt(end, inside)), {
      chunkBytes,
    }));
  }
  return spool;
}

describe('pieces of one encode, cut anywhere, that overlap', () => {
  it('make a file of whole packets, one clock and one counter a PID, with each picture and sound once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(pieceCut, { minLength: 1, maxLength: 4 }), async (cuts) => {
        // Enough in common to see it in another multiplex as well: a group of pictures and three more.
        const spool = await record(
          cuts.map((cut) => ({
            ...cut,
            overlap: cut.ticks === null ? cut.overlap : Math.max(0.2, cut.overlap),
          })),
        );
        expect(faultsOf(spool)).toEqual([]);
        expect(payloads(spool, VIDEO)).toEqual(pictures);
        expect(payloads(spool, AUDIO)).toEqual(sounds);
      }),
      { numRuns: 60 },
    );
  });

  it('decode without a word', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(pieceCut, { minLength: 1, maxLength: 4 }), async (cuts) => {
        const { frames, errors } = await decode(
          await record(cuts.map((cut) => ({ ...cut, overlap: 0.3 }))),
          'warning',
        );
        expect(errors).toEqual([]);
        expect(breaksOf(frames)).toEqual([]);
        expect(frames.length).toBe(pictures.length);
      }),
      { numRuns: 12 },
    );
  });
});

describe('pieces of one encode with or without a hole between them', () => {
  it('never bring a picture twice or out of order, and keep the clock', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.2, max: 0.6, noNaN: true }),
        fc.double({ min: -0.15, max: 0.15, noNaN: true }),
        fc.nat(PACKET_BYTES - 1),
        fc.boolean(),
        fc.nat(20_000),
        async (end, hole, inside, sameClock, silentMs) => {
          const first = await recordPieces([clip.subarray(0, cutAt(end, inside))]);
          const source = sameClock ? clip : remuxed(clip, new Map(), 2 ** 32 + 7, 3);
          const piece = source.subarray(cutAt(end + hole, inside));
          const { spool, join } = await recordPiece(first.spool, piece, { silentMs });
          expect(faultsOf(spool)).toEqual([]);
          expect(spool.subarray(0, first.spool.length).equals(first.spool)).toBe(true);
          if (hole >= 0 || sameClock || join?.approximate === false) expect(isInOrder(spool)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('decode without a word, whatever is missing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.2, max: 0.5, noNaN: true }),
        fc.double({ min: 0.01, max: 0.3, noNaN: true }),
        fc.boolean(),
        async (end, hole, sameClock) => {
          const first = await recordPieces([clip.subarray(0, cutAt(end))]);
          const source = sameClock ? clip : remuxed(clip, new Map(), 2 ** 33 - 90_000 * 4, 3);
          const { spool } = await recordPiece(first.spool, source.subarray(cutAt(end + hole)), {
            silentMs: 2_000,
          });
          const { frames, errors } = await decode(spool, 'warning');
          expect(errors).toEqual([]);
          expect(frames.every((frame, n) => n === 0 || frame > (frames[n - 1] ?? 0))).toBe(true);
        },
      ),
      { numRuns: 12 },
    );
  });
});

describe('a spool that was cut anywhere', () => {
  it('loses what was unfinished at its end and nothing else, and goes on clean', async () => {
    const { spool } = await recordPieces([clip]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 60 * PACKET_BYTES, max: spool.length - 1 }), async (bytes) => {
        const torn = spool.subarray(0, bytes);
        const { spool: joined, trimmedBytes } = await recordPiece(torn, clip.subarray(cutAt(0, 90)));
        expect(faultsOf(joined)).toEqual([]);
        expect(payloads(joined, VIDEO)).toEqual(pictures);
        expect(payloads(joined, AUDIO)).toEqual(sounds);
        expect(trimmedBytes).toBeLessThan(unfinishedBytesMax(torn));
      }),
      { numRuns: 60 },
    );
  });

  it('decodes clean from the first packet to the last, with another clock behind the joint', async () => {
    const { spool } = await recordPieces([clip]);
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0.1, max: 0.5, noNaN: true }), fc.nat(187), async (share, inside) => {
        const torn = spool.subarray(0, cutAt(share, inside));
        const later = remuxed(clip, new Map(), 90_000 * 1_000, 2).subarray(cutAt(share + 0.2));
        const { spool: joined } = await recordPiece(torn, later, { silentMs: 3_000 });
        expect(faultsOf(joined)).toEqual([]);
        expect((await decode(joined, 'warning')).errors).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });
});

describe('bytes that are no stream at all', () => {
  const noise = fc.record({
    packets: fc.integer({ min: 1, max: 400 }),
    seed: fc.integer(),
    /** Of the packets, how many are those of the clip. */
    sense: fc.double({ min: 0, max: 1, noNaN: true }),
  });

  it('are joined without a throw, before and after a joint, and come out in whole packets', async () => {
    await fc.assert(
      fc.asyncProperty(noise, noise, async (before, after) => {
        const { spool } = await recordPiece(noisy(before), noisy(after), { msPerByte: 0.2 });
        expect(spool.length % PACKET_BYTES).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});

/** Packets of the clip with others of random bytes between them, and random headers on some. */
function noisy({ packets, seed, sense }: { packets: number; seed: number; sense: number }): Buffer {
  let state = seed | 1;
  const random = () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x7fffffff;
  const bytes = Buffer.from(clip.subarray(0, packets * PACKET_BYTES));
  for (let at = 0; at < bytes.length; at += PACKET_BYTES) {
    if (random() < sense) continue;
    const to = random() < 0.5 ? at + PACKET_BYTES : at + 20;
    for (let n = at + (random() < 0.5 ? 1 : 3); n < to; n++) bytes[n] = Math.floor(random() * 256);
  }
  return bytes;
}

/** From the last unit of each PID on, its own packets; and a torn one. */
function unfinishedBytesMax(bytes: Buffer): number {
  const since = new Map<number, number>();
  for (let at = 0; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) {
    if (!hasPayload(bytes, at)) continue;
    const pid = pidAt(bytes, at);
    since.set(pid, (startsUnit(bytes, at) ? 0 : (since.get(pid) ?? 0)) + PACKET_BYTES);
  }
  return (since.get(VIDEO) ?? 0) + (since.get(AUDIO) ?? 0) + PACKET_BYTES;
}
