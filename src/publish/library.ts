/**
 * A lane's library on one server: the one that is known, else the one that has the lane's folder, else the one that has
 * its name; made only where there is none of these, and never a second time. An earlier try whose answer was lost is
 * given time to show before another is made.
 */
import { liesIn, samePath } from '../domain/pathMap.js';
import {
  ServerFault,
  type Library,
  type LibraryWish,
  type MediaServer,
  type ServerAccess,
} from './mediaServer.js';

/** What is remembered of a lane's library, plain JSON. */
export type KnownLibrary = {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  /** How the server reads items, '' where somebody else made the library. */
  readonly agent: string;
  /** When making it was begun without an answer so far, or null. */
  readonly askedAt: number | null;
};

export interface LibraryMemory {
  known(): KnownLibrary | null;
  /** Resolves when it is on disk. */
  remember(library: KnownLibrary): Promise<void>;
}

export interface EnsureInput {
  readonly server: MediaServer;
  readonly access: ServerAccess;
  readonly wish: LibraryWish;
  readonly memory: LibraryMemory;
  readonly now: number;
}

export interface Ensured {
  readonly library: Library;
  /** It was not there before. */
  readonly isNew: boolean;
  /** All libraries of the server. */
  readonly all: readonly Library[];
}

/** A server that has lost the thread still makes the library within this, or never. */
const UNCLEAR_MS = 15_000;

/** Rejects with ServerFault. */
export async function ensureLibrary(input: EnsureInput): Promise<Ensured> {
  const { server, access, wish, memory, now } = input;
  const before = memory.known();
  const all = await server.libraries(access);
  const found = findLibrary(all, wish, before);
  if (found) return remembered(input, found, all, false);

  const askedAt = before?.askedAt ?? null;
  // A wall clock that was stepped back must not make the wait longer.
  if (askedAt !== null && now >= askedAt && now - askedAt < UNCLEAR_MS)
    throw new ServerFault(
      'library_pending',
      `"${wish.name}" was asked for and does not show yet`,
      'answered',
      askedAt + UNCLEAR_MS - now,
    );
  const intent = { id: '', name: wish.name, path: wish.path, agent: '', askedAt: now };
  await memory.remember(intent);
  let agent: string;
  try {
    agent = await server.create(access, wish);
  } catch (error) {
    const isClear = error instanceof ServerFault && error.moment !== 'unclear';
    if (isClear) await memory.remember({ ...intent, askedAt: null });
    throw error;
  }
  await memory.remember({ ...intent, agent });
  const made = await server.libraries(access);
  const library = findLibrary(made, wish, null);
  if (!library) throw new ServerFault('library_pending', `"${wish.name}" was made and does not show yet`);
  return remembered(input, library, made, true);
}

async function remembered(
  { wish, memory }: EnsureInput,
  library: Library,
  all: readonly Library[],
  isNew: boolean,
): Promise<Ensured> {
  const before = memory.known();
  const agent = before?.agent ?? '';
  const after = { id: library.id, name: library.name, path: wish.path, agent, askedAt: null };
  if (JSON.stringify(before) !== JSON.stringify(after)) await memory.remember(after);
  // What was asked for in an earlier life is as new as what was made now.
  return { library, all, isNew: isNew || (before?.askedAt ?? null) !== null };
}

/** Null where it has to be made. Rejects what is there and cannot be used: a second one would be wrong. */
export function findLibrary(
  all: readonly Library[],
  wish: LibraryWish,
  before: KnownLibrary | null,
): Library | null {
  const holding = all.filter(({ locations }) => locations.some((path) => samePath(path, wish.path)));
  const known = holding.find(({ id }) => id !== '' && id === before?.id);
  const found = known ?? holding.find(({ kind }) => kind === wish.kind) ?? holding[0];
  const named = all.find(({ name }) => name.toLowerCase() === wish.name.toLowerCase());
  if (!found && named)
    throw new ServerFault(
      'library_conflict',
      `"${named.name}" is there, without the folder ${wish.path}; add the folder to it, or rename it`,
    );
  if (!found) return null;
  if (found.kind !== null && found.kind !== wish.kind)
    throw new ServerFault(
      'library_conflict',
      `"${found.name}" holds ${wish.path} and is no library of ${wish.kind}`,
    );
  return found;
}

/** The library whose folder holds this one most closely. Rejects a path that is in none: a server drops it in silence. */
export function libraryHolding(all: readonly Library[], folder: string): Library {
  const places = all.flatMap((library) => library.locations.map((path) => ({ library, path })));
  const [best] = places
    .filter(({ path }) => liesIn(folder, path))
    .toSorted((a, b) => b.path.replace(/[\\/]+$/, '').length - a.path.replace(/[\\/]+$/, '').length);
  if (!best)
    throw new ServerFault('library_elsewhere', `${folder} is in no library of the server; see --path-map`);
  return best.library;
}
