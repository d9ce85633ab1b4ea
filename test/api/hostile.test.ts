/** Requests that nobody should send: they cost whoever sends them, and nobody else. */
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startApi, type Api } from '../../src/api/server.js';
import { doorsThat } from './aDoor.js';

const SLOW = 300;
const open: Api[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.close()));
});

async function start(): Promise<Api> {
  const api = await startApi({
    host: '127.0.0.1',
    port: 0,
    access: { token: null, noAuth: false },
    publicUrl: null,
    doors: doorsThat({}),
  });
  open.push(api);
  return api;
}

function raw(api: Api, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(api.port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', () => resolve(answer));
    socket.on('close', () => resolve(answer));
  });
}

const get = (path: string, headers = '') =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`;

describe('a hostile request', () => {
  it.each([
    ['climbs out of the folder', get('/assets/../../../etc/passwd')],
    ['climbs in disguise', get('/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd')],
    ['climbs with another slash', get('/assets/..%5c..%5cetc%5cpasswd')],
    ['ends a name with nothing', get('/media/1a2b3c4d%00.ts')],
    ['names a whole address', get('http://evil.example/api/plan')],
    ['is no address', get('/%zz')],
    [
      'has two hosts',
      'GET /api/plan HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    ],
    ['has no host', 'GET /api/plan HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['rebinds a name', 'GET /api/plan HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'],
    ['has a huge header', get('/api/plan', `X: ${'x'.repeat(40_000)}\r\n`)],
    ['has a huge address', get(`/api/why?q=${'x'.repeat(20_000)}`)],
    [
      'smuggles',
      'POST /api/recordings/1a/keep HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['speaks something else', '\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n'],
    ['asks for a huge limit', get('/api/recordings?limit=99999999999999')],
    ['asks for a time that is none', get('/api/guide?from=tomorrow')],
  ])('that %s ends in 4xx', async (_, text) => {
    const api = await start();
    expect(await raw(api, text)).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect((await fetch(`${api.address}/healthz`)).status).toBe(200);
  });

  it('that never ends is ended, three hundred at a time, while others are answered', async () => {
    const api = await start();
    const sockets: Socket[] = [];
    const ended = Array.from(
      { length: SLOW },
      () =>
        new Promise<string>((resolve) => {
          let answer = '';
          const socket = connect(api.port, '127.0.0.1', () => socket.write('GET /api/plan HTTP/1.1\r\nX: '));
          sockets.push(socket);
          socket.on('data', (chunk) => (answer += chunk.toString()));
          socket.on('error', () => resolve(answer));
          socket.on('close', () => resolve(answer));
        }),
    );
    for (let each = 0; each < 20; each += 1)
      expect((await fetch(`${api.address}/api/plan`)).status).toBe(200);
    const answers = await Promise.all(ended);
    expect(new Set(answers.map((answer) => answer.slice(0, 12)))).toEqual(new Set(['HTTP/1.1 408']));
    expect((await fetch(`${api.address}/api/plan`)).status).toBe(200);
  });
});
