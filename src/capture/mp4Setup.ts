/**
 * What the tracks of an initialization section need of a decoder, and whether media of one section can stand in a file that
 * begins with another: as it is, or with the parameter sets of its own pictures in front of them. A file has one section, at
 * its beginning, and only ever grows (P1, P2).
 */
import { boxesIn, inside, timescalesOf, type Box } from './mp4Boxes.js';

/** Parameter sets of a decoder of pictures, as its section has them. */
export interface PictureSets {
  readonly codec: 'h264' | 'h265';
  /** In front of every unit of a picture. */
  readonly lengthBytes: number;
  readonly units: readonly Buffer[];
}

export interface Mp4Track {
  readonly id: number;
  /** `vide`, `soun`, … */
  readonly kind: string;
  readonly scale: number;
  /** Its codec and how the decoder is set up, whatever else its section says (when it was made, at which rate). */
  readonly decoder: string;
  /** What samples may leave to be understood. */
  readonly defaults: string;
  readonly sets: PictureSets | null;
  /** Ticks by which its pictures are shown sooner than their samples say (`elst`). */
  readonly sooner: number;
}

/** How media of a section gets into a file: each of its tracks that does, and which one of the file it is there. */
export interface Mp4Way {
  readonly tracks: ReadonlyMap<number, { readonly own: Mp4Track; readonly file: Mp4Track }>;
  /** `moved`: under other numbers at most. `remade`: sample by sample; `turned`: and their decoder is set up anew. */
  readonly kind: 'moved' | 'remade' | 'turned';
}

/** Boxes that tell a decoder what it decodes. */
const SETUPS = ['avcC', 'hvcC', 'av1C', 'vpcC', 'esds', 'dac3', 'dec3', 'dOps'];

export function tracksOf(init: Buffer): readonly Mp4Track[] {
  const moov = boxesIn(init, 0, init.length).find(({ type }) => type === 'moov');
  const [mvex] = inside(init, moov, 'mvex');
  const scales = timescalesOf(init);
  const defaults = new Map(
    inside(init, mvex, 'trex').map(
      ({ body }) => [init.readUInt32BE(body + 4), init.toString('hex', body + 8, body + 24)] as const,
    ),
  );
  return inside(init, moov, 'trak').flatMap((trak): Mp4Track[] => {
    const [tkhd] = inside(init, trak, 'tkhd');
    const [mdia] = inside(init, trak, 'mdia');
    const [minf] = inside(init, mdia, 'minf');
    const [stbl] = inside(init, minf, 'stbl');
    const [stsd] = inside(init, stbl, 'stsd');
    const [hdlr] = inside(init, mdia, 'hdlr');
    if (!tkhd || !stsd || !hdlr) return [];
    const id = init.readUInt32BE(tkhd.body + (init[tkhd.body] === 1 ? 20 : 12));
    const entries = init.subarray(stsd.body, stsd.end);
    const found = SETUPS.flatMap((name) => setupIn(entries, name) ?? []);
    const setup = found.length > 0 ? Buffer.concat(found) : entries;
    return [
      {
        id,
        kind: init.toString('latin1', hdlr.body + 8, hdlr.body + 12),
        scale: scales.get(id) ?? 0,
        decoder: `${entries.toString('latin1', 12, 16)} ${setup.toString('hex')}`,
        defaults: defaults.get(id) ?? '',
        sets: setsOf(entries),
        sooner: soonerIn(init, inside(init, inside(init, trak, 'edts')[0], 'elst')[0]),
      },
    ];
  });
}

/** Of the first edit that shows anything. */
function soonerIn(init: Buffer, elst: Box | undefined): number {
  if (!elst) return 0;
  const isLong = init[elst.body] === 1;
  const [row, skip] = isLong ? [20, 8] : [12, 4];
  for (let at = elst.body + 8; at + row <= elst.end; at += row) {
    const ticks = isLong ? Number(init.readBigInt64BE(at + skip)) : init.readInt32BE(at + skip);
    if (ticks >= 0) return ticks;
  }
  return 0;
}

function setupIn(entries: Buffer, name: string): Buffer | null {
  const at = entries.indexOf(name, 0, 'latin1') - 4;
  return at < 0 ? null : entries.subarray(at, at + entries.readUInt32BE(at));
}

/** ISO 14496-15 §5.3.3 and §8.3.3. */
function setsOf(entries: Buffer): PictureSets | null {
  const [avc, hevc] = [setupIn(entries, 'avcC'), setupIn(entries, 'hvcC')];
  const setup = avc ?? hevc;
  if (!setup) return null;
  try {
    const units: Buffer[] = [];
    let at = 8 + (avc ? 5 : 22);
    const take = (count: number) => {
      for (let n = 0; n < count; n++) {
        const end = at + 2 + setup.readUInt16BE(at);
        units.push(setup.subarray(at + 2, end));
        at = end;
      }
    };
    if (avc) {
      take(setup.readUInt8(at++) & 0x1f);
      take(setup.readUInt8(at++));
    } else
      for (let arrays = setup.readUInt8(at++); arrays > 0; arrays--) {
        const count = setup.readUInt16BE(at + 1);
        at += 3;
        take(count);
      }
    const lengthBytes = (setup.readUInt8(8 + (avc ? 4 : 21)) & 3) + 1;
    return { codec: avc ? 'h264' : 'h265', lengthBytes, units };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/**
 * Null where a kind of what is in the media has no place in the file: it needs another codec, or sound is set up in another
 * way, which no packet of it could say. Further tracks of a kind that has one are left out. Throws RangeError where a section
 * is torn.
 */
export function wayInto(file: Buffer, init: Buffer): Mp4Way | null {
  const free = [...tracksOf(file)];
  const own = tracksOf(init);
  const tracks = new Map<number, { readonly own: Mp4Track; readonly file: Mp4Track }>();
  let kind: Mp4Way['kind'] = 'moved';
  for (const [fits, as] of LIKENESS)
    for (const one of own) {
      if (tracks.has(one.id)) continue;
      const place = free.findIndex((each) => fits(each, one));
      const target = free[place];
      if (!target) continue;
      free.splice(place, 1);
      tracks.set(one.id, { own: one, file: target });
      kind = as;
    }
  const placed = [...tracks.values()];
  const isWhole = own.every(({ kind: wanted }) => placed.some((each) => each.own.kind === wanted));
  if (!isWhole || placed.length === 0) return null;
  return { tracks, kind: placed.length < own.length && kind === 'moved' ? 'remade' : kind };
}

/** The closest first. */
const LIKENESS: readonly (readonly [(file: Mp4Track, own: Mp4Track) => boolean, Mp4Way['kind']])[] = [
  [
    (file, own) => isSameDecoder(file, own) && file.scale === own.scale && file.defaults === own.defaults,
    'moved',
  ],
  [isSameDecoder, 'remade'],
  [
    (file, own) => isCounted(file, own) && file.sets !== null && file.sets.codec === own.sets?.codec,
    'turned',
  ],
];

function isSameDecoder(file: Mp4Track, own: Mp4Track): boolean {
  return isCounted(file, own) && file.decoder === own.decoder;
}

function isCounted(file: Mp4Track, own: Mp4Track): boolean {
  return file.kind === own.kind && file.scale > 0 && own.scale > 0;
}
