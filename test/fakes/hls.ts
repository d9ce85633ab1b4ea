/**
 * An HLS origin as they are out there: a real HTTP server with a live window that slides by command or in real time,
 * strict about what it is asked (ranges, tokens, cookies, user agents) and odd in what it answers. Every request and
 * every connection is counted.
 */
import { createCipheriv } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { entryAt, loopPackets, type LoopClip } from '../../src/demo/loopTs.js';

export interface HlsSegmentShape {
  readonly media: Buffer;
  readonly durationS: number;
  readonly discontinuity?: boolean;
  /** Listed as a gap; whoever asks for it gets 404. */
  readonly gap?: boolean;
  /** AES-128 by the key of this name; `iv` in hex, else the number of the segment. */
  readonly key?: string;
  readonly iv?: string;
  /** Initialization section by name. */
  readonly init?: string;
  /** Part of one file that all such segments share. */
  readonly ranged?: boolean;
  /** Lines before it in the playlist, as they are. */
  readonly lines?: readonly string[];
  /** Answers to the first requests, before it is given: a status each, or 0 for a connection that breaks half-way. */
  readonly answers?: readonly number[];
  /** What it is called; else `seg-N.ts`. */
  readonly name?: string;
}

export interface HlsOriginShape {
  readonly segments: readonly HlsSegmentShape[];
  /** How many are listed from the start; all where it is left out. */
  readonly shown?: number;
  /** Segments listed at most. */
  readonly window?: number;
  readonly targetS?: number;
  /** Number of the first segment. */
  readonly sequence?: number;
  readonly ended?: boolean;
  /** Wall clock of the first segment, told with every segment. */
  readonly programAt?: number;
  readonly keys?: Readonly<Record<string, Buffer>>;
  readonly inits?: Readonly<Record<string, Buffer>>;
  /** Lines of a master playlist at `/master.m3u8`, with `@MEDIA` for the address of the media playlist. */
  readonly master?: string;
  readonly userAgent?: string;
  /** Everything but the master playlist wants the token that the master playlist gives in its query. */
  readonly tokens?: boolean;
  /** Everything wants the cookie that the first answer sets. */
  readonly cookie?: boolean;
  /** The playlist is asked at `/live/one`, which redirects to this. */
  readonly redirectTo?: string;
  readonly contentType?: string;
  /** Playlists are gzipped, whoever asks. */
  readonly packed?: boolean;
  /** Ranges are answered with the whole file. */
  readonly noRanges?: boolean;
  /** Requests at once; more are refused with 458. */
  readonly requestsMax?: number;
  /** Every request takes so long. */
  readonly delayMs?: number;
  /** A new segment is listed every so often. */
  readonly everyMs?: number;
  readonly port?: number;
}

export interface HlsOrigin {
  readonly url: string;
  readonly mediaUrl: string;
  readonly masterUrl: string;
  /** Redirects. */
  readonly liveUrl: string;
  /** Lists so many more. */
  advance(count?: number): void;
  /** What is listed from now on is this, numbered from there. */
  restart(segments: readonly HlsSegmentShape[], sequence: number): void;
  /** Tokens given so far are good no more. */
  expire(): void;
  /** From now on this path answers with this; null is what it was before. */
  setPage(path: string, page: { readonly status?: number; readonly body: string } | null): void;
  /** Nothing is answered any more. */
  freeze(): void;
  readonly requests: readonly string[];
  /** Requests for paths that contain this. */
  asked(part: string): number;
  requestsMaxSeen(): number;
  openConnections(): number;
  close(): Promise<void>;
}

