/**
 * A provider as it is out there: a real HTTP server with live streams, a channel list in two formats and a guide, that
 * can refuse, stall, break off and lie. Channels can be changed while it runs; every request is remembered.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { entryAt, loopPackets, LOOP_PACKET_BYTES, packetsDue, TICKS_PER_MS } from '../../src/demo/loopTs.js';
import type { LoopClip } from '../../src/demo/loopTs.js';
import { panelAnswer, type FakeAccount } from './panel.js';

/** What a channel does to whoever tunes in. All of it is optional; what is left out behaves well. */
export interface Behaviour {
  /** Answers with this and no media. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Answers 302 to this address. */
  readonly redirectTo?: string;
  /** Answers 403 to every other. */
  readonly userAgent?: string;
  /** Never answers; answers without end, a header at a time; answers, but no body comes. */
  readonly silent?: boolean;
  readonly endlessHeaders?: boolean;
  readonly noBody?: boolean;
  /** Only so many connections are treated like this; the others so, or have nothing to complain of. */
  readonly onlyFirst?: number;
  readonly afterwards?: Behaviour;
  /** Bytes of the stream that are left out at its beginning, so that it begins inside a packet. */
  readonly skipBytes?: number;
  /** After so many bytes: nothing more comes, the connection breaks, or the body ends as if all were well. */
  readonly stallAfterBytes?: number;
  readonly dropAfterBytes?: number;
  readonly endAfterBytes?: number;
  readonly dropEveryS?: number;
  /** Stream time a second; 1 is real time. */
  readonly speed?: number;
  /** Stream time that is sent at once. */
  readonly burstS?: number;
  /** Sends nothing but null packets. */
  readonly padding?: boolean;
}

export interface FakeChannel {
  readonly id: string;
  readonly name: string;
  readonly clip: LoopClip;
  readonly tvgId?: string;
  readonly number?: string;
  readonly group?: string;
  readonly userAgent?: string;
  /** Addresses listed after its own. */
  readonly backups?: readonly string[];
  readonly behaviour?: Behaviour;
}

export interface FakeProgramme {
  readonly channel: string;
  readonly title: string;
  readonly startAt: number;
  readonly stopAt: number;
  readonly subTitle?: string;
  readonly desc?: string;
  readonly categories?: readonly string[];
  /** `xmltv_ns`. */
  readonly episode?: string;
}

/** What an address answers in place of what it would. */
export interface FakePage {
  readonly status?: number;
  readonly type?: string;
  readonly body: string;
  /** `body` is base64. */
  readonly binary?: boolean;
}

export interface FakeRequest {
  readonly path: string;
  readonly userAgent: string;
  readonly range: string;
  readonly status: number;
}

export interface FakeProviderOptions {
  readonly channels: readonly FakeChannel[];
  readonly programmes?: readonly FakeProgramme[];
  /** Streams beyond that are refused with 458; 0 is no limit. */
  readonly connectionsMax?: number;
  /** A stream that was closed is counted for so long all the same. */
  readonly countsClosedMs?: number;
  /** It is an Xtream panel too, for this account; what it says of it may be wrong. */
  readonly panel?: FakeAccount;
  readonly port?: number;
}

export interface FakeProvider {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly m3uUrl: string;
  readonly catalogUrl: string;
  readonly xmltvUrl: string;
  streamUrl(id: string): string;
  readonly requests: readonly FakeRequest[];
  /** Streams that are open now, and the most there ever were. */
  openStreams(): number;
  openStreamsMax(): number;
  /** Bytes sent to all who tuned in to this channel. */
  sentBytes(id: string): number;
  behave(id: string, behaviour: Behaviour): void;
  setProgrammes(programmes: readonly FakeProgramme[]): void;
  /** Breaks every stream of this channel off. */
  cut(id: string): void;
  /** From now on this path answers with this; null is what it was before. */
  setPage(path: string, page: FakePage | null): void;
  close(): Promise<void>;
}

const TICK_MS = 20;

