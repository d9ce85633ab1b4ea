import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { capture } from '../../src/capture/protocols.js';
import type { CaptureDoors } from '../../src/capture/protocol.js';
import type { CaptureOutcome, CapturePiece } from '../../src/domain/capture.js';
import { entryAt, loopPackets, type LoopClip } from '../../src/demo/loopTs.js';
import { systemClock, type Clock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';
import { startFakeProvider, type Behaviour, type FakeProvider } from '../fakes/provider.js';
import { clipBytes, loopClip } from '../media/clip.js';
import { breaksOf, decode } from '../media/frames.js';

const FRAMES = 160;
let clip: LoopClip;
let folder: string;
let spoolPath: string;
let provider: FakeProvider;
const transport = undiciTransport(systemClock);

beforeAll(async () => {
  clip = await loopClip();
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'catchupd-capture-'));
  spoolPath = join(folder, 'show.partial.ts');
  provider = await startFakeProvider({ channels: [{ id: 'one', name: 'One', clip }], connectionsMax: 1 });
});
afterEach(async () => {
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Options {
  readonly behaviour?: Behaviour;
  readonly url?: string;
  readonly userAgent?: string;
  readonly stallTimeoutMs?: number;
  readonly firstByteTimeoutMs?: number;
  readonly doors?: Partial<CaptureDoors>;
}

function begin(options: Options = {}) {
  provider.behave('one', { burstS: 30, ...options.behaviour });
  const stopping = new AbortController();
  const checkpoints: CapturePiece[] = [];
  let onFirst: () => void = () => undefined;
  const firstCheckpoint = new Promise<void>((resolve) => (onFirst = resolve));
  const outcome = capture(
    {
      url: options.url ?? provider.streamUrl('one'),
      headers: { 'user-agent': options.userAgent ?? 'catchupd' },
      spoolPath,
      firstByteTimeoutMs: options.firstByteTimeoutMs ?? 5_000,
      stallTimeoutMs: options.stallTimeoutMs ?? 5_000,
    },
    {
      transport,
      disk: nodeDisk,
      clock: systemClock,
      signal: stopping.signal,
      onCheckpoint(piece) {
        checkpoints.push(piece);
        onFirst();
      },
      ...options.doors,
    },
  );
  return { outcome, checkpoints, firstCheckpoint, stop: () => stopping.abort() };
}

async function faultOf(outcome: Promise<CaptureOutcome>) {
  const given = await outcome;
  if (given.kind !== 'fault') throw new Error(`expected a fault, not ${given.kind}`);
  const { cause, code, remedy, retryAfterMs, limit, piece } = given;
  return { cause, code, remedy, retryAfterMs, limit, piece };
}

describe('a capture', () => {
  it('records a stream that decodes without an error from its first packet to its last, no frame missing', async () => {
    const running = begin();
    await running.firstCheckpoint;
    running.stop();
    const outcome = await running.outcome;
    expect(outcome.kind).toBe('stopped');
    const bytes = readFileSync(spoolPath);
    expect(bytes.length % 188).toBe(0);
    const { frames, errors } = await decode(bytes, 'warning');
    expect(errors).toEqual([]);
    expect(frames.length).toBeGreaterThan(0);
    expect(breaksOf(frames, FRAMES)).toEqual([]);
  });

  it('says what it wrote, as counted in the file itself', async () => {
    const before = Date.now();
    const running = begin();
    await running.firstCheckpoint;
    running.stop();
    const outcome = await running.outcome;
    const piece = outcome.kind === 'stopped' ? outcome.piece : null;
    const bytes = readFileSync(spoolPath);
    expect(piece).toMatchObject({ firstOffset: 0, bytes: bytes.length });
    expect(piece?.ts).toMatchObject({ continuityErrors: 0, syncLosses: 0, clockJumps: 0, scrambled: 0 });
    expect((piece?.ts.packets ?? 0) * 188 - (piece?.ts.trimmedBytes ?? 0)).toBe(bytes.length);
    // What was sent in advance was on before it came.
    expect(piece?.fromAt).toBeGreaterThanOrEqual(before - 31_000);
    expect(piece?.fromAt).toBeLessThan(before - 20_000);
    expect(piece?.toAt).toBeGreaterThanOrEqual(piece?.fromAt ?? 0);
    expect(running.checkpoints[0]?.bytes).toBeGreaterThan(0);
  });

  it('keeps every byte of the stream from its beginning to the last whole frame', async () => {
    const running = begin({ behaviour: { burstS: 20, speed: 0, endAfterBytes: 188 * 1200 } });
    await running.outcome;
    const bytes = readFileSync(spoolPath);
    const { key } = entryAt(clip, 0);
    // Table packets come first on the wire as in the file; from the key frame on it is the stream itself.
    const stream = loopPackets(clip, key, key + 1198);
    expect(bytes.subarray(2 * 188, 1100 * 188).equals(stream.subarray(0, 1098 * 188))).toBe(true);
  });

  it('begins inside a packet as well', async () => {
    const running = begin({ behaviour: { skipBytes: 188 * 30 + 77 } });
    await running.firstCheckpoint;
    running.stop();
    await running.outcome;
    const { frames, errors } = await decode(spoolPath, 'warning');
    expect(errors).toEqual([]);
    expect(breaksOf(frames, FRAMES)).toEqual([]);
  });

  it('appends to what is there and touches none of it', async () => {
    const first = begin();
    await first.firstCheckpoint;
    first.stop();
    await first.outcome;
    const before = readFileSync(spoolPath);
    const second = begin();
    await second.firstCheckpoint;
    second.stop();
    const outcome = await second.outcome;
    const after = readFileSync(spoolPath);
    expect(after.subarray(0, before.length).equals(before)).toBe(true);
    expect(outcome).toMatchObject({
      piece: { firstOffset: before.length, bytes: after.length - before.length },
    });
  });

  it('goes on where the stream broke off when the provider repeats what was sent, no frame missing or twice', async () => {
    for (let tries = 0; tries < 3; tries++) {
      const broken = begin({ behaviour: { burstS: 12, speed: 0, dropAfterBytes: 188 * 600 + 50 } });
      await broken.outcome;
    }
    const last = begin({ behaviour: { burstS: 12, speed: 0, endAfterBytes: 188 * 800 } });
    const { piece } = await faultOf(last.outcome);
    expect(piece?.join).toMatchObject({ approximate: false, gapS: 0 });
    expect(piece?.join?.removedOverlapS).toBeGreaterThan(1);
    const { frames, errors } = await decode(spoolPath, 'warning');
    expect(errors).toEqual([]);
    expect(breaksOf(frames, FRAMES)).toEqual([]);
  });

  it('keeps a clip that the provider gives in place of the channel, and tells it as missing', async () => {
    await begin({ behaviour: { endAfterBytes: 188 * 400 } }).outcome;
    const before = readFileSync(spoolPath).length;
    const notice = await clipBytes({ firstNumber: 1000, toneHz: 900 });
    const server = createServer((_request, response) => response.end(notice));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/live`;
    const { piece } = await faultOf(begin({ url }).outcome);
    await new Promise((resolve) => server.close(resolve));
    const [gap] = piece?.gaps ?? [];
    expect(gap).toMatchObject({ cause: 'dead', toAt: piece?.toAt });
    expect((gap?.toAt ?? 0) - (gap?.fromAt ?? 0)).toBeGreaterThan(5_500);
    expect(readFileSync(spoolPath).length - before).toBeGreaterThan(0.95 * notice.length);
  });

  it('cuts only the torn packet that a kill left, and counts it', async () => {
    const whole = loopPackets(clip, 0, 50);
    writeFileSync(spoolPath, Buffer.concat([whole, whole.subarray(0, 100)]));
    const running = begin({ behaviour: { endAfterBytes: 188 * 400 } });
    const { piece } = await faultOf(running.outcome);
    expect(piece?.firstOffset).toBe(whole.length);
    expect(piece?.join).toBeDefined();
    expect(piece?.ts.trimmedBytes).toBeGreaterThanOrEqual(100);
    expect(readFileSync(spoolPath).subarray(0, whole.length).equals(whole)).toBe(true);
  });

  it('tells the upstream who is asking, also after a redirect', async () => {
    const second = await startFakeProvider({
      channels: [
        {
          id: 'far',
          name: 'Far',
          clip,
          behaviour: { userAgent: 'tv/7', endAfterBytes: 188 * 400, burstS: 9 },
        },
      ],
    });
    const running = begin({ userAgent: 'tv/7', behaviour: { redirectTo: second.streamUrl('far') } });
    expect(await faultOf(running.outcome)).toMatchObject({ cause: 'eof', piece: { firstOffset: 0 } });
    await second.close();
    const refused = begin({ userAgent: 'other', behaviour: { userAgent: 'tv/7' } });
    expect(await faultOf(refused.outcome)).toMatchObject({ cause: 'http_403', remedy: 'spent' });
  });

  it('stops at once while it waits for an answer, and leaves no file', async () => {
    const running = begin({ behaviour: { silent: true } });
    running.stop();
    expect(await running.outcome).toMatchObject({ kind: 'stopped', piece: null });
    expect(() => readFileSync(spoolPath)).toThrow('ENOENT');
  });

  it('gives its connection back when it stops', async () => {
    const running = begin();
    await running.firstCheckpoint;
    expect(provider.openStreams()).toBe(1);
    running.stop();
    await running.outcome;
    // The next one is only let in because the one before is gone; its close may need a moment to arrive.
    for (let tries = 0; provider.openStreams() > 0 && tries < 1_000; tries++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(provider.openStreams()).toBe(0);
  });
});

describe('what went wrong is told by its code', () => {
  const NONE = { retryAfterMs: null, limit: null, piece: null };
  it.each<[string, Behaviour, object]>([
    ['404', { status: 404 }, { cause: 'http_404', code: 'upstream_refused', remedy: 'spent', ...NONE }],
    ['401', { status: 401 }, { cause: 'http_401', code: 'upstream_refused', remedy: 'spent', ...NONE }],
    ['408', { status: 408 }, { cause: 'http_408', code: 'upstream_failing', remedy: 'retry', ...NONE }],
    [
      '503 with Retry-After',
      { status: 503, headers: { 'retry-after': '7' } },
      { cause: 'http_503', code: 'upstream_failing', remedy: 'retry', ...NONE, retryAfterMs: 7_000 },
    ],
    [
      '429',
      { status: 429, headers: { 'retry-after': '3' } },
      { cause: 'http_429', code: 'upstream_busy', remedy: 'backoff', ...NONE, retryAfterMs: 3_000 },
    ],
    ['423', { status: 423 }, { cause: 'limit', code: 'upstream_limit', remedy: 'no_slot', ...NONE }],
    [
      '403 that speaks of connections',
      { status: 403, body: 'Too many connections, limit is 2 streams.' },
      { cause: 'limit', code: 'upstream_limit', remedy: 'no_slot', ...NONE, limit: 2 },
    ],
    [
      '200 that speaks of connections',
      { body: 'Maximum connections (1) reached' },
      { cause: 'limit', code: 'upstream_limit', remedy: 'no_slot', ...NONE, limit: 1 },
    ],
    [
      'a web page',
      { body: `\n<!DOCTYPE html><html>${' '.repeat(3_000)}</html>` },
      { cause: 'html', code: 'upstream_html', remedy: 'spent', ...NONE },
    ],
    [
      'something else',
      { body: '#EXTM3U\n#EXT-X-VERSION:3\n' },
      { cause: 'not_media', code: 'upstream_not_media', remedy: 'spent', ...NONE },
    ],
    ['nothing', { body: '' }, { cause: 'eof', code: 'upstream_ended', remedy: 'retry', ...NONE }],
  ])('%s', async (_name, behaviour, expected) => {
    expect(await faultOf(begin({ behaviour }).outcome)).toEqual(expected);
    expect(() => readFileSync(spoolPath)).toThrow('ENOENT');
  });

  it('a limit that is really there', async () => {
    const first = begin();
    await first.firstCheckpoint;
    expect(await faultOf(begin().outcome)).toMatchObject({ cause: 'limit', remedy: 'no_slot', limit: 1 });
    first.stop();
    expect((await first.outcome).kind).toBe('stopped');
  });

  it('nobody there', async () => {
    const gone = await startFakeProvider({ channels: [] });
    await gone.close();
    const running = begin({ url: gone.streamUrl('x') });
    expect(await faultOf(running.outcome)).toMatchObject({ cause: 'connect', remedy: 'retry', piece: null });
  });

  it('no answer in time', async () => {
    const running = begin({ behaviour: { silent: true }, firstByteTimeoutMs: 30 });
    expect(await faultOf(running.outcome)).toMatchObject({ cause: 'stall', remedy: 'retry', piece: null });
  });

  it.each<[string, Behaviour, string]>([
    ['the end of a stream', { endAfterBytes: 188 * 700 + 50 }, 'eof'],
    ['a broken connection', { dropAfterBytes: 188 * 700 + 50 }, 'reset'],
    ['silence', { stallAfterBytes: 188 * 700 + 50 }, 'stall'],
  ])('%s, after all of it was written', async (_name, behaviour, cause) => {
    const running = begin({ behaviour, stallTimeoutMs: 200 });
    const { piece, ...fault } = await faultOf(running.outcome);
    expect(fault).toMatchObject({ cause, remedy: 'retry' });
    const bytes = readFileSync(spoolPath);
    expect(piece?.bytes).toBe(bytes.length);
    const { frames, errors } = await decode(bytes, 'warning');
    expect(errors).toEqual([]);
    expect(breaksOf(frames, FRAMES)).toEqual([]);
    expect(bytes.length).toBeGreaterThan(188 * 650);
  });

  it('a folder that is not there', async () => {
    rmSync(folder, { recursive: true });
    expect(await faultOf(begin().outcome)).toMatchObject({
      cause: 'disk_error',
      remedy: 'disk',
      piece: null,
    });
  });

  it('a throw of our own, as a bug and not as a broken stream', async () => {
    let planted = false;
    const clock: Clock = {
      ...systemClock,
      mono() {
        if (planted) {
          planted = false;
          throw new Error('planted');
        }
        return systemClock.mono();
      },
    };
    const running = begin({ doors: { clock, onCheckpoint: () => (planted = true) } });
    expect(await running.outcome).toMatchObject({ kind: 'bug', error: 'Error: planted' });
    expect(readFileSync(spoolPath).length).toBeGreaterThan(0);
  });
});
