import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { isKey } from '../../src/capture/keyFrame.js';
import { openSpoolIndex, readIndexFacts, scanMedia } from '../../src/capture/spoolIndex.js';
import { PACKET_BYTES, payloadAt, pidAt, startsUnit } from '../../src/capture/tsPackets.js';
import { indexFacts, indexText, mediaIndexOf } from '../../src/domain/mediaIndex.js';
import { memoryDisk, type MemoryDisk } from '../sim/memoryDisk.js';
import { clipBytes } from '../media/clip.js';
import { recordPieces } from './spoolOfPieces.js';

const INDEX = '/out/.catchupd/index/1a2b3c4d';
/** Half a second from key frame to key frame. */
const SHAPE = { gop: 12, seconds: 12.8 };
let clip: Buffer;
/** Two pieces with a hole of some seconds between. */
let spool: Buffer;
beforeAll(async () => {
  clip = await clipBytes(SHAPE);
  const whole = (share: number) => Math.floor((clip.length * share) / PACKET_BYTES) * PACKET_BYTES;
  const pieces = [clip.subarray(0, whole(0.4)), clip.subarray(whole(0.7))];
  ({ spool } = await recordPieces(pieces, { silentMs: 4_000, msPerByte: 12_800 / clip.length }));
});

function diskWith(bytes: Buffer) {
  const disk = memoryDisk();
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
  return { disk, read };
}

/** Records `bytes[from..to]` of the spool with its index, in writes of `step` packets. */
async function grow(disk: MemoryDisk, bytes: Buffer, from: number, to: number, step = 40, trimmed = false) {
  const read = async (offset: number, length: number) =>
    bytes.subarray(offset, Math.min(to, offset + length));
  const index = await openSpoolIndex(disk, {
    path: INDEX,
    spoolBytes: from,
    trimmed,
    startedAt: 5_000,
    read,
  });
  if (!index) throw new Error('no index');
  for (let at = from; at < to; at += step * PACKET_BYTES) {
    index.push([bytes.subarray(at, Math.min(to, at + step * PACKET_BYTES))]);
    if (at % 5 === 0) await index.flush();
  }
  await index.close();
}

async function fromMedia(bytes: Buffer) {
  const lines = await scanMedia(
    async (offset, length) => bytes.subarray(offset, offset + length),
    indexFacts(''),
    bytes.length,
  );
  return mediaIndexOf(indexFacts(indexText([['start', 5_000], ...lines])));
}

const indexOn = async (disk: MemoryDisk) => mediaIndexOf(await readIndexFacts(disk, INDEX));

describe('the index of a spool', () => {
  it('names places where a decoder can begin, tables first where they are there', async () => {
    const { disk } = diskWith(spool);
    await grow(disk, spool, 0, spool.length);
    const { points, bytes, startedAt } = await indexOn(disk);
    expect({ bytes, startedAt }).toEqual({ bytes: spool.length, startedAt: 5_000 });
    expect(points.length).toBeGreaterThan(5);
    expect(points[0]?.offset).toBe(0);
    for (const { offset } of points) {
      expect(offset % PACKET_BYTES).toBe(0);
      let at = offset;
      while (
        pidAt(spool, at) === 0 ||
        pidAt(spool, at) === 0x1000 ||
        payloadAt(spool, at) === at + PACKET_BYTES
      )
        at += PACKET_BYTES;
      expect(startsUnit(spool, at) && isKey(spool, at, 0x1b)).toBe(true);
    }
  });

  it('has the length of the media, and the hole at its own', async () => {
    const { points } = await fromMedia(spool);
    const holes = points.filter(({ discontinuity }) => discontinuity);
    expect(holes).toHaveLength(1);
    const index = points.findIndex(({ discontinuity }) => discontinuity);
    const [before, after] = [points[index - 1], points[index]];
    const holeMs = (after?.atMs ?? 0) - (before?.atMs ?? 0) - (before?.durationMs ?? 0);
    // Thirty percent of the clip, and the wait for a key frame.
    expect(holeMs).toBeGreaterThan(3_000);
    expect(holeMs).toBeLessThan(5_500);
    expect(points[index]?.offset).toBeGreaterThan(0);
  });

  it('is the same however the packets were cut into writes', async () => {
    const whole = await fromMedia(spool);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 400 }), async (step) => {
        const { disk } = diskWith(spool);
        await grow(disk, spool, 0, spool.length, step);
        expect(await indexOn(disk)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it('is whole again after any crash: its file, the spool or both cut anywhere', async () => {
    const packets = spool.length / PACKET_BYTES;
    const whole = await fromMedia(spool);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(packets),
        fc.nat(packets),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        async (a, b, share, trimmed) => {
          const died = Math.max(a, b) * PACKET_BYTES;
          const left = Math.min(a, b) * PACKET_BYTES;
          const { disk } = diskWith(spool);
          await grow(disk, spool, 0, died);
          const text = await disk.readFile(INDEX);
          const file = await disk.open(INDEX, 'append');
          await file.truncate(Math.floor(text.length * share));
          await file.close();
          await grow(disk, spool, left, spool.length, 40, trimmed);
          const { points, bytes } = await indexOn(disk);
          expect(bytes).toBe(spool.length);
          // Where it went on, a point may have come in that is nearer to the last one than others are.
          const offsets = new Set(points.map(({ offset }) => offset));
          const lost = whole.points.filter(({ offset }) => !offsets.has(offset));
          expect(lost.length).toBeLessThanOrEqual(2);
          expect(points.every(({ offset }) => offset % PACKET_BYTES === 0)).toBe(true);
          expect(points.every(({ durationMs }) => durationMs >= 0 && durationMs < 6_000)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('lets a recording go on where its file cannot be written', async () => {
    const { disk, read } = diskWith(spool);
    disk.fault = (operation) => (operation === 'open' ? 'EROFS' : null);
    const input = { path: INDEX, spoolBytes: 0, trimmed: false, startedAt: 0, read };
    expect(await openSpoolIndex(disk, input)).toBeNull();
    disk.fault = () => null;
    const index = await openSpoolIndex(disk, input);
    disk.fault = (operation) => (operation === 'write' ? 'ENOSPC' : null);
    index?.push([spool.subarray(0, 188 * 100)]);
    await index?.flush();
    await index?.close();
    disk.fault = () => null;
    expect((await readIndexFacts(disk, INDEX)).points).toEqual([]);
  });
});
