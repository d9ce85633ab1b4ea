/**
 * A fragment as it must be to stand in a file that began with another initialization section: counted as the file counts,
 * under its track numbers, and with the parameter sets of its pictures in front of each that can be begun with. So a decoder
 * that meets it in the middle, or is sent there by a player, knows what to do.
 */
import { isSync } from './mp4Boxes.js';
import { fragmentOf, samplesOf, type Sample, type TrackSamples } from './mp4Samples.js';
import type { Mp4Track, Mp4Way, PictureSets } from './mp4Setup.js';

/** `withSets`: the file has pictures of more than one setup. Null where it cannot be done; throws RangeError where it is torn. */
export function remade(fragment: Buffer, init: Buffer, way: Mp4Way, withSets: boolean): Buffer | null {
  const read = samplesOf(fragment, init);
  if (!read) return null;
  const tracks = read.flatMap((each): TrackSamples[] => {
    const place = way.tracks.get(each.track);
    return place && each.samples.length > 0 ? [placed(each, place.own, place.file, withSets)] : [];
  });
  return tracks.length === 0 ? null : fragmentOf(tracks, sequenceOf(fragment));
}

function sequenceOf(fragment: Buffer): number {
  const at = fragment.indexOf('mfhd', 0, 'latin1');
  return at < 0 ? 0 : fragment.readUInt32BE(at + 8);
}

function placed(
  { begin, samples }: TrackSamples,
  own: Mp4Track,
  file: Mp4Track,
  withSets: boolean,
): TrackSamples {
  const [from, to] = [BigInt(own.scale), BigInt(file.scale)];
  /** Rounded from the beginning of the clock, so that nothing adds up. */
  const scaled = (ticks: bigint) => (ticks * to + from / 2n) / from;
  let at = begin;
  return {
    track: file.id,
    begin: scaled(begin),
    samples: samples.map((sample) => {
      const start = at;
      at += BigInt(sample.duration);
      const data = own.sets && file.sets ? dressed(sample, own.sets, file.sets, withSets) : sample.data;
      const duration = Number(scaled(at) - scaled(start));
      const shift = Math.round(((sample.shift - own.sooner) * file.scale) / own.scale) + file.sooner;
      return { ...sample, duration, shift, data };
    }),
  };
}

/** A picture with its parameter sets in front, and units counted as the file counts them. */
function dressed(sample: Sample, own: PictureSets, file: PictureSets, withSets: boolean): Buffer {
  const units = unitsOf(sample.data, own.lengthBytes);
  if (!units) return sample.data;
  const { isKey, isSet, isDelimiter } = TYPES[own.codec];
  const wants = withSets && (isSync(sample) || units.some(isKey)) && !units.some(isSet);
  if (!wants && own.lengthBytes === file.lengthBytes) return sample.data;
  const first = units[0];
  const head = first && isDelimiter(first) ? 1 : 0;
  const all = wants ? [...units.slice(0, head), ...own.units, ...units.slice(head)] : units;
  return Buffer.concat(
    all.flatMap((unit) => {
      const length = Buffer.alloc(file.lengthBytes);
      length.writeUIntBE(unit.length, 0, file.lengthBytes);
      return [length, unit];
    }),
  );
}

function unitsOf(data: Buffer, lengthBytes: number): readonly Buffer[] | null {
  const units: Buffer[] = [];
  for (let at = 0; at < data.length;) {
    if (at + lengthBytes > data.length) return null;
    const end = at + lengthBytes + data.readUIntBE(at, lengthBytes);
    if (end > data.length) return null;
    units.push(data.subarray(at + lengthBytes, end));
    at = end;
  }
  return units;
}

type Asks = (unit: Buffer) => boolean;
interface UnitTypes {
  readonly isKey: Asks;
  /** A sequence parameter set: those of its picture are in it already. */
  readonly isSet: Asks;
  readonly isDelimiter: Asks;
}
const h264 = (unit: Buffer) => (unit[0] ?? 0) & 0x1f;
const h265 = (unit: Buffer) => ((unit[0] ?? 0) >> 1) & 0x3f;
const TYPES: Readonly<Record<PictureSets['codec'], UnitTypes>> = {
  h264: {
    isKey: (unit) => h264(unit) === 5,
    isSet: (unit) => h264(unit) === 7,
    isDelimiter: (unit) => h264(unit) === 9,
  },
  h265: {
    isKey: (unit) => h265(unit) >= 16 && h265(unit) <= 23,
    isSet: (unit) => h265(unit) === 33,
    isDelimiter: (unit) => h265(unit) === 35,
  },
};
