/** What a lane's library is to a media server: single films and broadcasts, or series with episodes. */
export type LibraryKind = 'movies' | 'shows';
