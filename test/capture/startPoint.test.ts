import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { crc32 } from '../../src/capture/psi.js';
import { startPoint } from '../../src/capture/startPoint.js';
import { tsHealth } from '../../src/capture/tsHealth.js';
import { packetAligner } from '../../src/capture/packetAligner.js';
import { adaptationFlags, PACKET_BYTES, payloadAt, pidAt, startsUnit } from '../../src/capture/tsPackets.js';
import { clipBytes } from '../media/clip.js';
import { breaksOf, decode, soundErrors } from '../media/frames.js';

let clip: Buffer;
/** Its sound comes in PES packets of many frames, with pictures between their packets. */
let gathered: Buffer;
beforeAll(async () => {
  clip = await clipBytes();
  gathered = interleaved(await clipBytes({ pesBytes: 2_930 }));
});

/** What passes of `bytes`, given in pieces at the times they came. */
function begin(bytes: Buffer, monoOf: (offset: number) => number = () => 0) {
  const out: Buffer[] = [];
  let mono = 0;
  const cameMono: number[] = [];
  const start = startPoint((buffer, from, to, came) => {
    out.push(Buffer.from(buffer.subarray(from, to)));
    cameMono.push(came);
  });
  const aligner = packetAligner((buffer, from, to) => start.push(buffer, from, to, mono));
  for (let at = 0; at < bytes.length; at += 4_000) {
    mono = monoOf(at);
    aligner.push(bytes.subarray(at, at + 4_000));
  }
  aligner.end();
  const heldBack = start.heldBackBytes();
  return { bytes: Buffer.concat(out), heldBack, started: start.started(), cameMono, start };
}

function eachPacket(bytes: Buffer, visit: (at: number) => void): void {
  for (let at = 0; at < bytes.length; at += PACKET_BYTES) visit(at);
}

/** Without random access flags, as some encoders send it. */
function withoutFlags(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  eachPacket(bytes, (at) => {
    if (((copy[at + 3] ?? 0) & 0x20) !== 0 && (copy[at + 4] ?? 0) > 0)
      copy[at + 5] = (copy[at + 5] ?? 0) & 0xbf;
  });
  return copy;
}

function only(bytes: Buffer, keep: (pid: number) => boolean): Buffer {
  const kept: Buffer[] = [];
  eachPacket(bytes, (at) => {
    if (keep(pidAt(bytes, at))) kept.push(bytes.subarray(at, at + PACKET_BYTES));
  });
  return Buffer.concat(kept);
}

/** The clip's PMT with its video taken out. */
function asRadio(bytes: Buffer): Buffer {
  const radio = Buffer.from(only(bytes, (pid) => pid !== 0x100));
  eachPacket(radio, (at) => {
    if (pidAt(radio, at) !== 0x1000 || !startsUnit(radio, at)) return;
    const section = payloadAt(radio, at) + 1;
    const length = radio.readUInt16BE(section + 1) & 0xfff;
    const videoBytes = 5 + (radio.readUInt16BE(section + 15) & 0xfff);
    radio.copy(radio, section + 12, section + 12 + videoBytes, section + 3 + length);
    radio.writeUInt16BE(0xb000 | (length - videoBytes), section + 1);
    const end = section + 3 + length - videoBytes - 4;
    radio.writeUInt32BE(crc32(radio.subarray(section, end)), end);
  });
  return radio;
}

/** The last packet of the sound before each key frame comes after that has begun, as broadcasters interleave them. */
function interleaved(bytes: Buffer): Buffer {
  const order: number[] = [];
  let sound = -1;
  eachPacket(bytes, (at) => {
    const pid = pidAt(bytes, at);
    order.push(at);
    if (pid === 0x101) sound = order.length - 1;
    const key = pid === 0x100 && startsUnit(bytes, at) && bytes[at + 5] === 0x50;
    if (!key || sound < 0 || startsUnit(bytes, order[sound] ?? 0)) return;
    order.push(...order.splice(sound, 1));
    sound = -1;
  });
  return Buffer.concat(order.map((at) => bytes.subarray(at, at + PACKET_BYTES)));
}

