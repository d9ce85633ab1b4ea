/** The fakes are as strict as the servers they stand for: each rule, and what breaks it. */
import { describe, expect, it } from 'vitest';
import { ensureLibrary } from '../../src/publish/library.js';
import { emby } from '../../src/publish/emby.js';
import { jellyfin } from '../../src/publish/jellyfin.js';
import { plex } from '../../src/publish/plex.js';
import { startFakeEmby } from '../fakes/emby.js';
import { startFakeJellyfin } from '../fakes/jellyfin.js';
import type { FakeMediaServer } from '../fakes/mediaServer.js';
import { startFakePlex } from '../fakes/plex.js';
import { accessTo, ITEM, memory, SPORTS } from './serverBench.js';

async function using<T>(
  starting: Promise<FakeMediaServer>,
  run: (fake: FakeMediaServer) => Promise<T>,
): Promise<T> {
  const fake = await starting;
  try {
    return await run(fake);
  } finally {
    await fake.close();
  }
}

const json = (body: unknown) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});
const withToken = (init: { headers?: object }, headers: object) => ({
  ...init,
  headers: { ...init.headers, ...headers },
});

describe('the fake of Jellyfin', () => {
  const auth = { authorization: 'MediaBrowser Token="s3cret-token"' };
  const folders = (fake: FakeMediaServer, query: string) => `${fake.url}/Library/VirtualFolders?${query}`;

  it.each([
    ['X-Emby-Token', { 'x-emby-token': 's3cret-token' }],
    ['X-MediaBrowser-Token', { 'x-mediabrowser-token': 's3cret-token' }],
    ['X-Emby-Authorization', { 'x-emby-authorization': 'MediaBrowser Token="s3cret-token"' }],
    ['a bearer', { authorization: 'Bearer s3cret-token' }],
  ])('refuses %s', (_, headers) =>
    using(startFakeJellyfin(), async (fake) => {
      expect((await fetch(`${fake.url}/Library/VirtualFolders`, { headers })).status).toBe(401);
      expect((await fetch(`${fake.url}/Library/VirtualFolders?api_key=s3cret-token`)).status).toBe(401);
    }),
  );

  it('makes "Name2" of a name that exists, and cuts `paths` at commas', () =>
    using(startFakeJellyfin(), async (fake) => {
      const make = (query: string, body: unknown = {}) =>
        fetch(folders(fake, query), withToken(json(body), auth));
      const infos = { LibraryOptions: { PathInfos: [{ Path: '/a,b' }] } };
      expect((await make('name=One&collectionType=movies', infos)).status).toBe(204);
      expect((await make('name=One&collectionType=movies', infos)).status).toBe(204);
      await make('name=Two&collectionType=movies&paths=/a,b', infos);
      expect(fake.libraries.map(({ name, locations }) => [name, locations])).toEqual([
        ['One', ['/a,b']],
        ['One2', ['/a,b']],
        ['Two', ['/a', 'b']],
      ]);
      expect((await make('name=Three&collectionType=films')).status).toBe(400);
    }));

  it('takes a path that it does not know for all of the library above it', () =>
    using(startFakeJellyfin(), async (fake) => {
      const updates = { Updates: [{ Path: '/elsewhere/x', UpdateType: 'Created' }] };
      await fetch(`${fake.url}/Library/Media/Updated`, withToken(json(updates), auth));
      expect(fake.wholeScans).toEqual(['/elsewhere/x']);
      const form = { method: 'POST', body: 'Path=/x', headers: auth };
      expect((await fetch(`${fake.url}/Library/Media/Updated`, form)).status).toBe(415);
    }));
});

