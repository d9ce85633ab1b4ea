/**
 * What has changed, for whoever looks on: a bounded ring of names, each once and at its newest place. What a name means
 * is looked up when somebody reads it, so that nothing is made while nobody does (P8).
 */

import type { Clock } from '../io/clock.js';

export type NewsKind = 'recording' | 'plan' | 'source' | 'upstreams';

export interface NewsItem {
  /** Grows by one with everything that happens. */
  readonly seq: number;
  readonly kind: NewsKind;
  /** Of the recording or source; '' where there is only one. */
  readonly id: string;
}

export interface News {
  tell(kind: NewsKind, id: string): void;
  /** The latest of each that came after `seq`, oldest first; null where some of it is forgotten. */
  after(seq: number): readonly NewsItem[] | null;
  /** The last one told. */
  readonly last: () => number;
  /** Called soon after something was told, not for each; must not throw. */
  watch(listener: () => void): () => void;
}

const ITEMS_MAX = 2_000;
const SOON_MS = 200;

export function createNews(clock: Clock): News {
  const ring = new Map<string, NewsItem>();
  const listeners = new Set<() => void>();
  let seq = 0;
  /** The newest that fell out of the ring. */
  let forgotten = 0;
  let due = false;

  function call(): void {
    due = false;
    for (const listener of listeners) listener();
  }

  return {
    tell(kind, id) {
      seq += 1;
      const key = `${kind} ${id}`;
      ring.delete(key);
      ring.set(key, { seq, kind, id });
      if (ring.size > ITEMS_MAX) {
        const [oldest] = ring;
        if (oldest) {
          forgotten = oldest[1].seq;
          ring.delete(oldest[0]);
        }
      }
      if (listeners.size === 0 || due) return;
      due = true;
      clock.after(SOON_MS, call);
    },
    after(from) {
      if (from < forgotten || from > seq) return null;
      const items: NewsItem[] = [];
      for (const item of [...ring.values()].toReversed()) {
        if (item.seq <= from) break;
        items.push(item);
      }
      return items.toReversed();
    },
    last: () => seq,
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
