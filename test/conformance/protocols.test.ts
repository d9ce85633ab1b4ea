/**
 * What every capture protocol must do, whatever the stream is made of: tell what went wrong by its code, account for all
 * that it wrote, leave no connection open, and give its slot back once.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFeeds, type ClosedBy } from '../../src/capture/feeds.js';
import { hlsTransport } from '../../src/capture/hlsTransport.js';
import { capture, CAPTURE_PROTOCOLS } from '../../src/capture/protocols.js';
import type { CaptureProtocol } from '../../src/capture/protocol.js';
import { loopPackets, type LoopClip } from '../../src/demo/loopTs.js';
import type { CapturePiece } from '../../src/domain/capture.js';
import { BEST } from '../../src/domain/hlsVariant.js';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';
import { loopSegments } from '../fakes/hls.js';
import { loopClip } from '../media/clip.js';
import { breaksOf, decode } from '../media/frames.js';

type Fault = 'none' | 'stall' | 'break';

/** How a server of each protocol answers. */
interface Origin {
  /** Good media, and then what is wrong with it. */
  answer(path: string, response: ServerResponse, fault: Fault): void;
}

const HEAD = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n';
const SEGMENTS = 4;
let clip: LoopClip;

const ORIGINS: Readonly<Record<CaptureProtocol['name'], Origin>> = {
  mpegts: {
    answer(_path, response, fault) {
      response.writeHead(200, { 'content-type': 'video/mp2t' });
      response.write(loopPackets(clip, 0, 1_500), () => fault === 'break' && response.destroy());
    },
  },
  hls: {
    answer(path, response, fault) {
      const segment = /seg-(\d+)/.exec(path);
      if (!segment) {
        // It breaks off or stands still behind what is listed.
        const broken = fault === 'break' && asked > SEGMENTS + 1;
        if (broken) return void response.destroy();
        const lines = loopSegments(clip, 0, SEGMENTS).map(
          (each, n) => `#EXTINF:${each.durationS},\nseg-${n}.ts\n`,
        );
        return void response.end(`${HEAD}${lines.join('')}`);
      }
      response.end(loopSegments(clip, Number(segment[1]), 1)[0]?.media);
    },
  },
};

let folder: string;
let server: ReturnType<typeof createServer>;
let url: string;
let asked = 0;
let reply: (path: string, response: ServerResponse) => void = () => undefined;
const sockets = new Set<Socket>();

beforeAll(async () => {
  clip = await loopClip();
});
beforeEach(async () => {
  asked = 0;
  folder = mkdtempSync(join(tmpdir(), 'catchupd-conformance-'));
  server = createServer((request, response) => {
    asked++;
    response.on('error', () => undefined);
    reply(request.url ?? '', response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/live`;
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

function begin(firstByteTimeoutMs = 5_000) {
  const closed: ClosedBy[] = [];
  const transport = hlsTransport(undiciTransport(systemClock), systemClock);
  const feeds = createFeeds({
    transport,
    clock: systemClock,
    onClosed: (_key, by) => closed.push(by),
    lingerMs: 10,
  });
  const stopping = new AbortController();
  let last: CapturePiece | null = null;
  let onWritten: () => void = () => undefined;
  const written = new Promise<void>((resolve) => (onWritten = resolve));
  const spoolPath = join(folder, 'show.partial.ts');
  const outcome = capture(
    {
      url,
      headers: { 'user-agent': 'tv/7' },
      spoolPath,
      firstByteTimeoutMs,
      stallTimeoutMs: 300,
      hls: { from: 0, cursor: null, quality: BEST, oneAtATime: false },
    },
    {
      transport: { open: (to, request) => feeds.open('one', to, request), close: () => Promise.resolve() },
      disk: nodeDisk,
      clock: systemClock,
      signal: stopping.signal,
      onCheckpoint(piece) {
        last = piece;
        onWritten();
      },
    },
  ).then((ended) => {
    if (ended.kind === 'fault') feeds.condemn('one');
    return ended;
  });
  return { outcome, written, closed, feeds, spoolPath, piece: () => last, stop: () => stopping.abort() };
}

async function allClosed(running: ReturnType<typeof begin>): Promise<void> {
  while (sockets.size > 0 || running.closed.length === 0) await new Promise(setImmediate);
  expect(running.closed.length).toBe(1);
  expect(running.feeds.keys()).toEqual([]);
}

it('every protocol there is is held to this', () => {
  expect(CAPTURE_PROTOCOLS.map(({ name }) => name).toSorted()).toEqual(Object.keys(ORIGINS).toSorted());
});

describe.each(CAPTURE_PROTOCOLS.map(({ name }) => name))('%s', (name) => {
  const origin = ORIGINS[name];

  it.each([
    [404, '', 'http_404', 'spent'],
    [403, '', 'http_403', 'spent'],
    [458, 'max 2 connections', 'limit', 'no_slot'],
    [503, '', 'http_503', 'retry'],
    [200, '<html>expired</html>', 'html', 'spent'],
  ])('tells %s by its code and leaves nothing', async (status, body, cause, remedy) => {
    reply = (_path, response) => void response.writeHead(status).end(body);
    const running = begin();
    expect(await running.outcome).toMatchObject({ kind: 'fault', cause, remedy, piece: null });
    await allClosed(running);
    expect(() => readFileSync(running.spoolPath)).toThrow('ENOENT');
  });

  it('does not wait for ever for a first byte', async () => {
    reply = () => undefined;
    const running = begin(300);
    expect(await running.outcome).toMatchObject({
      kind: 'fault',
      cause: 'stall',
      remedy: 'retry',
      piece: null,
    });
    await allClosed(running);
  });

  it('stops at once while nothing has come', async () => {
    reply = () => undefined;
    const running = begin();
    while (asked === 0) await new Promise(setImmediate);
    running.stop();
    expect(await running.outcome).toMatchObject({ kind: 'stopped', piece: null });
    await allClosed(running);
  });

  it.each<[string, Fault]>([
    ['stands still', 'stall'],
    ['breaks off', 'break'],
  ])('accounts for all it wrote when it %s', { timeout: 20_000 }, async (_name, fault) => {
    reply = (path, response) => origin.answer(path, response, fault);
    const running = begin();
    const outcome = await running.outcome;
    expect(outcome).toMatchObject({ kind: 'fault', remedy: 'retry' });
    const piece = outcome.kind === 'fault' ? outcome.piece : null;
    const bytes = readFileSync(running.spoolPath);
    expect(piece).toMatchObject({ firstOffset: 0, bytes: bytes.length });
    expect((piece?.ts.packets ?? 0) * 188 - (piece?.ts.trimmedBytes ?? 0)).toBe(bytes.length);
    const { frames, errors } = await decode(bytes, 'warning');
    expect(errors).toEqual([]);
    expect(breaksOf(frames, 160)).toEqual([]);
    expect(frames.length).toBeGreaterThan(20);
    await allClosed(running);
  });

  it('follows a redirect, and closes every connection when it is told to stop', async () => {
    reply = (path, response) =>
      path === '/live'
        ? void response.writeHead(302, { location: '/far/live?token=1' }).end()
        : origin.answer(path, response, 'none');
    const running = begin();
    await running.written;
    running.stop();
    const outcome = await running.outcome;
    expect(outcome.kind).toBe('stopped');
    expect(outcome.kind === 'stopped' && outcome.piece?.bytes).toBe(readFileSync(running.spoolPath).length);
    await allClosed(running);
  });
});
