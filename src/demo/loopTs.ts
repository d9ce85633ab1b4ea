/**
 * An endless transport stream out of one clip. Every packet of every round is a pure function of the clip and its
 * number: clocks (PCR, OPCR, PTS, DTS) go on by the clip's length modulo 2^33, continuity counters go on per PID, so two
 * viewers of one moment get the same bytes and no decoder sees a seam.
 */
import {
  CLOCK_WRAP,
  isRandomAccess,
  payload,
  pid,
  readPcr,
  readStamp,
  shift,
  startsPes,
  TS_PACKET_BYTES,
  unitStarts,
} from './tsFields.js';

export const LOOP_PACKET_BYTES = TS_PACKET_BYTES;
/** Clock ticks a millisecond. */
export const TICKS_PER_MS = 90;
const VIDEO_TYPES: ReadonlySet<number> = new Set([0x02, 0x1b, 0x24]);

export interface LoopClip {
  /** One round, cut so that the next can follow it. */
  readonly packets: Buffer;
  readonly count: number;
  readonly durationTicks: number;
  /** When each packet is due, from the start of the round; never falling. */
  readonly dueTicks: Float64Array;
  /** Packets that a decoder can begin with, rising. */
  readonly keys: readonly number[];
  /** Continuity: which payload packet of its PID each packet is, and how many of those a round has. */
  readonly order: Uint32Array;
  readonly perRound: Uint32Array;
  readonly pmtPid: number;
}

/**
 * Reads a clip with one H.264, HEVC or MPEG-2 video of a constant frame rate, single-packet PAT and PMT, PCR on the
 * video. A round is as long as its video; of the other streams those units stay whose time lies inside it, so the clip
 * should carry a little more sound than picture. Throws on anything else: clips are our own.
 */
export function parseClip(bytes: Buffer): LoopClip {
  const all = packetOffsets(bytes);
  const pmtPid = readPmtPid(bytes, all);
  const { video, streams } = readStreams(bytes, all, pmtPid);

  const stamps = all
    .filter((at) => pid(bytes, at) === video && startsPes(bytes, at))
    .map((at) => ({ pts: readStamp(bytes, payload(bytes, at) + 9), key: isRandomAccess(bytes, at) }));
  const begin = Math.min(...stamps.map((stamp) => stamp.pts));
  const end = Math.max(...stamps.map((stamp) => stamp.pts));
  if (stamps.length < 2 || !stamps[0]?.key) throw new Error('the clip does not begin with a key frame');
  const durationTicks = Math.round(((end - begin) * stamps.length) / (stamps.length - 1));

  const keeping = new Map<number, boolean>();
  const kept = all.filter((at) => {
    const own = pid(bytes, at);
    if (!streams.has(own)) return own < 0x20 || own === pmtPid;
    if (startsPes(bytes, at)) {
      const since = readStamp(bytes, payload(bytes, at) + 9) - begin;
      keeping.set(own, own === video || (since >= 0 && since < durationTicks));
    }
    return keeping.get(own) ?? false;
  });
  const packets = Buffer.concat(kept.map((at) => bytes.subarray(at, at + LOOP_PACKET_BYTES)));
  const keys: number[] = [];
  for (let n = 0; n < kept.length; n++) {
    const at = n * LOOP_PACKET_BYTES;
    if (pid(packets, at) === video && startsPes(packets, at) && isRandomAccess(packets, at)) keys.push(n);
  }
  return {
    packets,
    count: kept.length,
    durationTicks,
    dueTicks: readDueTimes(packets, kept.length, durationTicks),
    keys,
    ...readContinuity(packets, kept.length),
    pmtPid,
  };
}

/** Packets `from` to `to` of the endless stream (numbers go on over rounds), stamped as of `baseTicks` at its start. */
export function loopPackets(clip: LoopClip, from: number, to: number, baseTicks = 0): Buffer {
  const out = Buffer.allocUnsafe((to - from) * LOOP_PACKET_BYTES);
  for (let number = from; number < to; number++) {
    const round = Math.floor(number / clip.count);
    const n = number - round * clip.count;
    const at = (number - from) * LOOP_PACKET_BYTES;
    clip.packets.copy(out, at, n * LOOP_PACKET_BYTES, (n + 1) * LOOP_PACKET_BYTES);
    const cc = (round * (clip.perRound[n] ?? 0) + (clip.order[n] ?? 0)) & 15;
    out[at + 3] = ((out[at + 3] ?? 0) & 0xf0) | cc;
    shift(out, at, (baseTicks + round * clip.durationTicks) % CLOCK_WRAP);
  }
  return out;
}

