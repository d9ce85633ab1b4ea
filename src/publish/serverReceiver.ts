/**
 * A media server as a receiver: registers the lanes' libraries, has the one folder looked at that changed, and asks
 * later whether it was seen. P9: a folder is told of only when what is in it is complete; the caller sees to that.
 */
import type { ServerConfig } from '../config/config.js';
import type { LibraryKind } from '../domain/libraryKind.js';
import { confirmation, rescan, type FolderRow, type OwedRow } from '../domain/outbox.js';
import { mapPath, type PathMapping } from '../domain/pathMap.js';
import { redactUrl } from '../domain/redact.js';
import type { Exchange } from '../io/exchange.js';
import type { Log } from '../log.js';
import { ensureLibrary, libraryHolding, type Ensured, type LibraryMemory } from './library.js';
import { ServerFault, type MediaServer, type ServerAccess } from './mediaServer.js';
import { mediaServerOf } from './mediaServers.js';
import { DONE, type Delivery, type Receiver } from './receiver.js';

export interface WantedLane {
  readonly name: string;
  readonly kind: LibraryKind;
  /** What its library is called. */
  readonly library: string;
  /** Its folder, as it is called here. */
  readonly folder: string;
}

export interface ServerReceiverDoors {
  readonly exchange: Exchange;
  readonly clientId: string;
  readonly now: () => number;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly pathMap: readonly PathMapping[];
  readonly lanes: () => readonly WantedLane[];
  readonly memoryOf: (lane: string) => LibraryMemory;
  /** A number that no row has. */
  readonly seq: () => number;
  /** A library was made: what lies in the lane already is owed to it. */
  readonly onNewLibrary: (lane: string) => void;
}

/** Scans of one folder that a server does not show; then it is said and left. */
const SCANS_MAX = 2;

/** `Catchup Sports` */
export function libraryName(prefix: string, lane: string): string {
  return `${prefix} ${lane.charAt(0).toUpperCase()}${lane.slice(1)}`.trim();
}

/** Its own first; of those for all servers, the ones for its kind are its own. */
export function mappingsFor(
  { name, kind, pathMap }: Pick<ServerConfig, 'name' | 'kind' | 'pathMap'>,
  forAll: readonly PathMapping[],
): readonly PathMapping[] {
  return [
    ...pathMap.map((each) => ({ ...each, server: name })),
    ...forAll.map((each) => (each.server === kind ? { ...each, server: name } : each)),
  ];
}

export function serverReceiver(config: ServerConfig, doors: ServerReceiverDoors): Receiver {
  const { name, kind } = config;
  const server: MediaServer = mediaServerOf(kind);
  const { exchange, clientId, log, now } = doors;
  const mappings = mappingsFor(config, doors.pathMap);
  const remote = (path: string) => mapPath(path, name, mappings);

  function accessUntil(signal: AbortSignal): ServerAccess {
    return { url: config.url, token: config.token, clientId, exchange, signal };
  }

  async function ensure(lane: WantedLane, access: ServerAccess): Promise<Ensured> {
    const wish = { name: lane.library, kind: lane.kind, path: remote(lane.folder) };
    const memory = doors.memoryOf(lane.name);
    const ensured = await ensureLibrary({ server, access, wish, memory, now: now() });
    if (ensured.isNew) {
      log.info({ server: name, library: ensured.library.name, path: wish.path }, 'a library was made');
      doors.onNewLibrary(lane.name);
    }
    return ensured;
  }

  /** One lane that cannot have its library does not keep the others from theirs. */
  async function register(access: ServerAccess): Promise<Delivery> {
    const faults: ServerFault[] = [];
    for (const lane of doors.lanes()) {
      try {
        await ensure(lane, access);
      } catch (error) {
        if (!(error instanceof ServerFault) || !isOfItsOwn(error)) throw error;
        faults.push(error);
      }
    }
    if (faults[0]) throw faults[0];
    return DONE;
  }

  async function scan(row: FolderRow, access: ServerAccess): Promise<Delivery> {
    const lane = doors.lanes().find((each) => each.name === row.lane);
    // A lane that is configured no more still has a library, if it ever had one.
    const all = lane ? (await ensure(lane, access)).all : await server.libraries(access);
    const folder = remote(row.folder);
    const library = libraryHolding(all, folder);
    await server.tell(access, library, { folder, change: row.change });
    log.info({ server: name, folder, change: row.change }, 'a media server was told of a folder');
    return { kind: 'done', next: [confirmation(row, now(), server.settleMs, doors.seq())] };
  }

  async function confirm(row: FolderRow, access: ServerAccess): Promise<Delivery> {
    const folder = remote(row.folder);
    const library = libraryHolding(await server.libraries(access), folder);
    const shown = await server.shows(access, library, row.media === undefined ? folder : remote(row.media));
    if (shown === null || shown === (row.change === 'created')) return DONE;
    if (row.scans < SCANS_MAX) return { kind: 'done', next: [rescan(row, now(), doors.seq())] };
    log.warn(
      { server: name, folder, change: row.change },
      'a media server was told twice and does not see it',
    );
    return DONE;
  }

  async function deliver(row: OwedRow, access: ServerAccess): Promise<Delivery> {
    switch (row.kind) {
      case 'register':
        return await register(access);
      case 'scan':
        return await scan(row, access);
      case 'confirm':
        return await confirm(row, access);
      case 'notice':
        return DONE;
    }
  }

  return {
    name,
    shown: `${kind} at ${redactUrl(config.url)}`,
    async deliver(row, signal) {
      try {
        return await deliver(row, accessUntil(signal));
      } catch (error) {
        if (!(error instanceof ServerFault)) throw error;
        // Nothing hangs on the answer to a question.
        if (row.kind === 'confirm' && isOfItsOwn(error)) return DONE;
        return deliveryOf(error);
      }
    },
  };
}

const OF_ITS_OWN = ['server_rejected', 'library_conflict', 'library_elsewhere', 'library_pending'];

/** Whether a fault is one row's own and says nothing of the server as a whole. */
function isOfItsOwn({ code, status }: ServerFault): boolean {
  return OF_ITS_OWN.includes(code) || status === 500;
}

export function deliveryOf(fault: ServerFault): Delivery {
  const { code, detail, retryAfterMs } = fault;
  if (code === 'server_refused') return { kind: 'refused', code, detail };
  return { kind: isOfItsOwn(fault) ? 'later' : 'failed', code, detail, retryAfterMs };
}
