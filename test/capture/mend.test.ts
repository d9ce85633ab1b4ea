/** One recording of what was captured and what an archive has, frame by frame. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fileTransport } from '../../src/capture/fileTransport.js';
import { mend, type MendInput } from '../../src/capture/mend.js';
import { capture } from '../../src/capture/protocols.js';
import { loopPackets, packetsDue, TICKS_PER_MS, type LoopClip } from '../../src/demo/loopTs.js';
import { NO_TS, type Gap, type Stretch } from '../../src/domain/ledger.js';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { loopClip } from '../media/clip.js';
import { breaksOf, decode } from '../media/frames.js';
import { faultsOf, remuxed } from './spoolOfPieces.js';

/** Long enough that no picture comes twice: a loop is never taken for an overlap. */
const CLIP_S = 38.4;
const FRAMES = CLIP_S * 25;
const LIVE = { source: 'list', channel: 'one', index: 0 };
const SOURCE = { source: 'replay', channel: 'r', index: 0 };
const START = Date.UTC(2026, 10, 23, 19, 30);
const doors = { disk: nodeDisk, clock: systemClock, signal: new AbortController().signal };

let clip: LoopClip;
let folder: string;
beforeAll(async () => {
  clip = await loopClip({ seconds: CLIP_S });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchupd-mend-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The channel from one second to another. */
const seconds = (from: number, to: number): Buffer =>
  loopPackets(clip, packetsDue(clip, from * 1000 * TICKS_PER_MS), packetsDue(clip, to * 1000 * TICKS_PER_MS));

/** A spool of these spans, as a capture makes it, and its facts. */
async function captured(spans: readonly (readonly [number, number])[]): Promise<MendInput['recording']> {
  const spool = join(folder, 'show.partial.ts');
  writeFileSync(spool, '');
  rmSync(spool);
  const stretches: Stretch[] = [];
  const gaps: Gap[] = [];
  for (const [from, to] of spans) {
    const path = join(folder, 'piece');
    const bytes = seconds(from, to);
    writeFileSync(path, bytes);
    const before = stretches.at(-1);
    const fromAt = START + from * 1000;
    if (before) gaps.push({ fromAt: before.toAt, toAt: fromAt, cause: 'reset' });
    const outcome = await capture(
      {
        url: 'file:piece',
        headers: {},
        spoolPath: spool,
        // All of a piece comes at once here, which would be a burst of what was on before.
        lastMediaAt: Date.now() - (before ? fromAt - before.toAt + (to - from) * 1000 : 0),
        firstByteTimeoutMs: 10_000,
        stallTimeoutMs: 10_000,
      },
      {
        ...doors,
        transport: fileTransport(nodeDisk, systemClock, { path, from: 0, to: bytes.length }),
        onCheckpoint: () => undefined,
      },
    );
    const piece = outcome.kind === 'bug' ? null : outcome.piece;
    if (!piece) throw new Error(`nothing was captured: ${JSON.stringify(outcome)}`);
    const { firstOffset, bytes: wrote } = piece;
    stretches.push({ source: LIVE, fromAt, toAt: START + to * 1000, firstOffset, bytes: wrote });
  }
  const bytes = stretches.reduce((sum, stretch) => sum + stretch.bytes, 0);
  const window = { startAt: START, stopAt: START + 30_000, prePaddingMs: 0, postPaddingMs: 0 };
  return { spool, bytes, stretches, gaps, joins: [], ts: NO_TS, window };
}

async function mended(recording: MendInput['recording'], replay: Buffer, missingMs: number) {
  const path = join(folder, 'show.replay.part');
  writeFileSync(path, replay);
  return mend(
    { recording, missingMs, replay: path, source: SOURCE, out: join(folder, 'show.mended.part') },
    doors,
  );
}

describe('a recording with a hole', () => {
  it('is filled from an archive of the very same stream, to the frame', async () => {
    const recording = await captured([
      [0, 11],
      [17, 30],
    ]);
    const before = readFileSync(recording.spool);
    const result = await mended(recording, seconds(0, 30), 6_000);
    expect(result?.gaps).toEqual([]);
    expect(result?.stretches.map(({ source }) => source.source)).toEqual(['list', 'replay', 'list']);
    expect(result?.joins).toMatchObject([
      { kind: 'failover', approximate: false },
      { kind: 'failover', approximate: false },
    ]);
    const file = readFileSync(result?.spool ?? '');
    expect(file.length).toBe(result?.bytes);
    expect(faultsOf(file)).toEqual([]);
    const { frames, errors } = await decode(file);
    expect(errors).toEqual([]);
    expect(breaksOf(frames, FRAMES)).toEqual([]);
    const whole = await decode(seconds(0, 30));
    expect(Math.abs(frames.length - whole.frames.length)).toBeLessThanOrEqual(1);
    // What was captured is not touched (P1).
    expect(readFileSync(recording.spool).equals(before)).toBe(true);
  });

  it('still lacks the padding that no archive has, and no more than that', async () => {
    const recording = await captured([[8, 30]]);
    const gap: Gap = { fromAt: START - 15_000, toAt: START + 8_000, cause: 'late_start' };
    const window = { ...recording.window, prePaddingMs: 15_000 };
    const result = await mended({ ...recording, window, gaps: [gap] }, seconds(0, 30), 8_000);
    expect(result?.stretches.map(({ source }) => source.source)).toEqual(['replay', 'list']);
    expect(result?.gaps).toEqual([{ ...gap, toAt: START }]);
  });

  it('gets its missing head and tail as well', async () => {
    const recording = await captured([[8, 22]]);
    const result = await mended(recording, seconds(0, 31), 16_000);
    expect(result?.stretches.map(({ source }) => source.source)).toEqual(['replay', 'list', 'replay']);
    const { frames, errors } = await decode(readFileSync(result?.spool ?? ''));
    expect(errors).toEqual([]);
    expect(breaksOf(frames, FRAMES)).toEqual([]);
    expect(frames.length).toBeGreaterThan(29 * 25);
  });

  it('keeps the hole that the archive has too, and fills the other', async () => {
    const recording = await captured([
      [0, 8],
      [12, 18],
      [22, 30],
    ]);
    const result = await mended(recording, seconds(0, 16), 8_000);
    expect(result?.gaps.map(({ fromAt, toAt }) => [fromAt - START, toAt - START])).toEqual([
      [18_000, 22_000],
    ]);
    const { errors } = await decode(readFileSync(result?.spool ?? ''));
    expect(errors).toEqual([]);
  });

  it('is kept as it is where the archive has another clock and lacks more', async () => {
    const recording = await captured([
      [0, 11],
      [17, 30],
    ]);
    expect(await mended(recording, remuxed(seconds(0, 20), new Map(), 40_000_000), 6_000)).toBeNull();
  });

  it('gives way to the whole copy of another encode, where that lacks less', async () => {
    const recording = await captured([
      [0, 5],
      [24, 30],
    ]);
    const result = await mended(recording, remuxed(seconds(0, 30), new Map(), 40_000_000), 19_000);
    expect(result?.stretches).toMatchObject([{ source: SOURCE, fromAt: START }]);
    expect(result?.gaps).toEqual([]);
    const { frames, errors } = await decode(readFileSync(result?.spool ?? ''));
    expect(errors).toEqual([]);
    expect(breaksOf(frames, FRAMES)).toEqual([]);
  });
});

describe('an archive that lacks a piece of its own', () => {
  it('fills no hole with it', async () => {
    const recording = await captured([
      [0, 11],
      [17, 30],
    ]);
    const before = recording.gaps;
    const result = await mended(recording, Buffer.concat([seconds(0, 13), seconds(16, 30)]), 6_000);
    expect(result === null || result.gaps.length > 0).toBe(true);
    expect(before).toHaveLength(1);
  });

  it('says so where it is all there is', async () => {
    const recording = { ...(await captured([[0, 1]])), bytes: 0, stretches: [], gaps: [] };
    const result = await mended(recording, Buffer.concat([seconds(0, 10), seconds(16, 30)]), 30_000);
    expect(result?.gaps).toMatchObject([{ cause: 'hls_missing' }]);
    const [gap] = result?.gaps ?? [];
    expect(((gap?.fromAt ?? 0) - START) / 1_000).toBeCloseTo(10, 0);
    expect(((gap?.toAt ?? 0) - (gap?.fromAt ?? 0)) / 1_000).toBeCloseTo(6, 0);
    expect(result?.stretches[0]?.toAt).toBeGreaterThan(START + 29_000);
  });
});

it('a programme of which nothing was captured is the archive’s copy', async () => {
  const recording = { ...(await captured([[0, 1]])), bytes: 0, stretches: [], gaps: [] };
  const result = await mended(recording, seconds(0, 30), 30_000);
  expect(result?.stretches).toMatchObject([{ source: SOURCE, firstOffset: 0 }]);
  const { frames, errors } = await decode(readFileSync(result?.spool ?? ''));
  expect(errors).toEqual([]);
  expect(breaksOf(frames, FRAMES)).toEqual([]);
});
