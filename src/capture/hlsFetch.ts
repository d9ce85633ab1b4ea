/**
 * One answer of many: playlists, keys, sections and segments, each whole or not at all. Everything a session asks for goes
 * through here, so that an account which counts connections never sees two of them (P6).
 */
import { gunzipSync } from 'node:zlib';
import type { ByteRange } from '../domain/hlsPlaylist.js';
import type { Clock } from '../io/clock.js';
import { TransportFault, type CookieJar, type Transport, type TransportBody } from '../io/transport.js';
import { isPacked } from './hlsPlaylist.js';
import { dropBlocks, takeBlock } from './lentBlocks.js';
import { ENDED, NOT_MEDIA, refusalOfFault, refusalOfStatus, STALLED, type Refusal } from './refusal.js';

/** No answer, or nothing more of it, within this: it is asked again. */
const PATIENCE_MS = 10_000;
const REFUSAL_BYTES_MAX = 256;
/** What is no longer than this has a buffer of its own; segments share blocks. */
const SMALL_BYTES = 16 * 1024;

export type Answer =
  | {
      readonly kind: 'whole';
      readonly url: string;
      /** Whoever has read them drops them (`lentBlocks.ts`). */
      readonly parts: readonly Buffer[];
      readonly bytes: number;
    }
  /** `status` is 0 where there was no answer. */
  | { readonly kind: 'failed'; readonly status: number; readonly refusal: Refusal }
  | { readonly kind: 'aborted' };

export interface HlsFetch {
  get(url: string, bytesMax: number, range?: ByteRange | null): Promise<Answer>;
}

export interface HlsFetchInput {
  readonly headers: Readonly<Record<string, string>>;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Requests at once. */
  readonly requestsMax: number;
  readonly cookies: CookieJar;
}

export function hlsFetch({
  headers,
  transport,
  clock,
  signal,
  requestsMax,
  cookies,
}: HlsFetchInput): HlsFetch {
  const waiting: (() => void)[] = [];
  const series = { connectionsMax: requestsMax, over: signal };
  let free = requestsMax;

  async function take(): Promise<void> {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }
  function give(): void {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }

  async function ask(url: string, bytesMax: number, range: ByteRange | null): Promise<Answer> {
    const asked = range ? { range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {};
    const response = await transport.open(url, {
      headers: { ...headers, ...asked },
      signal,
      headersTimeoutMs: PATIENCE_MS,
      series,
      cookies,
    });
    const { status } = response;
    if (status < 200 || status > 299) {
      const body = await readWhole(response.body, REFUSAL_BYTES_MAX, clock, true);
      const words = { status, headers: response.headers, body: Buffer.concat(body.parts) };
      return { kind: 'failed', status, refusal: refusalOfStatus(words, clock.now()) };
    }
    if (range && status !== 206) {
      // A server that knows no ranges sends all of it: read up to the end of what is wanted.
      const end = range.offset + range.length;
      const all = await readWhole(response.body, end, clock, true);
      return partOf(response.url, Buffer.concat(all.parts).subarray(range.offset, end), range);
    }
    const said = Number(response.headers['content-length'] ?? Number.NaN);
    const body = await readWhole(response.body, bytesMax, clock, false, said || 0);
    if (said >= 0 && said !== body.bytes) return failed(ENDED, status);
    if (!range) return { kind: 'whole', url: response.url, ...body };
    if (!isAsked(response.headers['content-range'], range)) return failed(NOT_MEDIA, status);
    return partOf(response.url, Buffer.concat(body.parts), range);
  }

  return {
    async get(url, bytesMax, range = null) {
      await take();
      try {
        return signal.aborted ? { kind: 'aborted' } : await ask(url, bytesMax, range);
      } catch (error) {
        if (!(error instanceof TransportFault)) throw error;
        if (signal.aborted) return { kind: 'aborted' };
        return failed(refusalOfFault(error), 0);
      } finally {
        give();
      }
    },
  };
}

function partOf(url: string, part: Buffer, range: ByteRange): Answer {
  if (part.length !== range.length) return failed(ENDED, 206);
  return { kind: 'whole', url, parts: [part], bytes: part.length };
}

function failed(refusal: Refusal, status: number): Answer {
  return { kind: 'failed', status, refusal };
}

/** A `Content-Range` that is not there is not held against it: the length decides. */
function isAsked(header: string | undefined, range: ByteRange): boolean {
  const found = /^bytes (\d+)-/.exec(header ?? '');
  return header === undefined || (found !== null && Number(found[1]) === range.offset);
}

/** `cut`: as much as fits is enough. Else more is a fault. */
export function readWhole(
  body: TransportBody,
  bytesMax: number,
  clock: Clock,
  cut: boolean,
  bytesExpected = 0,
): Promise<{ readonly parts: readonly Buffer[]; readonly bytes: number }> {
  return new Promise((resolve, reject) => {
    const gathered = gather(bytesExpected);
    let bytes = 0;
    let heardMono = clock.mono();
    let timer = clock.after(PATIENCE_MS, check);
    function check(): void {
      const leftMs = PATIENCE_MS - (clock.mono() - heardMono);
      if (leftMs > 0) timer = clock.after(leftMs, check);
      else end(new TransportFault('timeout', STALLED.code));
    }
    function end(fault: TransportFault | null): void {
      timer.cancel();
      body.destroy();
      if (fault && !cut) {
        dropBlocks(gathered.parts());
        reject(fault);
      } else resolve({ parts: gathered.parts(), bytes });
    }
    body.flow({
      room: () => gathered.room(),
      onData(chunk) {
        heardMono = clock.mono();
        bytes += chunk.length;
        gathered.add(chunk);
        if (bytes > bytesMax || (cut && bytes === bytesMax))
          end(cut ? null : new TransportFault('protocol', `larger than ${bytesMax} bytes`));
      },
      onEnd: () => end(null),
      onFault: end,
    });
  });
}

/**
 * Gathers what is valid during a call only in few large buffers, where it may be read into at once; `bytesExpected` is 0
 * where nobody knows.
 */
function gather(bytesExpected: number) {
  const parts: Buffer[] = [];
  let block: Buffer = Buffer.alloc(0);
  let filled = 0;

  function next(): void {
    if (filled > 0) parts.push(block);
    filled = 0;
    const isSmall = parts.length === 0 && block.length === 0 && bytesExpected <= SMALL_BYTES;
    block = isSmall ? Buffer.allocUnsafeSlow(bytesExpected || SMALL_BYTES) : takeBlock();
  }

  return {
    room(): Buffer | null {
      if (bytesExpected <= SMALL_BYTES) return null;
      if (filled === block.length) next();
      return block.subarray(filled);
    },
    add(chunk: Buffer): void {
      if (chunk.buffer === block.buffer && chunk.byteOffset === block.byteOffset + filled) {
        filled += chunk.length;
        return;
      }
      for (let at = 0; at < chunk.length;) {
        if (filled === block.length) next();
        const copied = chunk.copy(block, filled, at);
        filled += copied;
        at += copied;
      }
    },
    /** All that came. Those that are blocks are the caller's to drop. */
    parts: () => (filled > 0 ? [...parts, block.subarray(0, filled)] : parts),
  };
}

/** Text of a playlist; some servers pack it without being asked to. */
export function textOf(parts: readonly Buffer[], bytesMax: number): string {
  const bytes = Buffer.concat(parts);
  if (!isPacked(bytes)) return bytes.toString();
  try {
    return gunzipSync(bytes, { maxOutputLength: bytesMax }).toString();
  } catch {
    return '';
  }
}
