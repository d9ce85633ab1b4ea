/** The charts at a relay of the official inspector's own server package, as a viewer behind it gets them. */
import { createServer } from 'node:net';
import { createInspectorServer } from '@statelyai/inspect/server';
import { WebSocket } from 'undici';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/io/clock.js';
import { silentLog } from '../../src/log.js';
import { createInspector } from '../../src/runtime/inspect.js';
import { startInspectRelay } from '../../src/runtime/inspectRelay.js';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

type Wire = Readonly<Record<string, unknown>>;

it('a relay receives every living chart first, then what happens, without secrets', async () => {
  const inspector = createInspector(systemClock, () => undefined);
  const see = (id: string, src: string, value: string, context: object) =>
    inspector.tap({
      type: '@xstate.snapshot',
      actorRef: actors.get(`${id} ${src}`) ?? actor(id, src, context),
      snapshot: { status: 'active', value, context },
    } as never);
  const actors = new Map<string, object>();
  const actor = (id: string, src: string, context: object) => {
    const made = { id, src, getSnapshot: () => ({ context }) };
    actors.set(`${id} ${src}`, made);
    return made;
  };
  see('scheduler', '', 'running', {});
  see('1a2b3c4d', 'recording', 'published', { note: 'http://user:hunter2@host/live/u/hunter2/1.ts' });

  const port = await freePort();
  const server = createInspectorServer({ port, autoOpen: false });
  const got: Wire[] = [];
  const viewer = new WebSocket(`ws://127.0.0.1:${port}`);
  await new Promise((resolve) => viewer.addEventListener('open', resolve));
  let look: () => void = () => undefined;
  viewer.addEventListener('message', ({ data }) => {
    got.push(JSON.parse(String(data)) as Wire);
    look();
  });
  const until = (shows: () => boolean) =>
    new Promise<void>((resolve) => {
      look = () => {
        if (shows()) resolve();
      };
      look();
    });

  const relay = startInspectRelay(`ws://127.0.0.1:${port}`, inspector, {
    clock: systemClock,
    log: silentLog,
  });
  try {
    await until(() => got.length >= 4);
    expect(got.map(({ type, sessionId }) => `${String(type)} ${String(sessionId)}`)).toEqual([
      '@xstate.actor scheduler',
      '@xstate.snapshot scheduler',
      '@xstate.actor 1a2b3c4d',
      '@xstate.snapshot 1a2b3c4d',
    ]);
    expect(got[2]).toMatchObject({ rootId: 'scheduler', parentId: 'scheduler', id: null, _version: '0.7.2' });
    expect(JSON.parse(String(got[2]?.['definition']))).toMatchObject({
      id: 'recording',
      initial: 'scheduled',
    });
    expect(got[3]).toMatchObject({ snapshot: { status: 'active', value: 'published' } });

    see('guide/m3u-1', 'guide', 'fetching', {});
    inspector.tap({
      type: '@xstate.event',
      actorRef: actors.get('1a2b3c4d recording'),
      event: { type: 'KEEP', at: 1 },
    } as never);
    await until(() => got.length >= 7);
    expect(got.slice(4).map(({ type }) => type)).toEqual([
      '@xstate.actor',
      '@xstate.snapshot',
      '@xstate.event',
    ]);
    expect(got[6]).toMatchObject({ sessionId: '1a2b3c4d', event: { type: 'KEEP', at: 1 } });
    expect(JSON.stringify(got)).not.toContain('hunter2');
    for (const { createdAt } of got) expect(createdAt).toMatch(/^\d+$/);
  } finally {
    relay.stop();
    viewer.close();
    server.stop();
  }
});
