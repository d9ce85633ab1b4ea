/**
 * Answers that cost much are made once and given for a while: for twenty times as long as making one took, so that
 * whatever asks how often, a twentieth of the processor is all that it gets. Cheap answers are always made anew.
 */

import { JsonBytes } from '../domain/json.js';

const FACTOR = 20;
const CHEAP_MS = 3;
const KEPT_MS_MAX = 2_000;
const KEPT_MAX = 24;

type Written = string | JsonBytes;

interface Kept {
  readonly text: Written;
  readonly until: number;
}

export interface Thrift {
  /** JSON of what `make` gives, for a request of this address, unless that is written already. */
  json(key: string, make: () => unknown): Promise<Written>;
  /** Something was changed by hand: nobody shall see the old. */
  forget(): void;
}

export function createThrift(mono: () => number = () => performance.now()): Thrift {
  const kept = new Map<string, Kept>();
  const making = new Map<string, Promise<Written>>();
  let era = 0;

  async function made(key: string, make: () => unknown): Promise<Written> {
    const born = era;
    const from = mono();
    const value = await make();
    const text = value instanceof JsonBytes ? value : JSON.stringify(value);
    const ms = mono() - from;
    if (ms >= CHEAP_MS && born === era) {
      kept.delete(key);
      kept.set(key, { text, until: mono() + Math.min(KEPT_MS_MAX, ms * FACTOR) });
      if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value ?? '');
    }
    return text;
  }

  return {
    async json(key, make) {
      const known = kept.get(key);
      if (known && known.until > mono()) return known.text;
      const running = making.get(key);
      if (running) return running;
      const task = made(key, make).finally(() => {
        if (making.get(key) === task) making.delete(key);
      });
      making.set(key, task);
      return task;
    },
    forget() {
      era += 1;
      kept.clear();
      making.clear();
    },
  };
}
