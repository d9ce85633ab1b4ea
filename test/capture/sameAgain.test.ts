/** Pieces that begin like something that is written: some are the same again, some only look like it (P1). */
import { beforeAll, describe, expect, it } from 'vitest';
import { adaptationFlags, pcrAt, pesTimesAt, pidAt } from '../../src/capture/tsPackets.js';
import { shift } from '../../src/demo/tsFields.js';
import { clipBytes } from '../media/clip.js';
import { breaksOf, decode } from '../media/frames.js';
import { eachPacket, faultsOf, payloads, recordPiece, recordPieces, remuxed } from './spoolOfPieces.js';

const VIDEO = 0x100;
const AUDIO = 0x101;
const CLIP_MS = 6_400;
const GROUP_FRAMES = 20;
const GROUPS = 8;
/** SDT, PAT and PMT, with which a clip begins. */
const TABLES = 3 * 188;
/** What is shown again, and two programmes: pictures numbered from 0, 1000 and 2000. */
let card: Buffer;
let one: Buffer;
let two: Buffer;
beforeAll(async () => {
  const numbered = (firstNumber: number) => clipBytes({ firstNumber, toneHz: 500 + firstNumber / 5 });
  card = await numbered(0);
  one = await numbered(1000);
  two = await numbered(2000);
});

/** Groups of pictures of a clip, with the sound between them. */
function groups(clip: Buffer, from: number, to: number): Buffer {
  const keys: number[] = [];
  eachPacket(clip, (at) => {
    if (pidAt(clip, at) === VIDEO && (adaptationFlags(clip, at) & 0x40) !== 0) keys.push(at);
  });
  return Buffer.concat([clip.subarray(0, TABLES), clip.subarray(keys[from], keys[to] ?? clip.length)]);
}

function part(bytes: Buffer, from: number, to: number): Buffer {
  const packets = Math.floor(bytes.length / 188);
  return bytes.subarray(188 * Math.floor(packets * from), 188 * Math.floor(packets * to));
}

/** One clock through all of it, picture by picture. */
function continued(bytes: Buffer): Buffer {
  const out: Buffer[] = [];
  const all = Math.floor(bytes.length / 188);
  let last = -1;
  let ticks = 0;
  for (let n = 0; n < all; n++) {
    const packet = Buffer.from(bytes.subarray(188 * n, 188 * n + 188));
    const dts = pidAt(packet, 0) === VIDEO ? (pesTimesAt(packet, 0)?.dts ?? -1) : -1;
    if (dts >= 0) {
      if (last >= 0 && Math.abs(dts + ticks - last) > 90_000 / 20) ticks = last + 3_600 - dts;
      last = dts + ticks;
    }
    shift(packet, 0, (ticks + 2 ** 33) % 2 ** 33);
    out.push(packet);
  }
  return Buffer.concat(out);
}

const numbers = (first: number, from: number, to: number) =>
  Array.from({ length: (to - from) * GROUP_FRAMES }, (_, n) => first + from * GROUP_FRAMES + n);

const paced = { silentMs: 1_000, msPerByte: CLIP_MS / 700_000 };
const onAnotherClock = (bytes: Buffer) => remuxed(bytes, new Map(), 90_000 * 500, 3);

