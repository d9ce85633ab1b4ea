/**
 * The media of a recording over HTTP: whole or in ranges, and while it grows a plain GET follows it to its end. Files
 * are named by the daemon alone; nothing that a request says is ever part of a path.
 */

import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CodedError } from '../domain/errors.js';
import { askedRange } from './byteRange.js';

export interface Media {
  /** Absolute. */
  readonly path: string;
  /** More of it may come. */
  readonly growing: boolean;
}

/** Where a whole answer begins: at `at`, behind so much of the file's start as its parts need. */
export interface Beginning {
  readonly at: number;
  readonly initBytes: number;
}

export const WHOLE: Beginning = { at: 0, initBytes: 0 };

/** What there is of a recording now; null where it has no media. */
export type FindMedia = () => Media | null;

const CHUNK_BYTES = 256 * 1024;
const PACKET_BYTES = 188;
const LOOK_MS = 400;
/** Whoever takes nothing for so long is let go. */
const STALLED_MS = 60_000;
const STREAMS_MAX = 128;

let streams = 0;

/** Throws CodedError `media_missing`, `range_invalid`, `too_many_viewers`. */
export async function sendMedia(
  find: FindMedia,
  beginning: Beginning,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const media = find();
  if (media === null) throw new CodedError('media_missing', '');
  const file = await opened(media.path);
  let handedOver = false;
  try {
    const { size, mtime } = await file.stat();
    const tag = `"${size.toString(36)}-${Math.floor(mtime.getTime()).toString(36)}"`;
    reply
      .header('content-type', isMp4(media.path) ? 'video/mp4' : 'video/mp2t')
      .header('accept-ranges', 'bytes')
      .header('cache-control', 'private, no-cache');
    if (!media.growing) reply.header('etag', tag).header('last-modified', mtime.toUTCString());
    const condition = request.headers['if-range'];
    const stale = typeof condition === 'string' && condition !== tag && condition !== mtime.toUTCString();
    const range = askedRange(stale ? undefined : request.headers.range, size);
    const total = media.growing ? '*' : size;
    const isHead = request.method === 'HEAD';
    switch (range.kind) {
      case 'malformed':
      case 'unsatisfiable':
        reply.header('content-range', `bytes */${size}`);
        throw new CodedError('range_invalid', '');
      case 'part': {
        const { from, to } = range;
        reply.code(206).header('content-range', `bytes ${from}-${to}/${total}`);
        reply.header('content-length', to - from + 1);
        if (isHead) return sendHead(reply);
        handedOver = true;
        return void (await reply.send(stream(request, reply, file, { from, end: to + 1 })));
      }
      case 'whole': {
        const initBytes = Math.min(beginning.initBytes, beginning.at);
        const from = Math.min(beginning.at, size);
        if (!media.growing) reply.header('content-length', initBytes + size - from);
        if (isHead) return sendHead(reply);
        handedOver = true;
        const rest = media.growing ? { end: Infinity, follow: find } : { end: size };
        const unitBytes = isMp4(media.path) ? 1 : PACKET_BYTES;
        return void (await reply.send(stream(request, reply, file, { initBytes, from, unitBytes, ...rest })));
      }
    }
  } finally {
    if (!handedOver) await file.close();
  }
}

/** One part of the file, as a file of its own. */
export async function sendPart(
  path: string,
  part: { readonly offset: number; readonly bytes: number },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const file = await opened(path);
  reply.header('content-type', 'video/mp2t').header('content-length', part.bytes);
  if (request.method === 'HEAD') {
    await file.close();
    return sendHead(reply);
  }
  await reply.send(stream(request, reply, file, { from: part.offset, end: part.offset + part.bytes }));
}

/** The framework would measure the body that it does not send. */
function sendHead(reply: FastifyReply): void {
  reply.hijack();
  reply.raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>).end();
}

async function opened(path: string): Promise<FileHandle> {
  if (streams >= STREAMS_MAX) throw new CodedError('too_many_viewers', '');
  try {
    return await open(path, 'r');
  } catch {
    // It may be moved to the library at this moment, or be removed.
    throw new CodedError('media_missing', '');
  }
}

function isMp4(path: string): boolean {
  return path.endsWith('.mp4');
}

interface Stretch {
  readonly from: number;
  readonly end: number;
  /** So much of the file's start comes before. */
  readonly initBytes?: number;
  /** Says whether more is to come when the end is reached. */
  readonly follow?: FindMedia;
  /** Of what still grows only whole ones are given: the last may not be written to its end. */
  readonly unitBytes?: number;
}

/** Closes the file whatever happens. */
function stream(
  request: FastifyRequest,
  reply: FastifyReply,
  file: FileHandle,
  { from, end, initBytes = 0, follow, unitBytes = PACKET_BYTES }: Stretch,
): Readable {
  const { socket } = request.raw;
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  streams += 1;

  async function* bytes(): AsyncGenerator<Buffer> {
    try {
      let position = from;
      if (initBytes > 0) yield (await file.read(Buffer.alloc(initBytes), 0, initBytes, 0)).buffer;
      while (position < end && !gone.signal.aborted) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - position));
        const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
        const whole = follow ? bytesRead - (bytesRead % unitBytes) : bytesRead;
        if (whole > 0) {
          socket.setTimeout(STALLED_MS);
          position += whole;
          yield chunk.subarray(0, whole);
          continue;
        }
        if (!follow) return;
        const more = follow();
        if (!more?.growing) {
          // It may have ended between the read and the question.
          const { size } = await file.stat();
          if (size - position < unitBytes) return;
          continue;
        }
        // A joint may have cut the end off that was read already.
        const { size } = await file.stat();
        position = Math.min(position, size - (size % unitBytes));
        socket.setTimeout(0);
        await rest(gone.signal);
      }
    } finally {
      streams -= 1;
      await file.close();
    }
  }
  return Readable.from(bytes(), { objectMode: false, highWaterMark: CHUNK_BYTES });
}

function rest(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const onAbort = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, LOOK_MS);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
