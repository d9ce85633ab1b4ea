import { beforeAll, describe, expect, it } from 'vitest';
import { pieceWriter } from '../../src/capture/pieceWriter.js';
import { isTrouble, openSpool, type DiskTrouble } from '../../src/capture/spool.js';
import { tsHealth } from '../../src/capture/tsHealth.js';
import { PACKET_BYTES } from '../../src/capture/tsPackets.js';
import type { CapturePiece } from '../../src/domain/capture.js';
import { loopPackets, type LoopClip } from '../../src/demo/loopTs.js';
import type { Clock } from '../../src/io/clock.js';
import { diskCode, type Disk, type DiskFile } from '../../src/io/disk.js';
import { loopClip } from '../media/clip.js';

const PATH = '/out/show.partial.ts';
let clip: LoopClip;
beforeAll(async () => {
  clip = await loopClip();
});

type Fails = (operation: 'open' | 'write' | 'datasync', bytes: number) => string | null;

/** One file in memory that notes what is done to it; `gate` holds its writes up. */
function oneFile(
  fails: Fails = () => null,
  gate: () => Promise<void> = () => Promise.resolve(),
  syncGate: () => Promise<void> = () => Promise.resolve(),
) {
  let data: Buffer = Buffer.alloc(0);
  const done: string[] = [];
  function check(operation: 'open' | 'write' | 'datasync'): void {
    const code = fails(operation, data.length);
    if (code !== null) throw Object.assign(new Error(code), { code });
  }
  const file: DiskFile = {
    async write(chunks) {
      await gate();
      const bytes = Buffer.concat(chunks);
      done.push(`write ${chunks.length}`);
      const code = fails('write', data.length + bytes.length);
      // A full disk takes a part of it.
      data = Buffer.concat([data, code === null ? bytes : bytes.subarray(0, 1_000)]);
      if (code !== null) throw Object.assign(new Error(code), { code });
    },
    read: (offset, length) => Promise.resolve(data.subarray(offset, offset + length)),
    async truncate(bytes) {
      data = data.subarray(0, bytes);
    },
    async datasync() {
      done.push('sync');
      await syncGate();
      check('datasync');
    },
    bytes: () => Promise.resolve(data.length),
    async close() {
      done.push('close');
    },
  };
  const open: Disk['open'] = async () => {
    check('open');
    return file;
  };
  return { open, done, data: () => data, put: (bytes: Buffer) => (data = bytes) };
}