/** Number of packets that are due `ticks` after the stream's start. */
export function packetsDue(clip: LoopClip, ticks: number): number {
  const round = Math.floor(ticks / clip.durationTicks);
  const inside = ticks - round * clip.durationTicks;
  let low = 0;
  let high = clip.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((clip.dueTicks[middle] ?? 0) <= inside) low = middle + 1;
    else high = middle;
  }
  return round * clip.count + low;
}

export interface LoopEntry {
  /** The PAT and PMT that were sent last before `key`. */
  readonly tables: readonly number[];
  readonly key: number;
}

/** Where somebody who tunes in at `ticks` begins: the last key frame that is due by then. */
export function entryAt(clip: LoopClip, ticks: number): LoopEntry {
  const due = packetsDue(clip, ticks);
  let round = Math.floor(due / clip.count);
  let key = clip.keys.findLast((candidate) => round * clip.count + candidate < due);
  if (key === undefined && round > 0) {
    round--;
    key = clip.keys.at(-1);
  }
  const number = round * clip.count + (key ?? clip.keys[0] ?? 0);
  return { tables: [lastBefore(clip, number, 0), lastBefore(clip, number, clip.pmtPid)], key: number };
}

function lastBefore(clip: LoopClip, number: number, wanted: number): number {
  for (let at = number - 1; at >= 0 && at > number - clip.count; at--) {
    if (pid(clip.packets, (at % clip.count) * LOOP_PACKET_BYTES) === wanted) return at;
  }
  return 0;
}

function packetOffsets(bytes: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = 0; at + LOOP_PACKET_BYTES <= bytes.length; at += LOOP_PACKET_BYTES) {
    if (bytes[at] !== 0x47) throw new Error(`the clip has no packet at ${at}`);
    offsets.push(at);
  }
  return offsets;
}

function readPmtPid(bytes: Buffer, all: readonly number[]): number {
  const pat = all.find((at) => pid(bytes, at) === 0 && unitStarts(bytes, at));
  if (pat === undefined) throw new Error('the clip has no PAT');
  const section = payload(bytes, pat) + 1;
  return bytes.readUInt16BE(section + 10) & 0x1fff;
}

function readStreams(bytes: Buffer, all: readonly number[], pmtPid: number) {
  const pmt = all.find((at) => pid(bytes, at) === pmtPid && unitStarts(bytes, at));
  if (pmt === undefined) throw new Error('the clip has no PMT');
  const section = payload(bytes, pmt) + 1;
  const end = section + 3 + (bytes.readUInt16BE(section + 1) & 0xfff) - 4;
  const streams = new Map<number, number>();
  let at = section + 12 + (bytes.readUInt16BE(section + 10) & 0xfff);
  for (; at + 5 <= end; at += 5 + (bytes.readUInt16BE(at + 3) & 0xfff)) {
    streams.set(bytes.readUInt16BE(at + 1) & 0x1fff, bytes[at] ?? 0);
  }
  const video = [...streams].find(([, type]) => VIDEO_TYPES.has(type))?.[0];
  if (video === undefined) throw new Error('the clip has no video');
  return { video, streams };
}

/** Between two PCRs packets are evenly spaced; after the last one they run up to the next round's first. */
function readDueTimes(packets: Buffer, count: number, durationTicks: number): Float64Array {
  const due = new Float64Array(count);
  const marks: { n: number; ticks: number }[] = [];
  for (let n = 0; n < count; n++) {
    const pcr = readPcr(packets, n * LOOP_PACKET_BYTES);
    if (pcr !== null) marks.push({ n, ticks: pcr });
  }
  const first = marks[0];
  if (!first) throw new Error('the clip has no PCR');
  marks.push({ n: count, ticks: first.ticks + durationTicks });
  for (let i = 0; i + 1 < marks.length; i++) {
    const a = marks[i] ?? first;
    const b = marks[i + 1] ?? a;
    for (let n = a.n; n < b.n; n++) {
      due[n] = a.ticks - first.ticks + ((b.ticks - a.ticks) * (n - a.n)) / (b.n - a.n);
    }
  }
  return due;
}

function readContinuity(packets: Buffer, count: number): { order: Uint32Array; perRound: Uint32Array } {
  const totals = new Map<number, number>();
  const order = new Uint32Array(count);
  for (let n = 0; n < count; n++) {
    const own = pid(packets, n * LOOP_PACKET_BYTES);
    const before = totals.get(own) ?? 0;
    const carries = ((packets[n * LOOP_PACKET_BYTES + 3] ?? 0) & 0x10) !== 0;
    // Without a payload the counter of the packet before is shown again.
    order[n] = carries ? before : (before + 15) % 16;
    if (carries) totals.set(own, before + 1);
  }
  const perRound = new Uint32Array(count);
  for (let n = 0; n < count; n++) perRound[n] = totals.get(pid(packets, n * LOOP_PACKET_BYTES)) ?? 0;
  return { order, perRound };
}