describe('what only begins like something that is written', () => {
  it('is kept, card and all, where every connection begins with one card and the same clock', async () => {
    const first = Buffer.concat([groups(card, 0, 2), groups(one, 2, GROUPS)]);
    const second = Buffer.concat([groups(card, 0, 2), groups(two, 2, GROUPS)]);
    const { spool, join } = await recordPieces([first, second], paced);
    expect(join).toMatchObject({ removedOverlapS: 0 });
    const { frames } = await decode(spool);
    const before = [...numbers(0, 0, 2), ...numbers(1000, 2, GROUPS)];
    expect(frames).toEqual([...before, ...numbers(0, 0, 2), ...numbers(2000, 2, GROUPS)]);
  });

  it('is kept where a trailer comes again, and something else behind it', async () => {
    const first = Buffer.concat([groups(one, 0, 2), groups(card, 2, 4), groups(one, 4, 7)]);
    const second = onAnotherClock(Buffer.concat([groups(card, 2, 4), groups(two, 4, GROUPS)]));
    for (const arrival of [paced, { silentMs: 1_000 }]) {
      const { spool, join } = await recordPieces([first, second], arrival);
      expect(join).toMatchObject({ removedOverlapS: 0 });
      const { frames } = await decode(spool);
      expect(frames.slice(-6 * GROUP_FRAMES)).toEqual([...numbers(0, 2, 4), ...numbers(2000, 4, GROUPS)]);
    }
  });

  it('is kept where one picture is shown all day and only the sound is new', async () => {
    const still = { step: 0, gop: 250 };
    const [first, second] = await Promise.all([
      clipBytes({ ...still, toneHz: 440 }),
      clipBytes({ ...still, toneHz: 700 }),
    ]);
    const { spool: before } = await recordPieces([first]);
    for (const piece of [second, onAnotherClock(second)]) {
      const { spool, join } = await recordPiece(before, piece, {
        silentMs: 1_000,
        msPerByte: CLIP_MS / piece.length,
        movedTicks: 0,
      });
      expect(join).toMatchObject({ removedOverlapS: 0 });
      expect(faultsOf(spool)).toEqual([]);
      const kept = new Set(payloads(spool, AUDIO));
      expect(payloads(second, AUDIO).filter((hash) => !kept.has(hash)).length).toBeLessThan(3);
    }
  });
});

describe('the same again', () => {
  it('is cut, too, where it comes no faster than it plays', async () => {
    const second = onAnotherClock(groups(one, 2, GROUPS));
    const { spool, join } = await recordPieces([groups(one, 0, 6), second], paced);
    expect(join?.removedOverlapS).toBeCloseTo(4 * GROUP_FRAMES * 0.04, 0);
    expect(breaksOf((await decode(spool)).frames)).toEqual([]);
  });

  it('is cut within a trailer that was there before, where it comes at once', async () => {
    const trailer = groups(card, 2, 5);
    const first = Buffer.concat([groups(one, 0, 2), trailer, groups(one, 5, 7), groups(card, 2, 4)]);
    const second = onAnotherClock(Buffer.concat([groups(card, 3, 5), groups(two, 5, GROUPS)]));
    const chunkBytes = second.length;
    const { spool, join } = await recordPieces([continued(first), continued(second)], {
      silentMs: 1_000,
      chunkBytes,
    });
    expect(join?.removedOverlapS).toBeCloseTo(GROUP_FRAMES * 0.04, 1);
    const { frames } = await decode(spool);
    expect(frames.slice(-5 * GROUP_FRAMES)).toEqual([...numbers(0, 3, 5), ...numbers(2000, 5, GROUPS)]);
  });

  it('is cut where the connection ends before all of it has come', async () => {
    const first = await recordPieces([groups(one, 0, 6)]);
    const { spool } = await recordPiece(first.spool, onAnotherClock(groups(one, 2, 5)), paced);
    const again = await recordPiece(spool, onAnotherClock(groups(one, 2, GROUPS)), paced);
    expect(breaksOf((await decode(again.spool)).frames)).toEqual([]);
  });

  it('is cut where only the sound can tell, however that is divided into packets', async () => {
    // A tone that is never at the same point of its wave again.
    const radio = { step: 0, toneHz: 443.7 };
    const whole = await clipBytes(radio);
    const sounds = payloads((await recordPieces([whole])).spool, AUDIO);
    for (const pesBytes of [0, 1000]) {
      const again = await clipBytes({ ...radio, pesBytes });
      const second = onAnotherClock(part(again, 0.3, 1));
      for (const msPerByte of [0, CLIP_MS / whole.length]) {
        const { spool: before } = await recordPieces([part(whole, 0, 0.6)]);
        const { spool, join } = await recordPiece(before, second, { silentMs: 1_000, msPerByte });
        expect(join).toMatchObject({ approximate: false, gapS: 0 });
        expect(join?.removedOverlapS).toBeGreaterThan(1);
        expect(payloads(spool, VIDEO)).toEqual(payloads((await recordPieces([whole])).spool, VIDEO));
        if (pesBytes === 0) expect(payloads(spool, AUDIO)).toEqual(sounds);
      }
    }
  });

  it('is cut where pictures are damaged on either side', async () => {
    const holed = (bytes: Buffer, every: number) => {
      const left: Buffer[] = [];
      eachPacket(bytes, (at) => {
        const isLost = pidAt(bytes, at) === VIDEO && (at / 188) % every === every - 1;
        if (!isLost) left.push(bytes.subarray(at, at + 188));
      });
      return Buffer.concat(left);
    };
    const second = onAnotherClock(holed(groups(one, 1, GROUPS), 61));
    const { spool, join } = await recordPieces([holed(groups(one, 0, 6), 67), second], paced);
    expect(join?.removedOverlapS).toBeCloseTo(5 * GROUP_FRAMES * 0.04, 0);
    expect(payloads(spool, AUDIO)).toEqual(payloads((await recordPieces([one])).spool, AUDIO));
  });
});