/** Where the first packet of a key frame is. */
function keyAt(n: number): number {
  const found: number[] = [];
  eachPacket(clip, (at) => {
    if (pidAt(clip, at) === 0x100 && startsUnit(clip, at) && clip[at + 5] === 0x50) found.push(at);
  });
  return found[n] ?? -1;
}

function unitsOf(bytes: Buffer, pid: number): number {
  let units = 0;
  eachPacket(bytes, (at) => (units += Number(pidAt(bytes, at) === pid && startsUnit(bytes, at))));
  return units;
}

/** PIDs whose first payload in the stream is the middle of something. */
function torn(bytes: Buffer): number[] {
  const seen = new Set<number>();
  const found: number[] = [];
  eachPacket(bytes, (at) => {
    const pid = pidAt(bytes, at);
    if (!seen.has(pid) && !startsUnit(bytes, at)) found.push(pid);
    seen.add(pid);
  });
  return found;
}

describe('where much waits elsewhere', () => {
  it('no more is kept than there was, and the stream begins at its first key frame all the same', () => {
    const keys: number[] = [];
    eachPacket(clip, (at) => {
      if (pidAt(clip, at) === 0x100 && (adaptationFlags(clip, at) & 0x40) !== 0) keys.push(at / PACKET_BYTES);
    });
    let isCrowded = false;
    let passed = 0;
    const start = startPoint((_buffer, from, to) => (passed += to - from), { isCrowded: () => isCrowded });
    const give = (from: number, to: number) => {
      for (let packet = from; packet < to; packet++)
        start.push(clip, packet * PACKET_BYTES, (packet + 1) * PACKET_BYTES, 0);
    };
    const [first = 0, second = 0, third = 0] = keys;
    const half = Math.floor((first + second) / 2);
    give(first + 1, half);
    const kept = start.waitingBytes();
    expect(kept).toBe((half - first - 1) * PACKET_BYTES);
    isCrowded = true;
    give(half, second);
    expect(start.waitingBytes()).toBe(kept);
    expect(start.heldBackBytes()).toBe((second - half) * PACKET_BYTES);
    give(second, third);
    expect(start.started()).toBe(true);
    expect(passed).toBeGreaterThan((third - second - 60) * PACKET_BYTES);
  });
});

