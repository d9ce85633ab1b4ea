/** Servers that mean no good, over real sockets: what each is called, and that it comes to an end by itself. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { capture } from '../../src/capture/protocols.js';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n';
const transport = undiciTransport(systemClock);
let folder: string;
let server: Server | null = null;
const sockets = new Set<Socket>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchupd-hostile-'));
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  rmSync(folder, { recursive: true });
});

async function serve(answer: (socket: Socket, port: number) => void): Promise<number> {
  const own = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', () => answer(socket, port));
  });
  server = own;
  const port = await new Promise<number>((resolve) => {
    own.listen(0, '127.0.0.1', () => {
      const address = own.address();
      resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
    });
  });
  return port;
}

/** Sends `next()` again and again, as quickly as it is taken, or one every `everyMs`. */
function pour(socket: Socket, next: () => string | Buffer, everyMs = 0): void {
  if (socket.destroyed) return;
  socket.write(next(), () => void setTimeout(() => pour(socket, next, everyMs), everyMs));
}

async function record(port: number) {
  const spoolPath = join(folder, 'one.partial.ts');
  const url = `http://127.0.0.1:${port}/live`;
  const outcome = await capture(
    { url, headers: {}, spoolPath, firstByteTimeoutMs: 400, stallTimeoutMs: 400 },
    {
      transport,
      disk: nodeDisk,
      clock: systemClock,
      signal: new AbortController().signal,
      onCheckpoint: () => undefined,
    },
  );
  return { outcome, wrote: existsSync(spoolPath) };
}

function nullPackets(): Buffer {
  const packets = Buffer.alloc(188 * 7, 0xff);
  for (let at = 0; at < packets.length; at += 188) packets.writeUInt32BE(0x471fff10, at);
  return packets;
}

it.each<[string, (socket: Socket, port: number) => void, object]>([
  ['accepts and says nothing', () => undefined, { cause: 'stall', code: 'upstream_silent' }],
  [
    'never ends its head',
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      pour(socket, () => `X-Filler: ${'a'.repeat(2_000)}\r\n`);
    },
    { cause: 'not_media', code: 'upstream_not_media', remedy: 'spent' },
  ],
  [
    'sends its head drop by drop',
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX-Drop: ');
      pour(socket, () => 'a', 20);
    },
    { cause: 'stall', code: 'upstream_silent' },
  ],
  ['never begins its body', (socket) => void socket.write(HEAD), { cause: 'stall', code: 'upstream_silent' }],
  [
    'sends its body drop by drop',
    (socket) => {
      socket.write(HEAD);
      pour(socket, () => 'G', 20);
    },
    { kind: 'fault', piece: null },
  ],
  [
    'redirects for ever, to a new address each time',
    (socket, port) =>
      void socket.end(
        `HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${port}/${Math.random()}\r\nContent-Length: 0\r\n\r\n`,
      ),
    { cause: 'connect', code: 'upstream_redirects', remedy: 'spent' },
  ],
  [
    'redirects and keeps the connection open',
    (socket) => {
      socket.write('HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n');
      pour(socket, () => 'x'.repeat(1_000));
    },
    { cause: 'connect', code: 'upstream_redirects', remedy: 'spent' },
  ],
  [
    'sends something else without an end',
    (socket) => {
      socket.write(HEAD);
      pour(socket, () => 'no stream at all '.repeat(400));
    },
    { cause: 'not_media', code: 'upstream_not_media', remedy: 'spent' },
  ],
  [
    'refuses at endless length',
    (socket) => {
      socket.write('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\n\r\n');
      pour(socket, () => '<html>'.repeat(1_000));
    },
    { cause: 'http_503', code: 'upstream_failing', retryAfterMs: 7_000 },
  ],
  [
    'is no HTTP server',
    (socket) => void socket.write('SSH-2.0-OpenSSH_9.6\r\n'),
    { cause: 'not_media', code: 'upstream_not_media' },
  ],
  [
    'codes its chunks wrongly',
    (socket) => {
      const chunk = nullPackets();
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      socket.write(`${chunk.length.toString(16)}\r\n`);
      socket.write(chunk);
      socket.write('\r\nnonsense\r\n');
    },
    { cause: 'reset', code: 'upstream_reset', remedy: 'retry' },
  ],
])('a server that %s', async (_name, answer, expected) => {
  const { outcome } = await record(await serve(answer));
  expect(outcome).toMatchObject({ kind: 'fault', ...expected });
  // Nothing of it is left open.
  while (sockets.size > 0) await new Promise(setImmediate);
});
