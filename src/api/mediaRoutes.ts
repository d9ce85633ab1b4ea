/** Where media is played from: the file, its HLS playlist, and the parts of that for players that know no byte ranges. */

import { z } from 'zod';
import { CodedError } from '../domain/errors.js';
import type { MediaIndex } from '../domain/mediaIndex.js';
import type { ApiDoors } from './doors.js';
import { sendMedia, sendPart, WHOLE } from './media.js';
import { playlistText, segmentsOf, type Segment } from './playlist.js';
import { idField, route, type Route } from './route.js';

/** A player that comes to a running recording gets this much at once. */
const BEHIND_MS = 4_000;
const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';

export function mediaRoutes(doors: ApiDoors): Route[] {
  async function segments(
    id: string,
  ): Promise<{ parts: Segment[]; finished: boolean; path: string; initBytes: number }> {
    const media = doors.media(id);
    const index = media && (await doors.mediaIndex(id));
    if (!media || !index) throw new CodedError('media_missing', id);
    const { growing, path } = media;
    return { parts: segmentsOf(index, !growing), finished: !growing, path, initBytes: index.initBytes };
  }

  return [
    route({
      path: '/media/:id',
      summary:
        'the media; while it grows a plain GET follows it to its end, from its newest pictures with `from=live`, and Range gives what is there',
      params: z.object({ id: idField }),
      query: z.object({ from: z.literal('live').optional() }),
      answer: 'video/mp2t',
      errors: ['media_missing', 'range_invalid', 'too_many_viewers'],
      async answers({ params: { id }, query, request, reply }) {
        const index = query.from === 'live' ? await doors.mediaIndex(id) : null;
        const from = index ? { at: liveOffset(index.points), initBytes: index.initBytes } : WHOLE;
        await sendMedia(() => doors.media(id), from, request, reply);
      },
    }),
    route({
      path: '/media/:id/index.m3u8',
      summary: 'HLS playlist of byte ranges of the media, growing with it',
      params: z.object({ id: idField }),
      query: z.object({ token: z.string().optional() }),
      answer: PLAYLIST_TYPE,
      errors: ['media_missing'],
      async answers({ params: { id }, query: { token }, request, reply }) {
        const { parts, finished, initBytes } = await segments(id);
        // What let the player in has to let it in again.
        const secret = token ?? /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
        const search = secret === undefined ? '' : `?token=${encodeURIComponent(secret)}`;
        reply.type(PLAYLIST_TYPE);
        return playlistText(parts, `../${id}${search}`, finished, initBytes);
      },
    }),
    route({
      path: '/media/:id/seg/:file',
      summary: 'one part of the playlist of a transport stream, as N.ts, counted from 0',
      params: z.object({ id: idField, file: z.string().regex(/^\d{1,7}\.ts$/, 'a number and .ts') }),
      answer: 'video/mp2t',
      errors: ['media_missing'],
      async answers({ params, request, reply }) {
        const { parts, path, initBytes } = await segments(params.id);
        const part = initBytes === 0 ? parts[Number.parseInt(params.file, 10)] : undefined;
        if (!part) throw new CodedError('media_missing', `${params.id} has ${parts.length} parts`);
        await sendPart(path, part, request, reply);
      },
    }),
  ];
}

/** The last place where a picture can begin that has a few seconds behind it. */
function liveOffset(points: MediaIndex['points']): number {
  const last = points.at(-1);
  const settled = points.findLast(({ atMs }) => last !== undefined && atMs <= last.atMs - BEHIND_MS);
  return (settled ?? points[0])?.offset ?? 0;
}
