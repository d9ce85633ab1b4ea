/** What Emby and Jellyfin, its descendant, still have in common. */
import type { LibraryKind } from '../domain/libraryKind.js';
import { liesIn } from '../domain/pathMap.js';
import { listIn, textIn } from './answer.js';

/** Null for collections of other things, and for those that say nothing. */
export function collectionKind(type: string): LibraryKind | null {
  return type === 'movies' ? 'movies' : type === 'tvshows' ? 'shows' : null;
}

/** Whether a list of items has one in that folder. */
export function folderIn(items: unknown, folder: string): boolean {
  return listIn(items, 'Items').some((item) => liesIn(textIn(item, 'Path'), folder));
}