export async function startFakeProvider(options: FakeProviderOptions): Promise<FakeProvider> {
  const channels = new Map(options.channels.map((channel) => [channel.id, channel]));
  const behaviours = new Map(options.channels.map((channel) => [channel.id, channel.behaviour ?? {}]));
  let programmes = options.programmes ?? [];
  const requests: FakeRequest[] = [];
  const pages = new Map<string, FakePage>();
  const streams = new Map<ServerResponse, string>();
  const sent = new Map<string, number>();
  let streamsMax = 0;
  let stillCounted = 0;
  const bornAt = performance.now();

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://provider').pathname;
    response.on('error', () => undefined);
    answer(path, request, response);
    const { range = '', 'user-agent': userAgent = '' } = request.headers;
    requests.push({ path, userAgent, range, status: response.statusCode });
  });
  const sockets = keepSockets(server);
  const url = await listen(server, options.port ?? 0);
  const streamUrl = (id: string) => `${url}/live/${encodeURIComponent(id)}.ts`;

  function answer(path: string, request: IncomingMessage, response: ServerResponse): void {
    const page = pages.get(path);
    if (page) {
      response.writeHead(page.status ?? 200, { 'content-type': page.type ?? 'text/html' });
      response.end(Buffer.from(page.body, page.binary ? 'base64' : 'utf8'));
      return;
    }
    if (options.panel && /^\/(?:player_api|get|xmltv)\.php$/.test(path)) {
      const found = panelAnswer(new URL(request.url ?? '/', url), options.panel, {
        channels: options.channels,
        openStreams: streams.size,
        guide: () => xmltvOf(options.channels, programmes),
      });
      response.writeHead(found.status, { 'content-type': found.type }).end(found.body);
      return;
    }
    // Panels put a login in front of the channel.
    const id = /^\/(?:live|stream)\/(?:[^/]+\/[^/]+\/)?([^/]+?)(?:\.ts)?$/.exec(path)?.[1];
    const channel = id === undefined ? undefined : channels.get(decodeURIComponent(id));
    if (channel) return tune(channel, request, response);
    switch (path) {
      case '/lineup.m3u':
        return text(response, 'audio/x-mpegurl', m3uOf(options.channels, url, streamUrl));
      case '/catalog.json':
        return text(response, 'application/json', catalogOf(options.channels, streamUrl));
      case '/guide.xml':
        return text(response, 'application/xml', xmltvOf(options.channels, programmes));
      default:
        response.writeHead(404).end('no such thing');
    }
  }

  function tune(channel: FakeChannel, request: IncomingMessage, response: ServerResponse): void {
    const behaviour = behaviourOf(channel.id);
    if (behaviour.silent) return;
    if (behaviour.endlessHeaders) return dripHeaders(response);
    if (behaviour.redirectTo !== undefined) {
      response.writeHead(302, { location: behaviour.redirectTo }).end();
      return;
    }
    if (behaviour.userAgent !== undefined && request.headers['user-agent'] !== behaviour.userAgent) {
      response.writeHead(403).end('forbidden');
      return;
    }
    if (behaviour.status !== undefined || behaviour.body !== undefined) {
      response.writeHead(behaviour.status ?? 200, behaviour.headers).end(behaviour.body ?? '');
      return;
    }
    if (options.connectionsMax && streams.size + stillCounted >= options.connectionsMax) {
      response.writeHead(458).end(`max ${options.connectionsMax} connections reached`);
      return;
    }
    streams.set(response, channel.id);
    streamsMax = Math.max(streamsMax, streams.size);
    response.writeHead(200, { 'content-type': 'video/mp2t', ...behaviour.headers });
    const stop = stream(channel, behaviour, response, bornAt, (bytes) => {
      sent.set(channel.id, (sent.get(channel.id) ?? 0) + bytes);
    });
    response.on('close', () => {
      stop();
      streams.delete(response);
      if (!options.countsClosedMs) return;
      stillCounted++;
      setTimeout(() => stillCounted--, options.countsClosedMs).unref();
    });
  }

  function behaviourOf(id: string): Behaviour {
    const behaviour = behaviours.get(id) ?? {};
    const { onlyFirst, afterwards = {} } = behaviour;
    if (onlyFirst === 0) return afterwards;
    if (onlyFirst !== undefined) behaviours.set(id, { ...behaviour, onlyFirst: onlyFirst - 1 });
    return behaviour;
  }

  return {
    url,
    m3uUrl: `${url}/lineup.m3u`,
    catalogUrl: `${url}/catalog.json`,
    xmltvUrl: `${url}/guide.xml`,
    streamUrl,
    requests,
    openStreams: () => streams.size,
    openStreamsMax: () => streamsMax,
    sentBytes: (id) => sent.get(id) ?? 0,
    behave: (id, behaviour) => void behaviours.set(id, behaviour),
    setProgrammes(next) {
      programmes = next;
    },
    cut(id) {
      for (const [response, channelId] of streams) if (channelId === id) response.destroy();
    },
    setPage(path, page) {
      if (page) pages.set(path, page);
      else pages.delete(path);
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Sends the channel as it is now, from its last key frame, at its pace. */
function stream(
  channel: FakeChannel,
  behaviour: Behaviour,
  response: ServerResponse,
  bornAt: number,
  onSent: (bytes: number) => void,
): () => void {
  response.flushHeaders();
  if (behaviour.noBody) return () => undefined;
  const { clip } = channel;
  const { speed = 1, burstS = 0 } = behaviour;
  const tunedAt = performance.now();
  const positionAt = (now: number) =>
    (tunedAt - bornAt) * TICKS_PER_MS + ((now - tunedAt) * speed + burstS * 1000) * TICKS_PER_MS;
  const entry = entryAt(clip, (tunedAt - bornAt) * TICKS_PER_MS);
  let next = entry.key;
  let bytes = 0;
  let skip = behaviour.skipBytes ?? 0;

  function send(packets: Buffer): void {
    const piece = packets.subarray(Math.min(skip, packets.length));
    skip -= packets.length - piece.length;
    const { stallAfterBytes, dropAfterBytes, endAfterBytes } = behaviour;
    const bytesMax = Math.min(
      ...[stallAfterBytes, dropAfterBytes, endAfterBytes].map((max) => max ?? Infinity),
    );
    const part = piece.subarray(0, Math.max(0, bytesMax - bytes));
    bytes += part.length;
    onSent(part.length);
    if (bytes < bytesMax) {
      response.write(part);
      return;
    }
    clearInterval(timer);
    if (bytes === endAfterBytes) response.end(part);
    else response.write(part, () => bytes === dropAfterBytes && response.destroy());
  }
  function tick(): void {
    const now = performance.now();
    const due = packetsDue(clip, positionAt(now));
    if (due > next) {
      const from = next;
      next = due;
      send(behaviour.padding ? nullPackets(due - from) : loopPackets(clip, from, due));
    }
    if (behaviour.dropEveryS !== undefined && now - tunedAt >= behaviour.dropEveryS * 1000)
      response.destroy();
  }
  const timer = setInterval(tick, TICK_MS);
  if (!behaviour.padding)
    send(Buffer.concat(entry.tables.map((number) => loopPackets(clip, number, number + 1))));
  tick();
  return () => clearInterval(timer);
}

function nullPackets(count: number): Buffer {
  const packets = Buffer.alloc(count * LOOP_PACKET_BYTES, 0xff);
  for (let n = 0; n < count; n++) Buffer.from([0x47, 0x1f, 0xff, 0x10]).copy(packets, n * LOOP_PACKET_BYTES);
  return packets;
}

function dripHeaders({ socket }: ServerResponse): void {
  socket?.write('HTTP/1.1 200 OK\r\n');
  const timer = setInterval(() => socket?.write('x-more: of the same\r\n'), 100);
  socket?.on('close', () => clearInterval(timer));
}

/** Bytes that `seconds` of a channel have, about. */
export function streamBytes(clip: LoopClip, seconds: number): number {
  return packetsDue(clip, seconds * 1000 * TICKS_PER_MS) * LOOP_PACKET_BYTES;
}

function keepSockets(server: Server): Set<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return sockets;
}

function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : port}`);
    });
  });
}

function text(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { 'content-type': type }).end(body);
}

function m3uOf(channels: readonly FakeChannel[], url: string, streamUrl: (id: string) => string): string {
  const lines = channels.map(({ id, name, tvgId = id, number = '', group = '' }) => {
    const fields = `tvg-id="${tvgId}" tvg-chno="${number}" group-title="${group}"`;
    return `#EXTINF:-1 ${fields},${name}\n${streamUrl(id)}\n`;
  });
  return `#EXTM3U x-tvg-url="${url}/guide.xml"\n${lines.join('')}`;
}

