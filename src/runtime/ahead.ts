/** Who will ask for a connection before long: what must not be given away to a lower lane that could not give it back. */

import type { Config } from '../config/config.js';
import { refKey } from '../domain/channel.js';
import type { Ahead } from '../domain/reserve.js';
import type { Book } from './book.js';

/** With preemption nothing has to be kept free: the higher takes it when it comes. */
export function aheadOf({ how }: Config, book: Book, now: number): readonly Ahead[] {
  if (how.preempt || how.concurrencyMax === 0) return [];
  return [...book.all()].flatMap(({ id, path, recording }) => {
    const { startAt, stopAt } = recording.window;
    return path.startsWith('scheduled') && startAt > now
      ? [{ id, priority: recording.priority, startAt, stopAt, feeds: recording.upstreams.map(refKey) }]
      : [];
  });
}
