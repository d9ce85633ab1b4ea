import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packetAligner } from '../../src/capture/packetAligner.js';
import { findLock, isTransportStream } from '../../src/capture/packetStride.js';
import { PACKET_BYTES, pcrAt, pesTimesAt, pidAt, ticksBetween } from '../../src/capture/tsPackets.js';

/** Packets whose payload never looks like a sync byte, numbered in it. */
function packets(count: number): Buffer {
  const bytes = Buffer.alloc(count * PACKET_BYTES, 0x11);
  for (let n = 0; n < count; n++) {
    const at = n * PACKET_BYTES;
    Buffer.from([0x47, 0x01, 0x00, 0x10 | (n & 15)]).copy(bytes, at);
    bytes.writeUInt16BE(0x8000 | n, at + 4);
  }
  return bytes;
}

function align(chunks: readonly Buffer[]) {
  const out: Buffer[] = [];
  const aligner = packetAligner((buffer, from, to) => out.push(Buffer.from(buffer.subarray(from, to))));
  for (const chunk of chunks) aligner.push(chunk);
  aligner.end();
  return { out: Buffer.concat(out), losses: aligner.syncLosses(), skipped: aligner.skippedBytes() };
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const numbers = (bytes: Buffer) =>
  Array.from({ length: bytes.length / PACKET_BYTES }, (_, n) => bytes.readUInt16BE(n * PACKET_BYTES + 4));

/** The same packets as M2TS or with parity has them: `front` bytes before each, `back` behind. */
function padded(bytes: Buffer, front: number, back: number): Buffer {
  const count = bytes.length / PACKET_BYTES;
  return Buffer.concat(
    Array.from({ length: count }, (_, n) => [
      Buffer.alloc(front, 0xa0 + (n % 7)),
      bytes.subarray(n * PACKET_BYTES, (n + 1) * PACKET_BYTES),
      Buffer.alloc(back, 0xb0 + (n % 5)),
    ]).flat(),
  );
}

describe.each([
  ['a clock of four bytes in front of each', 4, 0],
  ['sixteen bytes of parity behind each', 0, 16],
])('packets with %s', (_, front, back) => {
  const stride = front + PACKET_BYTES + back;

  it('are given out as packets, however the bytes are cut and wherever they begin', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 9 }),
        fc.nat(stride - 1),
        (sizes, begin) => {
          const all = packets(20);
          const bytes = padded(all, front, back).subarray(begin);
          const { out, losses } = align(cut(bytes, sizes));
          const first = begin <= front ? 0 : PACKET_BYTES;
          expect(out.equals(all.subarray(first))).toBe(true);
          expect(losses).toBe(0);
        },
      ),
    );
  });

  it('are found again where bytes are missing or too many', () => {
    fc.assert(
      fc.property(fc.nat(stride * 12), fc.integer({ min: -150, max: 150 }), (where, change) => {
        fc.pre(change !== 0);
        const all = packets(30);
        const bytes = padded(all, front, back);
        const at = stride * 8 + where;
        const torn = change < 0 ? Buffer.alloc(0) : Buffer.alloc(change, 0x22);
        const { out, losses } = align([
          Buffer.concat([bytes.subarray(0, at), torn, bytes.subarray(at + Math.max(0, -change))]),
        ]);
        expect(losses).toBeLessThanOrEqual(1);
        const found = numbers(out).map((number) => number & 0x7fff);
        // In order, none twice, and no more lost than the two that the damage touches.
        expect(found).toEqual([...new Set(found)].toSorted((a, b) => a - b));
        expect(found.length).toBeGreaterThanOrEqual(27);
        expect(out.length % PACKET_BYTES).toBe(0);
      }),
    );
  });

  it('begin like a transport stream', () => {
    expect(isTransportStream(padded(packets(6), front, back).subarray(0, 1024))).toBe(true);
    expect(isTransportStream(Buffer.from('<html>'.repeat(200)))).toBe(false);
  });
});

