/** What a provider does to its stream within one connection: other encoders, other clocks, other tables behind the first. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fileTransport } from '../../src/capture/fileTransport.js';
import { recordPiece } from '../../src/capture/mpegts.js';
import { isTrouble } from '../../src/capture/spool.js';
import type { LiveBody, LiveSink } from '../../src/capture/upstream.js';
import { sections } from '../../src/capture/sections.js';
import { openWritten } from '../../src/capture/writtenSpool.js';
import { crc32 } from '../../src/capture/psi.js';
import { streamScan } from '../../src/capture/streamScan.js';
import { sectionPackets } from '../../src/capture/tables.js';
import { PACKET_BYTES, payloadAt, pcrAt } from '../../src/capture/tsPackets.js';
import type { CapturePiece } from '../../src/domain/capture.js';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { clipBytes } from '../media/clip.js';
import { breaksOf, decode, probe } from '../media/frames.js';
import { eachPacket, faultsOf, payloads, remuxed } from './spoolOfPieces.js';

const VIDEO = 0x100;
const AUDIO = 0x101;
const FRAMES = 160;
const CLIP_S = 6.4;
let clip: Buffer;
let other: Buffer;
let folder: string;
let spoolPath: string;
beforeAll(async () => {
  clip = await clipBytes();
  other = await clipBytes({
    width: 480,
    height: 270,
    toneHz: 900,
    firstNumber: 1000,
    muxer: '-muxdelay 0.7 -mpegts_start_pid 0x200 -mpegts_pmt_start_pid 0x1200',
  });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchupd-splices-'));
  spoolPath = join(folder, 'show.partial.ts');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What comes over one connection; `ms`: how long it takes, `silentMs`: how long nothing comes before it. */
interface Part {
  readonly bytes: Buffer;
  readonly ms?: number;
  readonly silentMs?: number;
  /** Awaited before it. */
  readonly after?: Promise<unknown>;
}

const CHUNK = 21 * PACKET_BYTES;

async function record(
  parts: readonly Part[],
  onCheckpoint: (piece: CapturePiece) => void = () => undefined,
): Promise<{ spool: Buffer; piece: CapturePiece | null }> {
  const place = { spoolPath, startedAt: Date.now() };
  const written = await openWritten({ disk: nodeDisk, clock: systemClock }, place);
  if (isTrouble(written)) throw new Error(written.code);
  const bugs: unknown[] = [];
  const writing = sections(
    { place, written, silentMs: null },
    {
      disk: nodeDisk,
      clock: systemClock,
      onCheckpoint,
      onPressure: () => undefined,
      onTrouble: ({ code }) => bugs.push(code),
      onBug: (error) => bugs.push(error),
      onDead: () => undefined,
      outside: () => ({ syncLosses: 0, skippedBytes: 0 }),
    },
  );
  let mono = 0;
  for (const { bytes, ms = 6_400, silentMs = 0, after } of parts) {
    await after;
    mono += silentMs;
    for (let at = 0; at < bytes.length; at += CHUNK) {
      mono += (ms * Math.min(CHUNK, bytes.length - at)) / bytes.length;
      writing.push(bytes, at, Math.min(bytes.length, at + CHUNK), mono);
    }
  }
  expect(await writing.finish()).toBeNull();
  expect(bugs).toEqual([]);
  return { spool: readFileSync(spoolPath), piece: writing.piece() };
}

function part(bytes: Buffer, from: number, to: number): Buffer {
  const packets = Math.floor(bytes.length / PACKET_BYTES);
  return bytes.subarray(PACKET_BYTES * Math.floor(packets * from), PACKET_BYTES * Math.floor(packets * to));
}

