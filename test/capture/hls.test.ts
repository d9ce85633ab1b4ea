/** HLS over real sockets: frame-numbered segments through everything that a playlist can do to them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hlsTransport } from '../../src/capture/hlsTransport.js';
import { capture } from '../../src/capture/protocols.js';
import { waitPool, type WaitPool } from '../../src/capture/waitPool.js';
import type { LoopClip } from '../../src/demo/loopTs.js';
import type { CaptureOutcome, CapturePiece } from '../../src/domain/capture.js';
import { segmentId } from '../../src/domain/hlsCursor.js';
import { BEST } from '../../src/domain/hlsVariant.js';
import type { HlsWish } from '../../src/domain/hlsWish.js';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';
import { loopSegments, startFakeHls, type HlsOrigin, type HlsOriginShape } from '../fakes/hls.js';
import { startFakeProvider } from '../fakes/provider.js';
import { loopClip } from '../media/clip.js';
import { decode, probe } from '../media/frames.js';

/** Frames of one segment, and of the clip that is looped. */
const SEGMENT = 20;
const LOOP = 160;
const KEYS = { k1: Buffer.from('0123456789abcdef'), k2: Buffer.from('fedcba9876543210') };
let clip: LoopClip;
let folder: string;
let spoolPath: string;
const origins: HlsOrigin[] = [];
const transport = hlsTransport(undiciTransport(systemClock), systemClock);

