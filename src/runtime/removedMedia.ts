/** Finds media that a person removed. That is their word, not a fault: the recording is over, and the item is forgotten. */

import type { SchedulerEvent } from '../../machines/schedulerContext.js';
import { exists } from '../io/disk.js';
import type { Book } from './book.js';
import type { Doors } from './doors.js';
import type { Roots } from './roots.js';

/** Looked for at each look, so that ten thousand cost no more than fifty. */
const CHECKED_MAX = 50;

export interface RemovedMedia {
  /** Looks for the next few. P5: what is not there counts as removed only where the root is there. */
  look(): Promise<void>;
}

export function createRemovedMedia(
  { disk, clock }: Pick<Doors, 'disk' | 'clock'>,
  book: Book,
  roots: Roots,
  send: (event: SchedulerEvent) => void,
): RemovedMedia {
  /** Ids of this round that were not looked at yet. */
  let left: string[] = [];

  function nextFew(): readonly string[] {
    if (left.length === 0)
      left = [...book.all()].filter(({ path }) => path === 'published').map(({ id }) => id);
    return left.splice(-CHECKED_MAX);
  }

  // What cannot be asked is not known to be gone.
  const isThere = (path: string) => exists(disk, path).catch(() => true);

  return {
    async look() {
      for (const id of nextFew()) {
        const media = book.get(id)?.recording.files?.media;
        if (media === undefined || (await isThere(media))) continue;
        const root = roots.all().find(({ path }) => media.startsWith(`${path}/`));
        // Asked again behind the marker: a mount may have come back between the two.
        if (root && (await roots.ready(root.path)) && !(await isThere(media)))
          send({ type: 'FORWARD', at: clock.now(), id, event: { type: 'MEDIA_GONE', at: clock.now() } });
      }
    },
  };
}
