import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcp, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/io/clock.js';
import { readBody, type AnswerSeries } from '../../src/io/transport.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';

const transport = undiciTransport(systemClock);
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function origin(answer: RequestListener) {
  const server = createServer(answer);
  const open = new Set<Socket>();
  const seen = { connections: 0, most: 0, open };
  server.on('connection', (socket) => {
    open.add(socket);
    seen.connections++;
    seen.most = Math.max(seen.most, open.size);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, server };
}

function series(connectionsMax = 1): AnswerSeries & { end(): void } {
  const abort = new AbortController();
  return { connectionsMax, over: abort.signal, end: () => abort.abort() };
}

async function get(url: string, one: AnswerSeries): Promise<string> {
  const { body } = await transport.open(url, { headersTimeoutMs: 5_000, series: one });
  return (await readBody(body, 1_000_000)).toString();
}

/** The facts of the other side come through the kernel: a few turns of the loop later. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe('answers of a series', () => {
  it('come over one connection, however their bodies are delimited and however they refuse', async () => {
    const { url, seen } = await origin((request, response) => {
      if (request.url === '/chunked') {
        response.write('a');
        setImmediate(() => response.end('b'));
      } else if (request.url === '/none') response.writeHead(204).end();
      else if (request.url === '/moved') response.writeHead(302, { location: '/chunked' }).end('elsewhere');
      else if (request.url === '/gone') response.writeHead(404).end('no');
      else response.end('x'.repeat(300_000));
    });
    const one = series();
    expect(await get(`${url}/chunked`, one)).toBe('ab');
    expect(await get(`${url}/none`, one)).toBe('');
    expect(await get(`${url}/moved`, one)).toBe('ab');
    expect(await get(`${url}/gone`, one)).toBe('no');
    expect((await get(`${url}/large`, one)).length).toBe(300_000);
    expect(seen.connections).toBe(1);
    one.end();
    await until(() => seen.open.size === 0);
  });

  it('are never more connections than the series may have, over several origins', async () => {
    const [first, second] = [
      await origin((_, response) => response.end('1')),
      await origin((_, r) => r.end('2')),
    ];
    const one = series(1);
    for (let n = 0; n < 3; n++) {
      expect(await get(first.url, one)).toBe('1');
      await until(() => second.seen.open.size === 0);
      expect(await get(second.url, one)).toBe('2');
      await until(() => first.seen.open.size === 0);
    }
    expect(Math.max(first.seen.most, second.seen.most)).toBe(1);
    one.end();
  });

  it('are asked again where the server had closed the connection meanwhile', async () => {
    const { url, seen } = await origin((_, response) => response.end('here'));
    const one = series();
    expect(await get(url, one)).toBe('here');
    for (const socket of seen.open) socket.destroy();
    expect(await get(url, one)).toBe('here');
    expect(seen.connections).toBe(2);
    one.end();
  });

  it('are not asked twice where the server closes without an answer', async () => {
    let asked = 0;
    const server = createTcp((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => {
        asked++;
        if (asked === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na');
        else socket.destroy();
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    closers.push(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const one = series();
    expect(await get(url, one)).toBe('a');
    await expect(get(url, one)).rejects.toMatchObject({ kind: 'reset' });
    // Once on the old connection, once on a new one.
    expect(asked).toBe(3);
    one.end();
  });

  it('do not take what comes unasked behind one for the next', async () => {
    let connections = 0;
    const server = createTcp((socket) => {
      connections++;
      const number = connections;
      socket.on('error', () => undefined);
      socket.on('data', () =>
        socket.write(
          `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${number}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong`,
        ),
      );
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    closers.push(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const one = series();
    expect(await get(url, one)).toBe('1');
    expect(await get(url, one)).toBe('2');
    one.end();
  });
});
