/**
 * Samples of a fragment (ISO 14496-12 §8.8), taken out and put together again with everything said about each of them, so
 * that nothing depends on what the initialization section of one stream or another leaves to be understood.
 */
import { boxesIn, inside, sampleDefaultsOf, type Box, type SampleDefaults } from './mp4Boxes.js';

export interface Sample {
  /** Ticks of its track. */
  readonly duration: number;
  /** From decoding to showing. */
  readonly shift: number;
  readonly flags: number;
  readonly data: Buffer;
}

export interface TrackSamples {
  readonly track: number;
  /** When its first sample is decoded. */
  readonly begin: bigint;
  readonly samples: readonly Sample[];
}

/** Of one track; nobody honest comes near. */
const SAMPLES_MAX = 100_000;

/** What a fragment holds; null where it does not say when, or where its data lies in another place. Throws RangeError. */
export function samplesOf(fragment: Buffer, init: Buffer): readonly TrackSamples[] | null {
  const defaults = sampleDefaultsOf(init);
  const moof = boxesIn(fragment, 0, fragment.length).find(({ type }) => type === 'moof');
  if (!moof) return null;
  const tracks: TrackSamples[] = [];
  let dataEnd = moof.at;
  for (const traf of inside(fragment, moof, 'traf')) {
    const read = trackOf(fragment, traf, defaults, moof.at, dataEnd);
    if (!read) return null;
    tracks.push(read.samples);
    ({ dataEnd } = read);
  }
  return tracks;
}

function trackOf(
  bytes: Buffer,
  traf: Box,
  defaults: ReadonlyMap<number, SampleDefaults>,
  moofAt: number,
  endBefore: number,
): { readonly samples: TrackSamples; readonly dataEnd: number } | null {
  const [tfhd] = inside(bytes, traf, 'tfhd');
  const [tfdt] = inside(bytes, traf, 'tfdt');
  if (!tfhd || !tfdt) return null;
  const flags = bytes.readUIntBE(tfhd.body + 1, 3);
  // Offsets into the file that it was cut from.
  if ((flags & 1) !== 0) return null;
  const track = bytes.readUInt32BE(tfhd.body + 4);
  const own = { ...(defaults.get(track) ?? { duration: 0, size: 0, flags: 0 }) };
  let at = tfhd.body + 8 + ((flags & 2) !== 0 ? 4 : 0);
  for (const [flag, name] of [
    [0x8, 'duration'],
    [0x10, 'size'],
    [0x20, 'flags'],
  ] as const) {
    if ((flags & flag) === 0) continue;
    own[name] = bytes.readUInt32BE(at);
    at += 4;
  }
  const begin =
    bytes[tfdt.body] === 1 ? bytes.readBigUInt64BE(tfdt.body + 4) : BigInt(bytes.readUInt32BE(tfdt.body + 4));
  const base = (flags & 0x2_0000) !== 0 ? moofAt : endBefore;
  let dataEnd = base;
  const samples: Sample[] = [];
  for (const trun of inside(bytes, traf, 'trun')) {
    const read = samplesIn(bytes, trun, own, base, dataEnd);
    samples.push(...read.samples);
    ({ dataEnd } = read);
  }
  return { samples: { track, begin, samples }, dataEnd };
}

function samplesIn(bytes: Buffer, trun: Box, own: SampleDefaults, base: number, endBefore: number) {
  const flags = bytes.readUIntBE(trun.body + 1, 3);
  const isSigned = bytes[trun.body] !== 0;
  const count = bytes.readUInt32BE(trun.body + 4);
  if (count > SAMPLES_MAX) throw new RangeError('more samples than any fragment has');
  let at = trun.body + 8;
  const next = () => bytes.readUInt32BE((at += 4) - 4);
  let data = (flags & 1) !== 0 ? base + (next() | 0) : endBefore;
  const firstFlags = (flags & 4) !== 0 ? next() : null;
  const samples: Sample[] = [];
  for (let n = 0; n < count; n++) {
    const duration = (flags & 0x100) !== 0 ? next() : own.duration;
    const size = (flags & 0x200) !== 0 ? next() : own.size;
    const said = (flags & 0x400) !== 0 ? next() : n === 0 ? firstFlags : null;
    const shift = (flags & 0x800) !== 0 ? next() : 0;
    if (data < 0 || data + size > bytes.length) throw new RangeError('a sample outside of its fragment');
    samples.push({
      duration,
      shift: isSigned ? shift | 0 : shift,
      flags: said ?? own.flags,
      data: bytes.subarray(data, data + size),
    });
    data += size;
  }
  return { samples, dataEnd: data };
}

/** A fragment of them: `moof` and `mdat`. */
export function fragmentOf(tracks: readonly TrackSamples[], sequence: number): Buffer {
  const moofBytes =
    8 + 16 + tracks.reduce((sum, { samples }) => sum + 8 + 16 + 20 + 20 + 16 * samples.length, 0);
  let offset = moofBytes + 8;
  const trafs = tracks.map(({ track, begin, samples }) => {
    const tfdt = Buffer.alloc(8);
    tfdt.writeBigUInt64BE(begin);
    const rows = samples.map(({ duration, data, flags, shift }) =>
      words(duration, data.length, flags, shift),
    );
    const run = box('trun', words(0x0100_0f01, samples.length, offset), ...rows);
    offset += samples.reduce((sum, { data }) => sum + data.length, 0);
    return box('traf', box('tfhd', words(0x0002_0000, track)), box('tfdt', words(0x0100_0000), tfdt), run);
  });
  const moof = box('moof', box('mfhd', words(0, sequence)), ...trafs);
  const data = tracks.flatMap(({ samples }) => samples.map((sample) => sample.data));
  return Buffer.concat([moof, box('mdat', ...data)]);
}

function box(type: string, ...content: readonly Buffer[]): Buffer {
  const bytes = content.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([words(bytes), Buffer.from(type, 'latin1'), ...content]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [n, value] of values.entries()) bytes.writeInt32BE(value | 0, 4 * n);
  return bytes;
}
