/** Who will ask for a connection before long: what must not be given away to a lower lane that could not give it back. */

import type { Config } from '../config/config.js';
import { refKey } from '../domain/channel.js';
import type { Ahead } from '../domain/reserve.js';
import type { Addresses } from './addresses.js';
import type { Book } from './book.js';

/** With preemption nothing has to be kept free: the higher takes it when it comes. */
export function aheadOf(
  { how }: Config,
  book: Book,
  addresses: Pick<Addresses, 'accountsOf'>,
  now: number,
): readonly Ahead[] {
  if (how.preempt) return [];
  return [...book.all()].flatMap((entry) => {
    if (!entry.path.startsWith('scheduled')) return [];
    const { id, window, priority, upstreams, capsule } = entry.recording;
    const { startAt, stopAt } = window;
    if (startAt <= now) return [];
    // What is scheduled far ahead was not ranked yet.
    const refs = upstreams.length > 0 ? upstreams : capsule.upstreams;
    const ways = refs.map((ref) => addresses.accountsOf(ref));
    return [{ id, priority, startAt, stopAt, feeds: refs.map(refKey), ways }];
  });
}
