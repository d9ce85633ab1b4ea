/**
 * Boxes of fragmented MP4 (ISO 14496-12) as far as fragments must be put behind each other: where they are, how fast each
 * track counts, when a fragment begins and ends, and how to move it in time.
 */

export interface Box {
  readonly type: string;
  /** Of its head, of what is in it, and past its end. */
  readonly at: number;
  readonly body: number;
  readonly end: number;
}

/** Of one track in a fragment, in ticks of the track. */
export interface TrackTimes {
  readonly track: number;
  readonly begin: bigint;
  readonly end: bigint;
}

/** So much of a box says what it is and where it ends. */
export const BOX_HEAD_BYTES = 16;

/** The box whose first bytes these are, at that place of a file; null where it is none. */
export function boxOf(head: Buffer, at: number): Box | null {
  if (head.length < 8) return null;
  const small = head.readUInt32BE(0);
  const isLarge = small === 1 && head.length >= BOX_HEAD_BYTES;
  const size = isLarge ? Number(head.readBigUInt64BE(8)) : small;
  if (size < 8) return null;
  return { type: head.toString('latin1', 4, 8), at, body: at + (isLarge ? 16 : 8), end: at + size };
}

/** Boxes between two places; what does not fit ends the list. */
export function boxesIn(bytes: Buffer, from: number, to: number): Box[] {
  const boxes: Box[] = [];
  let at = from;
  while (at + 8 <= to) {
    const type = bytes.toString('latin1', at + 4, at + 8);
    let size = bytes.readUInt32BE(at);
    let head = 8;
    if (size === 1) {
      if (at + 16 > to) break;
      size = Number(bytes.readBigUInt64BE(at + 8));
      head = 16;
    } else if (size === 0) size = to - at;
    if (size < head || at + size > to) break;
    boxes.push({ type, at, body: at + head, end: at + size });
    at += size;
  }
  return boxes;
}

export function inside(bytes: Buffer, box: Box | undefined, type: string): Box[] {
  return box ? boxesIn(bytes, box.body, box.end).filter((each) => each.type === type) : [];
}

/** Ticks a second of each track, by its id. */
export function timescalesOf(init: Buffer): ReadonlyMap<number, number> {
  const scales = new Map<number, number>();
  const moov = boxesIn(init, 0, init.length).find(({ type }) => type === 'moov');
  for (const trak of inside(init, moov, 'trak')) {
    const [tkhd] = inside(init, trak, 'tkhd');
    const [mdhd] = inside(init, inside(init, trak, 'mdia')[0], 'mdhd');
    if (!tkhd || !mdhd) continue;
    const track = init.readUInt32BE(tkhd.body + (init[tkhd.body] === 1 ? 20 : 12));
    scales.set(track, init.readUInt32BE(mdhd.body + (init[mdhd.body] === 1 ? 20 : 12)));
  }
  return scales;
}

export interface SampleDefaults {
  duration: number;
  size: number;
  flags: number;
}

/** What fragments may leave out of their samples (`trex`), by track. */
export function sampleDefaultsOf(init: Buffer): ReadonlyMap<number, SampleDefaults> {
  const moov = boxesIn(init, 0, init.length).find(({ type }) => type === 'moov');
  const [mvex] = inside(init, moov, 'mvex');
  return new Map(
    inside(init, mvex, 'trex').map(({ body }) => {
      const [duration, size, flags] = [12, 16, 20].map((at) => init.readUInt32BE(body + at));
      return [init.readUInt32BE(body + 4), { duration: duration ?? 0, size: size ?? 0, flags: flags ?? 0 }];
    }),
  );
}

const NOT_SYNC = 0x1_0000;

/** Whether decoding can begin with a sample, by what the stream says. */
export function isSync({ flags }: Pick<SampleDefaults, 'flags'>): boolean {
  return (flags & NOT_SYNC) === 0;
}

/** When each track begins and ends in what these fragments hold; throws RangeError where they are not whole. */
export function timesOf(fragments: Buffer, init: Buffer): TrackTimes[] {
  const defaults = sampleDefaultsOf(init);
  const times = new Map<number, TrackTimes>();
  for (const traf of trafsOf(fragments)) {
    const { track, begin, duration } = trafTimes(fragments, traf, defaults);
    if (begin === null) continue;
    const before = times.get(track);
    times.set(track, { track, begin: before?.begin ?? begin, end: begin + duration });
  }
  return [...times.values()];
}

function trafsOf(fragments: Buffer): Box[] {
  return boxesIn(fragments, 0, fragments.length)
    .filter(({ type }) => type === 'moof')
    .flatMap((moof) => inside(fragments, moof, 'traf'));
}

function trafTimes(bytes: Buffer, traf: Box, defaults: ReadonlyMap<number, SampleDefaults>) {
  const [tfhd] = inside(bytes, traf, 'tfhd');
  const [tfdt] = inside(bytes, traf, 'tfdt');
  if (!tfhd) return { track: 0, begin: null, duration: 0n };
  const flags = bytes.readUIntBE(tfhd.body + 1, 3);
  const track = bytes.readUInt32BE(tfhd.body + 4);
  let at = tfhd.body + 8 + ((flags & 1) !== 0 ? 8 : 0) + ((flags & 2) !== 0 ? 4 : 0);
  const sample = (flags & 8) !== 0 ? bytes.readUInt32BE(at) : (defaults.get(track)?.duration ?? 0);
  at = tfdt?.body ?? 0;
  const begin = !tfdt
    ? null
    : bytes[at] === 1
      ? bytes.readBigUInt64BE(at + 4)
      : BigInt(bytes.readUInt32BE(at + 4));
  let duration = 0n;
  for (const trun of inside(bytes, traf, 'trun')) duration += BigInt(trunTicks(bytes, trun, sample));
  return { track, begin, duration };
}