beforeAll(async () => {
  clip = await loopClip();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchupd-hls-'));
  spoolPath = join(folder, 'show.partial.ts');
});
afterEach(async () => {
  await Promise.all(origins.splice(0).map((origin) => origin.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function origin(shape: HlsOriginShape): Promise<HlsOrigin> {
  const started = await startFakeHls(shape);
  origins.push(started);
  return started;
}

function begin(
  url: string,
  wish: Partial<HlsWish> = {},
  more: { lastMediaAt?: number; ua?: string; pool?: WaitPool } = {},
) {
  const stopping = new AbortController();
  const pieces = new Map<number, CapturePiece>();
  let onPiece: () => void = () => undefined;
  const firstPiece = new Promise<void>((resolve) => (onPiece = resolve));
  const outcome = capture(
    {
      url,
      headers: { 'user-agent': more.ua ?? 'catchupd' },
      spoolPath,
      firstByteTimeoutMs: 5_000,
      stallTimeoutMs: 5_000,
      hls: { from: 0, cursor: null, quality: BEST, oneAtATime: false, ...wish },
      ...(more.lastMediaAt !== undefined && { lastMediaAt: more.lastMediaAt }),
    },
    {
      transport,
      disk: nodeDisk,
      clock: systemClock,
      signal: stopping.signal,
      ...(more.pool && { pool: more.pool }),
      onCheckpoint(piece) {
        pieces.set(piece.firstOffset, piece);
        onPiece();
      },
    },
  );
  const ended = outcome.then((given) => {
    if (given.kind !== 'bug' && given.piece) pieces.set(given.piece.firstOffset, given.piece);
    return given;
  });
  return { outcome: ended, pieces, firstPiece, stop: () => stopping.abort() };
}

const codeOf = (outcome: CaptureOutcome) => (outcome.kind === 'fault' ? outcome.code : outcome.kind);

/** Numbers of the frames of these segments. */
function framesOf(...segments: readonly number[]): number[] {
  return segments.flatMap((segment) =>
    Array.from({ length: SEGMENT }, (_, frame) => (segment * SEGMENT + frame) % LOOP),
  );
}

async function recorded() {
  const bytes = readFileSync(spoolPath);
  expect(bytes.length % 188).toBe(0);
  return decode(bytes, 'warning');
}

/** Everything is listed at once, and recorded to its end. */
async function recordAll(shape: HlsOriginShape, path: 'mediaUrl' | 'masterUrl' | 'liveUrl' = 'mediaUrl') {
  const started = await origin({ ended: true, ...shape });
  const running = begin(started[path]);
  const outcome = await running.outcome;
  return { origin: started, outcome, pieces: [...running.pieces.values()] };
}

describe('an HLS stream', () => {
  it('is one continuous piece of the stream its segments were cut from', async () => {
    const segments = loopSegments(clip, 0, 6);
    const { outcome, pieces } = await recordAll({ segments });
    expect(codeOf(outcome)).toBe('upstream_ended');
    expect(pieces.length).toBe(1);
    expect(pieces[0]?.ts).toMatchObject({ continuityErrors: 0, clockJumps: 0, syncLosses: 0 });
    const { frames, errors } = await recorded();
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 1, 2, 3, 4, 5));
  });

  it('waits in the memory that all share: goes on where others have filled it, and gives its part back', async () => {
    const pool = waitPool(1_000);
    const other = pool.join();
    other.hold(1_000);
    const held: number[] = [];
    const seeing = {
      ...pool,
      join() {
        const member = pool.join();
        return {
          ...member,
          hold(bytes: number) {
            held.push(bytes);
            member.hold(bytes);
          },
        };
      },
    };
    const started = await origin({ segments: loopSegments(clip, 0, 6), ended: true });
    const running = begin(started.mediaUrl, {}, { pool: seeing });
    expect(codeOf(await running.outcome)).toBe('upstream_ended');
    expect((await recorded()).frames).toEqual(framesOf(0, 1, 2, 3, 4, 5));
    expect(Math.max(...held)).toBeGreaterThan(0);
    expect(pool.heldBytes()).toBe(1_000);
  });

  it('loads nothing more while nobody can take it, though its playlist is followed', async () => {
    const started = await origin({ segments: loopSegments(clip, 0, 20), shown: 3, targetS: 0.2 });
    const wish: HlsWish = { from: 0, cursor: null, quality: BEST, oneAtATime: false };
    const { body } = await transport.open(started.mediaUrl, { headersTimeoutMs: 5_000, wish });
    await new Promise<void>((resolve) => {
      body.flow({
        onData() {
          body.pause();
          resolve();
        },
        onEnd: () => undefined,
        onFault: () => undefined,
      });
    });
    started.advance(17);
    const seen = started.asked('media.m3u8');
    while (started.asked('media.m3u8') < seen + 4) await new Promise((resolve) => setImmediate(resolve));
    // The one that came, and two ahead of it.
    expect(started.asked('seg-')).toBeLessThanOrEqual(3);
    body.destroy();
  });

  it('is unpacked where its segments are packed unasked', async () => {
    const segments = loopSegments(clip, 0, 4).map((segment, n) =>
      n % 2 === 0 ? segment : { ...segment, media: gzipSync(segment.media) },
    );
    const { outcome } = await recordAll({ segments });
    expect(codeOf(outcome)).toBe('upstream_ended');
    expect(await recorded()).toEqual({ errors: [], frames: framesOf(0, 1, 2, 3) });
  });

  it.each(['mediaUrl', 'masterUrl'] as const)('is known where its %s is packed unasked', async (where) => {
    const master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000\n@MEDIA\n';
    const { outcome } = await recordAll({ segments: loopSegments(clip, 0, 3), master, packed: true }, where);
    expect(codeOf(outcome)).toBe('upstream_ended');
    expect((await recorded()).frames).toEqual(framesOf(0, 1, 2));
  });

  it('is known by its first line, under any address and content type, behind redirects, with its tokens', async () => {
    const segments = loopSegments(clip, 0, 3).map((segment, n) => ({ ...segment, name: `play.php/${n}` }));
    const shape = { segments, tokens: true, contentType: 'text/html', userAgent: 'tv/7', ended: true };
    const started = await origin(shape);
    const running = begin(started.liveUrl, {}, { ua: 'tv/7' });
    expect(codeOf(await running.outcome)).toBe('upstream_ended');
    expect((await recorded()).frames).toEqual(framesOf(0, 1, 2));
  });

  it('keeps the cookies that it is given, on its way and after it', async () => {
    const { outcome } = await recordAll({ segments: loopSegments(clip, 0, 3), cookie: true }, 'liveUrl');
    expect(codeOf(outcome)).toBe('upstream_ended');
    expect((await recorded()).frames).toEqual(framesOf(0, 1, 2));
  });
});

describe('a missing segment costs its own frames and no more', () => {
  it.each([
    ['a gap that is listed', { gap: true }],
    ['one that is not there', { answers: [404, 404, 404, 404] }],
    ['one that a server cannot give', { answers: [500, 500, 500, 500, 500] }],
    ['one that breaks off each time', { answers: [0, 0, 0, 0, 0] }],
  ])('%s', async (_name, fault) => {
    const segments = loopSegments(clip, 0, 6).map((segment, n) =>
      n === 2 ? { ...segment, ...fault } : segment,
    );
    const { pieces } = await recordAll({ segments });
    const { frames, errors } = await recorded();
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 1, 3, 4, 5));
    expect(pieces.length).toBe(2);
    expect(pieces[1]).toMatchObject({
      after: { cause: 'hls_missing', kind: 'discontinuity' },
      join: { gapS: 0.8, approximate: false },
    });
    expect((pieces[1]?.fromAt ?? 0) - (pieces[0]?.toAt ?? 0)).toBe(800);
  });

  it.each([
    ['late by one request', { answers: [404] }],
    ['broken once', { answers: [0] }],
    ['refused once', { answers: [503] }],
  ])('and one that comes with the next try costs nothing: %s', async (_name, fault) => {
    const segments = loopSegments(clip, 0, 4).map((segment, n) =>
      n === 1 ? { ...segment, ...fault } : segment,
    );
    const { pieces } = await recordAll({ segments });
    expect((await recorded()).frames).toEqual(framesOf(0, 1, 2, 3));
    expect(pieces.length).toBe(1);
  });
});

