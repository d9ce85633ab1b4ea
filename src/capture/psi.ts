/**
 * Program specific information of a transport stream (ISO 13818-1 2.4.4): sections out of packets, the PAT and the PMT
 * out of sections. What is damaged (CRC) is passed over, as every decoder does.
 */
import { PACKET_BYTES, payloadAt, startsUnit } from './tsPackets.js';

export type StreamKind = 'video' | 'audio' | 'other';

export interface ElementaryStream {
  readonly pid: number;
  /** `stream_type` of the PMT. */
  readonly type: number;
  readonly kind: StreamKind;
  /** Its descriptors, as they stand in the PMT. */
  readonly info: Buffer;
}

export interface Programme {
  readonly number: number;
  readonly pmtPid: number;
}

export interface ProgrammeMap {
  /** `program_number`. */
  readonly number: number;
  readonly version: number;
  readonly pcrPid: number;
  /** Descriptors of the programme. */
  readonly info: Buffer;
  readonly streams: readonly ElementaryStream[];
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

/** CRC-32/MPEG-2: 0 over a whole section with its CRC, else the value to append. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = ((crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ byte] ?? 0)) >>> 0;
  return crc;
}

export interface SectionCollector {
  /** Takes a packet of its PID; gives a whole section with a good CRC when this packet completes one. */
  push(buffer: Buffer, at: number): Buffer | null;
  /** Packets since the last whole section began, it included, in their order: enough to show it again. */
  packets(): Buffer;
}

/** Collects the sections of one PID. Of several in one packet the first is given. */
export function sectionCollector(): SectionCollector {
  let whole: Buffer[] = [];
  let partial: Buffer[] = [];
  let section: Buffer | null = null;

  return {
    push(buffer, at) {
      let from = payloadAt(buffer, at);
      const end = at + PACKET_BYTES;
      if (from >= end) return null;
      if (startsUnit(buffer, at)) {
        from += 1 + (buffer[from] ?? 0);
        section = Buffer.from(buffer.subarray(Math.min(from, end), end));
        partial = [];
      } else if (section) {
        section = Buffer.concat([section, buffer.subarray(from, end)]);
      } else return null;
      partial.push(Buffer.from(buffer.subarray(at, end)));
      if (section.length < 3) return null;
      const length = 3 + (section.readUInt16BE(1) & 0x0fff);
      if (section.length < length) return null;
      const found = section.subarray(0, length);
      section = null;
      if (length < 12 || crc32(found) !== 0) {
        partial = [];
        return null;
      }
      whole = partial;
      partial = [];
      return found;
    },
    packets: () => Buffer.concat([...whole, ...partial]),
  };
}

/** Programmes of a PAT in force, the network PID left out; null where it is something else. */
export function parsePat(section: Buffer): Programme[] | null {
  if (section[0] !== 0x00 || !isCurrent(section)) return null;
  const programmes: Programme[] = [];
  for (let at = 8; at + 4 <= section.length - 4; at += 4) {
    const number = section.readUInt16BE(at);
    if (number !== 0) programmes.push({ number, pmtPid: section.readUInt16BE(at + 2) & 0x1fff });
  }
  return programmes;
}

/**
 * The programme to record, by a section of the PAT: the one of that number where there is one, else the one of before,
 * else the first. Undefined where it says nothing of any; a PAT of several sections names each in one of them.
 */
export function chosenProgramme(
  section: Buffer,
  wanted: number | null,
  current: Programme | undefined,
): Programme | undefined {
  const programmes = parsePat(section) ?? [];
  const found =
    programmes.find(({ number }) => number === wanted) ??
    programmes.find(({ number }) => number === current?.number);
  const isPart = (section[7] ?? 0) > 0;
  return found ?? (isPart ? current : undefined) ?? programmes[0];
}

/** Streams of a PMT in force; null where it is something else. */
export function parsePmt(section: Buffer): ProgrammeMap | null {
  if (section[0] !== 0x02 || section.length < 16 || !isCurrent(section)) return null;
  const pcrPid = section.readUInt16BE(8) & 0x1fff;
  const streams: ElementaryStream[] = [];
  const infoEnd = 12 + (section.readUInt16BE(10) & 0x0fff);
  let at = infoEnd;
  while (at + 5 <= section.length - 4) {
    const type = section[at] ?? 0;
    const pid = section.readUInt16BE(at + 1) & 0x1fff;
    const infoBytes = section.readUInt16BE(at + 3) & 0x0fff;
    const descriptors = section.subarray(at + 5, Math.min(at + 5 + infoBytes, section.length - 4));
    streams.push({ pid, type, kind: kindOf(type, descriptors), info: descriptors });
    at += 5 + infoBytes;
  }
  return {
    number: section.readUInt16BE(3),
    version: ((section[5] ?? 0) >> 1) & 31,
    pcrPid,
    info: section.subarray(12, infoEnd),
    streams,
  };
}

/** The stream that a piece begins with and that its clock is told by. */
export function leadingStream(streams: readonly ElementaryStream[]): ElementaryStream | undefined {
  return (
    streams.find((stream) => stream.kind === 'video') ??
    streams.find((stream) => stream.kind === 'audio') ??
    streams[0]
  );
}

export const STREAM_H264 = 0x1b;
export const STREAM_HEVC = 0x24;
export const STREAM_MPEG1 = 0x01;
export const STREAM_MPEG2 = 0x02;
/** Also MPEG-4 part 2, AVS, AVS2, VVC, Dirac, VC-1. */
const VIDEO: ReadonlySet<number> = new Set([
  0x01,
  0x02,
  0x10,
  STREAM_H264,
  STREAM_HEVC,
  0x33,
  0x42,
  0xd1,
  0xd2,
  0xea,
]);
/** MPEG audio, AAC in ADTS and LATM, AC-3, DTS, TrueHD, E-AC-3 as ATSC and Blu-ray number them. */
const AUDIO: ReadonlySet<number> = new Set([
  0x03, 0x04, 0x0f, 0x11, 0x1c, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
]);
/** DVB descriptors that make a private stream audio: AC-3, E-AC-3, DTS, AAC. */
const AUDIO_DESCRIPTORS: ReadonlySet<number> = new Set([0x6a, 0x7a, 0x7b, 0x7c]);

function kindOf(type: number, descriptors: Buffer): StreamKind {
  if (VIDEO.has(type)) return 'video';
  if (AUDIO.has(type)) return 'audio';
  if (type !== 0x06) return 'other';
  for (let at = 0; at + 2 <= descriptors.length; at += 2 + (descriptors[at + 1] ?? 0)) {
    const tag = descriptors[at] ?? 0;
    if (AUDIO_DESCRIPTORS.has(tag)) return 'audio';
    if (tag === 0x05 && descriptors.toString('latin1', at + 2, at + 6) === 'AC-3') return 'audio';
  }
  return 'other';
}

function isCurrent(section: Buffer): boolean {
  return ((section[5] ?? 0) & 1) !== 0;
}
