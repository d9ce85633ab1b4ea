/**
 * Every address of the door to a real daemon, in the hours of a stormy day: whatever is answered, the failures too, has
 * the shape that `/api/openapi.json` says, and nothing that it does not say.
 */
import { expect, it } from 'vitest';
import { startApi } from '../../src/api/server.js';
import { seededRandom } from '../../src/io/random.js';
import { daemonViews } from '../../src/runtime/daemonViews.js';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from '../sim/daemonWorld.js';
import { createStorm } from '../sim/storm.js';
import { statedBy } from './statedAnswers.js';

const LOOKS = 2;
const STEP_MS = 20;
const TURNS = 200;
/** By nobody. */
const NOBODY = 'ffffffff';

/** Lets the world go on until it has answered. Most answers take none of its time, only a few turns of the socket. */
async function answered<T>({ clock }: DaemonWorld, task: Promise<T>): Promise<T> {
  const state = { settled: false };
  const note = () => void (state.settled = true);
  task.then(note, note);
  for (let turns = 1; !state.settled; turns += 1) {
    await new Promise(setImmediate);
    if (turns % TURNS === 0) await clock.run(STEP_MS);
  }
  return task;
}

/** The operation, and what is asked of it. */
type Asked = readonly [operation: string, path: string];

function requests(world: DaemonWorld): Asked[] {
  const { book } = world.daemon();
  const one = new Map([...book.all()].map(({ id, path }) => [path.split('.')[0], id]));
  const ids = [...one.values(), NOBODY, 'not-an-id'];
  const { decisions } = world.outlook();
  const capsule = encodeURIComponent(decisions.at(-1)?.capsule.capsuleId ?? 'none');
  const title = encodeURIComponent(decisions[0]?.capsule.title ?? '');
  const on = (operation: string, ...paths: string[]) => paths.map((path): Asked => [operation, path]);
  return [
    ...on('GET /healthz', '/healthz'),
    ...on('GET /readyz', '/readyz'),
    ...on('GET /metrics', '/metrics'),
    ...on(
      'GET /recordings/recorder.json',
      '/recordings/recorder.json',
      '/recordings/recorder.json?limit=0',
      '/recordings/recorder.json?limit=x',
    ),
    ...on(
      'GET /api/recordings',
      ...[
        '',
        '?state=running',
        '?state=quarantined',
        '?state=runing',
        '?state=failed&limit=3',
        '?q=e&offset=2',
        '?limit=-1',
        '?order=oldest',
        '?order=x',
      ].map((search) => `/api/recordings${search}`),
    ),
    ...ids.flatMap((id) => [
      ...on('GET /api/recordings/{id}', `/api/recordings/${id}`),
      ...on('GET /api/recordings/{id}/past', `/api/recordings/${id}/past`),
      ...on('GET /media/{id}', `/media/${id}`),
      ...on('GET /media/{id}/index.m3u8', `/media/${id}/index.m3u8`),
      ...on('GET /media/{id}/seg/{file}', `/media/${id}/seg/0.ts`),
    ]),
    ...on('GET /api/plan', '/api/plan'),
    ...on('GET /api/guide', '/api/guide', '/api/guide?limit=0&q=e', '/api/guide?from=never'),
    ...on('GET /api/why', `/api/why?q=${title}`, '/api/why?q=channel', '/api/why', '/api/why?q=a&q=b'),
    ...on('GET /api/upstreams', '/api/upstreams'),
    ...on('GET /api/storage', '/api/storage'),
    ...on('GET /api/sources', '/api/sources'),
    ...on('GET /api/machines', '/api/machines'),
    ...on('GET /api/words', '/api/words'),
    ...on('GET /api/charts', '/api/charts'),
    ...on('GET /api/events', '/api/events'),
    ...on('GET /api/inspect', '/api/inspect'),
    ...on('GET /api/openapi.json', '/api/openapi.json'),
    ...on('GET /', '/'),
    ...on('GET /inspect', '/inspect'),
    ...on('GET /assets/{name}', '/assets/none.js'),
    ...on(
      'POST /api/programmes/{capsule_id}/{word}',
      ...['want', 'skip', 'forget', 'love'].map((word) => `/api/programmes/${capsule}/${word}`),
      '/api/programmes/none/want',
    ),
    ...ids.flatMap((id) =>
      on(
        'POST /api/recordings/{id}/{command}',
        ...['keep', 'unkeep', 'cancel', 'retry', 'burn'].map((verb) => `/api/recordings/${id}/${verb}`),
      ),
    ),
    ...on(
      'POST /api/recordings/{id}/{command}',
      ...[one.get('published') ?? NOBODY, '', NOBODY].map((id) => `/api/recordings/${id || '%20'}/delete`),
    ),
  ];
}

it('whatever is asked, on a good day and a bad one, is answered as the OpenAPI document says', async () => {
  const storm = createStorm(seededRandom(11));
  const world = await createDaemonWorld({
    seed: 11,
    channels: 4,
    onAir: 0.9,
    options: { 'max-concurrency': '1' },
    weather: (parts, answer) => storm.weather(parts, answer),
  });
  await world.boot();
  const states = new Set<string>();
  const words = new Set<string>();
  const wrong: string[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    await storm.run(world, HOUR_MS);
    if (!world.isRunning()) await world.boot();
    const daemon = world.daemon();
    for (const { path } of daemon.book.all()) states.add(path.split('.')[0] ?? '');
    const api = await startApi({
      host: '127.0.0.1',
      port: 0,
      access: { token: null, noAuth: false },
      publicUrl: null,
      doors: {
        ...daemonViews(daemon, world.config, world.disk, '1.2.3'),
        health() {
          const { degraded } = daemon.status();
          return { ok: true, degraded: degraded !== null, problem: degraded };
        },
      },
    });
    try {
      const stated = await statedBy(api.address);
      for (const [operation, path] of requests(world)) {
        const [method = 'GET'] = operation.split(' ');
        const answer = await answered(world, fetch(`${api.address}${path}`, { method }));
        const faults = await stated.check(operation, answer);
        wrong.push(...faults.map((fault) => `${method} ${path}: ${fault}`));
      }
      // Whoever adds an address adds it here as well.
      const asked = new Set([...stated.seen].map((each) => each.replace(/ \d+$/, '')));
      expect(stated.operations.filter((each) => !asked.has(each))).toEqual([]);
      for (const each of stated.seen) words.add(each);
    } finally {
      await api.close();
    }
  }
  await world.stop();
  expect(wrong).toEqual([]);
  // It was no quiet day: of these each was there to be shown.
  expect([...states]).toEqual(expect.arrayContaining(['scheduled', 'spooling', 'published', 'failed']));
  for (const each of [
    'GET /api/recordings/{id} 200',
    'GET /api/recordings/{id} 404',
    'GET /api/recordings 400',
    'POST /api/recordings/{id}/{command} 200',
    'POST /api/recordings/{id}/{command} 404',
    'POST /api/recordings/{id}/{command} 409',
    'POST /api/programmes/{capsule_id}/{word} 200',
  ])
    expect([...words]).toContain(each);
});
