/** What every media server must do, asked of each in the array. */
import { describe, expect, it } from 'vitest';
import { ensureLibrary, libraryHolding } from '../../src/publish/library.js';
import { MEDIA_SERVERS } from '../../src/publish/mediaServers.js';
import { ServerFault } from '../../src/publish/mediaServer.js';
import type { FakeMediaServer } from '../fakes/mediaServer.js';
import { accessTo, ITEM, memory, PAIRS, SPORTS } from './serverBench.js';

async function faultOf(task: Promise<unknown>): Promise<Pick<ServerFault, 'code' | 'moment' | 'detail'>> {
  try {
    await task;
  } catch (error) {
    if (error instanceof ServerFault) return error;
    throw error;
  }
  throw new Error('it went well');
}

it('no media server is left out', () => {
  expect(PAIRS.map(({ server }) => server)).toEqual(MEDIA_SERVERS);
});

describe.each(PAIRS.map((pair) => ({ ...pair, kind: pair.server.kind })))(
  '$kind',
  ({ server, start, type }) => {
    const now = Date.UTC(2026, 10, 23, 20);

    async function withFake(
      run: (fake: FakeMediaServer) => Promise<void>,
      options: Parameters<typeof start>[0] = {},
    ): Promise<void> {
      const fake = await start(options);
      try {
        await run(fake);
      } finally {
        await fake.close();
      }
    }
    const ensure = (
      fake: FakeMediaServer,
      kept = memory(),
      wish: Parameters<typeof ensureLibrary>[0]['wish'] = SPORTS,
    ) => ensureLibrary({ server, access: accessTo(fake), wish, memory: kept, now });

    it('says who it is, and refuses a wrong token', () =>
      withFake(async (fake) => {
        expect(await server.check(accessTo(fake))).toMatch(/^Fake /);
        expect(await faultOf(server.check(accessTo(fake, { token: 'wrong' })))).toMatchObject({
          code: 'server_refused',
        });
      }));

    it('makes a library once, however often it is asked for, and knows it again without a memory', () =>
      withFake(async (fake) => {
        const kept = memory();
        const first = await ensure(fake, kept);
        expect(first).toMatchObject({
          isNew: true,
          library: { name: SPORTS.name, kind: 'movies', locations: [SPORTS.path] },
        });
        expect(first.library.id).not.toBe('');
        expect(kept.now()).toMatchObject({ id: first.library.id, path: SPORTS.path, askedAt: null });
        expect(await ensure(fake, kept)).toMatchObject({ isNew: false, library: first.library });
        expect(await ensure(fake)).toMatchObject({ isNew: false, library: first.library });
        expect(fake.libraries).toHaveLength(1);
      }));

    it('makes a library of series where the lane is one', () =>
      withFake(async (fake) => {
        const wish = { name: 'Catchup Series', kind: 'shows', path: '/media/catchup/series' } as const;
        expect((await ensure(fake, memory(), wish)).library.kind).toBe('shows');
        expect(fake.libraries[0]?.type).toMatch(/show/);
      }));

    it('takes a path with commas, blanks, quotes and letters of any alphabet as it is', () =>
      withFake(async (fake) => {
        const wish = {
          name: 'Käse & "Brot", عربي',
          kind: 'movies',
          path: '/media/a, b & c/спорт "x"',
        } as const;
        const { library } = await ensure(fake, memory(), wish);
        expect(library).toMatchObject({ name: wish.name, locations: [wish.path] });
        const folder = `${wish.path}/Ж & <x>, "y" 100%`;
        await server.tell(accessTo(fake), library, { folder, change: 'created' });
        expect(fake.scans.map((scan) => scan.folder)).toEqual([folder]);
      }));

    it('uses the library that has the folder, whatever its name, with or without a slash at its end', () =>
      withFake(
        async (fake) => {
          expect(await ensure(fake)).toMatchObject({ isNew: false, library: { name: 'My Sports' } });
          expect(fake.libraries).toHaveLength(1);
        },
        { libraries: [{ id: '7', name: 'My Sports', type, locations: ['/other', `${SPORTS.path}/`] }] },
      ));

    it('makes no second library of a name that has another folder, and says so', () =>
      withFake(
        async (fake) => {
          expect(await faultOf(ensure(fake))).toMatchObject({ code: 'library_conflict' });
          expect(fake.libraries).toHaveLength(1);
          expect(fake.requests.filter(({ method }) => method === 'POST')).toEqual([]);
        },
        { libraries: [{ id: '7', name: 'catchup sports', type, locations: ['/elsewhere'] }] },
      ));

    it('uses no library of another kind', () =>
      withFake(
        async (fake) => {
          const wish = { ...SPORTS, kind: 'shows' } as const;
          expect(await faultOf(ensure(fake, memory(), wish))).toMatchObject({ code: 'library_conflict' });
          expect(fake.libraries).toHaveLength(1);
        },
        { libraries: [{ id: '7', name: SPORTS.name, type, locations: [SPORTS.path] }] },
      ));

    it('is not asked for the same library again before a lost answer has had time to come true', () =>
      withFake(async (fake) => {
        fake.setMood({ kind: 'deaf', method: 'POST' });
        const kept = memory();
        expect(await faultOf(ensure(fake, kept))).toMatchObject({
          code: 'server_failing',
          moment: 'unclear',
        });
        expect(kept.now()).toMatchObject({ askedAt: now });
        expect(fake.libraries).toHaveLength(1);
        const [made] = fake.libraries.splice(0);
        // It takes its time to show.
        expect(await faultOf(ensure(fake, kept))).toMatchObject({ code: 'library_pending' });
        expect(fake.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
        if (made) fake.libraries.push(made);
        expect(await ensure(fake, kept)).toMatchObject({ library: { name: SPORTS.name }, isNew: true });
        expect(fake.libraries).toHaveLength(1);
      }));

    it('looks at the one folder that changed, and at no library as a whole', () =>
      withFake(async (fake) => {
        const { library } = await ensure(fake);
        await server.tell(accessTo(fake), library, { folder: ITEM, change: 'created' });
        await server.tell(accessTo(fake), library, { folder: ITEM, change: 'removed' });
        expect(fake.scans.map(({ folder }) => folder)).toEqual([ITEM, ITEM]);
        expect(fake.wholeScans).toEqual([]);
      }));

    it('says whether it shows an item', () => {
      const media: string[] = [];
      return withFake(
        async (fake) => {
          const { library } = await ensure(fake);
          expect(await server.shows(accessTo(fake), library, ITEM)).toBe(false);
          media.push(`${ITEM}-2/other.ts`);
          expect(await server.shows(accessTo(fake), library, ITEM)).toBe(false);
          media.push(`${ITEM}/Man-Utd.ts`);
          expect(await server.shows(accessTo(fake), library, ITEM)).toBe(true);
        },
        { media: () => media },
      );
    });

    it('says whether it shows one episode of a season that has others', () => {
      const season = '/media/catchup/series/Käse & "Brot"/Season 01';
      const media = [`${season}/B - S01E02.ts`];
      return withFake(
        async (fake) => {
          const wish = { name: 'Catchup Series', kind: 'shows', path: '/media/catchup/series' } as const;
          const { library } = await ensure(fake, memory(), wish);
          expect(await server.shows(accessTo(fake), library, `${season}/B - S01E01.ts`)).toBe(false);
          media.push(`${season}/B - S01E01.ts`);
          expect(await server.shows(accessTo(fake), library, `${season}/B - S01E01.ts`)).toBe(true);
        },
        { media: () => media },
      );
    });

    it('that is starting, down or overloaded is a fault that passes', () =>
      withFake(async (fake) => {
        fake.setMood({ kind: 'status', status: 503, headers: { 'retry-after': '7' } });
        expect(await faultOf(ensure(fake))).toMatchObject({ code: 'server_failing', retryAfterMs: 7_000 });
        await fake.down();
        expect(await faultOf(ensure(fake))).toMatchObject({ code: 'server_unreachable', moment: 'before' });
      }));

    it('that hangs is left when we are told to', () =>
      withFake(async (fake) => {
        fake.setMood({ kind: 'hang' });
        const leave = new AbortController();
        const asked = faultOf(server.libraries(accessTo(fake, { signal: leave.signal })));
        leave.abort();
        expect(await asked).toMatchObject({ code: 'server_failing', moment: 'unclear' });
      }));

    it('answers slowly and is waited for', () =>
      withFake(async (fake) => {
        fake.setMood({ kind: 'slow', ms: 30 });
        expect((await ensure(fake)).isNew).toBe(true);
      }));

    it('that is no media server but a web page is a fault', () =>
      withFake(async (fake) => {
        const page = await start({});
        page.setMood({ kind: 'redirect', to: `http://127.0.0.1:${fake.port}` });
        await page.close();
        const html = accessTo(fake, {
          exchange: {
            ask: () => Promise.resolve({ status: 200, headers: {}, body: Buffer.from('<html><p>hi') }),
          },
        });
        expect(await faultOf(server.libraries(html))).toMatchObject({ code: 'server_failing' });
      }));

    it('that has moved on its host is followed with token and body, to another host it is not', () =>
      withFake(async (fake) => {
        const old = await start({});
        try {
          old.setMood({ kind: 'redirect', to: fake.url });
          const { library } = await ensureLibrary({
            server,
            access: accessTo(old),
            wish: SPORTS,
            memory: memory(),
            now,
          });
          expect(library.locations).toEqual([SPORTS.path]);
          old.setMood({ kind: 'redirect', to: `http://localhost:${fake.port}` });
          const before = fake.requests.length;
          const fault = await faultOf(server.libraries(accessTo(old)));
          expect(fault).toMatchObject({ code: 'server_redirects' });
          expect(fake.requests).toHaveLength(before);
          old.setMood({ kind: 'redirect', to: old.url });
          expect(await faultOf(server.libraries(accessTo(old)))).toMatchObject({ code: 'server_redirects' });
        } finally {
          await old.close();
        }
      }));

    it('keeps its token out of addresses and of whatever a fault says', () =>
      withFake(async (fake) => {
        await ensure(fake);
        expect(fake.requests.filter(({ query }) => query.toString().includes(fake.token))).toEqual([]);
        for (const status of [401, 403, 404, 500]) {
          fake.setMood({ kind: 'status', status });
          expect(JSON.stringify(await faultOf(server.libraries(accessTo(fake))))).not.toContain(fake.token);
        }
      }));
  },
);

describe('the library that holds a folder', () => {
  const library = (name: string, ...locations: string[]) => ({
    id: name,
    name,
    kind: 'movies' as const,
    locations,
  });

  it('is the one whose folder is the closest', () => {
    const all = [
      library('all', '/media'),
      library('sports', '/media/sports'),
      library('sport', '/media/sport'),
    ];
    expect(libraryHolding(all, '/media/sports/x').name).toBe('sports');
    expect(libraryHolding(all, '/media/news/x').name).toBe('all');
    expect(() => libraryHolding(all.slice(1), '/media/news/x')).toThrow(ServerFault);
  });

  it('is found on Windows, whatever the slashes and the case', () => {
    expect(libraryHolding([library('w', 'z:\\Media\\Sports\\')], 'Z:\\media\\sports\\X').name).toBe('w');
  });
});
