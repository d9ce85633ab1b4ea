/** Each kind of media server beside the fake that stands for it, and what a call needs. */
import { systemClock } from '../../src/io/clock.js';
import { undiciExchange } from '../../src/io/undiciExchange.js';
import { emby } from '../../src/publish/emby.js';
import { jellyfin } from '../../src/publish/jellyfin.js';
import type { KnownLibrary, LibraryMemory } from '../../src/publish/library.js';
import type { MediaServer, ServerAccess } from '../../src/publish/mediaServer.js';
import { plex } from '../../src/publish/plex.js';
import { startFakeEmby } from '../fakes/emby.js';
import { startFakeJellyfin } from '../fakes/jellyfin.js';
import type { FakeMediaServer, FakeOptions } from '../fakes/mediaServer.js';
import { startFakePlex } from '../fakes/plex.js';

export const exchange = undiciExchange(systemClock);

export interface Pair {
  readonly server: MediaServer;
  readonly start: (options?: FakeOptions) => Promise<FakeMediaServer>;
  /** How the fake calls a library of films. */
  readonly type: string;
}

export const PAIRS: readonly Pair[] = [
  { server: plex, start: startFakePlex, type: 'movie' },
  { server: jellyfin, start: startFakeJellyfin, type: 'movies' },
  { server: emby, start: startFakeEmby, type: 'movies' },
];

export function accessTo(fake: FakeMediaServer, changes: Partial<ServerAccess> = {}): ServerAccess {
  return { url: fake.url, token: fake.token, clientId: 'client-1', exchange, ...changes };
}

export function memory(known: KnownLibrary | null = null): LibraryMemory & { now(): KnownLibrary | null } {
  let kept = known;
  return {
    now: () => kept,
    known: () => kept,
    remember(library) {
      kept = library;
      return Promise.resolve();
    },
  };
}

export const SPORTS = { name: 'Catchup Sports', kind: 'movies', path: '/media/catchup/sports' } as const;
export const ITEM = '/media/catchup/sports/Man-Utd-vs-City-2026-11-23-19-30-UTC';
