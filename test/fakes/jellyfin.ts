/**
 * Jellyfin as PROTOCOLS §2.2 says it is since 12.0: no legacy header, "Name2" for a name that exists, `paths` cut at
 * commas and above what the body says, the nearest known folder for a path that it does not know.
 */
import {
  bodyOf,
  jsonAnswer,
  startFake,
  updatesOf,
  type FakeAnswer,
  type FakeMediaServer,
  type FakeOptions,
  type FakeState,
  type SeenRequest,
} from './mediaServer.js';

export interface FakeJellyfinOptions extends FakeOptions {
  /** A new library has no id until it was looked at. */
  readonly idsComeLate?: boolean;
}

const TYPES = ['movies', 'tvshows', 'music', 'homevideos', 'boxsets', 'books', 'mixed', 'musicvideos'];

export function startFakeJellyfin(options: FakeJellyfinOptions = {}): Promise<FakeMediaServer> {
  return startFake(options, answerOfJellyfin(options));
}

/** What it says to a request, wherever that comes from. */
export function answerOfJellyfin(
  options: FakeJellyfinOptions,
): (request: SeenRequest, state: FakeState) => FakeAnswer {
  const exists = options.folderExists ?? (() => true);
  return (request, state): FakeAnswer => {
    const { method, path, query } = request;
    const route = `${method} ${path}`;
    if (route === 'GET /System/Info/Public')
      return jsonAnswer({ ServerName: 'Fake Jellyfin', Version: '12.0.0' });
    const auth = request.headers['authorization'] ?? '';
    if (auth !== `MediaBrowser Token="${state.token}"` && query.get('ApiKey') !== state.token)
      return { status: 401 };
    switch (route) {
      case 'GET /System/Info':
        return jsonAnswer({ ServerName: 'Fake Jellyfin', Version: '12.0.0' });
      case 'GET /Library/VirtualFolders':
        return jsonAnswer(
          state.libraries.map(({ id, name, type, locations }) => ({
            Name: name,
            CollectionType: type,
            ...(options.idsComeLate !== true && { ItemId: id }),
            Locations: locations,
            LibraryOptions: {},
            RefreshStatus: 'Idle',
          })),
        );
      case 'POST /Library/VirtualFolders':
        return create(request, state, exists);
      case 'POST /Library/Media/Updated':
        return updated(request, state);
      case 'POST /Library/Refresh':
        state.wholeScans.push('*');
        return { status: 204 };
      case 'GET /Items': {
        const library = state.libraries.find(({ id }) => id === query.get('parentId'));
        const media = (options.media?.() ?? []).filter((file) =>
          library?.locations.some((place) => file.startsWith(`${place}/`)),
        );
        return jsonAnswer({
          Items: media.map((Path) => ({ Path, Type: 'Movie' })),
          TotalRecordCount: media.length,
        });
      }
      default:
        return { status: 404 };
    }
  };
}

function create(request: SeenRequest, state: FakeState, exists: (path: string) => boolean): FakeAnswer {
  const { query } = request;
  const name = query.get('name') ?? '';
  const type = query.get('collectionType') ?? 'mixed';
  if (name === '' || !TYPES.includes(type)) return { status: 400 };
  if (request.body !== '' && bodyOf(request) === null) return { status: 415 };
  const options = bodyOf(request)?.['LibraryOptions'] as { PathInfos?: { Path: string }[] } | undefined;
  const asked = query.getAll('paths').flatMap((paths) => paths.split(','));
  const locations = asked.length > 0 ? asked : (options?.PathInfos ?? []).map(({ Path }) => Path);
  if (!locations.every(exists)) return { status: 404 };
  const taken = (wanted: string) =>
    state.libraries.some((each) => each.name.toLowerCase() === wanted.toLowerCase());
  let own = name;
  for (let number = 2; taken(own); number += 1) own = `${name}${number}`;
  state.libraries.push({ id: `item-${state.libraries.length + 1}`, name: own, type, locations });
  if (query.get('refreshLibrary') === 'true') state.wholeScans.push(own);
  return { status: 204 };
}

function updated(request: SeenRequest, state: FakeState): FakeAnswer {
  const updates = updatesOf(request);
  if (!updates) return { status: bodyOf(request) ? 400 : 415 };
  for (const { Path } of updates) {
    const library = state.libraries.find(({ locations }) =>
      locations.some((place) => Path.startsWith(`${place}/`)),
    );
    if (library) state.scans.push({ folder: Path, at: request.at });
    // The nearest that it knows is the library itself, or all of them.
    else state.wholeScans.push(Path);
  }
  return { status: 204 };
}