describe('encryption', () => {
  it('is undone with keys and vectors that change, and ends', async () => {
    const iv = '000102030405060708090a0b0c0d0e0f';
    const keys = [{ key: 'k1' }, { key: 'k1' }, { key: 'k2', iv }, { key: 'k2', iv }, {}, { key: 'k1' }];
    const segments = loopSegments(clip, 0, 6).map((segment, n) => ({ ...segment, ...keys[n] }));
    const { origin: started, pieces } = await recordAll({ segments, keys: KEYS, sequence: 70 });
    const { frames, errors } = await recorded();
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 1, 2, 3, 4, 5));
    expect(pieces.length).toBe(1);
    expect(started.asked('/key/k1')).toBe(1);
  });

  it.each([
    ['samples', '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x"'],
    ['a licence', '#EXT-X-KEY:METHOD=AES-128,URI="k",KEYFORMAT="com.apple.streamingkeydelivery"'],
  ])('of %s is refused by its code, and nothing is written', async (_name, line) => {
    const segments = loopSegments(clip, 0, 3).map((segment) => ({ ...segment, lines: [line] }));
    const { outcome } = await recordAll({ segments });
    expect(outcome).toMatchObject({ code: 'hls_encrypted', remedy: 'spent', piece: null });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('with a key that does not fit is lost time, not garbage', async () => {
    const segments = loopSegments(clip, 0, 4).map((segment, n) => ({
      ...segment,
      key: n === 1 ? 'k2' : 'k1',
    }));
    const started = await origin({ segments, keys: KEYS, ended: true });
    started.setPage('/key/k2', { body: 'sixteen bytes it' });
    await begin(started.mediaUrl).outcome;
    const { frames, errors } = await recorded();
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 2, 3));
  });
});

describe('byte ranges', () => {
  it.each([
    ['answered as asked', {}],
    ['answered with the whole file', { noRanges: true }],
  ])('%s', async (_name, more) => {
    const segments = loopSegments(clip, 0, 5).map((segment) => ({ ...segment, ranged: true }));
    await recordAll({ segments, ...more });
    const { frames, errors } = await recorded();
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 1, 2, 3, 4));
  });
});

describe('a discontinuity', () => {
  it('to another clock goes on without a gap, in one clean file', async () => {
    const other = loopSegments(clip, 0, 3, 5_000_000);
    const segments = [
      ...loopSegments(clip, 0, 3),
      ...other.map((segment, n) => ({ ...segment, discontinuity: n === 0, name: `b-${n}.ts` })),
    ];
    const { pieces } = await recordAll({ segments });
    const { frames, errors } = await recorded();
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 1, 2, 0, 1, 2));
    expect(pieces[1]?.after?.kind).toBe('discontinuity');
    expect(pieces[1]?.join?.gapS).toBe(0);
  });

  it('at every segment, of which no list speaks, is a joint each time, and what is there is known', async () => {
    const lengthTicks = 0.8 * 90_000;
    const own = (n: number) => loopSegments(clip, n, 1, 2 ** 33 - n * lengthTicks);
    const segments = Array.from({ length: 6 }, (_, n) => own(n)).flat();
    const started = await origin({ segments, targetS: 1, window: 3, shown: 3, ended: true });
    const running = begin(started.mediaUrl);
    await asked(started, 'seg-2.ts');
    // All of them are there, and nothing more comes.
    await running.firstPiece;
    started.advance(3);
    expect(codeOf(await running.outcome)).toBe('upstream_ended');
    const [piece, ...others] = running.pieces.values();
    expect([piece?.bytes, others]).toEqual([readFileSync(spoolPath).length, []]);
    expect(piece?.splices?.map(({ gapS }) => gapS)).toEqual([0, 0, 0, 0, 0]);
    const { frames, errors } = await recorded();
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 1, 2, 3, 4, 5));
  });

  it('that is none costs nothing', async () => {
    const segments = loopSegments(clip, 0, 6).map((segment, n) => ({ ...segment, discontinuity: n === 3 }));
    await recordAll({ segments });
    const { frames, errors } = await recorded();
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 1, 2, 3, 4, 5));
  });
});

