/**
 * Jellyfin (PROTOCOLS §2.2). Only the `Authorization` header, and only the token in it: what Emby's clients send is
 * refused since 12.0, and a device name would rewrite the device. The folder goes in the body, because the `paths` of
 * the query is cut at commas; a name that exists would become "Name2", so the caller has looked before.
 */
import type { LibraryKind } from '../domain/libraryKind.js';
import { isRecord, textIn, textsIn } from './answer.js';
import { collectionKind, collectionType, embyFamily } from './embyFamily.js';
import { ServerFault, type MediaServer, type ServerAccess } from './mediaServer.js';
import { call, jsonOf, type Call, type Reply } from './serverCall.js';

const FOLDERS = '/Library/VirtualFolders';
const SCREEN_GRABBER = ['Screen Grabber'];

const TYPES: Readonly<Record<LibraryKind, readonly string[]>> = {
  movies: ['Movie'],
  shows: ['Series', 'Season', 'Episode'],
};

export const jellyfin: MediaServer = {
  kind: 'jellyfin',
  ...embyFamily(ask, 'Jellyfin', 'small'),

  async libraries(access) {
    const folders = jsonOf(await ask(access, { method: 'GET', path: FOLDERS }));
    if (!Array.isArray(folders)) throw new ServerFault('server_failing', 'the answer is none of Jellyfin');
    return folders.filter(isRecord).map((folder) => ({
      id: textIn(folder, 'ItemId'),
      name: textIn(folder, 'Name'),
      kind: collectionKind(textIn(folder, 'CollectionType')),
      locations: textsIn(folder, 'Locations'),
    }));
  },

  async create(access, wish) {
    await ask(access, {
      method: 'POST',
      path: FOLDERS,
      query: { name: wish.name, collectionType: collectionType(wish.kind), refreshLibrary: 'false' },
      json: { LibraryOptions: { ...optionsOf(wish.kind), PathInfos: [{ Path: wish.path }] } },
    });
    return 'nfo';
  },
};

/** Nothing is fetched and nothing is written beside the media: the `.nfo` is all there is to know. */
function optionsOf(kind: LibraryKind) {
  return {
    EnableRealtimeMonitor: true,
    SaveLocalMetadata: false,
    MetadataSavers: [],
    LocalMetadataReaderOrder: ['Nfo'],
    AutomaticRefreshIntervalDays: 0,
    EnableChapterImageExtraction: false,
    EnableTrickplayImageExtraction: false,
    TypeOptions: TYPES[kind].map((Type) => ({
      Type,
      MetadataFetchers: [],
      MetadataFetcherOrder: [],
      ImageFetchers: SCREEN_GRABBER,
      ImageFetcherOrder: SCREEN_GRABBER,
    })),
  };
}

function ask(access: ServerAccess, asked: Omit<Call, 'headers'>): Promise<Reply> {
  return call(access, { ...asked, headers: { authorization: `MediaBrowser Token="${access.token}"` } });
}
