/**
 * A spool of fragmented MP4: one initialization section, then fragments, append-only (P1). What a killed process left
 * unfinished at its end is cut when it is opened again (P7), and its last fragment says where the file's clock stands.
 */
import { diskCode, type Disk, type DiskFile } from '../io/disk.js';
import { BOX_HEAD_BYTES, boxesIn, boxOf, timescalesOf, timesOf, wholeBytes, type Box } from './mp4Boxes.js';
import { synced, troubleOf, type DiskTrouble } from './spool.js';

const MOOF_BYTES_MAX = 4 * 1024 * 1024;
/** A box that every player passes over; of those of a provider none gets in between fragments. */
const TURN = 'skip';
const TURN_BOX = Buffer.from('\u0000\u0000\u0000\u0008skip', 'latin1');

export interface Mp4Spool {
  readonly firstOffset: number;
  readonly trimmedBytes: number;
  /** Its initialization section; null while there is none. */
  init(): Buffer | null;
  /** Where its media ends on its own clock, microseconds; null while there is none. */
  endUs(): bigint | null;
  begin(init: Buffer): Promise<DiskTrouble | null>;
  /** Whether pictures of more than one setup are in it. */
  isTurned(): boolean;
  /** Notes that from here on they are. */
  turn(): Promise<DiskTrouble | null>;
  /** `endUs`: where the media ends then. */
  write(fragments: Buffer, endUs: bigint): Promise<DiskTrouble | null>;
  sync(): Promise<DiskTrouble | null>;
  bytesWritten(): number;
  close(): Promise<void>;
}

/** Where fragments begin and end, whichever track is first and last, or one of them alone. */
export function spanOf(
  fragments: Buffer,
  init: Buffer,
  only: number | null = null,
): { readonly beginUs: bigint; readonly endUs: bigint } | null {
  const scales = timescalesOf(init);
  let beginUs: bigint | null = null;
  let endUs = 0n;
  for (const { track, begin, end } of timesOf(fragments, init)) {
    const scale = BigInt(scales.get(track) ?? 0);
    if (scale === 0n || (only !== null && track !== only)) continue;
    const [from, to] = [(begin * 1_000_000n) / scale, (end * 1_000_000n) / scale];
    if (beginUs === null || from < beginUs) beginUs = from;
    if (to > endUs) endUs = to;
  }
  return beginUs === null ? null : { beginUs, endUs };
}

export async function openMp4Spool(disk: Disk, path: string): Promise<Mp4Spool | DiskTrouble> {
  let file: DiskFile;
  try {
    file = await disk.open(path, 'append');
  } catch (error) {
    return troubleOf(error);
  }
  try {
    return spoolOn(file, await trim(file));
  } catch (error) {
    await file.close().catch(() => undefined);
    if (diskCode(error) === 'UNKNOWN') throw error;
    return troubleOf(error);
  }
}

interface Found {
  readonly bytes: number;
  readonly trimmedBytes: number;
  readonly init: Buffer | null;
  readonly endUs: bigint | null;
  readonly isTurned: boolean;
}

async function trim(file: DiskFile): Promise<Found> {
  const fileBytes = await file.bytes();
  const boxes = await boxesOf(file, fileBytes);
  const moov = boxes.find(({ type }) => type === 'moov');
  const bytes = moov ? wholeBytes(boxes, fileBytes) : 0;
  if (bytes < fileBytes) {
    await file.truncate(bytes);
    await file.datasync();
  }
  const trimmedBytes = fileBytes - bytes;
  if (!moov || bytes < moov.end) return { bytes, trimmedBytes, init: null, endUs: null, isTurned: false };
  const init = await file.read(0, moov.end);
  const last = boxes.findLast(({ type, end }) => type === 'moof' && end <= bytes);
  const moof = last && (await file.read(last.at, Math.min(MOOF_BYTES_MAX, last.end - last.at)));
  const isTurned = boxes.some(({ type, end }) => type === TURN && end <= bytes);
  return { bytes, trimmedBytes, init, endUs: (moof && spanOf(moof, init)?.endUs) ?? null, isTurned };
}

/** Heads only: what is in them is not read. */
async function boxesOf(file: DiskFile, fileBytes: number): Promise<Box[]> {
  const boxes: Box[] = [];
  let at = 0;
  while (at + 8 <= fileBytes) {
    const box = boxOf(await file.read(at, Math.min(BOX_HEAD_BYTES, fileBytes - at)), at);
    if (!box) break;
    boxes.push(box);
    at = box.end;
  }
  return boxes;
}

function spoolOn(file: DiskFile, found: Found): Mp4Spool {
  let { init, endUs, isTurned } = found;
  let bytes = 0;
  async function put(chunk: Buffer): Promise<DiskTrouble | null> {
    try {
      await file.write([chunk]);
      bytes += chunk.length;
      return null;
    } catch (error) {
      // Half a fragment is of no use to anybody; where it cannot be cut now, the next opening does it.
      await file.truncate(found.bytes + bytes).catch(() => undefined);
      return troubleOf(error);
    }
  }
  return {
    firstOffset: found.bytes,
    trimmedBytes: found.trimmedBytes,
    init: () => init,
    endUs: () => endUs,
    async begin(section) {
      const trouble = await put(section);
      if (!trouble) init = section;
      return trouble;
    },
    isTurned: () => isTurned,
    async turn() {
      const trouble = await put(TURN_BOX);
      if (!trouble) isTurned = true;
      return trouble;
    },
    async write(fragments, until) {
      const trouble = await put(fragments);
      if (!trouble && (endUs === null || until > endUs)) endUs = until;
      return trouble;
    },
    sync: () => synced(() => file.datasync()),
    bytesWritten: () => bytes,
    close: () => file.close().catch(() => undefined),
  };
}

/** Fragments of a segment, each with its media; what players do without (`sidx`, `styp`, …) is left out. */
export function fragmentsOf(segment: Buffer): Buffer[] {
  const fragments: Buffer[] = [];
  let from: number | null = null;
  for (const { type, at, end } of boxesIn(segment, 0, segment.length)) {
    if (type === 'moof') from = at;
    if (type !== 'mdat' || from === null) continue;
    fragments.push(segment.subarray(from, end));
    from = null;
  }
  return fragments;
}
