/**
 * Everybody at the door at once while it records: whoever asks a thousand times a second, never ends a request, never
 * reads an answer or sends what nobody should. The recordings lose nothing, and when all are gone nothing is left of
 * them. The claim is counts: of bytes, packets, frames and open files; not of time.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { breaksOf, decode } from '../media/frames.js';
import { channel, CLIP_FRAMES, json, nothingYet, openScene, programme, soon, until } from './scene.js';

const SECONDS = 8;
const ASKING = 40;
const SLOW = 200;
const DEAF = 40;
const GROWTH_MB_MAX = 200;

const filesOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;
const megabytesOf = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

function raw(port: number, text: string): { readonly socket: Socket; readonly answer: Promise<string> } {
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  const answer = new Promise<string>((resolve) => {
    let told = '';
    socket.on('data', (chunk) => (told += chunk.toString('latin1')));
    socket.on('error', () => resolve(told));
    socket.on('close', () => resolve(told));
  });
  return { socket, answer };
}

const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
const post = (path: string, headers: string, body = '') =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n${body}`;

/** What must end in 4xx, whatever it is. */
const ugly = (id: string): readonly string[] => [
  get('/../../etc/passwd', 'Connection: close\r\n'),
  get('/assets/..%2f..%2fpackage.json', 'Connection: close\r\n'),
  get(`/media/${id}/seg/..%2f..%2f0.ts`, 'Connection: close\r\n'),
  get(`/media/${id}`, 'Connection: close\r\nRange: bytes=999999999999-\r\n'),
  get(`/media/${id}`, `Connection: close\r\nRange: bytes=${'0-1,'.repeat(500)}0-1\r\n`),
  get('/api/plan', `Connection: close\r\nX: ${'x'.repeat(30_000)}\r\n`),
  get('/api/plan', 'Connection: close\r\nX-Forwarded-For: 10.0.0.1\r\n'),
  'GET /api/plan HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
  post(`/api/recordings/${id}/delete`, 'Origin: https://evil.example\r\nContent-Length: 0\r\n'),
  post(`/api/recordings/${id}/keep`, 'Content-Type: application/json\r\nContent-Length: 5\r\n', '{"a":'),
  post(`/api/recordings/${id}/keep`, 'Content-Length: 90000\r\n', 'y'.repeat(90_000)),
  post(`/api/recordings/${id}/keep`, 'Transfer-Encoding: chunked\r\n', 'zz\r\nnot a length\r\n'),
];

it('recordings lose nothing to whoever asks, waits, hangs or lies at the door, and nothing is left of them', async ({
  onTestFinished,
}) => {
  const scene = openScene(onTestFinished);
  const provider = await scene.provider({
    channels: [channel('one'), channel('two')],
    programmes: nothingYet('one.tv'),
  });
  const daemon = scene.daemon(['--m3u', provider.m3uUrl]);
  await daemon.ready();
  const port = Number(new URL(await daemon.url()).port);
  const at = soon(2);
  const shows = ['one', 'two'].map((id) => programme(`${id}.tv`, id, at, SECONDS));
  await provider.setProgrammes(shows);
  const { active } = await daemon.sees(
    'both bring bytes',
    (report) => report.active.filter(({ bytes_recorded: bytes = 0 }) => bytes > 0).length === 2,
  );
  const id = active[0]?.id ?? '';
  const before = { files: filesOf(daemon.pid), megabytes: megabytesOf(daemon.pid) };

  const slow = Array.from({ length: SLOW }, () => raw(port, 'GET /api/plan HTTP/1.1\r\nX: '));
  const deaf = Array.from({ length: DEAF }, (_, index) => {
    const { socket } = raw(port, get(index % 2 === 0 ? `/media/${id}` : '/api/events'));
    socket.on('data', () => socket.pause());
    return socket;
  });
  const state = { over: false };
  const agent = new Agent({ keepAlive: true, maxSockets: ASKING });
  const statuses = new Map<number, number>();
  const paths = [
    '/healthz',
    '/recordings/recorder.json',
    '/api/recordings',
    `/api/recordings/${id}`,
    '/api/plan',
    '/api/guide',
    '/api/upstreams',
    '/api/storage',
    '/metrics',
    '/nowhere',
  ];
  const ask = (path: string) =>
    new Promise<void>((resolve, reject) => {
      const take = (answer: IncomingMessage) => {
        statuses.set(answer.statusCode ?? 0, (statuses.get(answer.statusCode ?? 0) ?? 0) + 1);
        answer.resume().once('end', resolve).once('error', reject);
      };
      request({ host: '127.0.0.1', port, path, agent }, take).once('error', reject).end();
    });
  const asking = Array.from({ length: ASKING }, async (_, index) => {
    for (let turn = index; !state.over; turn += 1) await ask(paths[turn % paths.length] ?? '/');
  });
  const lying = (async () => {
    const answers: string[] = [];
    while (!state.over)
      for (const text of ugly(id)) answers.push((await raw(port, text).answer).slice(0, 12));
    return answers;
  })();

  const { completed } = await daemon.sees('both end', (report) => report.completed.length === 2, 90_000);
  state.over = true;
  const [answers] = await Promise.all([lying, ...asking]);
  agent.destroy();
  for (const socket of deaf) socket.destroy();
  for (const { socket } of slow) socket.destroy();

  expect(new Set(answers.map((answer) => answer.replace(/4\d\d$/, '4xx')))).toEqual(
    new Set(['HTTP/1.1 4xx']),
  );
  expect([...statuses.keys()].toSorted((a, b) => a - b)).toEqual([200, 404]);
  expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(500);
  for (const item of completed) {
    expect(item).toMatchObject({ outcome: 'complete', gap_count: 0 });
    expect(json((item.output_path ?? '').replace(/\.ts$/, '.catchupd.json'))).toMatchObject({
      gaps: [],
      joins: [],
      ts: { continuity_errors: 0, sync_losses: 0, skipped_bytes: 0 },
    });
    const { frames, errors } = await decode(item.output_path ?? '');
    expect(errors).toEqual([]);
    expect(breaksOf(frames, CLIP_FRAMES)).toEqual([]);
  }
  await until('their sockets and files are closed', () => filesOf(daemon.pid) <= before.files);
  expect(megabytesOf(daemon.pid) - before.megabytes).toBeLessThan(GROWTH_MB_MAX);
  expect(await daemon.stop()).toMatchObject({ code: 0 });
}, 180_000);
