/**
 * Compares who holds a connection with what the charts say, at every tick. A capture whose recording does not live, or
 * lives in a state without one, belongs to nobody and is closed; it would hold a slot until the process ends (P6).
 */

import type { Log } from '../log.js';
import type { Book } from './book.js';
import type { Captures } from './captures.js';

export interface OrphanDoors {
  readonly book: Book;
  readonly captures: Captures;
  readonly live: () => readonly string[];
  readonly log: Log;
}

/** A capture that is closing is given until the next tick. */
export function createReaper({ book, captures, live, log }: OrphanDoors): () => void {
  let suspects: ReadonlySet<string> = new Set();
  return () => {
    const living = new Set(live());
    const orphans = captures
      .open()
      .filter((id) => !living.has(id) || !book.get(id)?.path.startsWith('spooling'));
    for (const id of orphans) {
      if (!suspects.has(id)) continue;
      log.error({ code: 'bug', id, state: book.get(id)?.path ?? null }, 'a capture that belongs to nobody');
      captures.stop(id);
    }
    suspects = new Set(orphans);
  };
}
