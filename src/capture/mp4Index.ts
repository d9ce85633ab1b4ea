/**
 * Where in a file of fragmented MP4 it can be begun, read from the heads of its boxes: the fragments that open with a
 * picture that needs no other, and when they play. The same facts that an index of a transport stream gives.
 */
import type { IndexPoint, MediaIndex } from '../domain/mediaIndex.js';
import { BOX_HEAD_BYTES, boxOf, opensWithKey, videoTrackOf, type Box } from './mp4Boxes.js';
import { spanOf } from './mp4Spool.js';

const BOX_BYTES_MAX = 4 * 1024 * 1024;
/** Less between two fragments is how their tracks end, not a hole. */
const HOLE_US = 200_000n;

/** What was read of a file so far; more of it is read from `bytes` on. */
export interface Mp4Facts {
  readonly init: Buffer | null;
  readonly fragments: readonly Fragment[];
  /** Whole fragments up to here. */
  readonly bytes: number;
}

interface Fragment {
  readonly offset: number;
  readonly isKey: boolean;
  readonly beginUs: bigint;
  readonly endUs: bigint;
}

export const NOTHING_READ: Mp4Facts = { init: null, fragments: [], bytes: 0 };

export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

/** Reads on from what is known, up to the last fragment that has its media. */
export async function readFragments(read: ReadAt, known: Mp4Facts, fileBytes: number): Promise<Mp4Facts> {
  const fragments = [...known.fragments];
  let { init, bytes } = known;
  let moof: Box | null = null;
  for (let at = bytes; at + 8 <= fileBytes;) {
    const box = boxOf(await read(at, Math.min(BOX_HEAD_BYTES, fileBytes - at)), at);
    if (!box || box.end > fileBytes) break;
    const { type, end } = box;
    if (type === 'moof') moof = box;
    if (type === 'moov') init = await read(0, Math.min(BOX_BYTES_MAX, end));
    if (type === 'mdat' && moof && init) {
      const head = await read(moof.at, Math.min(BOX_BYTES_MAX, moof.end - moof.at));
      const span = spanOf(head, init, videoTrackOf(init));
      if (span) fragments.push({ offset: moof.at, isKey: opensWithKey(head, init), ...span });
    }
    if (type !== 'moof') {
      bytes = end;
      moof = null;
    }
    at = end;
  }
  return { init, fragments, bytes };
}

/** `startedAt`: wall clock of its first picture, epoch milliseconds. */
export function mp4IndexOf({ init, fragments, bytes }: Mp4Facts, startedAt: number): MediaIndex {
  const points: IndexPoint[] = [];
  const first = fragments[0]?.beginUs ?? 0n;
  let endUs = first;
  let open: { point: IndexPoint; beginUs: bigint } | null = null;
  const close = (untilUs: bigint) => {
    if (open) points.push({ ...open.point, durationMs: msOf(untilUs - open.beginUs) });
  };
  for (const { offset, isKey, beginUs, endUs: untilUs } of fragments) {
    const isHole = beginUs - endUs > HOLE_US;
    if (open === null || isKey || isHole) {
      // Tracks of one fragment do not end together: where nothing is missing, the next says where this one ends.
      close(isHole ? endUs : beginUs);
      const point = { offset, atMs: msOf(beginUs - first), durationMs: 0, discontinuity: isHole };
      open = { point, beginUs };
    }
    endUs = untilUs > endUs ? untilUs : endUs;
  }
  close(endUs);
  return { startedAt, points, bytes, initBytes: init?.length ?? 0 };
}

function msOf(us: bigint): number {
  return Number(us / 1_000n);
}
