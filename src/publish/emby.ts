/** Emby (PROTOCOLS §2.3): the token in `X-Emby-Token`, the library in the body, and an old form of the list. */
import { isRecord, listIn, textIn, textsIn } from './answer.js';
import { collectionKind, collectionType, embyFamily } from './embyFamily.js';
import { ServerFault, type MediaServer, type ServerAccess } from './mediaServer.js';
import { call, jsonOf, type Call, type Reply } from './serverCall.js';

const FOLDERS = '/Library/VirtualFolders';

export const emby: MediaServer = {
  kind: 'emby',
  ...embyFamily(ask, 'Emby', 'Capital'),

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
    const json = {
      Name: wish.name,
      CollectionType: collectionType(wish.kind),
      RefreshLibrary: false,
      Paths: [wish.path],
      LibraryOptions: {},
    };
    await ask(access, { method: 'POST', path: FOLDERS, json });
    return 'nfo';
  },
};

function ask(access: ServerAccess, asked: Omit<Call, 'headers'>): Promise<Reply> {
  return call(access, { ...asked, headers: { 'x-emby-token': access.token } });
}