function handClock() {
  let mono = 0;
  let tasks: { at: number; task: () => void }[] = [];
  const clock: Clock = {
    now: () => 1_000_000 + mono,
    mono: () => mono,
    after(delayMs, task) {
      const entry = { at: mono + delayMs, task };
      tasks.push(entry);
      return { cancel: () => (tasks = tasks.filter((one) => one !== entry)) };
    },
  };
  return {
    clock,
    advance(ms: number) {
      mono += ms;
      const due = tasks.filter(({ at }) => at <= mono);
      tasks = tasks.filter(({ at }) => at > mono);
      for (const { task } of due) task();
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

async function writing(file: ReturnType<typeof oneFile>) {
  const spool = await openSpool(
    { open: file.open, syncFolder: () => Promise.resolve() } as unknown as Disk,
    PATH,
  );
  if (isTrouble(spool)) throw new Error(spool.code);
  const { clock, advance } = handClock();
  const health = tsHealth();
  const heard: { pressure: boolean[]; trouble: DiskTrouble[]; checkpoints: CapturePiece[] } = {
    pressure: [],
    trouble: [],
    checkpoints: [],
  };
  const writer = pieceWriter({
    spool,
    health,
    clock,
    onCheckpoint: (piece) => heard.checkpoints.push(piece),
    onPressure: (full) => heard.pressure.push(full),
    onTrouble: (trouble) => heard.trouble.push(trouble),
    onBug: (error) => {
      throw error;
    },
  });
  let next = 0;
  /** Sends `count` packets of the endless clip. */
  function send(count: number): void {
    const bytes = loopPackets(clip, next, next + count);
    next += count;
    writer.push(bytes, 0, bytes.length, clock.mono());
  }
  return { writer, send, advance, heard, spool };
}

describe('writing a piece', () => {
  it('gathers small chunks into few writes', async () => {
    const file = oneFile();
    const { send } = await writing(file);
    for (let i = 0; i < 200; i++) send(10);
    await settle();
    expect(file.done.filter((what) => what.startsWith('write'))).toHaveLength(1);
    expect(file.data().length).toBeGreaterThanOrEqual(256 * 1024);
  });

  it('writes what little there is before a second is over', async () => {
    const file = oneFile();
    const { send, advance } = await writing(file);
    send(40);
    await settle();
    expect(file.data().length).toBe(0);
    advance(400);
    await settle();
    advance(400);
    await settle();
    expect(file.data().length).toBe(40 * PACKET_BYTES);
  });

  it('syncs before five seconds are over, and at its end', async () => {
    const file = oneFile();
    const { send, advance, writer } = await writing(file);
    for (let i = 0; i < 12; i++) {
      send(40);
      advance(400);
      await settle();
    }
    // The first is of the name that the spool just got.
    expect(file.done.filter((what) => what === 'sync')).toHaveLength(2);
    send(40);
    expect(await writer.finish()).toBeNull();
    expect(file.done.slice(-2)).toEqual(['sync', 'close']);
  });

  it('goes on to write while a sync takes its time, so that a kill costs no more than on a quick disk', async () => {
    let free: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (free = resolve));
    const file = oneFile(undefined, undefined, () => slow);
    const { send, advance, writer } = await writing(file);
    for (let second = 0; second < 30; second++) {
      send(100);
      advance(400);
      await settle();
      advance(400);
      await settle();
      advance(200);
      expect([second, file.data().length]).toEqual([second, (second + 1) * 100 * PACKET_BYTES]);
    }
    // One sync at a time; what came meanwhile is synced by the next one, and none is left at the end.
    expect(file.done.filter((what) => what === 'sync')).toHaveLength(1);
    free();
    await settle();
    expect(file.done.filter((what) => what === 'sync')).toHaveLength(2);
    send(100);
    expect(await writer.finish()).toBeNull();
    expect(file.done.slice(-3)).toEqual(['write 1', 'sync', 'close']);
  });

  it('says once that a sync failed beside a write that goes on', async () => {
    let free: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (free = resolve));
    const file = oneFile(
      (operation) => (operation === 'datasync' ? 'EIO' : null),
      undefined,
      () => slow,
    );
    const { send, advance, heard, writer } = await writing(file);
    for (let i = 0; i < 12; i++) {
      send(40);
      advance(400);
      await settle();
    }
    send(2_000);
    free();
    await settle();
    expect(heard.trouble).toEqual([{ code: 'disk_error' }]);
    expect(await writer.finish()).toEqual({ code: 'disk_error' });
    expect(heard.trouble).toHaveLength(1);
  });

  it('reports what is in the file at first, then every ten seconds', async () => {
    const { send, advance, heard } = await writing(oneFile());
    for (let i = 0; i < 60; i++) {
      send(40);
      advance(400);
      await settle();
    }
    expect(heard.checkpoints).toHaveLength(3);
    expect(heard.checkpoints[1]).toMatchObject({ firstOffset: 0, fromAt: 1_000_000 });
    expect(heard.checkpoints[1]?.goodMs).toBeGreaterThan(9_000);
  });

  it('holds the stream back while the disk is slow, and loses nothing', async () => {
    let free: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (free = resolve));
    const file = oneFile(undefined, () => slow);
    const { send, heard, writer } = await writing(file);
    for (let i = 0; i < 60 && !heard.pressure.includes(true); i++) send(1_000);
    expect(heard.pressure).toEqual([true]);
    free();
    while (heard.pressure.length < 2) await settle();
    expect(heard.pressure).toEqual([true, false]);
    await writer.finish();
    const piece = writer.piece();
    expect((piece?.ts.packets ?? 0) * PACKET_BYTES - (piece?.ts.trimmedBytes ?? 0)).toBe(file.data().length);
  });

  it.each([
    ['ENOSPC', 'disk_full'],
    ['EDQUOT', 'disk_full'],
    ['EIO', 'disk_error'],
  ])('turns %s into %s, and leaves whole packets', async (errno, code) => {
    const file = oneFile((operation, bytes) => (operation === 'write' && bytes > 300_000 ? errno : null));
    const { send, heard, writer } = await writing(file);
    send(1_500);
    await settle();
    send(1_500);
    await settle();
    expect(heard.trouble).toEqual([{ code }]);
    expect(await writer.finish()).toEqual({ code });
    expect(file.data().length % PACKET_BYTES).toBe(0);
    expect(writer.piece()?.bytes).toBe(file.data().length);
    expect(file.done.at(-1)).toBe('close');
  });

  it('says so when a sync fails, for then nothing is sure', async () => {
    const file = oneFile((operation) => (operation === 'datasync' ? 'EIO' : null));
    const { send, writer } = await writing(file);
    send(100);
    expect(await writer.finish()).toEqual({ code: 'disk_error' });
  });
});

describe('opening a spool', () => {
  it('cuts a torn packet and nothing else', async () => {
    const file = oneFile();
    file.put(Buffer.alloc(10 * PACKET_BYTES + 99, 1));
    const spool = await openSpool(
      { open: file.open, syncFolder: () => Promise.resolve() } as unknown as Disk,
      PATH,
    );
    expect(spool).toMatchObject({ firstOffset: 10 * PACKET_BYTES, trimmedBytes: 99 });
    expect(file.data().length).toBe(10 * PACKET_BYTES);
  });

  it('gives the trouble of a disk that refuses', async () => {
    const refusing = oneFile((operation) => (operation === 'open' ? 'EROFS' : null));
    expect(await openSpool({ open: refusing.open } as Disk, PATH)).toEqual({ code: 'disk_error' });
    expect(diskCode(new Error('x'))).toBe('UNKNOWN');
  });
});
