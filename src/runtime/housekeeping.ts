/** Once a day the history forgets those of whom nothing is left, and the guide's past what is older than all of them. */

import type { History } from '../store/history.js';
import type { Store } from '../store/store.js';
import type { Book } from './book.js';
import { gist } from './entries.js';
import type { PastGuide } from './pastGuide.js';

const DAY_MS = 86_400_000;

export interface Housekeeping {
  /** At every tick. */
  look(at: number): void;
}

export function createHousekeeping(
  history: History,
  store: Store,
  book: Book,
  pastGuide: PastGuide,
): Housekeeping {
  let day = -1;
  return {
    look(at) {
      const today = Math.floor(at / DAY_MS);
      if (today === day) return;
      day = today;
      const living = store.recordings();
      void history.tidy((id) => living.has(id));
      const starts = [...book.all(), ...book.aside()].map((entry) => gist(entry).startAt);
      void pastGuide.forget(starts, at);
    },
  };
}
