/** Who is told of recordings: the media servers, webhooks and the command of the configuration, each as one receiver. */

import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { sanitize } from '../domain/names.js';
import { commandReceiver } from '../publish/command.js';
import type { KnownLibrary, LibraryMemory } from '../publish/library.js';
import type { Receiver } from '../publish/receiver.js';
import { libraryName, serverReceiver, type WantedLane } from '../publish/serverReceiver.js';
import { webhookReceiver } from '../publish/webhook.js';
import type { Store } from '../store/store.js';
import type { Doors } from './doors.js';
import { recordedLanes } from './lanes.js';
import type { Roots } from './roots.js';

export interface ReceiverDoors {
  readonly config: Config;
  readonly doors: Doors;
  readonly store: Store;
  readonly roots: Roots;
  /** Numbers rows of the outbox. */
  readonly seq: () => number;
  /** A server has a library for a lane that it had none for. */
  readonly onNewLibrary: (server: string, lane: string) => void;
}

/** By name, as the configuration is now. */
export function receiversOf({
  config,
  doors,
  store,
  roots,
  seq,
  onNewLibrary,
}: ReceiverDoors): ReadonlyMap<string, Receiver> {
  const { servers, webhooks, onPublished, pathMap } = config.publish;
  const { exchange, clock, log } = doors;
  const clientId = (roots.publish ?? roots.out).uuid;
  const all: Receiver[] = servers.map((server) =>
    serverReceiver(server, {
      exchange,
      clientId,
      now: clock.now,
      log,
      pathMap,
      lanes: () => wantedLanes(config, roots),
      memoryOf: (lane) => memoryOf(store, `${server.name} ${lane}`),
      seq,
      onNewLibrary: (lane) => onNewLibrary(server.name, lane),
    }),
  );
  all.push(...webhooks.map((webhook) => webhookReceiver(webhook, exchange, clientId)));
  if (onPublished) all.push(commandReceiver(onPublished, doors.programs));
  return new Map(all.map((receiver) => [receiver.name, receiver]));
}

function wantedLanes(config: Config, roots: Roots): WantedLane[] {
  const root = roots.publish;
  if (!root) return [];
  return recordedLanes(config).map(({ name, kind }) => ({
    name,
    kind,
    library: libraryName(config.publish.libraryPrefix, name),
    folder: join(root.path, sanitize(name)),
  }));
}

function memoryOf(store: Store, key: string): LibraryMemory {
  return {
    known: () => (store.all('libraries').get(key) as KnownLibrary | undefined) ?? null,
    async remember(library) {
      store.set('libraries', key, library);
      await store.written('libraries', key);
    },
  };
}
