/**
 * What a media server is asked for, whichever it is (PROTOCOLS §2): a library for each lane, made once, and a look at
 * the one folder that changed. Never a scan of a whole library. Paths are the server's own.
 */
import type { LibraryKind } from '../domain/libraryKind.js';
import type { ErrorCode } from '../domain/errors.js';
import type { Exchange } from '../io/exchange.js';

/** One server as configured. */
export interface ServerAccess {
  /** Without a slash at its end; may hold a login, so secret like the token. */
  readonly url: string;
  readonly token: string;
  /** Stable over restarts: how this installation introduces itself. */
  readonly clientId: string;
  readonly exchange: Exchange;
  readonly signal?: AbortSignal;
}

export interface Library {
  /** '' where the server gives none (yet). */
  readonly id: string;
  readonly name: string;
  /** Null: the server says nothing, or keeps all kinds in it. */
  readonly kind: LibraryKind | null;
  readonly locations: readonly string[];
}

export interface LibraryWish {
  readonly name: string;
  readonly kind: LibraryKind;
  readonly path: string;
}

export interface FolderChange {
  readonly folder: string;
  readonly change: 'created' | 'removed';
}

/** Every call rejects with ServerFault, and with nothing else that can be expected. */
export interface MediaServer {
  readonly kind: 'plex' | 'jellyfin' | 'emby';
  /** How long after it was told of a folder it can be expected to show it. */
  readonly settleMs: number;
  /** Proves address and token; resolves with what the server calls itself. */
  check(access: ServerAccess): Promise<string>;
  libraries(access: ServerAccess): Promise<readonly Library[]>;
  /** The caller has looked that there is none. Resolves with what the server was told to read items with. */
  create(access: ServerAccess, wish: LibraryWish): Promise<string>;
  /** `library` holds the folder. */
  tell(access: ServerAccess, library: Library, change: FolderChange): Promise<void>;
  /** Whether the server shows something there, a folder or a file; null where it cannot be told. */
  shows(access: ServerAccess, library: Library, path: string): Promise<boolean | null>;
}

/**
 * `before`: nothing was sent. `unclear`: the server may have acted all the same. `answered`: it said no.
 */
export type FaultMoment = 'before' | 'unclear' | 'answered';

export class ServerFault extends Error {
  constructor(
    readonly code: ErrorCode,
    /** For people; names no token. */
    readonly detail: string,
    readonly moment: FaultMoment = 'answered',
    readonly retryAfterMs: number | null = null,
    readonly status = 0,
  ) {
    super(detail);
    this.name = 'ServerFault';
  }
}