describe('packets of another stride behind the first', () => {
  const shape = fc.record({
    shape: fc.constantFrom<[number, number]>([0, 0], [4, 0], [0, 16]),
    count: fc.integer({ min: 6, max: 20 }),
  });

  it('are all given out, in their order, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(shape, { minLength: 2, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 9 }),
        (shapes, sizes) => {
          const all = packets(shapes.reduce((sum, { count }) => sum + count, 0));
          let from = 0;
          const bytes = shapes.map(({ shape: [front, back], count }) =>
            padded(all.subarray(from, (from += count * PACKET_BYTES)), front, back),
          );
          const { out } = align(cut(Buffer.concat(bytes), sizes));
          expect(numbers(out)).toEqual(numbers(all));
        },
      ),
    );
  });
});

describe('packet alignment', () => {
  it('gives every whole packet once, however the bytes are cut and wherever they begin', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 9 }),
        fc.nat(PACKET_BYTES - 1),
        fc.nat(PACKET_BYTES - 1),
        (sizes, front, back) => {
          const all = packets(20);
          const bytes = all.subarray(front, all.length - back);
          const first = front === 0 ? 0 : PACKET_BYTES;
          const last = back === 0 ? all.length : all.length - PACKET_BYTES;
          const { out, losses, skipped } = align(cut(bytes, sizes));
          expect(out.equals(all.subarray(first, last))).toBe(true);
          expect(losses).toBe(0);
          expect(skipped).toBe(bytes.length - out.length);
        },
      ),
    );
  });

  it('drops only the torn packet where bytes are missing, and counts one loss', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 5 * PACKET_BYTES, max: 10 * PACKET_BYTES }),
        fc.integer({ min: 1, max: PACKET_BYTES - 1 }),
        (sizes, at, missing) => {
          const all = packets(30);
          const bytes = Buffer.concat([all.subarray(0, at), all.subarray(at + missing)]);
          const { out, losses, skipped } = align(cut(bytes, sizes));
          const torn = new Set([
            Math.floor(at / PACKET_BYTES),
            Math.floor((at + missing - 1) / PACKET_BYTES),
          ]);
          const good = numbers(all).filter((_, n) => !torn.has(n));
          const found = numbers(out);
          expect(good.filter((number) => !found.includes(number))).toEqual([]);
          expect(found.length - good.length).toBeLessThanOrEqual(1);
          expect(losses).toBe(1);
          expect(out.length + skipped).toBe(bytes.length);
        },
      ),
    );
  });

  it('steps over bytes that belong to no packet and loses none that does', () => {
    const all = packets(30);
    const junk = Buffer.alloc(100, 0x22);
    const at = 10 * PACKET_BYTES;
    const { out, losses, skipped } = align([all.subarray(0, at), junk, all.subarray(at)]);
    expect(out.equals(all)).toBe(true);
    expect({ losses, skipped }).toEqual({ losses: 1, skipped: 100 });
  });

  it('finds no lock in anything else, and keeps little of it', () => {
    expect(findLock(Buffer.alloc(5_000, 0x20))).toBe(-1);
    const { out, skipped } = align(cut(Buffer.alloc(100_000, 0x20), [4096]));
    expect({ bytes: out.length, skipped }).toEqual({ bytes: 0, skipped: 100_000 });
  });
});

describe('packet fields', () => {
  it('reads PID, PCR and PES times', () => {
    const packet = Buffer.alloc(PACKET_BYTES, 0xff);
    // PCR base 2^33 - 1, then a PES header with PTS 2^32 + 1 and DTS 90000.
    Buffer.from([0x47, 0x41, 0x23, 0x30, 7, 0x50, 0xff, 0xff, 0xff, 0xff, 0xfe, 0]).copy(packet);
    Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10]).copy(packet, 12);
    Buffer.from([0x39, 0x00, 0x01, 0x00, 0x03, 0x11, 0x00, 0x05, 0xbf, 0x21]).copy(packet, 21);
    expect(pidAt(packet, 0)).toBe(0x123);
    expect(pcrAt(packet, 0)).toBe(2 ** 33 - 1);
    expect(pesTimesAt(packet, 0)).toEqual({ pts: 2 ** 32 + 1, dts: 90_000 });
  });

  it('takes the shorter way round the clock', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.integer({ min: -(2 ** 31), max: 2 ** 31 }), (from, step) => {
        const to = (((from * 4 + step) % 2 ** 33) + 2 ** 33) % 2 ** 33;
        expect(ticksBetween(from * 4, to)).toBe(step);
      }),
    );
  });
});