function catalogOf(channels: readonly FakeChannel[], streamUrl: (id: string) => string): string {
  const rows = channels.map((channel) => ({
    channel_id: channel.id,
    guide_number: channel.number ?? '',
    guide_name: channel.name,
    stream_url: streamUrl(channel.id),
    stream_urls: [streamUrl(channel.id), ...(channel.backups ?? [])],
    epg_linked: true,
    tvg_id: channel.tvgId ?? channel.id,
    group_title: channel.group ?? '',
    preferred_ua: channel.userAgent ?? '',
  }));
  return JSON.stringify({ movies: [], series: [], live_channels: rows });
}

function xmltvOf(channels: readonly FakeChannel[], programmes: readonly FakeProgramme[]): string {
  const rows = channels.map(
    ({ id, name, tvgId = id }) =>
      `<channel id="${xml(tvgId)}"><display-name>${xml(name)}</display-name></channel>\n`,
  );
  const shows = programmes.map((show) => {
    const fields = [
      `<title>${xml(show.title)}</title>`,
      show.subTitle === undefined ? '' : `<sub-title>${xml(show.subTitle)}</sub-title>`,
      show.desc === undefined ? '' : `<desc>${xml(show.desc)}</desc>`,
      ...(show.categories ?? []).map((category) => `<category>${xml(category)}</category>`),
      show.episode === undefined ? '' : `<episode-num system="xmltv_ns">${show.episode}</episode-num>`,
    ];
    const times = `start="${xmltvTime(show.startAt)}" stop="${xmltvTime(show.stopAt)}"`;
    return `<programme ${times} channel="${xml(show.channel)}">${fields.join('')}</programme>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<tv>\n${rows.join('')}${shows.join('')}</tv>\n`;
}

function xmltvTime(at: number): string {
  return `${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)} +0000`;
}

function xml(value: string): string {
  return value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
