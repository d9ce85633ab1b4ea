/**
 * What Emby and Jellyfin, its descendant, still have in common: how they are told of a folder and asked what they have.
 * Headers, the letters of a query and how a library is made are each one's own.
 */
import type { LibraryKind } from '../domain/libraryKind.js';
import { liesIn } from '../domain/pathMap.js';
import { listIn, textIn } from './answer.js';
import type { MediaServer, ServerAccess } from './mediaServer.js';
import { jsonOf, type Call, type Reply } from './serverCall.js';

export type Ask = (access: ServerAccess, asked: Omit<Call, 'headers'>) => Promise<Reply>;

/** `Query` for Emby, whose parameters begin with capitals. */
export function embyFamily(
  ask: Ask,
  fallbackName: string,
  letters: 'Capital' | 'small',
): Pick<MediaServer, 'settleMs' | 'check' | 'tell' | 'shows'> {
  const named = (name: string) => (letters === 'small' ? name : name.charAt(0).toUpperCase() + name.slice(1));
  return {
    settleMs: 120_000,

    async check(access) {
      const info = jsonOf(await ask(access, { method: 'GET', path: '/System/Info' }));
      return `${textIn(info, 'ServerName') || fallbackName} ${textIn(info, 'Version')}`.trim();
    },

    async tell(access, _library, { folder, change }) {
      const UpdateType = change === 'created' ? 'Created' : 'Deleted';
      const json = { Updates: [{ Path: folder, UpdateType }] };
      await ask(access, { method: 'POST', path: '/Library/Media/Updated', json });
    },

    async shows(access, library, path) {
      if (library.id === '') return null;
      const query = {
        [named('parentId')]: library.id,
        [named('recursive')]: 'true',
        [named('fields')]: 'Path',
      };
      const reply = await ask(access, { method: 'GET', path: '/Items', query, accepts: [400, 404] });
      if (reply.status >= 400) return null;
      return listIn(jsonOf(reply), 'Items').some((item) => liesIn(textIn(item, 'Path'), path));
    },
  };
}

export function collectionType(kind: LibraryKind): string {
  return kind === 'movies' ? 'movies' : 'tvshows';
}

/** Null for collections of other things, and for those that say nothing. */
export function collectionKind(type: string): LibraryKind | null {
  return type === 'movies' ? 'movies' : type === 'tvshows' ? 'shows' : null;
}
