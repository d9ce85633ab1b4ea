/**
 * A media server in the virtual world: a Jellyfin that remembers what it was told of, can be down, and can act without
 * answering. What it finds in a folder at that moment is for the judge (P9).
 */
import type { Exchange } from '../../src/io/exchange.js';
import { TransportFault } from '../../src/io/transport.js';
import { answerOfJellyfin } from '../fakes/jellyfin.js';
import { updatesOf, type FakeState, type SeenRequest } from '../fakes/mediaServer.js';
import type { WorldParts } from './daemonWorld.js';

export interface Told {
  /** By the time that has passed, whatever the wall says. */
  readonly at: number;
  readonly folder: string;
  readonly change: string;
}

export interface SimulatedLibrary {
  readonly exchange: Exchange;
  readonly told: readonly Told[];
  readonly wholeScans: readonly string[];
  onTold: (told: Told) => void;
  /** `down`: nobody answers. `deaf`: it acts, and the answer is lost. */
  mood: 'well' | 'down' | 'deaf';
}

export const LIBRARY_OPTIONS = {
  'register-jellyfin': 'true',
  'jellyfin-url': 'http://jellyfin.test:8096',
  'jellyfin-token': 'a-token',
};

const LATENCY_MS = 20;

export function createLibrary({ clock, disk, startAt }: WorldParts): SimulatedLibrary {
  const state: FakeState = {
    token: LIBRARY_OPTIONS['jellyfin-token'],
    libraries: [],
    scans: [],
    wholeScans: [],
  };
  const told: Told[] = [];
  const answer = answerOfJellyfin({
    media: () => [...disk.sizes('/library').keys()].filter((path) => /\/[^.][^/]*\.ts$/.test(path)),
  });
  const library: SimulatedLibrary = {
    told,
    wholeScans: state.wholeScans,
    onTold: () => undefined,
    mood: 'well',
    exchange: {
      async ask({ method, url, headers = {}, body = '' }) {
        await new Promise<void>((resolve) => void clock.after(LATENCY_MS, resolve));
        const { mood } = library;
        if (mood === 'down') throw new TransportFault('connect', 'ECONNREFUSED');
        const { pathname: path, searchParams: query } = new URL(url);
        const at = startAt + clock.mono();
        const request: SeenRequest = { method, path, query, headers, body, status: 0, at };
        for (const { Path: folder, UpdateType: change } of updatesOf(request) ?? []) {
          told.push({ at, folder, change });
          library.onTold({ at, folder, change });
        }
        const given = answer(request, state);
        if (mood === 'deaf' && method === 'POST') throw new TransportFault('reset', 'ECONNRESET');
        return { status: given.status, headers: given.headers ?? {}, body: Buffer.from(given.body ?? '') };
      },
    },
  };
  return library;
}