export async function startFakeHls(shape: HlsOriginShape): Promise<HlsOrigin> {
  let { segments, sequence = 0 } = shape;
  let shown = shape.shown ?? segments.length;
  let token = 1;
  let open = 0;
  let openMax = 0;
  let frozen = false;
  const asks = new Map<string, number>();
  const pages = new Map<string, { readonly status?: number; readonly body: string }>();
  const requests: string[] = [];
  const sockets = new Set<Socket>();

  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (frozen) return;
    open++;
    openMax = Math.max(openMax, open);
    response.on('close', () => open--);
    response.on('error', () => undefined);
    if (shape.requestsMax && open > shape.requestsMax) {
      response.writeHead(458).end(`max ${shape.requestsMax} connections`);
      return;
    }
    if (shape.delayMs) setTimeout(() => answer(request, response), shape.delayMs);
    else answer(request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(shape.port ?? 0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const timer = shape.everyMs ? setInterval(() => advance(1), shape.everyMs) : null;

  function advance(count: number): void {
    shown = Math.min(segments.length, shown + count);
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const asked = new URL(request.url ?? '/', url);
    const { pathname } = asked;
    const count = asks.get(pathname) ?? 0;
    asks.set(pathname, count + 1);
    const page = pages.get(pathname);
    if (page) return void response.writeHead(page.status ?? 200).end(page.body);
    if (shape.userAgent !== undefined && request.headers['user-agent'] !== shape.userAgent)
      return void response.writeHead(403).end('who are you');
    const isEntry = pathname === '/master.m3u8' || pathname === '/live/one';
    if (shape.tokens && !isEntry && asked.searchParams.get('token') !== `${token}`)
      return void response.writeHead(403).end('token');
    if (shape.cookie && !isEntry && request.headers.cookie !== 'session=s1')
      return void response.writeHead(403).end('cookie');
    if (shape.cookie && isEntry) response.setHeader('set-cookie', 'session=s1; Path=/; HttpOnly');
    const query = shape.tokens ? `?token=${token}` : '';
    const headers = {
      'content-type': shape.contentType ?? 'application/vnd.apple.mpegurl',
      ...(shape.packed && { 'content-encoding': 'gzip' }),
    };
    const asSent = (text: string) => (shape.packed ? gzipSync(text) : text);
    if (pathname === '/live/one')
      return void response.writeHead(302, { location: `${shape.redirectTo ?? '/media.m3u8'}${query}` }).end();
    if (pathname === '/master.m3u8') {
      const text = (shape.master ?? '').replaceAll('@MEDIA', `media.m3u8${query}`);
      return void response.writeHead(200, headers).end(asSent(text));
    }
    if (pathname === '/media.m3u8') return void response.writeHead(200, headers).end(asSent(playlist(query)));
    if (pathname === '/all.ts') return file(request, response, Buffer.concat(segments.map(bodyOf)));
    const [, kind, name = ''] = /^\/(key|init)\/(.+)$/.exec(pathname) ?? [];
    const small = kind === 'key' ? shape.keys?.[name] : kind === 'init' ? shape.inits?.[name] : undefined;
    if (small) return void response.writeHead(200).end(small);
    const index = segments.findIndex((segment, n) => pathname === `/${nameOf(segment, n)}`);
    const segment = segments[index];
    if (!segment || segment.gap) return void response.writeHead(404).end('no such segment');
    const status = segment.answers?.[count];
    if (status === undefined) return file(request, response, bodyOf(segment, index));
    if (status !== 0) return void response.writeHead(status).end('not now');
    const body = bodyOf(segment, index);
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, body.length / 2), () => response.destroy());
  }

  function file(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!range || shape.noRanges)
      return void response.writeHead(200, { 'content-length': body.length }).end(body);
    const [from, to] = [Number(range[1]), Math.min(body.length - 1, Number(range[2]))];
    response.writeHead(206, {
      'content-range': `bytes ${from}-${to}/${body.length}`,
      'content-length': to - from + 1,
    });
    response.end(body.subarray(from, to + 1));
  }

  function bodyOf(segment: HlsSegmentShape, index: number): Buffer {
    const key = segment.key === undefined ? undefined : shape.keys?.[segment.key];
    if (!key) return segment.media;
    const iv = segment.iv === undefined ? Buffer.alloc(16) : Buffer.from(segment.iv, 'hex');
    if (segment.iv === undefined) iv.writeBigUInt64BE(BigInt(sequence + index), 8);
    const cipher = createCipheriv('aes-128-cbc', key, iv);
    return Buffer.concat([cipher.update(segment.media), cipher.final()]);
  }

  function playlist(query: string): string {
    const from = Math.max(0, shown - (shape.window ?? shown));
    const longest = Math.max(...segments.map(({ durationS }) => durationS));
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      `#EXT-X-TARGETDURATION:${shape.targetS ?? Math.ceil(longest)}`,
    ];
    lines.push(`#EXT-X-MEDIA-SEQUENCE:${sequence + from}`);
    let offset = 0;
    let key: string | undefined;
    let init: string | undefined;
    for (const [index, segment] of segments.entries()) {
      const { length } = bodyOf(segment, index);
      if (index >= from && index < shown) {
        lines.push(...(segment.lines ?? []));
        if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
        const wanted = segment.key && `${segment.key}${segment.iv ?? ''}`;
        if (wanted !== key) {
          const iv = segment.iv === undefined ? '' : `,IV=0x${segment.iv}`;
          lines.push(
            segment.key === undefined
              ? '#EXT-X-KEY:METHOD=NONE'
              : `#EXT-X-KEY:METHOD=AES-128,URI="key/${segment.key}${query}"${iv}`,
          );
        }
        key = wanted;
        if (segment.init !== undefined && segment.init !== init)
          lines.push(`#EXT-X-MAP:URI="init/${segment.init}${query}"`);
        ({ init } = segment);
        if (shape.programAt !== undefined) {
          const before = segments.slice(0, index).reduce((sum, { durationS }) => sum + durationS, 0);
          lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(shape.programAt + before * 1000).toISOString()}`);
        }
        if (segment.gap) lines.push('#EXT-X-GAP');
        lines.push(`#EXTINF:${segment.durationS},`);
        if (segment.ranged) lines.push(`#EXT-X-BYTERANGE:${length}@${offset}`);
        lines.push(`${segment.ranged ? 'all.ts' : nameOf(segment, index)}${query}`);
      }
      offset += length;
    }
    if (shape.ended && shown === segments.length) lines.push('#EXT-X-ENDLIST');
    return `${lines.join('\n')}\n`;
  }

  return {
    url,
    mediaUrl: `${url}/media.m3u8`,
    masterUrl: `${url}/master.m3u8`,
    liveUrl: `${url}/live/one`,
    advance: (count = 1) => advance(count),
    restart(next, from) {
      segments = next;
      sequence = from;
      shown = next.length;
    },
    expire: () => void token++,
    setPage(path, page) {
      if (page) pages.set(path, page);
      else pages.delete(path);
    },
    freeze() {
      frozen = true;
    },
    requests,
    asked: (part) => requests.filter((path) => path.includes(part)).length,
    requestsMaxSeen: () => openMax,
    openConnections: () => sockets.size,
    close: () =>
      new Promise((resolve) => {
        if (timer) clearInterval(timer);
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function nameOf({ name }: HlsSegmentShape, index: number): string {
  return name ?? `seg-${index}.ts`;
}

/** Segment `index` of an endless stream: one group of pictures, with the tables before it. */
export function loopSegment(clip: LoopClip, index: number, baseTicks = 0): HlsSegmentShape {
  return {
    media: loopPackets(clip, startOf(clip, index), startOf(clip, index + 1), baseTicks),
    durationS: clip.durationTicks / clip.keys.length / 90_000,
  };
}

/** The packet that a segment begins with: the table before its key frame. */
function startOf(clip: LoopClip, index: number): number {
  const round = Math.floor(index / clip.keys.length);
  const key = round * clip.count + (clip.keys[index % clip.keys.length] ?? 0);
  if (key === clip.keys[0]) return 0;
  const ticks = clip.dueTicks[key % clip.count] ?? 0;
  const { tables } = entryAt(clip, round * clip.durationTicks + ticks + 1);
  return Math.min(...tables);
}

/** So many segments from there. */
export function loopSegments(clip: LoopClip, from: number, count: number, baseTicks = 0): HlsSegmentShape[] {
  return Array.from({ length: count }, (_, index) => loopSegment(clip, from + index, baseTicks));
}
