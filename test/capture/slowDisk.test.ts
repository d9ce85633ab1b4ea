/** Disks that do not keep up, with real sockets: who waits, who loses what, and what it is called. */
import { createServer, type ServerResponse } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createFeeds } from '../../src/capture/feeds.js';
import { capture } from '../../src/capture/protocols.js';
import { waitPool } from '../../src/capture/waitPool.js';
import { loopPackets, type LoopClip } from '../../src/demo/loopTs.js';
import type { CaptureOutcome } from '../../src/domain/capture.js';
import { systemClock } from '../../src/io/clock.js';
import type { Disk } from '../../src/io/disk.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import type { Transport } from '../../src/io/transport.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';
import { loopClip } from '../media/clip.js';

const POOL_BYTES = 4 * 2 ** 20;
const PIECE_PACKETS = 400;
let clip: LoopClip;
beforeAll(async () => {
  clip = await loopClip();
});

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A disk whose writes of media wait at the gate. */
function gated() {
  let opened: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (opened = resolve));
  const disk: Disk = {
    ...nodeDisk,
    async open(path, how, mode) {
      const file = await nodeDisk.open(path, how, mode);
      return { ...file, write: async (chunks) => gate.then(() => file.write(chunks)) };
    },
  };
  return { disk, open: () => opened() };
}

/** A provider that sends as quickly as it is taken, and a pool that is watched. */
async function scene() {
  const viewers = new Set<ServerResponse>();
  const sent = { bytes: 0 };
  const server = createServer((_request, response) => {
    viewers.add(response);
    let next = 0;
    const more = (): void => {
      if (response.destroyed) return;
      const piece = loopPackets(clip, next, next + PIECE_PACKETS);
      next += PIECE_PACKETS;
      sent.bytes += piece.length;
      if (response.write(piece)) setImmediate(more);
      else response.once('drain', more);
    };
    more();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/live`;
  const transport = undiciTransport(systemClock);
  const pool = waitPool(POOL_BYTES);
  let heldBack = false;
  const watched: Transport = {
    ...transport,
    async open(address_, request) {
      const response = await transport.open(address_, request);
      const { body } = response;
      const pause = () => {
        heldBack = true;
        body.pause();
      };
      const resume = () => {
        heldBack = false;
        body.resume();
      };
      return { ...response, body: { ...body, pause, resume } };
    },
  };
  const feeds = createFeeds({
    transport: watched,
    clock: systemClock,
    pool,
    onClosed: () => undefined,
    lingerMs: 0,
  });
  const folder = await mkdtemp(join(tmpdir(), 'catchupd-slow-'));
  closers.push(
    () => rm(folder, { recursive: true }),
    () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
    () => transport.close(),
  );
  let heldMax = 0;
  function watch(): void {
    heldMax = Math.max(heldMax, pool.heldBytes());
  }
  function record(name: string, disk: Disk) {
    const abort = new AbortController();
    const spoolPath = join(folder, `${name}.partial.ts`);
    const ended: { outcome: CaptureOutcome | null } = { outcome: null };
    const task = capture(
      { url, headers: {}, spoolPath, firstByteTimeoutMs: 20_000, stallTimeoutMs: 60_000 },
      {
        transport: {
          open: (address_, request) => feeds.open('one', address_, request),
          close: () => Promise.resolve(),
        },
        disk,
        clock: systemClock,
        pool,
        signal: abort.signal,
        onCheckpoint: () => undefined,
      },
    ).then((outcome) => (ended.outcome = outcome));
    closers.push(async () => (abort.abort(), task));
    return { stop: async () => (abort.abort(), task), task, ended, bytes: async () => readFile(spoolPath) };
  }
  async function until(fact: () => boolean): Promise<void> {
    while (!fact()) {
      watch();
      await new Promise((resolve) => void setTimeout(resolve, 2));
    }
    watch();
  }
  return {
    pool,
    sent,
    record,
    until,
    isHeldBack: () => heldBack,
    heldMax: () => heldMax,
    connections: () => viewers.size,
  };
}

describe('a disk that does not keep up', () => {
  it('holds the provider back, within the pool, and loses nothing', async () => {
    const { disk, open } = gated();
    const { sent, record, until, heldMax, pool, isHeldBack } = await scene();
    const recording = record('only', disk);
    await until(() => pool.heldBytes() > 0.4 * POOL_BYTES);
    // What is sent from now on fills the buffers between, and then nothing moves any more.
    await until(() => isHeldBack());
    const before = sent.bytes;
    expect(recording.ended.outcome).toBeNull();
    open();
    await until(() => sent.bytes > 4 * before);
    expect(heldMax()).toBeLessThan(POOL_BYTES);
    const outcome = await recording.stop();
    if (outcome.kind !== 'stopped' || !outcome.piece) throw new Error(JSON.stringify(outcome));
    const media = await recording.bytes();
    expect(media.length).toBe(outcome.piece.bytes);
    expect(outcome.piece.ts).toMatchObject({ continuityErrors: 0, syncLosses: 0 });
  });

  it('takes a while to open a spool: what came meanwhile is not told as a late start', async () => {
    let opened: () => void = () => undefined;
    let isAsked = false;
    const gate = new Promise<void>((resolve) => (opened = resolve));
    const disk: Disk = {
      ...nodeDisk,
      async open(...how) {
        isAsked = true;
        await gate;
        return nodeDisk.open(...how);
      },
    };
    const { sent, record, until } = await scene();
    const recording = record('only', disk);
    await until(() => isAsked);
    const askedAt = Date.now();
    await until(() => Date.now() > askedAt);
    const before = sent.bytes;
    const openedAt = Date.now();
    opened();
    await until(() => sent.bytes > before + POOL_BYTES);
    const outcome = await recording.stop();
    if (outcome.kind !== 'stopped' || !outcome.piece) throw new Error(JSON.stringify(outcome));
    expect(outcome.piece.fromAt).toBeLessThan(openedAt);
  });

  it('is let go with `disk_slow` where another on the same connection keeps up, and that one loses nothing', async () => {
    const { disk, open } = gated();
    const { sent, record, until, heldMax, connections, pool } = await scene();
    const quick = record('quick', nodeDisk);
    await until(() => sent.bytes > POOL_BYTES);
    const slow = record('slow', disk);
    await until(() => pool.heldBytes() > 0.8 * POOL_BYTES || slow.ended.outcome !== null);
    const seen = sent.bytes;
    await until(() => sent.bytes > seen + 4 * POOL_BYTES);
    open();
    expect(await slow.task).toMatchObject({
      kind: 'fault',
      cause: 'disk_slow',
      code: 'disk_slow',
      remedy: 'disk',
    });
    expect(heldMax()).toBeLessThan(1.1 * POOL_BYTES);
    expect(connections()).toBe(1);
    const outcome = await quick.stop();
    if (outcome.kind !== 'stopped' || !outcome.piece) throw new Error(JSON.stringify(outcome));
    expect(outcome.piece.ts).toMatchObject({ continuityErrors: 0, syncLosses: 0 });
    expect(outcome.piece.bytes).toBeGreaterThan(4 * POOL_BYTES);
    // What it had taken on is in its file all the same (P1).
    expect((await slow.bytes()).length).toBeGreaterThan(0);
  });
});
