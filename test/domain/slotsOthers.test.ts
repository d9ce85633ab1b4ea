/** What a panel says of the connections of others counts like ours, while it is believed (P6). */
import { describe, expect, it } from 'vitest';
import { allot } from '../../src/domain/allot.js';
import {
  limitOf,
  NO_SLOTS,
  withAccounts,
  type AccountLimit,
  type SlotTable,
  type Want,
} from '../../src/domain/slots.js';

const wants = (id: string): Want => ({
  id,
  candidates: [{ source: 's', channel: id, index: 0, accounts: ['a'] }],
  priority: 10,
  openAt: 0,
  startAt: 0,
  stopAt: 100_000,
  fresh: true,
  told: null,
});
const table = (limit: Partial<AccountLimit>, queue: readonly Want[] = []): SlotTable => ({
  ...NO_SLOTS,
  queue,
  limits: { a: { max: 2, learned: null, reserve: 0, ...limit } },
});

describe('connections that others have open', () => {
  it('take places, down to none, until they are not believed any more', () => {
    expect(limitOf(table({ others: { open: 1, until: 1000 } }), 'a', 0)).toBe(1);
    expect(limitOf(table({ others: { open: 2, until: 1000 } }), 'a', 0)).toBe(0);
    expect(limitOf(table({ others: { open: 7, until: 1000 } }), 'a', 999)).toBe(0);
    expect(limitOf(table({ others: { open: 2, until: 1000 } }), 'a', 1000)).toBe(2);
  });

  it('are the viewer that a place is kept for', () => {
    expect(limitOf(table({ max: 3, reserve: 1, others: { open: 1, until: 1000 } }), 'a', 0)).toBe(2);
    expect(limitOf(table({ max: 3, reserve: 1, others: { open: 2, until: 1000 } }), 'a', 0)).toBe(1);
  });

  it('make a recording wait with its reason, and let it in when they leave', () => {
    const full = table({ max: 1, others: { open: 1, until: 1000 } }, [wants('x')]);
    const waiting = allot(full, 0);
    expect(waiting.refused).toEqual([{ id: 'x', reason: 'account_full' }]);
    const free = withAccounts(
      full,
      { a: { max: 1, learned: null, reserve: 0, others: { open: 0, until: 2000 } } },
      [],
    );
    expect(allot({ ...full, ...free }, 10).granted.map(({ id }) => id)).toEqual(['x']);
  });
});
