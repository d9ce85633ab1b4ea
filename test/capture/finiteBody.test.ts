/** Bodies that have an end, from servers that keep their word about Range and from servers that do not. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { fetchFinite } from '../../src/capture/finiteBody.js';
import { loopPackets } from '../../src/demo/loopTs.js';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';
import { loopClip } from '../media/clip.js';

let body: Buffer;
let folder: string;
let path: string;
const asked: string[] = [];
let server: ReturnType<typeof createServer>;
let handle: (request: IncomingMessage, response: ServerResponse) => void;
const transport = undiciTransport(systemClock);

beforeAll(async () => {
  body = loopPackets(await loopClip(), 0, 2_500);
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'catchupd-finite-'));
  path = join(folder, 'show.replay.part');
  asked.length = 0;
  server = createServer((request, response) => {
    asked.push(request.headers.range ?? '');
    handle(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await transport.close();
  rmSync(folder, { recursive: true, force: true });
});

const fetchIt = (more: Partial<Parameters<typeof fetchFinite>[0]> = {}) =>
  fetchFinite(
    {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.ts`,
      headers: {},
      path,
      mayResume: true,
      firstByteTimeoutMs: 5_000,
      stallTimeoutMs: 500,
      ...more,
    },
    { transport, disk: nodeDisk, clock: systemClock, signal: new AbortController().signal },
  );
const fromOf = ({ headers }: IncomingMessage) => Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
/** Sends up to `bytes` and breaks the connection. */
const torn = (response: ServerResponse, status: number, from: number, bytes: number, content = body) => {
  response.writeHead(status, {
    'content-length': content.length - from,
    ...(status === 206 && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
  });
  response.write(content.subarray(from, from + bytes), () => setImmediate(() => response.destroy()));
};
const honest = (request: IncomingMessage, response: ServerResponse) => {
  const from = fromOf(request);
  if (from >= body.length) return void response.writeHead(416).end();
  response.writeHead(from > 0 ? 206 : 200, {
    'content-length': body.length - from,
    ...(from > 0 && { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` }),
  });
  response.end(body.subarray(from));
};

it('comes whole over as many connections as it takes, each going on a little before where the last one ended', async () => {
  handle = (request, response) => torn(response, asked.length > 1 ? 206 : 200, fromOf(request), 150_000);
  const first = await fetchIt();
  expect(first).toMatchObject({ kind: 'cut', refusal: { cause: 'reset' } });
  const have = readFileSync(path).length;
  expect(have).toBeGreaterThan(0);
  expect(readFileSync(path).equals(body.subarray(0, have))).toBe(true);
  handle = honest;
  expect(await fetchIt()).toEqual({ kind: 'whole', bytes: body.length });
  expect(readFileSync(path).equals(body)).toBe(true);
  expect(asked).toEqual(['', `bytes=${Math.max(0, have - 65_536)}-`]);
});

it('never truncates what is there when the answer begins anew, and takes the new one when it is whole', async () => {
  writeFileSync(path, body.subarray(0, 200_000));
  handle = (_request, response) => torn(response, 200, 0, 50_000);
  expect(await fetchIt()).toMatchObject({ kind: 'cut', bytes: 200_000 });
  expect(readFileSync(path).equals(body.subarray(0, 200_000))).toBe(true);
  handle = (_request, response) => response.end(body);
  expect(await fetchIt()).toEqual({ kind: 'whole', bytes: body.length });
  expect(readFileSync(path).equals(body)).toBe(true);
  expect(existsSync(`${path}.again`)).toBe(false);
});

it.each([
  ['another offset than was asked for', (from: number) => from + 188],
  ['no offset at all', () => Number.NaN],
])('does not go on with a part that claims %s', async (_, claim) => {
  writeFileSync(path, body.subarray(0, 200_000));
  handle = (request, response) => {
    const from = fromOf(request);
    if (from === 0) return void response.end(body);
    response.writeHead(206, { 'content-range': `bytes ${claim(from)}-9/10` }).end(body.subarray(from));
  };
  expect(await fetchIt()).toEqual({ kind: 'whole', bytes: body.length });
  expect(readFileSync(path).equals(body)).toBe(true);
});

it('does not go on with a part whose bytes are others, whatever it claims', async () => {
  writeFileSync(path, body.subarray(0, 200_000));
  const other = Buffer.from(body);
  other.fill(0x11, 140_000, 200_000);
  handle = (request, response) => {
    const from = fromOf(request);
    if (from === 0) return void response.end(body);
    response.writeHead(206, { 'content-range': `bytes ${from}-${other.length - 1}/${other.length}` });
    response.end(other.subarray(from));
  };
  expect(await fetchIt()).toEqual({ kind: 'whole', bytes: body.length });
  expect(readFileSync(path).equals(body)).toBe(true);
});

it('names the version that it has, so that of another one it gets all', async () => {
  handle = (_request, response) => {
    response.setHeader('etag', '"v1"');
    torn(response, 200, 0, 150_000);
  };
  await fetchIt();
  let condition: string | undefined;
  handle = (request, response) => {
    condition = request.headers['if-range'] as string | undefined;
    response.end(body);
  };
  expect(await fetchIt()).toEqual({ kind: 'whole', bytes: body.length });
  expect(condition).toBe('"v1"');
});

it('is whole already where the server has nothing beyond it', async () => {
  writeFileSync(path, body);
  handle = honest;
  expect(await fetchIt()).toEqual({ kind: 'whole', bytes: body.length });
  handle = (_request, response) => response.writeHead(416).end();
  expect(await fetchIt()).toEqual({ kind: 'whole', bytes: body.length });
});

it('is never asked for in part where that is not wanted', async () => {
  writeFileSync(path, body.subarray(0, 200_000));
  handle = honest;
  expect(await fetchIt({ mayResume: false })).toEqual({ kind: 'whole', bytes: body.length });
  expect(asked).toEqual(['']);
});

it.each([
  ['a page', 200, '<html>please log in</html>', 'upstream_html'],
  ['a refusal', 404, 'no', 'upstream_refused'],
  ['too many connections', 458, 'max 1 connection', 'upstream_limit'],
])('is refused by its code when %s answers', async (_, status, text, code) => {
  handle = (_request, response) => response.writeHead(status).end(text);
  expect(await fetchIt()).toMatchObject({ kind: 'refused', refusal: { code } });
  expect(existsSync(path)).toBe(false);
});

it('that falls silent is cut, with all that came', async () => {
  handle = (_request, response) => void response.write(body.subarray(0, 100_000));
  expect(await fetchIt()).toMatchObject({ kind: 'cut', bytes: 100_000, refusal: { cause: 'stall' } });
});