describe('the point at which a piece begins', () => {
  it('lets a stream that is joined anywhere decode without an error from its first packet', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(clip.length >> 1), fc.boolean(), async (cut, together) => {
        const { bytes, heldBack } = begin((together ? gathered : clip).subarray(cut));
        expect(torn(bytes)).toEqual([]);
        const { frames, errors } = await decode(bytes, 'warning');
        expect(errors).toEqual([]);
        expect((frames[0] ?? -1) % 20).toBe(0);
        expect(frames.at(-1)).toBe(159);
        expect(breaksOf(frames)).toEqual([]);
        const health = tsHealth();
        health.count(bytes, 0, bytes.length);
        expect(health.counts().continuityErrors).toBe(0);
        expect(heldBack).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 40 },
    );
  });

  it('begins with PAT, PMT and a key frame', () => {
    const { bytes } = begin(clip.subarray(clip.length >> 1));
    expect([0, 1, 2].map((n) => pidAt(bytes, n * PACKET_BYTES))).toEqual([0, 0x1000, 0x100]);
    expect(bytes[2 * PACKET_BYTES + 5]).toBe(0x50);
  });

  it('passes a stream that begins well as it is, but for the tables before its first key frame', () => {
    const { bytes } = begin(clip);
    expect(
      clip.subarray(clip.indexOf(bytes.subarray(2 * 188, 3 * 188))).equals(bytes.subarray(2 * 188)),
    ).toBe(true);
  });

  it('knows a key frame by its headers where no flag tells', async () => {
    const { bytes } = begin(withoutFlags(clip.subarray(188 * 200)));
    const { frames, errors } = await decode(bytes, 'warning');
    expect(errors).toEqual([]);
    expect((frames[0] ?? -1) % 20).toBe(0);
  });

  it('begins a programme without picture at a unit of its sound', async () => {
    const radio = asRadio(clip).subarray(188 * 101);
    const { bytes } = begin(radio);
    expect(bytes.length).toBeGreaterThan(radio.length - 188 * 40);
    expect(await soundErrors(bytes)).toEqual([]);
  });

  it('begins with a key frame that came before the tables', async () => {
    const from = keyAt(1);
    let left = 3;
    const late = only(clip.subarray(from), (pid) => (pid !== 0 && pid !== 0x1000) || --left < 0);
    const { bytes, heldBack, cameMono } = begin(late, (offset) => offset / 50);
    const { frames, errors } = await decode(bytes, 'warning');
    expect(errors).toEqual([]);
    expect(frames[0]).toBe(20);
    expect(breaksOf(frames)).toEqual([]);
    const health = tsHealth();
    health.count(bytes, 0, bytes.length);
    expect(health.counts().continuityErrors).toBe(0);
    expect(heldBack).toBe(late.length - bytes.length);
    expect(cameMono[0]).toBe(0);
    expect(cameMono).toEqual(cameMono.toSorted((a, b) => a - b));
  });

  it('waits for the key frame of a long group of pictures', async () => {
    const from = keyAt(1) + PACKET_BYTES;
    const groupBytes = keyAt(2) - from;
    const { bytes, cameMono } = begin(clip.subarray(from), (offset) => (offset * 9_900) / groupBytes);
    const { frames, errors } = await decode(bytes, 'warning');
    expect(errors).toEqual([]);
    expect(frames[0]).toBe(40);
    // So the ledger tells what is missing before it.
    expect(cameMono[0]).toBeGreaterThan(6_000);
  });

  it('begins with all that waited where no key frame comes', () => {
    const group = clip.subarray(keyAt(1) + PACKET_BYTES, keyAt(2));
    const { bytes, heldBack, cameMono } = begin(
      group,
      (offset) => (offset * 12_100) / (group.length - 4_000),
    );
    expect([0, 1].map((n) => pidAt(bytes, n * PACKET_BYTES))).toEqual([0, 0x1000]);
    expect(unitsOf(bytes, 0x100)).toBe(unitsOf(group, 0x100));
    expect(unitsOf(bytes, 0x101)).toBe(unitsOf(group, 0x101));
    expect(cameMono[0]).toBe(0);
    expect(heldBack).toBe(group.length - bytes.length);
  });

  it('begins with its sound where the tables promise a picture that never comes', async () => {
    const dark = only(clip, (pid) => pid !== 0x100);
    expect(begin(dark).started).toBe(false);
    const { bytes, cameMono } = begin(dark, (offset) => offset / 20);
    expect([0, 1].map((n) => pidAt(bytes, n * PACKET_BYTES))).toEqual([0, 0x1000]);
    expect(unitsOf(bytes, 0x101)).toBe(unitsOf(dark, 0x101));
    expect(cameMono[0]).toBe(0);
    expect((await soundErrors(bytes)).join(' ')).not.toMatch(/decod|corrupt|aac/i);
  });

  it('begins with such a sound as well where it ends before that is sure', () => {
    const dark = only(clip, (pid) => pid !== 0x100);
    const { start } = begin(dark);
    start.end();
    expect(start.started()).toBe(true);
    expect(start.leadPid()).toBe(0x101);
    expect(start.waitingBytes()).toBe(0);
  });

  it('never begins with padding', () => {
    const padding = Buffer.alloc(600 * PACKET_BYTES, 0xff);
    eachPacket(padding, (at) => Buffer.from([0x47, 0x1f, 0xff, 0x10]).copy(padding, at));
    const { bytes, heldBack } = begin(padding, (offset) => offset / 5);
    expect(bytes.length).toBe(0);
    expect(heldBack).toBe(padding.length);
  });

  it('lets everything through after twice that where there are no tables at all', () => {
    const bare = only(clip, (pid) => pid === 0x100 || pid === 0x101);
    expect(begin(bare, () => 0).started).toBe(false);
    const { bytes, heldBack } = begin(bare, (offset) => (offset > 40_000 ? 10_000 : 0));
    expect(bytes.length + heldBack).toBe(bare.length);
    expect(bytes.length).toBeGreaterThan(0);
  });
});
