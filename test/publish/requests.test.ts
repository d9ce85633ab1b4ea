/** Requests to the letter: as the formats page has them, and for Jellyfin as its own builders make them. */
import { Configuration } from '@jellyfin/sdk/lib/generated-client/configuration.js';
import { LibraryApiAxiosParamCreator } from '@jellyfin/sdk/lib/generated-client/api/library-api.js';
import { LibraryStructureApiAxiosParamCreator } from '@jellyfin/sdk/lib/generated-client/api/library-structure-api.js';
import { describe, expect, it } from 'vitest';
import type { Exchange, ExchangeRequest } from '../../src/io/exchange.js';
import { emby } from '../../src/publish/emby.js';
import { jellyfin } from '../../src/publish/jellyfin.js';
import type { Library } from '../../src/publish/mediaServer.js';
import { plex } from '../../src/publish/plex.js';
import { ITEM, SPORTS } from './serverBench.js';

/** Says 204 to everything and remembers what was asked. */
function recorder(): { exchange: Exchange; asked: ExchangeRequest[] } {
  const asked: ExchangeRequest[] = [];
  const ask = (request: ExchangeRequest) => {
    asked.push(request);
    return Promise.resolve({ status: 204, headers: {}, body: Buffer.from('{"Items":[]}') });
  };
  return { exchange: { ask }, asked };
}

const LIBRARY: Library = { id: '7', name: SPORTS.name, kind: 'movies', locations: [SPORTS.path] };
const AT = { url: 'http://nas:8096', token: 'KEY', clientId: 'client-1' };

describe('Jellyfin', () => {
  const sdk = new Configuration({ basePath: AT.url });
  type Built = {
    url: string;
    options: { method?: string; data?: string; headers?: Record<string, string> };
  };
  const same = (ours: ExchangeRequest | undefined, theirs: Built) => {
    const url = new URL(ours?.url ?? '');
    expect(url.pathname + url.search).toBe(theirs.url);
    expect(ours?.method).toBe(theirs.options.method);
    if (theirs.options.data !== undefined)
      expect(JSON.parse(ours?.body ?? '')).toEqual(JSON.parse(theirs.options.data));
  };

  it('is told of a folder as its own client would', async () => {
    const { exchange, asked } = recorder();
    await jellyfin.tell({ ...AT, exchange }, LIBRARY, { folder: ITEM, change: 'created' });
    const built = await LibraryApiAxiosParamCreator(sdk).postUpdatedMedia({
      Updates: [{ Path: ITEM, UpdateType: 'Created' }],
    });
    same(asked[0], built as Built);
    expect(asked[0]?.headers).toEqual({
      accept: 'application/json',
      'content-type': 'application/json',
      authorization: 'MediaBrowser Token="KEY"',
    });
  });

  it('is asked for a library as its own client would, without the paths that are cut at commas', async () => {
    const { exchange, asked } = recorder();
    await jellyfin.create({ ...AT, exchange }, { ...SPORTS, path: '/media/a,b' });
    const body = JSON.parse(asked[0]?.body ?? '') as { LibraryOptions: { PathInfos: unknown } };
    const built = await LibraryStructureApiAxiosParamCreator(sdk).addVirtualFolder(
      SPORTS.name,
      'movies',
      undefined,
      false,
      body,
    );
    same(asked[0], built as Built);
    expect(body.LibraryOptions.PathInfos).toEqual([{ Path: '/media/a,b' }]);
    expect(new URL(asked[0]?.url ?? '').searchParams.has('paths')).toBe(false);
  });

  it('is asked what it has as its own client would', async () => {
    const { exchange, asked } = recorder();
    await jellyfin.shows({ ...AT, exchange }, LIBRARY, ITEM);
    const creator = LibraryApiAxiosParamCreator(sdk);
    // Its arguments are some eighty, by place; their names are in its text.
    const names = /\(([^)]*)\)/.exec(creator.getItems.toString())?.[1]?.split(',') ?? [];
    const values: Readonly<Record<string, unknown>> = { parentId: '7', recursive: true, fields: ['Path'] };
    const given = names.map((name) => values[name.trim()]);
    const built = await (creator.getItems as (...all: unknown[]) => Promise<unknown>)(...given);
    const theirs = new URL((built as Built).url, AT.url);
    const ours = new URL(asked[0]?.url ?? '');
    expect(ours.pathname).toBe(theirs.pathname);
    expect(new Map(ours.searchParams)).toEqual(new Map(theirs.searchParams));
    expect([...ours.searchParams.keys()]).toHaveLength(3);
  });
});

describe('Emby', () => {
  it('is told in the body, with its own header', async () => {
    const { exchange, asked } = recorder();
    await emby.create({ ...AT, url: 'http://nas:8096/emby', exchange }, SPORTS);
    await emby.tell({ ...AT, exchange }, LIBRARY, { folder: ITEM, change: 'removed' });
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST http://nas:8096/emby/Library/VirtualFolders',
      'POST http://nas:8096/Library/Media/Updated',
    ]);
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      Name: 'Catchup Sports',
      CollectionType: 'movies',
      RefreshLibrary: false,
      Paths: ['/media/catchup/sports'],
      LibraryOptions: {},
    });
    expect(JSON.parse(asked[1]?.body ?? '')).toEqual({ Updates: [{ Path: ITEM, UpdateType: 'Deleted' }] });
    expect(asked[0]?.headers).toMatchObject({ 'x-emby-token': 'KEY' });
  });
});

describe('Plex', () => {
  it('is told of the folder by its number, and empties the trash of that library after a removal only', async () => {
    const { exchange, asked } = recorder();
    await plex.tell({ ...AT, exchange }, LIBRARY, { folder: ITEM, change: 'created' });
    await plex.tell({ ...AT, exchange }, LIBRARY, { folder: ITEM, change: 'removed' });
    const path = encodeURIComponent(ITEM);
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET http://nas:8096/library/sections/7/refresh?path=${path}`,
      `GET http://nas:8096/library/sections/7/refresh?path=${path}`,
      'PUT http://nas:8096/library/sections/7/emptyTrash',
    ]);
    expect(asked[0]?.headers).toMatchObject({
      accept: 'application/json',
      'x-plex-token': 'KEY',
      'x-plex-client-identifier': 'client-1',
    });
  });

  it('is asked for a library that reads our descriptions', async () => {
    const { exchange, asked } = recorder();
    expect(await plex.create({ ...AT, exchange }, SPORTS)).toBe('tv.plex.agents.nfo.movie');
    expect(Object.fromEntries(new URL(asked[0]?.url ?? '').searchParams)).toEqual({
      type: 'movie',
      name: 'Catchup Sports',
      agent: 'tv.plex.agents.nfo.movie',
      scanner: 'Plex Movie',
      language: 'en-US',
      location: '/media/catchup/sports',
    });
  });
});
