/**
 * The HLS playlist of a recording (PROTOCOLS §5.5): byte ranges of its one file, cut where a picture can begin. EVENT
 * while it grows: what was said once is never said differently, so a part is only told when nothing can change it.
 */

import type { MediaIndex } from '../domain/mediaIndex.js';

export interface Segment {
  readonly offset: number;
  readonly bytes: number;
  readonly durationMs: number;
  /** Wall clock of its first picture. */
  readonly startedAt: number;
  readonly discontinuity: boolean;
}

/** Never changes while a playlist grows (RFC 8216 §6.2.1), and no part of a transport stream is longer. */
const TARGET_MS = 10_000;
const WANTED_MS = 6_000;
const PACKET_BYTES = 188;
/** At a joint the end of what was written may still be cut. */
const UNSETTLED_MS = 3_000;

/**
 * Parts in file order. Of an index that grows, more of it gives the same parts and perhaps more; the open end is only
 * given where `finished`.
 */
export function segmentsOf(index: MediaIndex, finished: boolean): Segment[] {
  const segments: Segment[] = [];
  const last = index.points.at(-1);
  const settledMs = finished || !last ? Infinity : last.atMs + last.durationMs - UNSETTLED_MS;
  let start = 0;
  while (start < index.points.length) {
    const end = endOf(index.points, start);
    const first = index.points[start];
    const next = index.points[end];
    if (!first || (!next && !finished)) break;
    const playedMs = index.points.slice(start, end).reduce((sum, point) => sum + point.durationMs, 0);
    if (first.atMs + playedMs > settledMs) break;
    const bytes = (next ? next.offset : endBytes(index)) - first.offset;
    const whole = {
      offset: first.offset,
      bytes,
      durationMs: playedMs,
      startedAt: index.startedAt + first.atMs,
    };
    const { discontinuity } = first;
    if (bytes > 0 && index.initBytes > 0) segments.push({ ...whole, discontinuity });
    else if (bytes > 0) segments.push(...parted({ ...whole, discontinuity }));
    start = end;
  }
  return segments;
}

/** Of a transport stream only whole packets. */
function endBytes({ bytes, initBytes }: MediaIndex): number {
  return initBytes > 0 ? bytes : bytes - (bytes % PACKET_BYTES);
}

/** Where the part that begins at `start` ends: by length, or where the clock or the content jumps. */
function endOf(points: MediaIndex['points'], start: number): number {
  let playedMs = points[start]?.durationMs ?? 0;
  let end = start + 1;
  for (; end < points.length; end += 1) {
    const point = points[end];
    if (!point || point.discontinuity || playedMs >= WANTED_MS || playedMs + point.durationMs > TARGET_MS)
      break;
    playedMs += point.durationMs;
  }
  return end;
}

/** Where pictures that can begin lie too far apart, a part goes on in the next. */
function parted(whole: Segment): Segment[] {
  const count = Math.max(1, Math.ceil(whole.durationMs / TARGET_MS));
  const packets = Math.floor(whole.bytes / PACKET_BYTES);
  const at = (index: number) => Math.floor((packets * index) / count) * PACKET_BYTES;
  return Array.from({ length: count }, (_, index) => ({
    offset: whole.offset + at(index),
    bytes: index === count - 1 ? whole.bytes - at(index) : at(index + 1) - at(index),
    durationMs: whole.durationMs / count,
    startedAt: whole.startedAt + (whole.durationMs * index) / count,
    discontinuity: whole.discontinuity && index === 0,
  }));
}

/**
 * `media` is the address of the file, relative to the playlist, with whatever it takes to be let in; `initBytes` of its
 * start every part needs.
 */
export function playlistText(
  segments: readonly Segment[],
  media: string,
  finished: boolean,
  initBytes = 0,
): string {
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${initBytes > 0 ? 6 : 4}`,
    `#EXT-X-TARGETDURATION:${TARGET_MS / 1000}`,
    '#EXT-X-PLAYLIST-TYPE:EVENT',
    '#EXT-X-MEDIA-SEQUENCE:0',
  ];
  if (initBytes > 0) lines.push(`#EXT-X-MAP:URI="${media}",BYTERANGE="${initBytes}@0"`);
  segments.forEach(({ offset, bytes, durationMs, startedAt, discontinuity }, number) => {
    if (discontinuity) lines.push('#EXT-X-DISCONTINUITY');
    if (number === 0 || discontinuity)
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(startedAt).toISOString()}`);
    lines.push(`#EXTINF:${(durationMs / 1000).toFixed(3)},`, `#EXT-X-BYTERANGE:${bytes}@${offset}`, media);
  });
  if (finished) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}
