/** What a lane's library is to a media server: single films and broadcasts, or series with episodes. */
export const LIBRARY_KINDS = ['movies', 'shows'] as const;
export type LibraryKind = (typeof LIBRARY_KINDS)[number];