function trunTicks(bytes: Buffer, trun: Box, sample: number): number {
  const flags = bytes.readUIntBE(trun.body + 1, 3);
  const count = bytes.readUInt32BE(trun.body + 4);
  if ((flags & 0x100) === 0) return count * sample;
  const each = 4 * [0x100, 0x200, 0x400, 0x800].filter((flag) => (flags & flag) !== 0).length;
  const from = trun.body + 8 + ((flags & 1) !== 0 ? 4 : 0) + ((flags & 4) !== 0 ? 4 : 0);
  let ticks = 0;
  for (let n = 0; n < count; n++) ticks += bytes.readUInt32BE(from + n * each);
  return ticks;
}

/** What may stand in a `tfhd` before its sample flags, by the flag that says so, and its size. */
const TFHD_FIELDS = [
  [1, 8],
  [2, 4],
  [8, 4],
  [0x10, 4],
] as const;

/** The first track of pictures, or null. */
export function videoTrackOf(init: Buffer): number | null {
  const moov = boxesIn(init, 0, init.length).find(({ type }) => type === 'moov');
  for (const trak of inside(init, moov, 'trak')) {
    const [tkhd] = inside(init, trak, 'tkhd');
    const [hdlr] = inside(init, inside(init, trak, 'mdia')[0], 'hdlr');
    if (!tkhd || !hdlr || init.toString('latin1', hdlr.body + 8, hdlr.body + 12) !== 'vide') continue;
    return init.readUInt32BE(tkhd.body + (init[tkhd.body] === 1 ? 20 : 12));
  }
  return null;
}

/** Whether a fragment can be the first: its first picture needs no other. Without pictures all can. */
export function opensWithKey(fragment: Buffer, init: Buffer): boolean {
  const track = videoTrackOf(init);
  if (track === null) return true;
  for (const traf of trafsOf(fragment)) {
    const [tfhd] = inside(fragment, traf, 'tfhd');
    const [trun] = inside(fragment, traf, 'trun');
    if (!tfhd || !trun || fragment.readUInt32BE(tfhd.body + 4) !== track) continue;
    const otherwise = sampleDefaultsOf(init).get(track)?.flags ?? 0;
    return isSync({ flags: firstFlags(fragment, tfhd, trun, otherwise) });
  }
  return false;
}

function firstFlags(bytes: Buffer, tfhd: Box, trun: Box, otherwise: number): number {
  const told = bytes.readUIntBE(trun.body + 1, 3);
  const from = trun.body + 8 + ((told & 1) !== 0 ? 4 : 0);
  if ((told & 4) !== 0) return bytes.readUInt32BE(from);
  if ((told & 0x400) !== 0)
    return bytes.readUInt32BE(from + ((told & 0x100) !== 0 ? 4 : 0) + ((told & 0x200) !== 0 ? 4 : 0));
  const flags = bytes.readUIntBE(tfhd.body + 1, 3);
  if ((flags & 0x20) === 0) return otherwise;
  const before = TFHD_FIELDS.reduce((sum, [flag, size]) => sum + ((flags & flag) !== 0 ? size : 0), 0);
  return bytes.readUInt32BE(tfhd.body + 8 + before);
}

/** Moves all of it by so many microseconds, in place; false where a 32-bit time would not hold it. */
export function moveTimes(fragments: Buffer, scales: ReadonlyMap<number, number>, byUs: bigint): boolean {
  const stamps: (() => void)[] = [];
  for (const traf of trafsOf(fragments)) {
    const [tfhd] = inside(fragments, traf, 'tfhd');
    const [tfdt] = inside(fragments, traf, 'tfdt');
    if (!tfhd || !tfdt) continue;
    const by = (byUs * BigInt(scales.get(fragments.readUInt32BE(tfhd.body + 4)) ?? 0)) / 1_000_000n;
    const at = tfdt.body + 4;
    const isLong = fragments[tfdt.body] === 1;
    const moved = (isLong ? fragments.readBigUInt64BE(at) : BigInt(fragments.readUInt32BE(at))) + by;
    if (moved < 0n || (!isLong && moved > 0xffff_ffffn)) return false;
    stamps.push(() =>
      isLong ? fragments.writeBigUInt64BE(moved, at) : fragments.writeUInt32BE(Number(moved), at),
    );
  }
  for (const stamp of stamps) stamp();
  return true;
}

/** Gives the tracks of these fragments their numbers in the file, in place. */
export function renumber(fragments: Buffer, tracks: ReadonlyMap<number, number>): void {
  for (const traf of trafsOf(fragments)) {
    const [tfhd] = inside(fragments, traf, 'tfhd');
    const own = tfhd && tracks.get(fragments.readUInt32BE(tfhd.body + 4));
    if (tfhd && own !== undefined) fragments.writeUInt32BE(own, tfhd.body + 4);
  }
}

/** How much of a file is whole: up to the end of its last fragment that has its media. */
export function wholeBytes(read: readonly Box[], fileBytes: number): number {
  let whole = 0;
  let isOpen = false;
  for (const { type, end } of read) {
    if (end > fileBytes) break;
    if (type === 'moof') isOpen = true;
    else if (type === 'mdat') isOpen = false;
    if (!isOpen) whole = end;
  }
  return whole;
}