describe('the fake of Plex', () => {
  const auth = { 'x-plex-token': 's3cret-token' };

  it('answers XML where no JSON is asked for', () =>
    using(startFakePlex(), async (fake) => {
      const answer = await fetch(`${fake.url}/library/sections`, { headers: { ...auth, accept: '*/*' } });
      expect(await answer.text()).toContain('<MediaContainer');
    }));

  it('says 200 to a foreign path, to a file, and to a whole scan, and looks at neither folder', () =>
    using(
      startFakePlex({ libraries: [{ id: '7', name: 'x', type: 'movie', locations: ['/m'] }] }),
      async (fake) => {
        const refresh = (query: string) =>
          fetch(`${fake.url}/library/sections/7/refresh${query}`, { headers: auth });
        const answers = await Promise.all(['?path=/n/x', '?path=/m/x/x.ts', ''].map(refresh));
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
        expect(fake.scans).toEqual([]);
        expect(fake.wholeScans).toEqual(['x']);
      },
    ));

  it.each([
    ['an unknown agent', 'type=movie&name=x&agent=none&scanner=Plex+Movie&language=en&location=/m'],
    ['an unknown scanner', 'type=movie&name=x&agent=tv.plex.agents.none&scanner=x&language=en&location=/m'],
    [
      'a number as type',
      'type=1&name=x&agent=tv.plex.agents.none&scanner=Plex+Movie&language=en&location=/m',
    ],
    [
      'a path that is not there',
      'type=movie&name=x&agent=tv.plex.agents.none&scanner=Plex+Movie&language=en&location=/no',
    ],
  ])('refuses a library with %s', (_, query) =>
    using(startFakePlex({ folderExists: (path) => path === '/m' }), async (fake) => {
      const answer = await fetch(`${fake.url}/library/sections?${query}`, { method: 'POST', headers: auth });
      expect(answer.status).toBe(400);
    }),
  );
});

describe('the fake of Emby', () => {
  const auth = { 'x-emby-token': 's3cret-token' };

  it('refuses the query form that Jellyfin takes, and a header of Jellyfin', () =>
    using(startFakeEmby(), async (fake) => {
      const query = `${fake.url}/emby/Library/VirtualFolders?name=x&collectionType=movies`;
      expect((await fetch(query, { method: 'POST', headers: auth })).status).toBe(400);
      const authorization = 'MediaBrowser Token="s3cret-token"';
      expect((await fetch(`${fake.url}/System/Info`, { headers: { authorization } })).status).toBe(401);
    }));
});

describe('Plex in all its ways', () => {
  it.each([
    ['before there was a reader of .nfo', { nfoAgent: false }, 'tv.plex.agents.none'],
    ['that answers XML whatever is asked', { alwaysXml: true }, 'tv.plex.agents.nfo.movie'],
    ['that gives a list of one as an object', { singleAsObject: true }, 'tv.plex.agents.nfo.movie'],
  ])('%s has its library', (_, options, agent) =>
    using(startFakePlex(options), async (fake) => {
      const kept = memory();
      const input = { server: plex, access: accessTo(fake), wish: SPORTS, memory: kept, now: 1 };
      const { library } = await ensureLibrary(input);
      expect(await ensureLibrary(input)).toMatchObject({ isNew: false, library });
      expect(kept.now()).toMatchObject({ agent });
      expect(fake.libraries).toMatchObject([{ name: SPORTS.name, agent }]);
      expect(await plex.check(accessTo(fake))).toBe('Fake Plex 1.43.1');
    }),
  );

  it('is told by POST where it does not know the GET', () =>
    using(startFakePlex({ scanByPost: true }), async (fake) => {
      const { library } = await ensureLibrary({
        server: plex,
        access: accessTo(fake),
        wish: SPORTS,
        memory: memory(),
        now: 1,
      });
      await plex.tell(accessTo(fake), library, { folder: ITEM, change: 'created' });
      expect(fake.scans.map(({ folder }) => folder)).toEqual([ITEM]);
    }));

  it('that has not got the folder says so, and is not asked for ever', () =>
    using(startFakePlex({ folderExists: () => false }), async (fake) => {
      const made = plex.create(accessTo(fake), SPORTS);
      await expect(made).rejects.toMatchObject({ code: 'server_rejected' });
      expect(fake.requests).toHaveLength(2);
    }));
});

describe('Emby and Jellyfin in all their ways', () => {
  it.each([{ old: true }, { createStatus: 204 as const }])('Emby that is %o has its library', (options) =>
    using(startFakeEmby(options), async (fake) => {
      const input = { server: emby, access: accessTo(fake), wish: SPORTS, memory: memory(), now: 1 };
      const { library } = await ensureLibrary(input);
      expect(library.id).not.toBe('');
      expect(await ensureLibrary(input)).toMatchObject({ isNew: false, library });
    }),
  );

  it('Jellyfin that gives no id at first has its library all the same', () =>
    using(startFakeJellyfin({ idsComeLate: true }), async (fake) => {
      const input = { server: jellyfin, access: accessTo(fake), wish: SPORTS, memory: memory(), now: 1 };
      const { library } = await ensureLibrary(input);
      expect(library).toMatchObject({ id: '', name: SPORTS.name });
      expect(await ensureLibrary(input)).toMatchObject({ isNew: false });
      expect(await jellyfin.shows(accessTo(fake), library, ITEM)).toBeNull();
      expect(fake.libraries).toHaveLength(1);
    }));
});
