import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parsePmt } from '../../src/capture/psi.js';
import { removePcr } from '../../src/capture/restamp.js';
import { pcrAt } from '../../src/capture/tsPackets.js';
import { loopPackets, parseClip } from '../../src/demo/loopTs.js';
import { clipBytes } from '../media/clip.js';
import { ffmpegPath, run } from '../media/ffmpeg.js';
import { breaksOf, decode, probe } from '../media/frames.js';
import { tablesOf, withTeletext } from './teletext.js';
import { eachPacket, faultsOf, payloads, recordPiece, recordPieces, remuxed } from './spoolOfPieces.js';

const VIDEO = 0x100;
const AUDIO = 0x101;
const FRAME_S = 0.04;
/** The sound of a clip outlasts its picture. */
const SOUND_MORE_S = 0.3;
let clip: Buffer;
/** Another encoder's stream: another size, another sound, other PIDs, another delay. */
let other: Buffer;
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

/** Whole packets. */
function part(bytes: Buffer, from: number, to: number): Buffer {
  const packets = Math.floor(bytes.length / 188);
  return bytes.subarray(188 * Math.floor(packets * from), 188 * Math.floor(packets * to));
}

/** Both decode without a word, and no frame is missing or there twice. */
async function expectUnbroken(spool: Buffer, frameLast: number): Promise<void> {
  expect(faultsOf(spool)).toEqual([]);
  const { frames, errors } = await decode(spool, 'warning');
  expect(errors.slice(0, 3)).toEqual([]);
  expect(breaksOf(frames)).toEqual([]);
  expect(frames.at(-1)).toBe(frameLast);
}

