/** Emby (PROTOCOLS §2.3): the token in `X-Emby-Token`, the library in the body, and an old form of the list. */
import { isRecord, listIn, textIn, textsIn } from './answer.js';
import { collectionKind, folderIn } from './embyFamily.js';
import { ServerFault, type MediaServer, type ServerAccess } from './mediaServer.js';
import { call, jsonOf, type Call, type Reply } from './serverCall.js';

const FOLDERS = '/Library/VirtualFolders';

export const emby: MediaServer = {
  kind: 'emby',
  settleMs: 120_000,

  async check(access) {
    const info = jsonOf(await ask(access, { method: 'GET', path: '/System/Info' }));
    return `${textIn(info, 'ServerName') || 'Emby'} ${textIn(info, 'Version')}`.trim();
  },

  async libraries(access) {
    const reply = await ask(access, { method: 'GET', path: `${FOLDERS}/Query`, accepts: [404] });
    const listed = jsonOf(reply.status === 404 ? await ask(access, { method: 'GET', path: FOLDERS }) : reply);
    if (!Array.isArray(listed) && !isRecord(listed))
      throw new ServerFault('server_failing', 'the answer is none of Emby');
    const folders = Array.isArray(listed) ? listed.filter(isRecord) : listIn(listed, 'Items');
    return folders.map((folder) => ({
      id: textIn(folder, 'ItemId') || textIn(folder, 'Id'),
      name: textIn(folder, 'Name'),
      kind: collectionKind(textIn(folder, 'CollectionType')),
      locations: textsIn(folder, 'Locations'),
    }));
  },

  async create(access, wish) {
    const CollectionType = wish.kind === 'movies' ? 'movies' : 'tvshows';
    const json = {
      Name: wish.name,
      CollectionType,
      RefreshLibrary: false,
      Paths: [wish.path],
      LibraryOptions: {},
    };
    await ask(access, { method: 'POST', path: FOLDERS, json });
    return 'nfo';
  },

  async tell(access, _library, { folder, change }) {
    const UpdateType = change === 'created' ? 'Created' : 'Deleted';
    const json = { Updates: [{ Path: folder, UpdateType }] };
    await ask(access, { method: 'POST', path: '/Library/Media/Updated', json });
  },

  async shows(access, library, folder) {
    if (library.id === '') return null;
    const query = { ParentId: library.id, Recursive: 'true', Fields: 'Path' };
    const reply = await ask(access, { method: 'GET', path: '/Items', query, accepts: [400, 404] });
    return reply.status >= 400 ? null : folderIn(jsonOf(reply), folder);
  },
};

function ask(access: ServerAccess, asked: Omit<Call, 'headers'>): Promise<Reply> {
  return call(access, { ...asked, headers: { 'x-emby-token': access.token } });
}
