import { describe, expect, it } from 'vitest';
import type { Log } from '../../src/log.js';
import { createReaper } from '../../src/runtime/orphans.js';

/** Captures that are open, by recording, with the state of each recording's chart; null is one that does not live. */
function bench(states: Record<string, string | null>) {
  const stopped: string[] = [];
  const said: object[] = [];
  const look = createReaper({
    live: () => Object.keys(states).filter((id) => states[id] !== null),
    book: { get: (id: string) => ({ path: states[id] ?? 'published' }) } as never,
    captures: {
      open: () => Object.keys(states).filter((id) => !stopped.includes(id)),
      stop: (id: string) => void stopped.push(id),
    } as never,
    log: { error: (facts: object) => void said.push(facts) } as unknown as Log,
  });
  return { states, stopped, said, look };
}

describe('a capture that no chart speaks for', () => {
  it('is closed at the second look, and said to be a bug', () => {
    const { look, stopped, said } = bench({ gone: null, strayed: 'published', good: 'spooling.open' });
    look();
    expect(stopped).toEqual([]);
    look();
    expect(stopped.toSorted()).toEqual(['gone', 'strayed']);
    expect(said).toMatchObject([
      { code: 'bug', id: 'gone' },
      { code: 'bug', id: 'strayed' },
    ]);
  });

  it('that is closing, or that was taken up again meanwhile, is left alone', () => {
    const { states, look, stopped } = bench({ closing: 'spooling.closing', back: 'retrying.awaitingSlot' });
    look();
    states['back'] = 'spooling.open';
    look();
    states['back'] = 'retrying.awaitingSlot';
    look();
    expect(stopped).toEqual([]);
  });
});
