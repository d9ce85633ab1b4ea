import { createServer as createTcp, type Server as TcpServer, type Socket } from 'node:net';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { createServer as createTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/io/clock.js';
import { readBody, TransportFault, type TransportBody } from '../../src/io/transport.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';
import { selfSigned } from '../fakes/selfSigned.js';

const transport = undiciTransport(systemClock);
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

const certificate = selfSigned();
let isSecure = false;

function listening(server: Server | TcpServer, sockets: Set<Socket>): Promise<string> {
  closers.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : '';
      resolve(`${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`);
    });
  });
}

async function http(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const sockets = new Set<Socket>();
  const server = isSecure ? createSecure(certificate, answer) : createServer(answer);
  let connections = 0;
  server.on(isSecure ? 'secureConnection' : 'connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return { url: await listening(server, sockets), sockets, connections: () => connections };
}

async function tcp(onData: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const onSocket = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => onData(socket));
  };
  return listening(isSecure ? createTls(certificate, onSocket) : createTcp(onSocket), sockets);
}

async function faultOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return error instanceof TransportFault ? error.kind : String(error);
  }
}

const PARSER = { way: 'through the parser', how: () => ({}) };
const LIVE = { way: 'past the parser', how: () => ({ live: true }) };
const SERIES = {
  way: 'in a series',
  how: () => ({ series: { connectionsMax: 1, over: new AbortController().signal } }),
};