describe('the same sound again, of a stream whose tables promise pictures', () => {
  const CLOCK_ONLY = Buffer.from([0x47, VIDEO >> 8, VIDEO & 0xff, 0x20, 183, 0x10]);
  /** Of its pictures nothing comes but the clock. */
  const dark = (bytes: Buffer) => {
    const left: Buffer[] = [];
    eachPacket(bytes, (at) => {
      const isPicture = pidAt(bytes, at) === VIDEO;
      if (!isPicture) left.push(bytes.subarray(at, at + 188));
      else if (pcrAt(bytes, at) >= 0)
        left.push(Buffer.concat([CLOCK_ONLY, bytes.subarray(at + 6, at + 12), Buffer.alloc(176, 0xff)]));
    });
    return Buffer.concat(left);
  };
  let lit: Buffer;
  let sounds: string[];
  beforeAll(async () => {
    lit = await clipBytes({ toneHz: 443.7 });
    sounds = payloads((await recordPieces([dark(lit)])).spool, AUDIO);
  });

  it.each([
    ['at once', 0],
    ['as it plays', CLIP_MS / 700_000],
  ])('is cut where no picture comes at all, sent %s', async (_name, ms) => {
    const [first, second] = [dark(part(lit, 0, 0.6)), onAnotherClock(dark(part(lit, 0.25, 1)))];
    const { spool, join } = await recordPieces([first, second], { ...paced, msPerByte: ms * 5 });
    expect(payloads(spool, AUDIO)).toEqual(sounds);
    expect(join).toMatchObject({ approximate: false, gapS: 0 });
    expect(join?.removedOverlapS).toBeGreaterThan(1.5);
    expect(faultsOf(spool)).toEqual([]);
    // The clock and the tables go on as well.
    const behind = spool.subarray(spool.length - 500 * 188);
    const pids = new Map<number, number>();
    eachPacket(behind, (at) => pids.set(pidAt(behind, at), (pids.get(pidAt(behind, at)) ?? 0) + 1));
    expect([...pids.keys()].toSorted((a, b) => a - b)).toEqual([0, 17, VIDEO, AUDIO, 0x1000]);
  });

  it('is cut where the pictures have gone, and where they come back', async () => {
    const [before, between] = [part(lit, 0, 0.5), onAnotherClock(dark(part(lit, 0.25, 0.75)))];
    const after = remuxed(part(lit, 0.4, 1), new Map(), 90_000 * 900, 7);
    const { spool, join } = await recordPieces([before, between, after], paced);
    expect(join).toMatchObject({ approximate: false, gapS: 0 });
    const heard = payloads(spool, AUDIO);
    expect(new Set(heard).size).toBe(heard.length);
    expect(sounds.filter((sound) => !heard.includes(sound)).length).toBeLessThan(3);
    expect(faultsOf(spool)).toEqual([]);
  });
});