/** Waits until the origin was asked for this. */
async function asked(origin: HlsOrigin, part: string, times = 1): Promise<void> {
  while (origin.asked(part) < times) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a live window', () => {
  const live = { targetS: 1, window: 3, shown: 3 };

  it('is followed as it slides, from its oldest segment, without losing or repeating one', async () => {
    const started = await origin({ ...live, segments: loopSegments(clip, 0, 8), ended: true });
    const running = begin(started.mediaUrl);
    for (let n = 3; n < 8; n++) {
      await asked(started, `seg-${n - 1}.ts`);
      started.advance();
    }
    expect(codeOf(await running.outcome)).toBe('upstream_ended');
    const { frames, errors } = await recorded();
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 1, 2, 3, 4, 5, 6, 7));
    for (let n = 0; n < 8; n++) expect(started.asked(`seg-${n}.ts`)).toBe(1);
  });

  it('begins with the segment that was on air when media was wanted', async () => {
    const segments = loopSegments(clip, 0, 8);
    const programAt = Date.now() - 6_400;
    const started = await origin({ segments, programAt, ended: true });
    await begin(started.mediaUrl, { from: programAt + 3 * 800 + 100 }).outcome;
    expect((await recorded()).frames).toEqual(framesOf(3, 4, 5, 6, 7));
  });

  it('counts back from its end where no clock is told, and believes no clock that cannot be', async () => {
    const segments = loopSegments(clip, 0, 8);
    for (const programAt of [undefined, Date.now() + 7_200_000]) {
      rmSync(spoolPath, { force: true });
      const started = await origin({ segments, ended: true, ...(programAt !== undefined && { programAt }) });
      await begin(started.mediaUrl, { from: Date.now() - 4 * 800 + 300 }).outcome;
      expect((await recorded()).frames).toEqual(framesOf(4, 5, 6, 7));
    }
  });

  it('is waited for where it lists what is still being made, and for nothing older', async () => {
    const answers = [404, 404];
    const segments = loopSegments(clip, 0, 6).map((one, n) =>
      n === 0 || n === 4 ? { ...one, answers } : one,
    );
    const started = await origin({ ...live, segments, ended: true });
    const running = begin(started.mediaUrl);
    for (let n = 3; n < 6; n++) {
      await asked(started, `seg-${n - 1}.ts`);
      started.advance();
    }
    expect(codeOf(await running.outcome)).toBe('upstream_ended');
    expect((await recorded()).frames).toEqual(framesOf(1, 2, 3, 4, 5));
    expect([started.asked('seg-0.ts'), started.asked('seg-4.ts')]).toEqual([2, 3]);
  });

  it('that lost segments while nobody looked has a gap of their length', async () => {
    const started = await origin({ ...live, segments: loopSegments(clip, 0, 9), ended: true });
    const running = begin(started.mediaUrl);
    await asked(started, 'seg-2.ts');
    started.advance(6);
    await running.outcome;
    const { frames, errors } = await recorded();
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 1, 2, 6, 7, 8));
    expect([...running.pieces.values()][1]?.join).toMatchObject({ gapS: 2.4, approximate: false });
  });

  it('that stands still is a stall, after all of it was written', async () => {
    const started = await origin({ ...live, segments: loopSegments(clip, 0, 3) });
    const running = begin(started.mediaUrl);
    expect(await running.outcome).toMatchObject({ cause: 'stall', remedy: 'retry' });
    expect((await recorded()).frames).toEqual(framesOf(0, 1, 2));
  }, 15_000);

  it('whose numbers begin anew goes on with what is new', async () => {
    const started = await origin({
      ...live,
      segments: loopSegments(clip, 0, 3),
      sequence: 500,
      ended: false,
    });
    const running = begin(started.mediaUrl);
    await asked(started, 'seg-2.ts');
    // The same media once more under another number, and then what follows it.
    const next = loopSegments(clip, 2, 3).map((segment, n) => ({ ...segment, name: `new-${n}.ts` }));
    started.restart(next, 0);
    await asked(started, 'new-2.ts');
    await asked(started, 'media.m3u8', 4);
    running.stop();
    const { frames, errors } = await (await running.outcome, recorded());
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 1, 2, 3, 4));
  });

  it('whose segments have other names at every server has each of them once, also where it began in the middle', async () => {
    const named = (from: number, count: number, name: string) =>
      loopSegments(clip, from, count).map((one, n) => ({ ...one, name: `${name}-${from + n}.ts` }));
    const started = await origin({ targetS: 1, segments: named(0, 4, 'a') });
    const running = begin(started.mediaUrl, { from: Date.now() - 300 });
    await running.firstPiece;
    started.restart(named(1, 4, 'b'), 1);
    await asked(started, 'b-4.ts');
    await asked(started, 'media.m3u8', started.asked('media.m3u8') + 2);
    running.stop();
    const { frames, errors } = await (await running.outcome, recorded());
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(3, 4));
  });

  it('goes on when a playlist is no playlist for once, or refused', async () => {
    const started = await origin({ ...live, segments: loopSegments(clip, 0, 5), ended: true });
    const running = begin(started.mediaUrl);
    await asked(started, 'seg-2.ts');
    const pages = [{ body: '<html>busy</html>' }, { body: '#EXTM3U\ngarbage' }, { status: 404, body: 'no' }];
    for (const page of pages) {
      const before = started.asked('media.m3u8');
      started.setPage('/media.m3u8', page);
      await asked(started, 'media.m3u8', before + 1);
    }
    started.setPage('/media.m3u8', null);
    started.advance(2);
    expect(codeOf(await running.outcome)).toBe('upstream_ended');
    expect((await recorded()).frames).toEqual(framesOf(0, 1, 2, 3, 4));
  });

  it('is asked for again by its master playlist when its token runs out', async () => {
    const master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\n@MEDIA\n';
    const shape = { ...live, segments: loopSegments(clip, 0, 6), tokens: true, master, ended: true };
    for (const path of ['masterUrl', 'liveUrl'] as const) {
      rmSync(spoolPath, { force: true });
      const started = await origin(shape);
      const running = begin(started[path]);
      await asked(started, 'seg-2.ts');
      started.expire();
      started.advance(3);
      expect(codeOf(await running.outcome)).toBe('upstream_ended');
      expect((await recorded()).frames).toEqual(framesOf(0, 1, 2, 3, 4, 5));
    }
  });

  it('never sees two requests at once from an account that counts connections', async () => {
    const shape = { ...live, segments: loopSegments(clip, 0, 6), requestsMax: 1, delayMs: 5, ended: true };
    const started = await origin(shape);
    const running = begin(started.mediaUrl, { oneAtATime: true });
    await asked(started, 'seg-2.ts');
    started.advance(3);
    expect(codeOf(await running.outcome)).toBe('upstream_ended');
    expect(started.requestsMaxSeen()).toBe(1);
    expect((await recorded()).frames).toEqual(framesOf(0, 1, 2, 3, 4, 5));
  });
});