describe.each(
  [PARSER, LIVE, SERIES].flatMap((one) => [
    { ...one, scheme: 'http' },
    { ...one, scheme: 'https' },
  ]),
)('the network door, $scheme bodies $way', ({ how, scheme }) => {
  const open = (
    url: string,
    more: { headers?: Record<string, string>; signal?: AbortSignal; headersTimeoutMs?: number } = {},
  ) => transport.open(url, { headersTimeoutMs: 5_000, ...how(), ...more });
  const isSeries = how === SERIES.how;
  beforeAll(() => {
    isSecure = scheme === 'https';
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  });
  afterAll(() => {
    isSecure = false;
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  });

  it('gives status, lower-case headers and the body', async () => {
    const { url } = await http((request, response) => {
      response.writeHead(206, { 'X-Thing': ['a', 'b'] });
      response.end(`ua=${request.headers['user-agent']} ${request.url}`);
    });
    const answer = await open(`${url}/a?b=c`, { headers: { 'User-Agent': 'tv/1' } });
    expect(answer.status).toBe(206);
    expect(answer.headers['x-thing']).toBe('a, b');
    expect((await readBody(answer.body, 1_000)).toString()).toBe('ua=tv/1 /a?b=c');
  });

  it('follows relative and cross-origin redirects and leaves credentials at the first origin', async () => {
    const second = await http((request, response) => {
      if (request.url === '/final') response.end(String(request.headers.authorization));
      else response.writeHead(302, { location: 'final' }).end();
    });
    const first = await http((_request, response) => {
      response.writeHead(301, { location: `${second.url}/x` }).end();
    });
    const secret = first.url.replace('://', '://user:pa%3Ass@');
    const answer = await open(secret, { headers: { Authorization: 'Bearer t' } });
    expect(answer.url).toBe(`${second.url}/final`);
    expect((await readBody(answer.body, 1_000)).toString()).toBe('undefined');
  });

  it('sends the credentials of the address as basic authorization', async () => {
    const { url } = await http((request, response) => response.end(String(request.headers.authorization)));
    const answer = await open(url.replace('://', '://user:pa%3Ass@'));
    const expected = `Basic ${Buffer.from('user:pa:ss').toString('base64')}`;
    expect((await readBody(answer.body, 1_000)).toString()).toBe(expected);
  });

  it('gives up after ten redirects, and on one that leads nowhere', async () => {
    const loop = await http((_request, response) => response.writeHead(302, { location: '/again' }).end());
    expect(await faultOf(open(loop.url))).toBe('redirects');
    expect(loop.connections()).toBe(isSeries ? 1 : 11);
    const nowhere = await http((_request, response) =>
      response.writeHead(302, { location: 'ftp://x/' }).end(),
    );
    expect(await faultOf(open(nowhere.url))).toBe('redirects');
  });

  it('calls a refused connection `connect` and an unreadable answer `protocol`', async () => {
    const url = await tcp((socket) => socket.end('220 smtp ready\r\n'));
    expect(await faultOf(open(url))).toBe('protocol');
    const gone = await http(() => undefined);
    await closers.pop()?.();
    expect(await faultOf(open(gone.url))).toBe('connect');
    expect(await faultOf(open('file:///etc/passwd'))).toBe('protocol');
  });

  it('calls a connection that closes before headers `reset`', async () => {
    const url = await tcp((socket) => socket.destroy());
    expect(await faultOf(open(url))).toBe('reset');
  });

  it('calls headers that do not come in time `timeout`', async () => {
    const { url } = await http(() => undefined);
    expect(await faultOf(open(url, { headersTimeoutMs: 20 }))).toBe('timeout');
  });

  it('tells a body that breaks off from one that ends', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n';
    const broken = await open(await tcp((socket) => socket.end(`${head}abc`)));
    expect(await faultOf(readBody(broken.body, 1_000))).toBe('reset');
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n';
    const cut = await open(await tcp((socket) => socket.end(chunked)));
    expect(await faultOf(readBody(cut.body, 1_000))).toBe('reset');
    const ended = await open(await tcp((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nabc')));
    expect((await readBody(ended.body, 1_000)).toString()).toBe('abc');
  });

  it('reads a head that comes byte by byte, after one that only informs', async () => {
    const answer =
      'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc';
    const url = await tcp((socket) => {
      socket.setNoDelay(true);
      const next = (at: number): void => {
        if (at < answer.length) socket.write(answer[at] ?? '', () => setImmediate(() => next(at + 1)));
      };
      next(0);
    });
    const { status, body } = await open(url);
    expect(status).toBe(200);
    expect((await readBody(body, 1_000)).toString()).toBe('abc');
  });

  it('ends where the last chunk says so, though the server keeps the connection', async () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    const url = await tcp((socket) =>
      socket.write(`${head}3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n`),
    );
    expect((await readBody((await open(url)).body, 1_000)).toString()).toBe('abc0123456789');
  });

  it('calls a head without an end `protocol`, and one that never comes to it `timeout`', async () => {
    const endless = await tcp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const more = (): void => {
        if (!socket.destroyed) socket.write(`X-${'a'.repeat(4_000)}: b\r\n`, () => setImmediate(more));
      };
      more();
    });
    expect(await faultOf(open(endless))).toBe('protocol');
    const slow = await tcp((socket) => socket.write('HTTP/1.1 200 OK\r\nX-One: 1\r\n'));
    expect(await faultOf(open(slow, { headersTimeoutMs: 50 }))).toBe('timeout');
  });

  it('calls a connection that is reset in the body `reset`, after all that came', async () => {
    const url = await tcp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc', () =>
        isSecure ? socket.destroy() : socket.resetAndDestroy(),
      );
    });
    const { body } = await open(url);
    const heard: string[] = [];
    await new Promise<void>((resolve) => {
      body.flow({
        onData: (chunk) => heard.push(chunk.toString()),
        onEnd: resolve,
        onFault: ({ kind }) => resolve(void heard.push(kind)),
      });
    });
    expect(heard).toEqual(['abc', 'reset']);
  });

  it('closes the connection when the body is destroyed, and says nothing more', async () => {
    const server = await http((_request, response) => response.write('x'));
    const { body } = await open(server.url);
    const [socket] = server.sockets;
    const wasClosed = new Promise((resolve) => socket?.on('close', resolve));
    const heard: string[] = [];
    await new Promise<void>((resolve) => {
      body.flow({
        onData() {
          heard.push('data');
          body.destroy();
          resolve();
        },
        onEnd: () => heard.push('end'),
        onFault: () => heard.push('fault'),
      });
    });
    await wasClosed;
    expect(heard).toEqual(['data']);
  });

  it('ends with `aborted` before headers and in the body alike', async () => {
    const { url } = await http((request, response) => {
      if (request.url === '/body') response.write('x');
    });
    const early = new AbortController();
    const pending = faultOf(open(url, { signal: early.signal }));
    early.abort();
    expect(await pending).toBe('aborted');
    expect(await faultOf(open(url, { signal: early.signal }))).toBe('aborted');

    const late = new AbortController();
    const { body } = await open(`${url}/body`, { signal: late.signal });
    const ending = faultOf(readBody(body, 1_000));
    late.abort();
    expect(await ending).toBe('aborted');
  });

  it('holds the server back while paused, and loses no byte', async () => {
    const total = 16 * 1024 * 1024;
    let sent = 0;
    const { url } = await http((_request, response) => {
      response.writeHead(200, { 'content-length': total });
      const piece = Buffer.alloc(64 * 1024, 7);
      const more = (): void => {
        while (sent < total) {
          sent += piece.length;
          if (!response.write(piece)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const { body } = await open(url);
    let sentWhilePaused = 0;
    const received = await new Promise<number>((resolve, reject) => {
      let bytes = 0;
      body.flow({
        onData(chunk) {
          if (bytes === 0) {
            body.pause();
            // Many turns of the loop: time enough for a body that ignores the pause to come whole.
            turns(200, () => {
              sentWhilePaused = sent;
              body.resume();
            });
          }
          bytes += chunk.length;
        },
        onEnd: () => resolve(bytes),
        onFault: reject,
      });
    });
    expect(received).toBe(total);
    expect(sentWhilePaused).toBeLessThan(total);
  });

  it('does not wait between the reads of a body that comes faster than they are gathered', async () => {
    const whole = Buffer.alloc(16 * 1024 * 1024, 7);
    const { url } = await http((_request, response) => response.end(whole));
    let waits = 0;
    const counting = {
      ...systemClock,
      after(ms: number, wake: () => void) {
        waits++;
        return systemClock.after(ms, wake);
      },
    };
    const own = undiciTransport(counting);
    const { body } = await own.open(url, { headersTimeoutMs: 5_000, ...how() });
    expect((await readBody(body, whole.length)).length).toBe(whole.length);
    // 64 KiB between two of them, which is what a kernel holds at least, would need more than 250.
    expect(waits).toBeLessThan(200);
  });

  it.each([1_000, 66_000, 3_000_000])(
    'survives a server that closes while a body of %i bytes is paused, and still gives all of it',
    async (total) => {
      const whole = Buffer.from(Uint8Array.from({ length: total }, (_, index) => index % 251));
      const { url, sockets } = await http((_request, response) => response.end(whole));
      const { body } = await open(url);
      const received: Buffer[] = [];
      await new Promise<void>((resolve, reject) => {
        body.flow({
          onData(chunk) {
            received.push(Buffer.from(chunk));
            body.pause();
            turns(sockets.size === 0 ? 1 : 50, () => body.resume());
          },
          onEnd: resolve,
          onFault: reject,
        });
      });
      expect(Buffer.concat(received).equals(whole)).toBe(true);
    },
  );

  it.each([64, 128, 192, 256, 320, 384])(
    'ends a body of %i KiB whose connection is long over when it goes on',
    async (kibibytes) => {
      const whole = Buffer.alloc(kibibytes * 1_024, 7);
      const { url, sockets } = await http((_request, response) => {
        response.setHeader('connection', 'close');
        response.end(whole);
      });
      const { body } = await open(url);
      let received = 0;
      let isFirst = true;
      const goOn = () => (sockets.size === 0 ? turns(50, () => body.resume()) : setImmediate(goOn));
      await new Promise<void>((resolve, reject) => {
        body.flow({
          onData(chunk) {
            received += chunk.length;
            if (!isFirst) return;
            isFirst = false;
            body.pause();
            goOn();
          },
          onEnd: resolve,
          onFault: reject,
        });
      });
      expect(received).toBe(whole.length);
    },
  );

  it.each(['length', 'chunks'] as const)(
    'gives a body told by %s to who says where it is wanted, whole and in order',
    async (told) => {
      const sent = Buffer.from(Array.from({ length: 700_000 }, (_, n) => (n * 31 + (n >> 8)) & 0xff));
      const { url } = await http((_request, response) => {
        if (told === 'length') response.setHeader('content-length', sent.length);
        response.end(sent);
      });
      const request = { headersTimeoutMs: 5_000, ...how() };
      for (const _turn of [1, 2]) {
        const { body } = await transport.open(url, request);
        const into = Buffer.alloc(sent.length);
        let filled = 0;
        await new Promise<void>((resolve, reject) => {
          body.flow({
            // Now and then it has no wish.
            room: () => (filled % 3 === 0 ? into.subarray(filled, filled + 50_000) : null),
            onData(chunk) {
              const isThere = chunk.buffer === into.buffer && chunk.byteOffset === into.byteOffset + filled;
              if (!isThere) chunk.copy(into, filled);
              filled += chunk.length;
            },
            onEnd: resolve,
            onFault: reject,
          });
        });
        expect(filled).toBe(sent.length);
        expect(into.equals(sent)).toBe(true);
      }
    },
  );

  it('sends no header that cannot be one, and a percent sign in a name as it stands', async () => {
    const { url } = await http((request, response) =>
      response.end(
        JSON.stringify([request.headers['x-one'], request.headers['x-two'], request.headers.host]),
      ),
    );
    const headers = { 'X-One': 'a\r\nX-Two: b', 'X-\nTwo': 'c', 'X-Three': '\u20ac' };
    const answer = await open(url.replace('://', '://us%er:pa@'), { headers });
    expect(JSON.parse((await readBody(answer.body, 1_000)).toString())).toEqual([
      null,
      null,
      new URL(url).host,
    ]);
  });

  it('reads headers of any case, and empty ones', async () => {
    const url = await tcp((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncOnTeNt-LeNgTh: 3\r\nSERVER:\r\n\r\nabc'),
    );
    const { headers, body } = await open(url);
    expect(headers).toMatchObject({ 'content-length': '3', server: '' });
    expect((await readBody(body, 1_000)).toString()).toBe('abc');
  });

  it('reads the body of an old server up to where it closes', async () => {
    const url = await tcp((socket) => socket.end('HTTP/1.0 200 OK\r\nServer: old\r\n\r\nabc'));
    expect((await readBody((await open(url)).body, 1_000)).toString()).toBe('abc');
  });

  it('opens one connection a request, also to the same host', async () => {
    const server = await http((_request, response) => response.write('x'));
    const bodies: TransportBody[] = [];
    for (let i = 0; i < 3; i++)
      bodies.push((await transport.open(server.url, { headersTimeoutMs: 5_000, ...how() })).body);
    expect(server.sockets.size).toBe(3);
    for (const body of bodies) body.destroy();
  });

  it('reports what is open as aborted when it is closed', async () => {
    const own = undiciTransport(systemClock);
    const { url } = await http((_request, response) => response.write('x'));
    const { body } = await own.open(url, { headersTimeoutMs: 5_000, ...how() });
    const ending = faultOf(readBody(body, 1_000));
    await own.close();
    expect(await ending).toBe('aborted');
  });
});

function turns(left: number, done: () => void): void {
  if (left === 0) done();
  else setImmediate(() => turns(left - 1, done));
}
