/** fMP4 over HLS: fragment behind fragment in one file, whatever happens between them. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hlsTransport } from '../../src/capture/hlsTransport.js';
import { boxesIn } from '../../src/capture/mp4Boxes.js';
import { capture } from '../../src/capture/protocols.js';
import type { CaptureOutcome, CapturePiece } from '../../src/domain/capture.js';
import type { SavedCursor } from '../../src/domain/hlsCursor.js';
import { BEST } from '../../src/domain/hlsVariant.js';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';
import { startFakeHls, type HlsOrigin, type HlsOriginShape, type HlsSegmentShape } from '../fakes/hls.js';
import { fragmentedClip, type ClipShape } from '../media/clip.js';
import { decode } from '../media/frames.js';

const SEGMENT = 20;
const DURATION_S = 0.8;
let init: Buffer;
let fragments: readonly Buffer[];
let folder: string;
let spoolPath: string;
let mp4Path: string;
const origins: HlsOrigin[] = [];
const transport = hlsTransport(undiciTransport(systemClock), systemClock);

beforeAll(async () => {
  ({ init, fragments } = await fragmentedClip());
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchupd-fmp4-'));
  spoolPath = join(folder, 'show.partial.ts');
  mp4Path = join(folder, 'show.partial.mp4');
});
afterEach(async () => {
  await Promise.all(origins.splice(0).map((origin) => origin.close()));
  rmSync(folder, { recursive: true, force: true });
});

function segments(from: number, to: number): HlsSegmentShape[] {
  return fragments
    .slice(from, to)
    .map((media, n) => ({ media, durationS: DURATION_S, init: 'a', name: `f-${from + n}.m4s` }));
}

async function record(
  shape: Partial<HlsOriginShape>,
  cursor: SavedCursor | null = null,
  lastMediaAt?: number,
  hasOthers = false,
) {
  const origin = await startFakeHls({ segments: [], inits: { a: init }, ended: true, ...shape });
  origins.push(origin);
  const pieces: CapturePiece[] = [];
  const outcome: CaptureOutcome = await capture(
    {
      url: origin.mediaUrl,
      headers: {},
      spoolPath,
      firstByteTimeoutMs: 5_000,
      stallTimeoutMs: 5_000,
      hasOthers,
      hls: { from: 0, cursor, quality: BEST, oneAtATime: false },
      ...(lastMediaAt !== undefined && { lastMediaAt }),
    },
    {
      transport,
      disk: nodeDisk,
      clock: systemClock,
      signal: new AbortController().signal,
      onCheckpoint: (piece) => pieces.push(piece),
    },
  );
  const piece = outcome.kind === 'bug' ? null : outcome.piece;
  return { outcome, piece, pieces };
}

function framesOf(...numbers: readonly number[]): number[] {
  return numbers.flatMap((n) => Array.from({ length: SEGMENT }, (_, frame) => n * SEGMENT + frame));
}

async function frames(): Promise<readonly number[]> {
  const decoded = await decode(mp4Path, 'error', 'mp4');
  // Clips whose pictures are decoded in another order show them two frames later than the others do.
  const isLate = (line: string) => line.includes('non monotonically increasing dts to muxer');
  expect(decoded.errors.filter((line) => !isLate(line))).toEqual([]);
  return decoded.frames;
}

it('is recorded as one .mp4, and says where that is', async () => {
  const { outcome, piece } = await record({ segments: segments(0, 8) });
  expect(outcome).toMatchObject({ code: 'upstream_ended' });
  expect(piece).toMatchObject({ firstOffset: 0, spool: mp4Path, bytes: statSync(mp4Path).size });
  expect(existsSync(spoolPath)).toBe(false);
  expect(await frames()).toEqual(framesOf(0, 1, 2, 3, 4, 5, 6, 7));
});

it('lacks the frames of a missing segment and no more, and its clock shows the hole', async () => {
  const list = segments(0, 6).map((segment, n) => (n === 2 ? { ...segment, gap: true } : segment));
  const { piece } = await record({ segments: list });
  expect(await frames()).toEqual(framesOf(0, 1, 3, 4, 5));
  expect(piece).toMatchObject({ after: { cause: 'hls_missing' }, join: { approximate: false } });
  expect(piece?.join?.gapS).toBeCloseTo(0.8, 1);
});

it('goes on over a discontinuity to another clock', async () => {
  const again = segments(0, 3).map((segment, n) => ({
    ...segment,
    discontinuity: n === 0,
    name: `b${n}.m4s`,
  }));
  const { piece } = await record({ segments: [...segments(4, 7), ...again] });
  expect(await frames()).toEqual(framesOf(4, 5, 6, 0, 1, 2));
  expect(piece?.join?.gapS).toBe(0);
});

it('goes on in the same file after a kill, without what was torn and without repeating anything', async () => {
  const first = await record({ segments: segments(0, 5) });
  appendFileSync(mp4Path, fragments[5]?.subarray(0, 700) ?? '');
  const cursor = first.piece?.cursor ? { ...first.piece.cursor, sequence: 2, id: 'stale' } : null;
  const second = await record({ segments: segments(3, 8), sequence: 3 }, cursor, first.piece?.toAt);
  expect(second.piece?.ts.trimmedBytes).toBe(700);
  expect(await frames()).toEqual(framesOf(0, 1, 2, 3, 4, 5, 6, 7));
});

/** The bytes of the first box of this name, to write into. */
function boxOf(bytes: Buffer, name: string): Buffer {
  const at = bytes.indexOf(name, 0, 'latin1') - 4;
  return bytes.subarray(at, at + bytes.readUInt32BE(at));
}

