/** Emby as PROTOCOLS §2.3 says it is: everything in the body, `X-Emby-Token`, and no `/Query` on an old one. */
import {
  bodyOf,
  jsonAnswer,
  startFake,
  updatesOf,
  type FakeAnswer,
  type FakeMediaServer,
  type FakeOptions,
} from './mediaServer.js';

export interface FakeEmbyOptions extends FakeOptions {
  /** Knows only the list as an array. */
  readonly old?: boolean;
  readonly createStatus?: 200 | 204;
}

export function startFakeEmby(options: FakeEmbyOptions = {}): Promise<FakeMediaServer> {
  const exists = options.folderExists ?? (() => true);
  return startFake(options, (request, state): FakeAnswer => {
    const { method, query, headers } = request;
    const path = request.path.replace(/^\/emby(?=\/)/, '');
    if ((headers['x-emby-token'] ?? query.get('api_key')) !== state.token) return { status: 401 };
    const folders = state.libraries.map(({ id, name, type, locations }) => ({
      Name: name,
      CollectionType: type,
      ...(options.old === true ? { Id: id } : { ItemId: id, Guid: `guid-${id}` }),
      Locations: locations,
    }));
    switch (`${method} ${path}`) {
      case 'GET /System/Info':
        return jsonAnswer({ ServerName: 'Fake Emby', Version: '4.9.0' });
      case 'GET /Library/VirtualFolders/Query':
        if (options.old === true) return { status: 404 };
        return jsonAnswer({ Items: folders, TotalRecordCount: folders.length });
      case 'GET /Library/VirtualFolders':
        return options.old === true ? jsonAnswer(folders) : { status: 404 };
      case 'POST /Library/VirtualFolders': {
        const wish = bodyOf(request) as { Name?: string; CollectionType?: string; Paths?: string[] } | null;
        const { Name, CollectionType = '', Paths = [] } = wish ?? {};
        if (Name === undefined || !Paths.every(exists)) return { status: 400 };
        if (state.libraries.some(({ name }) => name === Name)) return { status: 400, body: 'exists' };
        state.libraries.push({
          id: String(state.libraries.length + 3),
          name: Name,
          type: CollectionType,
          locations: Paths,
        });
        if ((wish as { RefreshLibrary?: boolean } | null)?.RefreshLibrary === true)
          state.wholeScans.push(Name);
        return { status: options.createStatus ?? 200 };
      }
      case 'POST /Library/Media/Updated': {
        const updates = updatesOf(request);
        if (!updates) return { status: 400 };
        for (const { Path } of updates) state.scans.push({ folder: Path, at: request.at });
        return { status: 204 };
      }
      case 'POST /Library/Refresh':
        state.wholeScans.push('*');
        return { status: 204 };
      case 'GET /Items': {
        const media = options.media?.() ?? [];
        return jsonAnswer({
          Items: media.map((Path) => ({ Path, Type: 'Movie' })),
          TotalRecordCount: media.length,
        });
      }
      default:
        return { status: 404 };
    }
  });
}
