/**
 * Everything that holds a connection for media: feeds and what waits in memory for the disk, captures of what is on now,
 * replays of what an archive has. What they learn goes to the scheduler, which alone gives connections away (P6).
 */

import { createFeeds, type Feeds } from '../capture/feeds.js';
import { hlsTransport } from '../capture/hlsTransport.js';
import { waitPool } from '../capture/waitPool.js';
import type { Config } from '../config/config.js';
import { refKey } from '../domain/channel.js';
import { limitOf } from '../domain/slots.js';
import type { ActorSystem } from './actorSystem.js';
import type { Book } from './book.js';
import { createCaptures, type Captures } from './captures.js';
import type { Doors } from './doors.js';
import type { LocalTimes } from './localTime.js';
import { createReplays, type Replays } from './replays.js';
import type { Roots } from './roots.js';
import type { Sources } from './sources.js';
import type { Upstreams } from './upstreams.js';

export interface StreamsDoors {
  readonly config: Config;
  readonly doors: Doors;
  readonly roots: Roots;
  readonly book: Book;
  readonly sources: Sources;
  readonly upstreams: Upstreams;
  readonly times: LocalTimes;
  readonly indexPath: (id: string) => string;
  /** The charts come to be after the streams that they use. */
  readonly system: () => ActorSystem;
}

export interface Streams {
  readonly feeds: Feeds;
  readonly captures: Captures;
  readonly replays: Replays;
}

export function createStreams(parts: StreamsDoors): Streams {
  const { config, doors, roots, book, sources, upstreams, times, indexPath, system } = parts;
  const { clock, disk } = doors;
  const pool = waitPool();
  const feeds = createFeeds({
    transport: hlsTransport(doors.transport, clock),
    clock,
    pool,
    onRate(feed, bitsPerSecond) {
      if (config.how.bandwidthMax > 0) system().send({ type: 'RATE', at: clock.now(), feed, bitsPerSecond });
    },
    onClosed: (feed, by) => system().send({ type: 'FEED_CLOSED', at: clock.now(), feed, by }),
  });
  const captures = createCaptures({
    clock,
    clockOf: (id) => ({ ...clock, now: () => clock.now() - times.lagOf(id) }),
    disk,
    feeds,
    pool,
    onClosed: (feed) => system().send({ type: 'FEED_CLOSED', at: clock.now(), feed, by: 'provider' }),
    settings: () => config.how,
    quality: () => config.how.preferQuality,
    isLimited(ref) {
      const { context } = system().scheduler();
      return sources.accountsOf(ref).some((key) => limitOf(context, key, clock.now()) < Infinity);
    },
    resolve: (ref) => sources.resolve(ref),
    known: (ref, signal) => sources.known(ref, signal),
    indexPath: indexPath,
    rootReady: () => roots.ready(config.places.outDir),
    onEnd(id, upstream, outcome) {
      const capsule = book.get(id)?.recording.capsule;
      if (capsule) upstreams.note(upstream, capsule, outcome);
      if (outcome.kind === 'fault' && outcome.remedy === 'no_slot')
        system().send({ type: 'REFUSED', at: clock.now(), feed: refKey(upstream), limit: outcome.limit });
    },
    onCheckpoint: (id, upstream, piece, at) =>
      system().whisper(id, { type: 'CHECKPOINT', upstream, piece, at }),
  });
  const replays = createReplays({
    config,
    doors,
    feeds,
    indexPath: indexPath,
    addresses: (capsule) => sources.replays(capsule, clock.now()),
    rootReady: () => roots.ready(config.places.outDir),
    onClosed: (feed) => system().send({ type: 'FEED_CLOSED', at: clock.now(), feed, by: 'provider' }),
  });
  return { feeds, captures, replays };
}