/** As another packager calls the tracks of a section or of a fragment. */
function renamed(bytes: Buffer, by: number): Buffer {
  const out = Buffer.from(bytes);
  const places = { tkhd: 20, trex: 12, tfhd: 12 };
  for (const [name, offset] of Object.entries(places))
    for (let at = out.indexOf(name, 0, 'latin1'); at >= 0; at = out.indexOf(name, at + 4, 'latin1'))
      out.writeUInt32BE(out.readUInt32BE(at - 4 + offset) + by, at - 4 + offset);
  return out;
}

it('goes on with a section that was made anew by the same encoder, whatever it calls its tracks', async () => {
  const later = renamed(init, 7);
  boxOf(later, 'mvhd').writeUInt32BE(0x1234, 12);
  const again = segments(3, 6).map((segment, n) => ({
    ...segment,
    media: renamed(segment.media, 7),
    init: 'later',
    discontinuity: n === 0,
    name: `later-${n}.m4s`,
  }));
  const { outcome } = await record({ segments: [...segments(0, 3), ...again], inits: { a: init, later } });
  expect(outcome).toMatchObject({ code: 'upstream_ended' });
  expect(await frames()).toEqual(framesOf(0, 1, 2, 3, 4, 5));
});

/** Segments of another section. */
function from(name: string, media: readonly Buffer[], first: number, to: number): HlsSegmentShape[] {
  return media.slice(first, to).map((bytes, n) => ({
    media: bytes,
    durationS: DURATION_S,
    init: name,
    discontinuity: n === 0,
    name: `${name}-${first + n}.m4s`,
  }));
}

it.each([
  { what: 'another size', shape: { width: 480, height: 270 }, muxer: '' },
  { what: 'pictures that are shown in another order', shape: { encoder: '-bf 2' }, muxer: '' },
  { what: 'a clock that counts otherwise', shape: {}, muxer: '-video_track_timescale 12800' },
  {
    what: 'all of it',
    shape: { width: 640, height: 360, encoder: '-bf 2 -refs 4 -profile:v high' },
    muxer: '-video_track_timescale 25000',
  },
] as { what: string; shape: Partial<ClipShape>; muxer: string }[])(
  'goes on in the same file with $what, and back again, also after a kill',
  async ({ shape, muxer }) => {
    const other = await fragmentedClip(shape, muxer);
    const list = [
      ...segments(0, 2),
      ...from('other', other.fragments, 2, 4),
      ...segments(4, 5).map((segment) => ({ ...segment, discontinuity: true })),
      ...from('other', other.fragments, 5, 6),
      ...segments(6, 8).map((segment) => ({ ...segment, discontinuity: true })),
    ];
    const inits = { a: init, other: other.init };
    const first = await record({ segments: list.slice(0, 4), inits });
    expect(first.outcome).toMatchObject({ code: 'upstream_ended' });
    const { outcome } = await record(
      { segments: list.slice(3), sequence: 3, inits },
      first.piece?.cursor ?? null,
      first.piece?.toAt,
    );
    expect(outcome).toMatchObject({ code: 'upstream_ended' });
    expect(await frames()).toEqual(framesOf(0, 1, 2, 3, 4, 5, 6, 7));
  },
);