describe('a variant', () => {
  it('with its sound inside is taken, the best within the wish', async () => {
    const lines = [
      '#EXTM3U',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=YES,URI="sound.m3u8"',
      '#EXT-X-STREAM-INF:BANDWIDTH=9000000,RESOLUTION=1920x1080,AUDIO="a"',
      'separate.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=5000000,RESOLUTION=1280x720',
      'other.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=1000000,RESOLUTION=640x360',
      '@MEDIA',
    ];
    const shape = { segments: loopSegments(clip, 0, 2), master: `${lines.join('\n')}\n`, ended: true };
    const started = await origin(shape);
    const small = begin(started.masterUrl, { quality: { kind: 'height', heightMax: 480 } });
    expect(codeOf(await small.outcome)).toBe('upstream_ended');
    expect(started.asked('other.m3u8') + started.asked('separate.m3u8')).toBe(0);
    // The best is not there: the next best is better than none.
    rmSync(spoolPath);
    expect(codeOf(await begin(started.masterUrl).outcome)).toBe('upstream_ended');
    expect(started.asked('other.m3u8')).toBe(1);
    expect(started.asked('separate.m3u8')).toBe(0);
  });

  it('whose sound is elsewhere is refused by its code where there is no other', async () => {
    const lines = [
      '#EXTM3U',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",URI="sound.m3u8"',
      '#EXT-X-STREAM-INF:BANDWIDTH=9000000,AUDIO="a"',
      '@MEDIA',
    ];
    const { outcome } = await recordAll(
      { segments: loopSegments(clip, 0, 2), master: `${lines.join('\n')}\n` },
      'masterUrl',
    );
    expect(outcome).toMatchObject({ code: 'hls_separate_audio', remedy: 'spent', piece: null });
  });
});