/** Through ffmpeg, with options between input and output. */
async function throughFfmpeg(bytes: Buffer, options: string): Promise<Buffer> {
  const folder = mkdtempSync(joinPath(tmpdir(), 'catchupd-remux-'));
  try {
    const [from, to] = [joinPath(folder, 'in.mpegts'), joinPath(folder, 'out.mpegts')];
    writeFileSync(from, bytes);
    const args = ['-v', 'error', '-copyts', '-i', from, ...options.split(' '), '-f', 'mpegts', to];
    const ran = await run(ffmpegPath, args);
    if (ran.code !== 0) throw new Error(ran.stderr);
    return readFileSync(to);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function withFile<T>(bytes: Buffer, look: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(joinPath(tmpdir(), 'catchupd-look-'));
  try {
    const path = joinPath(folder, 'joined.mpegts');
    writeFileSync(path, bytes);
    return await look(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Packets of each PID together, in their order. */
function sorted(bytes: Buffer): Buffer {
  const pids = new Map<number, Buffer[]>();
  eachPacket(bytes, (at) => {
    const pid = bytes.readUInt16BE(at + 1) & 0x1fff;
    pids.set(pid, [...(pids.get(pid) ?? []), bytes.subarray(at, at + 188)]);
  });
  return Buffer.concat([...pids.entries()].toSorted(([a], [b]) => a - b).flatMap(([, packets]) => packets));
}

/** Of its pictures nothing ever comes. */
function dark(bytes: Buffer): Buffer {
  const kept: Buffer[] = [];
  eachPacket(bytes, (at) => {
    if ((bytes.readUInt16BE(at + 1) & 0x1fff) !== VIDEO) kept.push(bytes.subarray(at, at + 188));
  });
  return Buffer.concat(kept);
}

describe('a radio whose tables promise pictures', () => {
  it('loses no sound where it is joined', async () => {
    const radio = dark(clip);
    const paced = { msPerByte: 6_400 / radio.length };
    const whole = payloads((await recordPiece(Buffer.alloc(0), radio, paced)).spool, AUDIO);
    const first = await recordPiece(Buffer.alloc(0), part(radio, 0, 0.5), paced);
    for (const ticks of [0, 90_000 * 700]) {
      const next = remuxed(part(radio, 0.5, 1), new Map(), ticks, 3);
      const { spool } = await recordPiece(first.spool, next, { ...paced, silentMs: 20 });
      expect(faultsOf(spool)).toEqual([]);
      // But for the packet that was torn there.
      expect(payloads(spool, AUDIO).filter((unit) => whole.includes(unit)).length).toBeGreaterThanOrEqual(
        whole.length - 1,
      );
    }
  });
});

describe('a piece that repeats what is written', () => {
  it('goes on with the very next unit of each stream, as if there had been no break', async () => {
    const whole = await recordPieces([clip]);
    const { spool, join } = await recordPieces([part(clip, 0, 0.6), part(clip, 0.3, 1)]);
    expect(payloads(spool, VIDEO)).toEqual(payloads(whole.spool, VIDEO));
    expect(payloads(spool, AUDIO)).toEqual(payloads(whole.spool, AUDIO));
    expect(join).toMatchObject({ approximate: false, gapS: 0 });
    expect(join?.removedOverlapS).toBeGreaterThan(1);
    await expectUnbroken(spool, 159);
  });

  it('needs no key frame where packets show it, and no whole picture either', async () => {
    // A handful of packets in the middle of a group of pictures.
    const packets = Math.floor(clip.length / 188);
    const at = Math.floor(packets * 0.55);
    const { spool, join } = await recordPieces([clip.subarray(0, 188 * at), clip.subarray(188 * (at - 90))]);
    expect(join).toMatchObject({ approximate: false });
    await expectUnbroken(spool, 159);
  });

  it('is found in another multiplex of the same encode, on another clock', async () => {
    const pids = new Map([
      [VIDEO, 0x100],
      [AUDIO, 0x101],
    ]);
    const second = remuxed(part(clip, 0.3, 1), pids, 2 ** 33 - 90_000 * 3);
    const { spool, join } = await recordPieces([part(clip, 0, 0.6), second]);
    expect(join).toMatchObject({ approximate: false, gapS: 0 });
    await expectUnbroken(spool, 159);
  });

  it('is found in what another program multiplexed anew, other PIDs and other packets of sound', async () => {
    const options =
      '-map 0 -c copy -mpegts_start_pid 0x300 -mpegts_pmt_start_pid 0x1300 -output_ts_offset 1000 -muxdelay 0.4';
    const again = await throughFfmpeg(clip, options);
    const { spool, join } = await recordPieces([part(clip, 0, 0.6), part(again, 0.3, 1)]);
    expect(join).toMatchObject({ approximate: false, gapS: 0 });
    expect(tablesOf(spool)?.map.streams.map((stream) => stream.pid)).toEqual([VIDEO, AUDIO]);
    await expectUnbroken(spool, 159);
  });

  describe('where every other picture has no time', () => {
    /** `kept`: which ones have it. */
    const bare = (kept: 0 | 1) => {
      const bytes = Buffer.from(clip);
      let n = 0;
      eachPacket(bytes, (at) => {
        const isUnit = bytes.readUInt16BE(at + 1) === (0x4000 | VIDEO);
        if (!isUnit || bytes[at + 5] === 0x50 || n++ % 2 === kept) return;
        const pes = at + 4 + ((bytes[at + 3] ?? 0) & 0x20 ? 1 + (bytes[at + 4] ?? 0) : 0);
        bytes[pes + 7] = (bytes[pes + 7] ?? 0) & 0x3f;
        bytes.fill(0xff, pes + 9, pes + 9 + (bytes[pes + 8] ?? 0));
      });
      return bytes;
    };

    it.each([
      ['the same ones', 0],
      ['the others', 1],
    ] as const)('is found, %s at the next connection', async (_name, kept) => {
      const pictures = payloads((await recordPieces([clip])).spool, VIDEO);
      for (const end of [0.5, 0.53, 0.56, 0.6]) {
        const again = remuxed(part(bare(kept), 0.3, 1), new Map(), 90_000 * 700, 3);
        const { spool, join } = await recordPieces([part(bare(0), 0, end), again]);
        expect(join).toMatchObject({ approximate: false, gapS: 0 });
        expect(payloads(spool, VIDEO)).toEqual(pictures);
      }
    });
  });

  it('is found again and again', async () => {
    const pieces = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7].map((from, n) =>
      remuxed(part(clip, from, from + 0.3), new Map(), n % 2 === 0 ? 0 : 90_000 * 100 * n, n),
    );
    await expectUnbroken((await recordPieces(pieces)).spool, 159);
  });

  it('is seen in all that came at once, also where it came long after the first of the piece', async () => {
    const first = await recordPieces([part(clip, 0, 0.5)]);
    const again = remuxed(part(clip, 0.3, 1), new Map(), 90_000 * 500, 3);
    const chunkBytes = Math.floor(part(clip, 0.3, 0.31).length / 188) * 188;
    for (const chunks of [1, 2, 3]) {
      const arrival = { silentMs: 1_000, chunkBytes: chunkBytes * chunks, lumpMs: 4_000 };
      const { spool, join } = await recordPiece(first.spool, again, arrival);
      expect(join?.removedOverlapS).toBeGreaterThan(1);
      await expectUnbroken(spool, 159);
    }
  });

  it('is not seen in pictures that repeat themselves', async () => {
    // A still: every group of pictures is the last one again, with other sound.
    const still = await clipBytes({ step: 0, toneHz: 440 });
    const shifted = remuxed(part(still, 0.5, 1), new Map(), 90_000 * 500);
    const first = await recordPieces([part(still, 0, 0.5)]);
    const { spool, join } = await recordPiece(first.spool, shifted, { silentMs: 1_000 });
    expect(join?.removedOverlapS).toBe(0);
    expect(payloads(spool, VIDEO).length).toBeGreaterThan(130);
  });

  it('is not seen in a card that is shown in a loop, on a clock that goes on', async () => {
    const loop = parseClip(clip);
    const at = (rounds: number) => Math.round(loop.count * rounds);
    const { spool: before } = await recordPieces([loopPackets(loop, 0, at(0.9))]);
    const again = loopPackets(loop, at(1), at(1.6));
    const { spool, join } = await recordPiece(before, again, { silentMs: 640 });
    expect(join).toMatchObject({ removedOverlapS: 0, approximate: false });
    expect(faultsOf(spool)).toEqual([]);
    const { frames } = await decode(spool);
    // Nothing of it is what was there before, though each picture looks like it.
    expect(frames.length).toBeGreaterThan(160 * 1.45);
  });
});

describe('a piece behind a joint that moved the clock of the file', () => {
  /** The provider's clock is another one since the second piece, the file's is not. */
  const movedBy = async (first: Buffer, second: Buffer, ticks: number) => {
    const moved = remuxed(second, new Map(), ticks);
    const before = await recordPiece((await recordPieces([first])).spool, moved, { silentMs: null });
    expect(before.join).toMatchObject({ approximate: false, gapS: 0 });
    expect(before.movedTicks).toBe(2 ** 33 - ticks);
    return before;
  };

  it('is known again, though by the clock of the file it came later', async () => {
    const ticks = 90_000 * 3;
    const { spool: before, movedTicks } = await movedBy(part(clip, 0, 0.6), part(clip, 0.3, 0.75), ticks);
    const again = remuxed(part(clip, 0.42, 1), new Map(), ticks);
    const { spool, join } = await recordPiece(before, again, { silentMs: 640, movedTicks });
    expect(join).toMatchObject({ approximate: false, gapS: 0 });
    expect(join?.removedOverlapS).toBeGreaterThan(1.5);
    await expectUnbroken(spool, 159);
  });

  it('is known again by a single picture, if that is the last one and has its time', async () => {
    const ticks = 90_000 * 500;
    const { spool: before, movedTicks } = await movedBy(part(clip, 0, 0.6), part(clip, 0.3, 0.75), ticks);
    const written = payloads(before, VIDEO).length;
    let at = 0;
    let pictures = 0;
    eachPacket(clip, (place) => {
      const starts = clip.readUInt16BE(place + 1) === (0x4000 | VIDEO);
      if (starts && (pictures += 1) === written) at = place;
    });
    const again = Buffer.concat([clip.subarray(0, 188 * 3), clip.subarray(at)]);
    const { spool, join } = await recordPiece(before, remuxed(again, new Map(), ticks), {
      silentMs: 640,
      movedTicks,
    });
    expect(join).toMatchObject({ approximate: false, gapS: 0 });
    expect(payloads(spool, VIDEO)).toEqual(payloads((await recordPieces([clip])).spool, VIDEO));
  });

  it('is kept where it shows a card again, as the clock of the provider tells', async () => {
    const loop = parseClip(clip);
    const at = (rounds: number) => Math.round(loop.count * rounds);
    const cut = (from: number, to: number) => loopPackets(loop, at(from), at(to));
    const ticks = 90_000 * 500;
    const { spool: before, movedTicks } = await movedBy(cut(0, 0.5), cut(0.2, 0.9), ticks);
    const again = remuxed(cut(1, 1.6), new Map(), ticks);
    const { spool, join } = await recordPiece(before, again, { silentMs: 640, movedTicks });
    expect(join).toMatchObject({ removedOverlapS: 0, approximate: false });
    expect(faultsOf(spool)).toEqual([]);
    const { frames } = await decode(spool);
    expect(frames.length).toBeGreaterThan(160 * 1.45);
  });

  it('shows a gap at its true length, by the clock of the provider', async () => {
    const ticks = 90_000 * 500;
    const { spool: before, movedTicks } = await movedBy(part(clip, 0, 0.4), part(clip, 0.1, 0.5), ticks);
    const later = remuxed(part(clip, 0.7, 1), new Map(), ticks);
    const { spool, join } = await recordPiece(before, later, { silentMs: 1_500, movedTicks });
    const { frames } = await decode(spool);
    const jump = frames.findIndex((frame, n) => n > 0 && frame !== (frames[n - 1] ?? 0) + 1);
    const missing = (frames[jump] ?? 0) - (frames[jump - 1] ?? 0) - 1;
    expect(join).toEqual({ removedOverlapS: 0, approximate: false, gapS: Math.round(missing * 40) / 1000 });
  });
});

describe('a piece of the very same stream', () => {
  it('makes the file, byte for byte, that one connection had made', async () => {
    const { spool: whole } = await recordPieces([clip]);
    for (let until = 0.3; until < 0.7; until += 0.007) {
      const { spool } = await recordPieces([part(clip, 0, until), part(clip, until - 0.1, 1)]);
      // What was unfinished at the break comes a little later than it would have, and nothing else differs.
      expect(sorted(spool).equals(sorted(whole))).toBe(true);
    }
  });
});

describe('a piece that comes after a gap', () => {
  it('shows the gap at its true length, by its own clock where that went on', async () => {
    const first = await recordPieces([part(clip, 0, 0.3)]);
    const { spool, join } = await recordPiece(first.spool, part(clip, 0.5, 1), { silentMs: 1_500 });
    expect(faultsOf(spool)).toEqual([]);
    const { frames, errors } = await decode(spool, 'warning');
    expect(errors.slice(0, 3)).toEqual([]);
    const jump = frames.findIndex((frame, n) => n > 0 && frame !== (frames[n - 1] ?? 0) + 1);
    const missing = (frames[jump] ?? 0) - (frames[jump - 1] ?? 0) - 1;
    expect(missing).toBeGreaterThan(10);
    expect(join).toEqual({ removedOverlapS: 0, approximate: false, gapS: Math.round(missing * 40) / 1000 });
    const { durationS } = await withFile(spool, probe);
    expect(Math.abs(durationS - SOUND_MORE_S - 160 * FRAME_S)).toBeLessThan(0.2);
  });

  it.each([
    ['from another encoder', () => other, 3_000],
    ['of the first encoder again', () => part(clip, 0.65, 1), 8_000],
  ])('%s is one programme with it: one picture, one sound, one clock', async (_name, second, silentMs) => {
    const first = await recordPieces([part(clip, 0, 0.6)]);
    const bytes = remuxed(second(), new Map(), 90_000 * 777);
    const { spool, join } = await recordPiece(first.spool, bytes, {
      silentMs,
      msPerByte: 8_000 / bytes.length,
    });
    expect(faultsOf(spool)).toEqual([]);
    const { frames, errors } = await decode(spool, 'warning');
    expect(errors.slice(0, 3)).toEqual([]);
    expect(join).toMatchObject({ removedOverlapS: 0, approximate: true });
    expect(tablesOf(spool)?.map.streams.map((stream) => stream.pid)).toEqual([VIDEO, AUDIO]);
    const { streams, durationS } = await withFile(spool, probe);
    expect(streams).toEqual([
      { type: 'video', codec: 'h264' },
      { type: 'audio', codec: 'aac' },
    ]);
    expect(Math.abs((join?.gapS ?? 0) - silentMs / 1000)).toBeLessThan(1);
    expect(Math.abs(durationS - SOUND_MORE_S - frames.length * FRAME_S - (join?.gapS ?? 0))).toBeLessThan(
      0.2,
    );
  });

  it('does not count as silence what the provider sends in advance', async () => {
    const first = await recordPieces([part(clip, 0, 0.6)]);
    const { join } = await recordPiece(first.spool, other, { silentMs: 10_000 });
    expect(join?.gapS).toBeGreaterThan(3.3);
    expect(join?.gapS).toBeLessThan(4.2);
  });

  it('does not count it either where it takes a while to come, or has no clock but that of its pictures', async () => {
    const first = await recordPieces([part(clip, 0, 0.6)]);
    const clockless = Buffer.from(other);
    eachPacket(clockless, (at) => {
      if (pcrAt(clockless, at) >= 0) removePcr(clockless, at);
    });
    for (const piece of [other, clockless]) {
      // At four times its pace; the sound of a clip begins later than its picture.
      const arrival = { silentMs: 10_000, msPerByte: 1_600 / piece.length };
      const { join } = await recordPiece(first.spool, piece, arrival);
      expect(join?.gapS).toBeGreaterThan(4.9);
      expect(join?.gapS).toBeLessThan(5.8);
    }
  });

  it('is as long as the clock that went on says, where the provider sends later than it did', async () => {
    const first = await recordPieces([part(clip, 0, 0.5)]);
    const arrival = { silentMs: 12_000, msPerByte: 0.01 };
    const { join } = await recordPiece(first.spool, part(clip, 0.7, 1), arrival);
    expect(join?.approximate).toBe(false);
    expect(join?.gapS).toBeGreaterThan(0);
    expect(join?.gapS).toBeLessThan(4);
  });

  it('is as long as that clock says, where the provider had been slower than it plays', async () => {
    const first = await recordPieces([part(clip, 0, 0.2)]);
    const { join } = await recordPiece(first.spool, part(clip, 0.7, 1), { silentMs: 100, msPerByte: 0.01 });
    expect(join).toMatchObject({ approximate: false });
    expect(join?.gapS).toBeGreaterThan(2.7);
  });

  it('is as long as the time that passed where the clock begins anew, however late it can be decoded', async () => {
    // Two seconds, then another connection on a clock from the same value on: its next key frame comes after four.
    const first = await recordPieces([part(clip, 0, 0.35)]);
    const second = await clipBytes({ firstNumber: 1000, toneHz: 900, gop: 100 });
    const piece = second.subarray(188 * 30);
    const arrival = { silentMs: 3_000, msPerByte: 6_400 / second.length, movedTicks: 0 };
    const { spool, join } = await recordPiece(first.spool, piece, arrival);
    expect((await decode(spool)).frames.filter((frame) => frame >= 1000)[0]).toBe(1100);
    expect(join?.gapS).toBeGreaterThan(6);
  });

  it('does not take for sent in advance what gathered while the spool was opened', async () => {
    const first = await recordPieces([part(clip, 0, 0.6)]);
    const { join } = await recordPiece(first.spool, other, { silentMs: 10_000, untakenMs: 7_000 });
    expect(join?.gapS).toBe(10);
    const burst = await recordPiece(first.spool, other, { silentMs: 10_000, untakenMs: 3_000 });
    expect(burst.join?.gapS).toBeGreaterThan(6.3);
    expect(burst.join?.gapS).toBeLessThan(7.2);
  });

  it('is flagged on each PID, and its tables come before its data', async () => {
    const first = await recordPieces([part(clip, 0, 0.6)]);
    const { spool } = await recordPiece(first.spool, other, { silentMs: 3_000 });
    const heads: string[] = [];
    eachPacket(spool.subarray(first.spool.length), (at) => {
      const from = first.spool.length + at;
      const pid = spool.readUInt16BE(from + 1) & 0x1fff;
      heads.push(`${pid.toString(16)}${spool[from + 4] === 183 && spool[from + 5] === 0x80 ? ' flag' : ''}`);
    });
    expect(heads.slice(0, 5)).toEqual(['0', '1000', '100 flag', '101 flag', '100']);
  });
});

describe('streams of a piece', () => {
  it('that are new get a PID of their own in a new version of the table', async () => {
    const two = await clipBytes({ languages: 'eng fra', toneHz: 600, firstNumber: 2000 });
    const first = await recordPieces([part(clip, 0, 0.6)]);
    const { spool } = await recordPiece(first.spool, two, { silentMs: 2_000 });
    const before = tablesOf(first.spool)?.map;
    const after = tablesOf(spool)?.map;
    expect(after?.streams.map((stream) => stream.pid)).toEqual([VIDEO, AUDIO, 0x102]);
    expect(after?.version).toBe(((before?.version ?? 0) + 1) & 31);
    expect(faultsOf(spool)).toEqual([]);
    expect((await decode(spool, 'warning')).errors.slice(0, 3)).toEqual([]);
  });

  it('are told apart by their language, whatever their order', async () => {
    const clips = { languages: 'eng fra', gop: 20 };
    const before = await clipBytes(clips);
    const swapped = await clipBytes({ ...clips, languages: 'fra eng', toneHz: 700, firstNumber: 3000 });
    const first = await recordPieces([part(before, 0, 0.6)]);
    const { spool } = await recordPiece(first.spool, swapped, { silentMs: 2_000 });
    expect(faultsOf(spool)).toEqual([]);
    expect(tablesOf(spool)?.pmt).toEqual(tablesOf(before)?.pmt);
    const joined = new Set(payloads(spool, 0x102));
    const french = payloads(swapped, 0x101);
    expect(french.filter((unit) => joined.has(unit)).length).toBeGreaterThan(french.length / 2);
  });

  it('that are of another codec keep their PID', async () => {
    const mpeg2 = await clipBytes({ codec: 'mpeg2video', firstNumber: 4000 });
    const first = await recordPieces([part(clip, 0, 0.6)]);
    const { spool } = await recordPiece(first.spool, mpeg2, { silentMs: 2_000 });
    const tables = tablesOf(spool);
    expect(tables && parsePmt(tables.pmt)?.streams.map(({ pid, type }) => [pid, type])).toEqual([
      [VIDEO, 0x02],
      [AUDIO, 0x0f],
    ]);
    expect(faultsOf(spool)).toEqual([]);
  });
});

describe('whatever a stream is made of', () => {
  it.each<[string, Parameters<typeof clipBytes>[0]]>([
    ['B-frames', { encoder: '-bf 3 -b_strategy 0' }],
    ['open groups of pictures', { encoder: '-bf 3 -b_strategy 0 -x264-params open-gop=1' }],
    ['MPEG-2 with B-frames', { codec: 'mpeg2video', encoder: '-bf 2' }],
    ['HEVC', { codec: 'libx265', encoder: '-x265-params log-level=error:keyint=20:min-keyint=20:bframes=3' }],
    ['two sounds', { languages: 'eng fra' }],
    ['sound in large packets', { pesBytes: 2_930 }],
  ])('%s: an overlap is cut without a trace, a gap decodes clean', async (_name, shape) => {
    const bytes = await clipBytes(shape);
    const whole = await decode((await recordPieces([bytes])).spool, 'warning');
    const overlapped = await recordPieces([part(bytes, 0, 0.6), part(bytes, 0.2, 1)]);
    expect(overlapped.join).toMatchObject({ approximate: false, gapS: 0 });
    expect(faultsOf(overlapped.spool)).toEqual([]);
    const decoded = await decode(overlapped.spool, 'warning');
    expect(decoded).toEqual(whole);
    expect(decoded.errors.slice(0, 3)).toEqual([]);
    const moved = remuxed(part(bytes, 0.55, 1), new Map(), 90_000 * 4_000);
    const first = await recordPieces([part(bytes, 0, 0.4)]);
    const gap = await recordPiece(first.spool, moved, { silentMs: 1_000 });
    expect(faultsOf(gap.spool)).toEqual([]);
    expect((await decode(gap.spool, 'warning')).errors.slice(0, 3)).toEqual([]);
  });

  it('teletext: each page once, on its PID', async () => {
    const bytes = withTeletext(clip, 0x110);
    const pages = payloads((await recordPieces([bytes])).spool, 0x110);
    expect(pages.length).toBeGreaterThan(14);
    const moved = remuxed(part(withTeletext(clip, 0x120), 0.3, 1), new Map(), 90_000 * 50, 3);
    const { spool, join } = await recordPieces([part(bytes, 0, 0.6), moved]);
    expect(join).toMatchObject({ approximate: false });
    expect(payloads(spool, 0x110)).toEqual(pages);
    expect(faultsOf(spool)).toEqual([]);
  });

  it('no random access flags', async () => {
    const bare = Buffer.from(clip);
    eachPacket(bare, (at) => {
      if (((bare[at + 3] ?? 0) & 0x20) !== 0 && (bare[at + 4] ?? 0) > 0)
        bare[at + 5] = (bare[at + 5] ?? 0) & 0xbf;
    });
    const { spool, join } = await recordPieces([
      part(bare, 0, 0.6),
      remuxed(part(bare, 0.3, 1), new Map(), 5),
    ]);
    expect(join).toMatchObject({ approximate: false });
    await expectUnbroken(spool, 159);
  });

  it.each([0.2, 0.45, 0.8])('the wrap of the clock at %d of it', async (at) => {
    const wrapping = remuxed(clip, new Map(), 2 ** 33 - Math.round(90_000 * (0.6 + 6.4 * at)));
    const { spool, join } = await recordPieces([part(wrapping, 0, 0.6), part(wrapping, 0.3, 1)]);
    expect(join).toMatchObject({ approximate: false });
    await expectUnbroken(spool, 159);
    const first = await recordPieces([part(wrapping, 0, 0.6)]);
    const after = await recordPiece(first.spool, other, { silentMs: 2_000 });
    expect(faultsOf(after.spool)).toEqual([]);
  });
});

describe('after a hole in a stream of open groups of pictures', () => {
  let open: Buffer;
  beforeAll(async () => {
    open = await clipBytes({ encoder: '-bf 2 -x264-params open-gop=1:b-adapt=0:scenecut=0' });
  });

  it.each([0.55, 0.6, 0.67, 0.74, 0.8])(
    'nothing is shown that lacks what it refers to (from %s on)',
    async (from) => {
      const begun = await decode(part(open, 0, 0.3));
      const { spool } = await recordPieces([part(open, 0, 0.3), part(open, from, 1)], { silentMs: 1_000 });
      const { frames, errors } = await decode(spool, 'warning');
      // The first pictures tell the decoder to let go of what the hole took, and it shows the last ones before it late.
      const known = /mmco: unref short failure|non monotonically increasing dts to muxer/;
      expect(errors.filter((line) => !known.test(line))).toEqual([]);
      // A picture without what it refers to would show a mixture: another number, or none.
      const shown = frames.toSorted((a, b) => a - b);
      expect(new Set(shown).size).toBe(shown.length);
      const hole = shown.findIndex((frame, n) => n > 0 && frame > (shown[n - 1] ?? 0) + 1);
      expect(begun.frames.slice(0, hole)).toEqual(shown.slice(0, hole));
      expect(begun.frames.length - hole).toBeLessThanOrEqual(3);
      expect(breaksOf(shown.slice(hole))).toEqual([]);
      expect(shown.at(-1)).toBe(159);
    },
  );
});
