/** What retention is asked: the limits of the configuration, and what is there. `run` and `plan --deletions` ask the same. */

import type { Config } from '../config/config.js';
import type { Gist } from '../domain/gist.js';
import type { Kept, RetentionPolicy } from '../domain/retention.js';
import { gist, isResting, type Entry } from './entries.js';

export function retentionOf({ keep }: Config): RetentionPolicy {
  return {
    retainCompleted: keep.completedMax,
    retainFailed: keep.failedMax,
    retainCompletedPerLane: keep.completedMaxPerLane,
    retainFailedPerLane: keep.failedMaxPerLane,
    completedAgeMsMax: keep.completedAgeMsMax,
    completedAgeMsMaxPerLane: keep.completedAgeMsMaxPerLane,
    budgetBytesPerLane: keep.bytesMaxPerLane,
    budgetBytes: keep.bytesMax,
    diskShort: {},
  };
}

/** Null for what is on its way out. `diskUnder` names the disk that a path lies on. */
export function retainedItem(entry: Entry, diskUnder: (path: string) => string = () => ''): Kept | null {
  const { id, path } = entry;
  if (path.startsWith('expired')) return null;
  const of = gist(entry);
  const kind = path === 'published' ? 'completed' : isResting(path) ? 'failed' : 'active';
  return new Item(id, kind, diskUnder(of.place), of);
}

/** Ten thousand are there at any time: what the gist has is not written down again. */
class Item implements Kept {
  readonly id: string;
  readonly kind: Kept['kind'];
  readonly disk: string;
  readonly #gist: Gist;

  constructor(id: string, kind: Kept['kind'], disk: string, of: Gist) {
    this.id = id;
    this.kind = kind;
    this.disk = disk;
    this.#gist = of;
  }

  get lane(): string {
    return this.#gist.lane;
  }
  get priority(): number {
    return this.#gist.priority;
  }
  get stopAt(): number {
    return this.#gist.stopAt;
  }
  get expiresAt(): number {
    return this.#gist.expiresAt;
  }
  get bytes(): number {
    return this.#gist.bytes;
  }
  get keep(): boolean {
    return this.#gist.keep;
  }
}