describe('a recording that comes back', () => {
  it('goes on behind the segment it had last, without asking for what it has', async () => {
    const segments = loopSegments(clip, 0, 8);
    const started = await origin({ segments, shown: 4, ended: true });
    const first = begin(started.mediaUrl);
    await asked(started, 'seg-3.ts');
    await first.firstPiece;
    first.stop();
    const outcome = await first.outcome;
    const cursor = outcome.kind === 'stopped' ? (outcome.piece?.cursor ?? null) : null;
    expect(cursor?.sequence).toBe(3);
    started.advance(4);
    const second = begin(started.mediaUrl, { cursor }, { lastMediaAt: cursor?.endAt ?? 0 });
    expect(codeOf(await second.outcome)).toBe('upstream_ended');
    const { frames, errors } = await recorded();
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 1, 2, 3, 4, 5, 6, 7));
    for (let n = 0; n < 8; n++) expect(started.asked(`seg-${n}.ts`)).toBe(1);
  });

  it('with a place that is old gets some of it again, and cuts it', async () => {
    const segments = loopSegments(clip, 0, 8);
    const started = await origin({ segments, shown: 5, ended: true });
    const first = begin(started.mediaUrl);
    await asked(started, 'seg-4.ts');
    await first.firstPiece;
    first.stop();
    const outcome = await first.outcome;
    const last = outcome.kind === 'stopped' ? outcome.piece : null;
    started.advance(3);
    const known = last?.cursor ? { ...last.cursor, sequence: 2, endAt: last.cursor.endAt - 1_600 } : null;
    const id = [...first.pieces.values()].length > 0 ? (known?.id ?? '') : '';
    const cursor = known && { ...known, id: id.length > 0 ? segmentIdOf(started, 2) : id };
    const second = begin(started.mediaUrl, { cursor }, { lastMediaAt: last?.toAt ?? 0 });
    await second.outcome;
    const { frames, errors } = await recorded();
    expect(errors).toEqual([]);
    expect(frames).toEqual(framesOf(0, 1, 2, 3, 4, 5, 6, 7));
  });
});

function segmentIdOf(origin: HlsOrigin, number: number): string {
  return segmentId({ uri: `${origin.url}/seg-${number}.ts`, range: null });
}

describe('one recording over HLS and plain TS', () => {
  it('is one clean file, whichever comes first', async () => {
    const provider = await startFakeProvider({ channels: [{ id: 'one', name: 'One', clip }] });
    const plain = { burstS: 30, speed: 0, endAfterBytes: 188 * 700 };
    try {
      for (const order of ['hls first', 'plain first']) {
        rmSync(spoolPath, { force: true });
        provider.behave('one', plain);
        const started = await origin({ segments: loopSegments(clip, 0, 4, 900_000), ended: true });
        const urls = [started.mediaUrl, provider.streamUrl('one')];
        if (order === 'plain first') urls.reverse();
        let lastMediaAt: number | undefined;
        for (const url of [...urls, urls[0] ?? '']) {
          const outcome = await begin(url, {}, lastMediaAt === undefined ? {} : { lastMediaAt }).outcome;
          expect(codeOf(outcome)).toBe('upstream_ended');
          lastMediaAt = outcome.kind === 'fault' ? outcome.piece?.toAt : undefined;
        }
        const { frames, errors } = await recorded();
        expect(errors).toEqual([]);
        expect(frames.length).toBeGreaterThan(100);
        const { durationS } = await probe(spoolPath);
        expect(durationS).toBeGreaterThan(frames.length / 25 - 0.5);
      }
    } finally {
      await provider.close();
    }
  });
});