/** Through one multiplexer, whose counters go on. */
function countedOn(parts: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(parts);
  const counters = new Map<number, number>();
  eachPacket(bytes, (at) => {
    const pid = bytes.readUInt16BE(at + 1) & 0x1fff;
    const b3 = bytes[at + 3] ?? 0;
    const counter = ((counters.get(pid) ?? 15) + (b3 & 0x10 ? 1 : 0)) % 16;
    counters.set(pid, counter);
    bytes[at + 3] = (b3 & 0xf0) | counter;
  });
  return bytes;
}

function streamsOf(bytes: Buffer): [number, number][] {
  const scan = streamScan();
  scan.push(bytes, 0, bytes.length);
  return scan.tables()?.map.streams.map(({ pid, type }) => [pid, type]) ?? [];
}

/** One clock, one counter a PID, no word of the decoder; the frames that came out. */
async function expectSound(spool: Buffer): Promise<readonly number[]> {
  expect(faultsOf(spool)).toEqual([]);
  const { frames, errors } = await decode(spool, 'warning');
  expect(errors.slice(0, 3)).toEqual([]);
  return frames;
}

describe('a stream that goes on', () => {
  it('passes byte for byte, whatever its clock', async () => {
    const wrapping = remuxed(clip, new Map(), 2 ** 33 - 90_000 * 4);
    const { spool, piece } = await record([{ bytes: wrapping }]);
    expect(piece).not.toHaveProperty('splices');
    expect(piece).not.toHaveProperty('gaps');
    const start = wrapping.indexOf(spool.subarray(2 * PACKET_BYTES, 3 * PACKET_BYTES));
    expect(wrapping.subarray(start, start + spool.length - 20 * PACKET_BYTES)).toEqual(
      spool.subarray(2 * PACKET_BYTES, spool.length - 18 * PACKET_BYTES),
    );
  });

  it('is not taken for another one for a clock value that is damaged', async () => {
    const damaged = Buffer.from(clip);
    let pcrs = 0;
    for (let at = 0; at < damaged.length; at += PACKET_BYTES) {
      if (((damaged[at + 3] ?? 0) & 0x20) === 0 || ((damaged[at + 5] ?? 0) & 0x10) === 0) continue;
      if (++pcrs % 9 === 0) damaged[at + 7] = (damaged[at + 7] ?? 0) ^ 0x55;
    }
    const { piece, spool } = await record([{ bytes: damaged }]);
    expect(piece).not.toHaveProperty('splices');
    expect(payloads(spool, VIDEO).length).toBe(payloads((await recordFresh(clip)).spool, VIDEO).length);
  });

  it('says what is missing where its clock shows a hole, up to the next key frame, and is not touched', async () => {
    const bytes = await clipBytes({ gop: 50 });
    const at = picturesOf(bytes);
    const hole = fc.record({
      from: fc.integer({ min: 55, max: 100 }),
      pictures: fc.integer({ min: 8, max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(hole, async ({ from, pictures }) => {
        const [before, behind] = [bytes.subarray(0, at[from]), bytes.subarray(at[from + pictures])];
        rmSync(spoolPath, { force: true });
        const { piece, spool } = await record([
          { bytes: before, ms: from * 40 },
          { bytes: behind, ms: (FRAMES - from - pictures) * 40, silentMs: pictures * 40 },
        ]);
        expect(piece).not.toHaveProperty('splices');
        expect(piece?.gaps).toEqual([expect.objectContaining({ cause: 'stall' })]);
        const [gap] = piece?.gaps ?? [];
        const decodable = Math.min(FRAMES, 50 * Math.ceil((from + pictures) / 50));
        expect(Math.abs((gap?.toAt ?? 0) - (gap?.fromAt ?? 0) - (decodable - from) * 40)).toBeLessThan(100);
        // Nothing of it is taken away.
        const all = payloads(Buffer.concat([before, behind]), AUDIO);
        expect(payloads(spool, AUDIO).filter((sound) => all.includes(sound)).length).toBeGreaterThan(
          all.length - 4,
        );
        expect(payloads(spool, VIDEO).length).toBeGreaterThan(FRAMES - pictures - 3);
      }),
      { numRuns: 20 },
    );
  });

  it('says where pictures are scrambled, up to the next key frame, and keeps them', async () => {
    const bytes = await clipBytes({ gop: 50 });
    const at = picturesOf(bytes);
    const scrambled = (from: number, to: number) => {
      const copy = Buffer.from(bytes);
      for (let packet = at[from] ?? 0; packet < (at[to] ?? copy.length); packet += PACKET_BYTES) {
        if ((copy.readUInt16BE(packet + 1) & 0x1fff) !== VIDEO) continue;
        copy[packet + 3] = (copy[packet + 3] ?? 0) | 0x80;
        for (let byte = payloadAt(copy, packet); byte < packet + PACKET_BYTES; byte++)
          copy[byte] = (copy[byte] ?? 0) ^ (byte & 0xff) ^ 0x5a;
      }
      return copy;
    };
    // Up to the end, which only the time tells, and here all bytes take the same; up to a key frame; between two; too few.
    for (const [from, to, key, slackMs] of [
      [60, FRAMES, FRAMES, 400],
      [55, 100, 100, 100],
      [55, 110, 150, 100],
      [60, 63, 60, 0],
    ] as const) {
      rmSync(spoolPath, { force: true });
      const { piece, spool } = await record([{ bytes: scrambled(from, to) }]);
      expect(piece).not.toHaveProperty('splices');
      const gaps = piece?.gaps ?? [];
      expect(gaps.map(({ cause }) => cause)).toEqual(key === from ? [] : ['dead']);
      const ms = gaps.reduce((sum, gap) => sum + gap.toAt - gap.fromAt, 0);
      expect(Math.abs(ms - (key - from) * 40)).toBeLessThanOrEqual(slackMs);
      expect(spool.length).toBeGreaterThan(bytes.length - 40 * PACKET_BYTES);
    }
  });

  it('says where no picture comes for a while, though sound and clock go on, unless pictures come as they like', async () => {
    const bytes = await clipBytes({ gop: 50, seconds: 12.8 });
    const at = picturesOf(bytes);
    /** Without these pictures, but with the clock that is told with them; `isMute`: without any sound as well. */
    const dark = (isDark: (picture: number) => boolean, isMute = false) => {
      let picture = -1;
      const packets: Buffer[] = [];
      eachPacket(bytes, (packet) => {
        if (at.includes(packet)) picture++;
        const pid = bytes.readUInt16BE(packet + 1) & 0x1fff;
        const isLeft = picture < 0 || !isDark(picture);
        if (isLeft || (pid !== VIDEO && !isMute)) packets.push(bytes.subarray(packet, packet + PACKET_BYTES));
        else if (pcrAt(bytes, packet) >= 0) {
          const clockOnly = Buffer.alloc(PACKET_BYTES, 0xff);
          bytes.copy(clockOnly, 0, packet, packet + 12);
          clockOnly.set([(bytes[packet + 1] ?? 0) & 0x1f], 1);
          clockOnly.set([0x20 | ((bytes[packet + 3] ?? 0) & 15), PACKET_BYTES - 5, 0x10], 3);
          packets.push(clockOnly);
        }
      });
      return Buffer.concat(packets);
    };
    const told = async (isDark: (picture: number) => boolean) => {
      rmSync(spoolPath, { force: true });
      const { piece } = await record([{ bytes: dark(isDark), ms: 12_800 }]);
      expect(piece).not.toHaveProperty('splices');
      return (piece?.gaps ?? []).map(({ fromAt, toAt, cause }) => [cause, Math.round((toAt - fromAt) / 40)]);
    };
    expect(await told((picture) => picture >= 160 && picture < 220)).toEqual([['dead', 90]]);
    expect(await told((picture) => picture >= 160 && picture < 180)).toEqual([]);
    // A slide show.
    expect(await told((picture) => picture % 50 !== 0)).toEqual([]);
    // Nothing but the clock, in the time that it tells.
    rmSync(spoolPath, { force: true });
    const blank = dark((picture) => picture >= 160 && picture < 220, true);
    const [from, to] = [at[160] ?? 0, blank.length - (bytes.length - (at[220] ?? 0))];
    const { piece } = await record([
      { bytes: blank.subarray(0, from) },
      { bytes: blank.subarray(from, to), ms: 2_400 },
      { bytes: blank.subarray(to), ms: 4_000 },
    ]);
    expect(piece?.gaps?.map(({ cause }) => cause)).toEqual(['dead']);
    const [gap] = piece?.gaps ?? [];
    expect(Math.abs((gap?.toAt ?? 0) - (gap?.fromAt ?? 0) - 90 * 40)).toBeLessThan(200);
  });

  it('tells nothing where a single bit says that a picture is of another hour', async () => {
    const bytes = await clipBytes({ gop: 50, seconds: 12.8 });
    const pictures = picturesOf(bytes);
    for (const bit of [2, 4]) {
      const packet = pictures[180] ?? 0;
      const flipped = Buffer.from(bytes);
      const pes = payloadAt(flipped, packet);
      const stamp = pes + ((flipped[pes + 7] ?? 0) >> 6 === 3 ? 14 : 9);
      flipped[stamp] = (flipped[stamp] ?? 0) ^ bit;
      rmSync(spoolPath, { force: true });
      const { piece } = await record([{ bytes: flipped, ms: 12_800 }]);
      expect(piece?.gaps ?? []).toEqual([]);
    }
  });

  it('says it also where the last packet before it told the time, and was held back until now', async () => {
    let mono = 1_000;
    const clock = { ...systemClock, mono: () => mono, now: () => 1_700_000_000_000 + mono };
    const place = { spoolPath, startedAt: clock.now() };
    const written = await openWritten({ disk: nodeDisk, clock }, place);
    if (isTrouble(written)) throw new Error(written.code);
    const sinks: LiveSink[] = [];
    const body: LiveBody = {
      first: Buffer.alloc(0),
      flow: (to) => void sinks.push(to),
      pause: () => undefined,
      resume: () => undefined,
      destroy: () => undefined,
    };
    const over = recordPiece(
      body,
      { place, written, silentMs: null },
      { stallTimeoutMs: 60_000 },
      {
        transport: fileTransport(nodeDisk, clock, { path: spoolPath, from: 0, to: 0 }),
        disk: nodeDisk,
        clock,
        signal: new AbortController().signal,
        onCheckpoint: () => undefined,
      },
    );
    const give = (bytes: Buffer, ms: number) => {
      for (let at = 0; at < bytes.length; at += CHUNK) {
        mono += (ms * Math.min(CHUNK, bytes.length - at)) / bytes.length;
        sinks[0]?.onData(bytes.subarray(at, at + CHUNK));
      }
    };
    // A sound at the end, and two before the next picture.
    const units = unitsOf(clip, [VIDEO, AUDIO]);
    const sounds = (from: number, count: number) =>
      units.slice(from, from + count).every(({ pid }) => pid === AUDIO);
    const last = units.findIndex(({ at }, n) => at > 0.4 * clip.length && sounds(n, 1));
    const next = units.findIndex((_, n) => n > last && sounds(n, 2));
    give(clip.subarray(0, (units[last]?.at ?? 0) + PACKET_BYTES), 2_400);
    mono += 13_000;
    give(remuxed(clip.subarray(units[next]?.at), new Map(), 13 * 90_000), 3_960);
    sinks[0]?.onEnd();
    const outcome = await over;
    const piece = outcome.kind === 'fault' ? outcome.piece : null;
    expect(piece).not.toHaveProperty('splices');
    const [gap] = piece?.gaps ?? [];
    expect((gap?.toAt ?? 0) - (gap?.fromAt ?? 0)).toBeGreaterThan(12_900);
    expect((gap?.toAt ?? 0) - (gap?.fromAt ?? 0)).toBeLessThan(13_900);
  });

  it('tells holes one by one where a key frame comes between them, and as one where none does', async () => {
    const bytes = await clipBytes({ gop: 50 });
    const at = picturesOf(bytes);
    const told = async (holes: readonly (readonly [number, number])[]) => {
      rmSync(spoolPath, { force: true });
      const edges = [0, ...holes.flat(), FRAMES - 1];
      const parts = [0, 2, 4].map((n): Part => {
        const [from, to] = [edges[n] ?? 0, edges[n + 1] ?? 0];
        const silentMs = n === 0 ? 0 : (from - (edges[n - 1] ?? 0)) * 40;
        return { bytes: bytes.subarray(at[from], at[to]), ms: (to - from) * 40, silentMs };
      });
      const { piece } = await record(parts);
      return (piece?.gaps ?? []).map(({ fromAt, toAt }) => (toAt - fromAt) / 40);
    };
    const apart = await told([
      [55, 65],
      [110, 125],
    ]);
    expect(apart).toHaveLength(2);
    expect(Math.abs((apart[0] ?? 0) - 45)).toBeLessThan(3);
    expect(Math.abs((apart[1] ?? 0) - 40)).toBeLessThan(3);
    const together = await told([
      [55, 65],
      [75, 85],
    ]);
    expect(together).toHaveLength(1);
    expect(Math.abs((together[0] ?? 0) - 45)).toBeLessThan(3);
  });
});

async function recordFresh(bytes: Buffer) {
  rmSync(spoolPath, { force: true });
  return record([{ bytes }]);
}

describe('a clock that jumps, and nothing else', () => {
  /** From each such picture on the clock is another one; the counters go on. */
  const jumping = (pictures: readonly number[], ticks: (n: number) => number) => {
    const at = picturesOf(clip);
    const edges = [0, ...pictures.map((picture) => at[picture] ?? 0), clip.length];
    return Buffer.concat(
      edges
        .slice(1)
        .map((to, n) => remuxed(clip.subarray(edges[n], to), new Map(), n === 0 ? 0 : ticks(n), 0)),
    );
  };

  it.each<[string, number]>([
    ['back', 2 ** 33 - 90_000 * 70],
    ['far back', 2 ** 33 - 90_000 * 5_000],
    ['far ahead', 90_000 * 5_000],
    ['a little ahead', 90_000 * 2],
  ])('%s: every picture and every sound is there, on one clock', async (_name, ticks) => {
    const { spool: whole } = await record([{ bytes: clip }]);
    rmSync(spoolPath);
    const { spool, piece } = await record([{ bytes: jumping([52, 88, 131], (n) => (n * ticks) % 2 ** 33) }]);
    expect(await expectSound(spool)).toEqual(await expectSound(whole));
    expect(payloads(spool, AUDIO)).toEqual(payloads(whole, AUDIO));
    expect(piece?.splices).toHaveLength(3);
    expect(piece).not.toHaveProperty('gaps');
    expect(piece?.movedTicks).toBe((3 * (2 ** 33 - ticks)) % 2 ** 33);
    const { durationS } = await probe(spoolPath);
    expect(Math.abs(durationS - 0.3 - CLIP_S)).toBeLessThan(0.2);
  });

  it('is known at once, for a crash', async () => {
    const bytes = jumping([52], () => 90_000 * 5_000);
    const cut = picturesOf(clip)[50] ?? 0;
    const known: (number | undefined)[] = [];
    let onFirst: () => void = () => undefined;
    const written = new Promise<void>((resolve) => (onFirst = resolve));
    const parts = [
      { bytes: bytes.subarray(0, cut), ms: 2_000 },
      { bytes: bytes.subarray(cut), ms: 4_400, after: written },
    ];
    await record(parts, ({ movedTicks }) => {
      known.push(movedTicks);
      onFirst();
    });
    expect(known).toEqual([0, 2 ** 33 - 90_000 * 5_000]);
  });

  it('is one stream with what is joined to it, and that is told by its last clock', async () => {
    await record([
      {
        bytes: part(
          jumping([27], () => 90_000 * 700),
          0,
          0.6,
        ),
      },
    ]);
    const before = readFileSync(spoolPath);
    const { piece } = await record([
      {
        bytes: part(
          jumping([10], () => 90_000 * 700),
          0.3,
          1,
        ),
      },
    ]);
    expect(piece?.join).toMatchObject({ approximate: false });
    const spool = readFileSync(spoolPath);
    expect(spool.subarray(0, before.length)).toEqual(before);
    expect(breaksOf(await expectSound(spool))).toEqual([]);
  });
});

/** Where each picture begins. */
function picturesOf(bytes: Buffer): number[] {
  return unitsOf(bytes, [VIDEO]).map(({ at }) => at);
}

/** Where each unit of these PIDs begins. */
function unitsOf(bytes: Buffer, pids: readonly number[]): { readonly pid: number; readonly at: number }[] {
  const units: { readonly pid: number; readonly at: number }[] = [];
  eachPacket(bytes, (at) => {
    const pid = bytes.readUInt16BE(at + 1) - 0x4000;
    if (pids.includes(pid)) units.push({ pid, at });
  });
  return units;
}

describe('a clock that goes back a little', () => {
  it('is another one: what is missing up to the next key frame is told', async () => {
    const cut = picturesOf(clip)[72] ?? 0;
    const back = remuxed(clip.subarray(cut), new Map(), 2 ** 33 - 18_000, 0);
    const { spool, piece } = await record([
      { bytes: clip.subarray(0, cut), ms: 2_880 },
      { bytes: back, ms: 3_520 },
    ]);
    const { frames } = await decode(spool);
    expect(frames.slice(70, 74)).toEqual([70, 71, 80, 81]);
    expect(piece?.splices?.[0]?.gapS).toBeCloseTo(8 * 0.04, 1);
  });
});

describe('another stream behind the first', () => {
  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['an encoder that began anew, clock and counters', (bytes) => remuxed(bytes, new Map(), 0, 9)],
    ['a clock far ahead', (bytes) => remuxed(bytes, new Map(), 90_000 * 3_600, 2)],
    ['a clock far back', (bytes) => remuxed(bytes, new Map(), 2 ** 33 - 90_000 * 5_000, 2)],
  ])('%s: is joined, both play, nothing is missing', async (_name, made) => {
    const next = await clipBytes({ firstNumber: 2_000, toneHz: 700 });
    const { spool, piece } = await record([{ bytes: clip }, { bytes: made(next) }]);
    const frames = await expectSound(spool);
    expect(frames.slice(0, FRAMES - 1)).toEqual(Array.from({ length: FRAMES - 1 }, (_, n) => n));
    expect(frames.filter((frame) => frame >= 2_000).length).toBe(FRAMES);
    expect(piece?.splices).toEqual([
      expect.objectContaining({
        removedOverlapS: 0,
        approximate: true,
        gapS: expect.closeTo(0, 1) as number,
      }),
    ]);
    const { durationS } = await probe(spoolPath);
    expect(Math.abs(durationS - 0.3 - 2 * CLIP_S)).toBeLessThan(0.2);
  });

  it('of other PIDs and another clock is one picture and one sound with it', async () => {
    const { spool, piece } = await record([{ bytes: part(clip, 0, 0.6) }, { bytes: part(other, 0.1, 1) }]);
    const frames = await expectSound(spool);
    expect(frames.filter((frame) => frame >= 1_000).length).toBeGreaterThan(120);
    expect(streamsOf(spool)).toEqual(streamsOf(clip));
    expect(piece?.splices).toHaveLength(1);
  });

  it('is at its true distance where nothing came for a while', async () => {
    const moved = remuxed(other, new Map(), 90_000 * 500);
    const { spool, piece } = await record([{ bytes: part(clip, 0, 0.6) }, { bytes: moved, silentMs: 5_000 }]);
    const frames = await expectSound(spool);
    expect(piece?.splices?.[0]?.gapS).toBeCloseTo(5, 0);
    const { durationS } = await probe(spoolPath);
    expect(Math.abs(durationS - 0.3 - frames.length * 0.04 - (piece?.splices?.[0]?.gapS ?? 0))).toBeLessThan(
      0.2,
    );
  });

  it('whose codec is another keeps the PIDs', async () => {
    const mpeg2 = await clipBytes({ codec: 'mpeg2video', firstNumber: 4_000 });
    const { spool, piece } = await record([{ bytes: part(clip, 0, 0.6) }, { bytes: mpeg2 }]);
    expect(faultsOf(spool)).toEqual([]);
    expect(streamsOf(spool)).toEqual([
      [VIDEO, 0x02],
      [AUDIO, 0x0f],
    ]);
    expect(piece?.splices).toHaveLength(1);
  });

  it('begins in the middle of a picture, and what is torn on either side is dropped', async () => {
    const next = await clipBytes({ firstNumber: 2_000, toneHz: 700 });
    for (const share of [0.31, 0.355, 0.4, 0.457, 0.51]) {
      rmSync(spoolPath, { force: true });
      const { spool } = await record([
        { bytes: part(clip, 0, share) },
        { bytes: part(remuxed(next, new Map(), 90_000 * 99, 3), share, 1) },
      ]);
      await expectSound(spool);
    }
  });

  it('again and again, in one file with one clock', async () => {
    const parts = [0, 1, 2, 3, 4].map((n) => ({
      bytes: remuxed(part(clip, 0.15 * n, 0.15 * n + 0.35), new Map(), 90_000 * 1_000 * (5 - n), n),
      ms: 2_240,
    }));
    const { spool, piece } = await record(parts);
    await expectSound(spool);
    expect(piece?.splices?.length).toBe(4);
  });
});

describe('tables that come late', () => {
  it('behind those of before, with pictures that nobody knows yet between them: both streams are there', async () => {
    const TABLES = 3 * PACKET_BYTES;
    const bytes = Buffer.concat([part(clip, 0, 0.5), clip.subarray(0, TABLES), other.subarray(TABLES)]);
    const { spool, piece } = await record([{ bytes, ms: 9_600 }]);
    expect(piece?.splices).toHaveLength(1);
    const frames = await expectSound(spool);
    expect(frames.filter((frame) => frame >= 1000).length).toBeGreaterThan(FRAMES - 2 * 20);
    expect(frames.filter((frame) => frame < 1000).length).toBeGreaterThan(70);
  });
});

describe('the same again', () => {
  it('shown in a loop with its clock is kept each time', async () => {
    const { spool, piece } = await record([{ bytes: clip }, { bytes: clip }, { bytes: clip }]);
    const frames = await expectSound(spool);
    expect(frames.length).toBeGreaterThan(3 * FRAMES - 6);
    expect(breaksOf(frames, FRAMES)).toEqual([]);
    expect(piece?.splices).toHaveLength(2);
  });

  it('sent at once by a multiplexer that counts on is there once, too', async () => {
    const bytes = countedOn([part(clip, 0, 0.6), part(clip, 0.3, 1)]);
    const { spool, piece } = await record([{ bytes, ms: 3_840 }]);
    expect(breaksOf(await expectSound(spool))).toEqual([]);
    expect(piece?.splices?.[0]?.removedOverlapS).toBeGreaterThan(1);
  });

  it('sent at once, with what comes after it, is there once', async () => {
    const { spool, piece } = await record([
      { bytes: part(clip, 0, 0.6), ms: 3_840 },
      { bytes: part(clip, 0.35, 0.6), ms: 50 },
      { bytes: part(clip, 0.6, 1), ms: 2_560 },
    ]);
    const frames = await expectSound(spool);
    expect(breaksOf(frames)).toEqual([]);
    expect(frames.at(-1)).toBe(FRAMES - 1);
    expect(piece?.splices?.[0]?.removedOverlapS).toBeGreaterThan(1);
  });
});

describe('tables that change', () => {
  it('pass as they are where a sound is added', async () => {
    const two = await clipBytes({ languages: 'eng fra' });
    // The same pictures go on, with one sound more.
    const { piece, spool } = await record([{ bytes: part(clip, 0, 0.5) }, { bytes: part(two, 0.5, 1) }]);
    expect(piece).not.toHaveProperty('splices');
    expect(streamsOf(spool).map(([pid]) => pid)).toEqual([VIDEO, AUDIO, 0x102]);
  });
});

describe('several programmes in one multiplex', () => {
  /** Tables in front, and packets of both between each other; none of their own PAT. */
  const multiplex = (one: Buffer, two: Buffer, numbers: readonly number[]) => {
    const pat = patOf(numbers.map((number) => [number, number === 1 ? 0x1000 : 0x1200]));
    const packets: Buffer[] = [];
    let spent = 0;
    eachPacket(one, (at) => {
      const isPat = (one.readUInt16BE(at + 1) & 0x1fff) === 0;
      packets.push(isPat ? pat : one.subarray(at, at + PACKET_BYTES));
      for (const due = (at / one.length) * two.length; spent < due; spent += PACKET_BYTES)
        if ((two.readUInt16BE(spent + 1) & 0x1fff) >= 0x20)
          packets.push(two.subarray(spent, spent + PACKET_BYTES));
    });
    return Buffer.concat(packets);
  };
  const patOf = (programmes: readonly (readonly [number, number])[]) => {
    const entries = programmes.flatMap(([number, pid]) => [
      number >> 8,
      number & 255,
      0xe0 | (pid >> 8),
      pid & 255,
    ]);
    const head = [0x00, 0xb0, entries.length + 9, 0, 1, 0xc1, 0, 0];
    const section = Buffer.from([...head, ...entries, 0, 0, 0, 0]);
    section.writeUInt32BE(crc32(section.subarray(0, -4)), section.length - 4);
    return sectionPackets(section, 0, 0);
  };
  let second: Buffer;
  beforeAll(async () => {
    second = await clipBytes({
      width: 160,
      height: 90,
      firstNumber: 1000,
      muxer: '-muxdelay 0.4 -mpegts_service_id 2 -mpegts_start_pid 0x200 -mpegts_pmt_start_pid 0x1200',
    });
  });
  const halves = (order: readonly (readonly number[])[]) =>
    order.map((numbers, n) =>
      multiplex(
        part(clip, n / order.length, (n + 1) / order.length),
        part(second, n / order.length, (n + 1) / order.length),
        numbers,
      ),
    );

  it('are one programme, the first, whatever their order becomes', async () => {
    const { spool: whole } = await record([{ bytes: clip }]);
    const one = await recordFresh(
      Buffer.concat(
        halves([
          [1, 2],
          [2, 1],
          [1, 2],
        ]),
      ),
    );
    expect(one.piece).not.toHaveProperty('splices');
    expect(payloads(one.spool, VIDEO)).toEqual(payloads(whole, VIDEO));
    expect(payloads(one.spool, AUDIO)).toEqual(payloads(whole, AUDIO));
  });

  it('are it behind a joint, too', async () => {
    const { spool: whole } = await record([{ bytes: clip }]);
    rmSync(spoolPath);
    const [first = clip, then = clip] = halves([
      [1, 2],
      [2, 1],
    ]);
    await record([{ bytes: Buffer.concat([first, then.subarray(0, 200 * PACKET_BYTES)]) }]);
    await record([{ bytes: then }]);
    const spool = readFileSync(spoolPath);
    expect(payloads(spool, VIDEO)).toEqual(payloads(whole, VIDEO));
  });
});