it('can be begun in the middle, whatever pictures came before', async () => {
  const other = await fragmentedClip({ width: 480, height: 270 });
  const list = [...segments(0, 2), ...from('other', other.fragments, 2, 4), ...segments(4, 8)];
  await record({ segments: list, inits: { a: init, other: other.init } });
  const bytes = readFileSync(mp4Path);
  // The section, a stretch of the others, and then the first again: what a player has that is sent there.
  const places = fragmentPlaces(bytes);
  const jumped = Buffer.concat([
    bytes.subarray(0, places[0]),
    bytes.subarray(places[2], places[3]),
    bytes.subarray(places[6]),
  ]);
  const decoded = await decode(jumped, 'error', 'mp4');
  expect(decoded.errors).toEqual([]);
  expect(decoded.frames).toEqual(framesOf(2, 6, 7));
});

function fragmentPlaces(bytes: Buffer): number[] {
  return boxesIn(bytes, 0, bytes.length).flatMap(({ type, at }) => (type === 'moof' ? [at] : []));
}

describe('what needs another codec than the file has', () => {
  async function foreign() {
    const { init: section, fragments: all } = await fragmentedClip({ codec: 'libx265', encoder: '' });
    return { init: section, fragments: Array.from({ length: 8 }, () => all[0] ?? Buffer.alloc(0)) };
  }

  it('is lost time of its length, and what follows it is not', async () => {
    const other = await foreign();
    const list = [...segments(0, 3), ...from('other', other.fragments, 3, 5), ...segments(5, 8)];
    const { outcome, piece } = await record({ segments: list, inits: { a: init, other: other.init } });
    expect(outcome).toMatchObject({ code: 'upstream_ended' });
    expect(piece).toMatchObject({ after: { cause: 'not_media', kind: 'discontinuity' } });
    expect(piece?.join?.gapS).toBeCloseTo(2 * DURATION_S, 1);
    expect(await frames()).toEqual(framesOf(0, 1, 2, 5, 6, 7));
  });

  it('is left for another upstream where it lasts and there is one', async () => {
    const other = await foreign();
    const long = from('other', other.fragments, 3, 6).map((segment) => ({ ...segment, durationS: 10 }));
    const shape = { segments: [...segments(0, 3), ...long], inits: { a: init, other: other.init } };
    const { outcome } = await record(shape, null, undefined, true);
    expect(outcome).toMatchObject({ code: 'container_mismatch', remedy: 'spent' });
    expect(await frames()).toEqual(framesOf(0, 1, 2));
  });

  it('costs nothing of what comes first of a connection later', async () => {
    const other = await foreign();
    const first = await record({ segments: segments(0, 2) });
    const list = [...from('other', other.fragments, 2, 4), ...segments(4, 6)];
    const second = await record(
      { segments: list, inits: { a: init, other: other.init }, sequence: 2 },
      first.piece?.cursor ?? null,
      first.piece?.toAt,
    );
    expect(second.outcome).toMatchObject({ code: 'upstream_ended' });
    expect(second.piece?.join?.gapS).toBeCloseTo(2 * DURATION_S, 1);
    expect(await frames()).toEqual(framesOf(0, 1, 4, 5));
  });
});

it('is no use for a recording that began as a transport stream', async () => {
  writeFileSync(spoolPath, Buffer.alloc(188, 0x47));
  const { outcome } = await record({ segments: segments(0, 3) });
  expect(outcome).toMatchObject({ code: 'container_mismatch', remedy: 'spent', piece: null });
  expect(existsSync(mp4Path)).toBe(false);
  expect(readFileSync(spoolPath).length).toBe(188);
});
