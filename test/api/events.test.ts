/** Server-sent events as a browser reads them, cut off and taken up again. */
import { afterEach, expect, it } from 'vitest';
import { startApi, type Api } from '../../src/api/server.js';
import { createInspector } from '../../src/runtime/inspect.js';
import { createNews } from '../../src/runtime/news.js';
import { systemClock } from '../../src/io/clock.js';
import { doorsThat } from './aDoor.js';

const open: Api[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.close()));
});

async function start(changes: Parameters<typeof doorsThat>[0]): Promise<string> {
  const api = await startApi({
    host: '127.0.0.1',
    port: 0,
    access: { token: null, noAuth: false },
    publicUrl: null,
    doors: doorsThat(changes),
  });
  open.push(api);
  return api.address;
}

interface SeenEvent {
  readonly id: string;
  readonly name: string;
  readonly data: Record<string, unknown>;
}

/** Reads until `enough`; what is open then is left. */
async function events(
  url: string,
  enough: (seen: readonly SeenEvent[]) => boolean,
  lastId?: string,
): Promise<SeenEvent[]> {
  const leave = new AbortController();
  const response = await fetch(url, {
    signal: leave.signal,
    headers: lastId === undefined ? {} : { 'last-event-id': lastId },
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const seen: SeenEvent[] = [];
  let text = '';
  const reader = response.body!.getReader();
  while (!enough(seen)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += Buffer.from(value as Uint8Array).toString();
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
      if (field('event') !== '')
        seen.push({ id: field('id'), name: field('event'), data: JSON.parse(field('data')) as never });
    }
  }
  leave.abort();
  return seen;
}

it('news reach a viewer, each once, and whoever was away hears what he missed', async () => {
  const news = createNews(systemClock);
  const url = `${await start({ news, shown: ({ kind, id }) => ({ kind, id }) })}/api/events`;
  const first = events(url, (seen) => seen.length === 3);
  const told = setInterval(() => {
    news.tell('recording', 'a');
    news.tell('recording', 'a');
    news.tell('plan', '');
  }, 50);
  const seen = await first;
  clearInterval(told);
  expect(seen[0]?.name).toBe('reset');
  expect(seen.slice(1).map(({ name }) => name)).toEqual(['recording', 'plan']);
  expect(seen[1]?.data).toEqual({ kind: 'recording', id: 'a' });

  news.tell('recording', 'b');
  const after = await events(url, (all) => all.some(({ data }) => data['id'] === 'b'), seen[2]?.id);
  expect(after.map(({ name }) => name)).not.toContain('reset');
  const numbers = after.map(({ id }) => Number(id.split('-')[1]));
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  const unknown = await events(url, (all) => all.length === 1, 'other-7');
  expect(unknown[0]?.name).toBe('reset');
});

it('what is forgotten is said to be forgotten', () => {
  const news = createNews(systemClock);
  for (let each = 0; each < 5_000; each += 1) news.tell('recording', String(each));
  expect(news.after(10)).toBeNull();
  expect(news.after(news.last() - 3)).toHaveLength(3);
  expect(news.after(news.last() + 1)).toBeNull();
});

it('a viewer that throws is let go, and what is watched goes on without it', async () => {
  const errors: unknown[] = [];
  const inspector = createInspector(systemClock, (error) => errors.push(error));
  const actorRef = { id: 'scheduler' };
  const snapshot = (value: string) =>
    inspector.tap({
      type: '@xstate.snapshot',
      actorRef,
      snapshot: { status: 'active', value, context: {} },
    } as never);
  snapshot('recovering');
  inspector.watch(() => {
    throw new Error('this viewer');
  });
  const seen = new Promise<unknown>((resolve) => inspector.watch((all) => resolve(all)));
  snapshot('running');
  expect(await seen).toMatchObject([{ type: 'state', id: 'scheduler', state: 'running' }]);
  expect(errors).toHaveLength(1);
  snapshot('draining');
  expect(inspector.machines()).toMatchObject([{ id: 'scheduler', kind: 'scheduler', state: 'draining' }]);
  inspector.tap({ type: '@xstate.snapshot', actorRef: null } as never);
  expect(errors).toHaveLength(2);
});
