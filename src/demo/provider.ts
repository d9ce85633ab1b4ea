/**
 * The embedded provider: what `npm start` records from when nothing is configured, and what `catchupd demo` serves. A
 * real HTTP server with a channel list, a guide and live streams in real time; nothing in the recorder knows that it is
 * not somebody else's.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock, type Clock, type TimerHandle } from '../io/clock.js';
import { nodeDisk } from '../io/nodeDisk.js';
import { DEMO_CHANNELS, demoM3u, demoProgrammes, demoXmltv } from './lineup.js';
import { entryAt, loopPackets, packetsDue, parseClip, TICKS_PER_MS, type LoopClip } from './loopTs.js';

export interface DemoOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  readonly clock?: Clock;
  /** When channel 1's first whole programme begins, from now; rounded up to a second of the wall clock. */
  readonly firstStartInMs: number;
  /** Channel 4 loses its viewers at every 45th second. */
  readonly faults: boolean;
}

export interface DemoProvider {
  /** `http://HOST:PORT` */
  readonly url: string;
  readonly m3uUrl: string;
  readonly xmltvUrl: string;
  close(): Promise<void>;
}

/** How often a stream sends what has become due. */
const PACE_MS = 40;
/** A viewer that far behind is let go, as real servers do. */
const BEHIND_BYTES_MAX = 4 * 1024 * 1024;
const FAULTY_CHANNEL = 4;
const FAULT_EVERY_MS = 45_000;
/** Nobody tunes in before the first key frame of the first round. */
const HEAD_START_MS = 10_000;

/** Rejects with a Node-style error (`EADDRINUSE`, `EACCES`) where it cannot listen. */
export async function startDemoProvider(options: DemoOptions): Promise<DemoProvider> {
  const clock = options.clock ?? systemClock;
  const clips = await readClips();
  const bornMono = clock.mono();
  const firstStartAt = Math.ceil((clock.now() + options.firstStartInMs) / 1000) * 1000;
  const positionMs = () => clock.mono() - bornMono;

  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    const { pathname } = new URL(request.url ?? '/', 'http://demo');
    const number = Number(/^\/stream\/(\d)\.ts$/.exec(pathname)?.[1] ?? 0);
    const clip = clips.get(number);
    if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405).end();
    else if (clip) {
      response.writeHead(200, { 'content-type': 'video/mp2t', 'cache-control': 'no-store' });
      if (request.method === 'HEAD') response.end();
      else tune(clip, response, number === FAULTY_CHANNEL && options.faults);
    } else if (pathname === '/lineup.m3u') answer(response, 'audio/x-mpegurl', demoM3u(url));
    else if (pathname === '/guide.xml') {
      answer(response, 'application/xml', demoXmltv(demoProgrammes(clock.now(), firstStartAt)));
    } else
      response.writeHead(404).end('the demo has /lineup.m3u, /guide.xml and /stream/1.ts to /stream/4.ts\n');
  });

  /** From the last key frame at once, so that a picture comes soon; then in real time. */
  function tune(clip: LoopClip, response: ServerResponse, faulty: boolean): void {
    const startMs = positionMs();
    const entry = entryAt(clip, (startMs + HEAD_START_MS) * TICKS_PER_MS);
    for (const table of entry.tables) response.write(loopPackets(clip, table, table + 1));
    let next = entry.key;
    function send(): void {
      const nowMs = positionMs();
      const over = faulty && Math.floor(nowMs / FAULT_EVERY_MS) > Math.floor(startMs / FAULT_EVERY_MS);
      if (over || response.writableLength > BEHIND_BYTES_MAX) {
        response.destroy();
        return;
      }
      const due = packetsDue(clip, (nowMs + HEAD_START_MS) * TICKS_PER_MS);
      if (due > next) response.write(loopPackets(clip, next, due));
      next = due;
      timer = clock.after(PACE_MS, send);
    }
    let timer: TimerHandle | null = null;
    response.on('close', () => timer?.cancel());
    send();
  }

  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const url = await listen(server, options.port, options.host);

  return {
    url,
    m3uUrl: `${url}/lineup.m3u`,
    xmltvUrl: `${url}/guide.xml`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** The clips lie in `src/demo/clips` of the package, whether this runs from `src` or from `dist/src`. */
async function readClips(): Promise<Map<number, LoopClip>> {
  const here = dirname(fileURLToPath(import.meta.url));
  const folders = [join(here, 'clips'), join(here, '..', '..', '..', 'src', 'demo', 'clips')];
  const clips = await Promise.all(
    DEMO_CHANNELS.map(async ({ number }) => {
      const bytes = await readFirst(folders.map((folder) => join(folder, `channel-${number}.mpegts`)));
      return [number, parseClip(bytes)] as const;
    }),
  );
  return new Map(clips);
}

async function readFirst(paths: readonly string[]): Promise<Buffer> {
  const [path, ...others] = paths;
  if (path === undefined) throw new Error('the clips of the demo are not in this package');
  try {
    return await nodeDisk.readFile(path);
  } catch (error) {
    if (others.length === 0) throw error;
    return readFirst(others);
  }
}

function answer(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body);
}

function listen(server: Server, port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address ? address.port : port;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${bound}`);
    });
  });
}
