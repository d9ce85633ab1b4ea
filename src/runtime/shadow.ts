/**
 * A recording as far as deciding about the guide needs it: small and plain, so that it can be told to another thread.
 * The same entry has the same shadow, by which is seen what has to be told anew.
 */

import type { Capsule } from '../domain/capsule.js';
import { hasGoodCopy, type Entry } from './book.js';

export interface Shadow {
  readonly id: string;
  /** `spooling.open`, `published`, …; `quarantined` for what was put aside. */
  readonly path: string;
  /** Every record key it has had, oldest first. */
  readonly keys: readonly string[];
  readonly capsule: Capsule;
  readonly priority: number;
  /** By which it was decided on. */
  readonly reason: string;
  readonly cancelReason: string;
  /** The programme's, without padding. */
  readonly startAt: number;
  readonly stopAt: number;
  readonly hasGoodCopy: boolean;
}

const shadows = new WeakMap<Entry, Shadow>();

export function shadowOf(entry: Entry): Shadow {
  const known = shadows.get(entry);
  if (known) return known;
  const { id, path, recording } = entry;
  const { keys, capsule, priority, reason, cancelReason, window } = recording;
  const { startAt, stopAt } = window;
  const copy = hasGoodCopy(recording);
  const shadow = { id, path, keys, capsule, priority, reason, cancelReason, startAt, stopAt };
  const made = { ...shadow, hasGoodCopy: copy };
  shadows.set(entry, made);
  return made;
}
