import { createServer, type ServerResponse } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { createFeeds, type ClosedBy } from '../../src/capture/feeds.js';
import { waitPool } from '../../src/capture/waitPool.js';
import { systemClock, type Clock } from '../../src/io/clock.js';
import { TransportFault, type TransportBody, type TransportResponse } from '../../src/io/transport.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';

/** Packets that say which one they are. */
function packets(from: number, count: number): Buffer {
  const bytes = Buffer.alloc(188 * count, 0xff);
  for (let index = 0; index < count; index++) {
    bytes.writeUInt32BE(0x471fff10, index * 188);
    bytes.writeUInt32BE(from + index, index * 188 + 4);
  }
  return bytes;
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function scene(status = 200, clock: Clock = systemClock, pool = waitPool()) {
  const viewers: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    response.writeHead(status);
    if (status === 200) viewers.push(response);
    else response.end('no');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const transport = undiciTransport(systemClock);
  const closed: [string, ClosedBy][] = [];
  const rates: [string, number][] = [];
  const feeds = createFeeds({
    transport,
    clock,
    pool,
    onRate: (key, bitsPerSecond) => rates.push([key, bitsPerSecond]),
    onClosed: (key, by) => closed.push([key, by]),
    lingerMs: 50,
  });
  closers.push(() => {
    feeds.close();
    void transport.close();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const open = (signal = new AbortController().signal) =>
    feeds.open('one', `http://127.0.0.1:${port}/`, { headersTimeoutMs: 5_000, signal });
  return { viewers, feeds, closed, rates, open };
}

async function until(fact: () => boolean): Promise<void> {
  while (!fact()) await new Promise(setImmediate);
}

/** Listens and remembers what came and how it ended. */
function listen(body: TransportBody) {
  const heard = { bytes: [] as Buffer[], end: '' };
  body.flow({
    onData: (chunk) => heard.bytes.push(Buffer.from(chunk)),
    onEnd: () => (heard.end = 'end'),
    onFault: (fault) => (heard.end = fault.kind),
  });
  return { ...heard, all: () => Buffer.concat(heard.bytes), ended: () => heard.end };
}

const liveOf = async (opened: Promise<TransportResponse>): Promise<TransportBody> => (await opened).body;

const kindOf = (opened: Promise<TransportResponse>): Promise<string | number> =>
  opened.then(
    ({ status }) => status,
    (error: unknown) => (error instanceof TransportFault ? error.kind : 'bug'),
  );

it('gives every listener the same bytes over one connection', async () => {
  const { viewers, open } = await scene();
  const first = open();
  await until(() => viewers.length === 1);
  viewers[0]?.write(packets(0, 10));
  const one = listen(await liveOf(first));
  await until(() => one.all().length === 1880);
  const two = listen(await liveOf(open()));
  viewers[0]?.write(packets(10, 10));
  await until(() => one.all().length === 3760 && two.all().length === 1880);
  expect(viewers.length).toBe(1);
  expect(one.all().equals(packets(0, 20))).toBe(true);
  expect(two.all().equals(packets(10, 10))).toBe(true);
});

it('stays open for a moment without listeners, and then closes by itself', async () => {
  const { viewers, open, closed, feeds } = await scene();
  const first = open();
  await until(() => viewers.length === 1);
  viewers[0]?.write(packets(0, 10));
  const body = await liveOf(first);
  body.destroy();
  expect(feeds.keys()).toEqual(['one']);
  const again = await liveOf(open());
  expect(viewers.length).toBe(1);
  again.destroy();
  await until(() => closed.length === 1);
  expect(closed).toEqual([['one', 'us']]);
  expect(feeds.keys()).toEqual([]);
});

it('is dismissed at once when its connection is wanted elsewhere, but never under a listener', async () => {
  const { viewers, open, closed, feeds } = await scene();
  const first = open();
  await until(() => viewers.length === 1);
  viewers[0]?.write(packets(0, 10));
  const body = await liveOf(first);
  feeds.dismiss('one');
  expect(closed).toEqual([]);
  body.destroy();
  feeds.dismiss('one');
  expect(closed).toEqual([['one', 'us']]);
});

it('tells all listeners when the provider ends it, and that it was the provider', async () => {
  const { viewers, open, closed } = await scene();
  const first = open();
  await until(() => viewers.length === 1);
  viewers[0]?.write(packets(0, 10));
  const one = listen(await liveOf(first));
  const two = listen(await liveOf(open()));
  viewers[0]?.end();
  await until(() => one.ended() !== '' && two.ended() !== '');
  expect([one.ended(), two.ended()]).toEqual(['end', 'end']);
  expect(closed).toEqual([['one', 'provider']]);
});

it('refuses all who wait when the provider refuses', async () => {
  const { open, closed } = await scene(404);
  const both = await Promise.all([kindOf(open()), kindOf(open())]);
  expect(both).toEqual([404, 'reset']);
  expect(closed).toEqual([['one', 'provider']]);
});

it('lets one that waits go without disturbing the others', async () => {
  const { viewers, open } = await scene();
  const impatient = new AbortController();
  const both = [open(impatient.signal), open()] as const;
  both[0].catch(() => undefined);
  await until(() => viewers.length === 1);
  impatient.abort();
  expect(await kindOf(both[0])).toBe('aborted');
  viewers[0]?.write(packets(0, 10));
  expect(await kindOf(both[1])).toBe(200);
  expect(viewers.length).toBe(1);
});

/** Two listeners of ten packets, of whom one has paused. */
async function slowAndQuick(pool = waitPool()) {
  const { viewers, open } = await scene(200, systemClock, pool);
  const first = open();
  await until(() => viewers.length === 1);
  viewers[0]?.write(packets(0, 10));
  const slowBody = await liveOf(first);
  const slow = listen(slowBody);
  const quick = listen(await liveOf(open()));
  await until(() => slow.all().length === 1880);
  slowBody.pause();
  return { viewers, slow, slowBody, quick };
}

it('gives what was received to one that pauses, also when the provider ends it', async () => {
  const { viewers, slow, quick } = await slowAndQuick();
  viewers[0]?.end(packets(10, 100));
  await until(() => quick.ended() === 'end' && slow.ended() === 'end');
  expect(slow.all().equals(packets(0, 110))).toBe(true);
});

it('is closed under its listeners when it is no good', async () => {
  const { viewers, open, closed, feeds } = await scene();
  const first = open();
  await until(() => viewers.length === 1);
  viewers[0]?.write(packets(0, 10));
  const one = listen(await liveOf(first));
  feeds.condemn('one');
  expect(one.ended()).toBe('reset');
  expect(closed).toEqual([['one', 'us']]);
});

it('goes on for the others while one listener pauses, who then gets what it missed', async () => {
  const { viewers, slow, slowBody, quick } = await slowAndQuick();
  viewers[0]?.write(packets(10, 100));
  await until(() => quick.all().length === 18_800);
  expect(slow.all().length).toBe(1880);
  slowBody.resume();
  await until(() => slow.all().length === 20_680);
  expect(slow.all().equals(packets(0, 110))).toBe(true);
});

it('lets nobody go who holds no more than a share, however much waits elsewhere (P8)', async () => {
  const pool = waitPool(1_000_000);
  const { viewers, slow, slowBody, quick } = await slowAndQuick(pool);
  pool.join().hold(2_000_000);
  viewers[0]?.write(packets(10, 100));
  await until(() => quick.all().length === 18_800);
  slowBody.resume();
  await until(() => slow.all().length === 20_680 || slow.ended() !== '');
  expect(slow.all().equals(packets(0, 110))).toBe(true);
  slowBody.pause();
  // More than a share of what is full.
  viewers[0]?.write(packets(110, 1_000));
  await until(() => slow.ended() !== '');
  expect(slow.ended()).toBe('slow');
});

it('tells every five seconds what a connection brings, however many listen', async () => {
  let mono = 1_000;
  const { viewers, rates, open } = await scene(200, { ...systemClock, mono: () => mono });
  const opening = open();
  await until(() => viewers.length === 1);
  viewers[0]?.write(packets(0, 100));
  const first = listen(await liveOf(opening));
  const second = listen(await liveOf(open()));
  await until(() => first.all().length === 18_800);
  expect(rates).toEqual([]);
  mono += 5_000;
  viewers[0]?.write(packets(100, 900));
  await until(() => first.all().length === 188_000);
  expect(second.all().length).toBeGreaterThan(0);
  mono += 10_000;
  viewers[0]?.write(packets(1_000, 1));
  await until(() => first.all().length === 188_188);
  const bits = rates.reduce((sum, [, rate], index) => sum + rate * (index === 0 ? 5 : 10), 0);
  expect(rates.map(([key]) => key)).toEqual(['one', 'one']);
  expect(Math.round(bits / 8)).toBe(188_188);
});
