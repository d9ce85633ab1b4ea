import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { emptyState } from '../../src/store/document.js';
import { createStill } from '../../src/store/still.js';

const KEYS = ['a', 'b', 'c', 'd', 'e'];
/** A number sets the key, null takes it away, 'read' goes on reading. */
const steps = fc.array(
  fc.oneof(
    fc.tuple(fc.constantFrom(...KEYS), fc.option(fc.nat(99))),
    fc.constant('read' as const),
    fc.constant('read' as const),
  ),
  { maxLength: 40 },
);

describe('a state that stands still', () => {
  it('is what was there at its moment, whatever comes, changes, goes and comes again while it is read', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...KEYS)), fc.nat(9), steps, (there, rev, plan) => {
        const state = emptyState();
        state.rev = rev;
        for (const key of there) state.hosts.set(key, `${key} at first`);
        const still = createStill(state);
        const reading = still.entries('hosts')[Symbol.iterator]();
        const found: (readonly [string, unknown])[] = [];
        const read = () => {
          const { value, done } = reading.next();
          if (done !== true) found.push(value);
          return done !== true;
        };
        for (const step of plan) {
          if (step === 'read') {
            read();
            continue;
          }
          const [key, value] = step;
          still.keep('hosts', key);
          if (value === null) state.hosts.delete(key);
          else state.hosts.set(key, value);
          state.rev += 1;
        }
        while (read());
        expect(found).toEqual(there.map((key) => [key, `${key} at first`]));
        expect(still.rev).toBe(rev);
      }),
    );
  });
});
