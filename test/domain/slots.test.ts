import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allot, without, withWant, type SlotTable, type Want } from '../../src/domain/slots.js';

const AT = Date.UTC(2026, 10, 23, 19, 30);
const upstream = (channel: string, index = 0) => ({ source: 'catalog-1', channel, index });

const wish = (id: string, changes: Partial<Omit<Want, 'told'>> = {}): Omit<Want, 'told'> => ({
  id,
  candidates: [upstream(id)],
  priority: 10,
  openAt: AT,
  fresh: true,
  ...changes,
});
const EMPTY: SlotTable = { slots: [], queue: [], slotsMax: 2, admission: null };
const withWishes = (table: SlotTable, ...wishes: Omit<Want, 'told'>[]): SlotTable =>
  wishes.reduce((sum, want) => ({ ...sum, ...withWant(sum, want) }), table);

describe('slots', () => {
  it('go to the higher priority, then to the earlier start, then to the lower id', () => {
    const table = withWishes(
      { ...EMPTY, slotsMax: 3 },
      wish('late', { openAt: AT + 1 }),
      wish('b'),
      wish('a'),
      wish('news', { priority: 20, openAt: AT + 9 }),
    );
    const { granted, refused } = allot(table, AT);
    expect(granted.map(({ id }) => id)).toEqual(['news', 'a', 'b']);
    expect(refused).toEqual([{ id: 'late', reason: 'slots_full' }]);
  });

  it('say why one waits, and say it once', () => {
    const table = withWishes({ ...EMPTY, slotsMax: 1 }, wish('a'), wish('b'), wish('c', { candidates: [] }));
    const first = allot(table, AT);
    expect(first.refused).toEqual([
      { id: 'b', reason: 'slots_full' },
      { id: 'c', reason: 'no_upstream' },
    ]);
    const again = allot({ ...table, ...first.table }, AT);
    expect(again).toMatchObject({ granted: [], refused: [] });
    const freed = allot({ ...table, ...without(again.table, 'a') }, AT);
    expect(freed.granted.map(({ id }) => id)).toEqual(['b']);
  });

  it('are kept from new recordings while the disk is full, and not from one that has bytes already', () => {
    const table = withWishes(
      { ...EMPTY, admission: 'disk_floor' },
      wish('new'),
      wish('old', { fresh: false }),
    );
    const { granted, refused } = allot(table, AT);
    expect(granted.map(({ id }) => id)).toEqual(['old']);
    expect(refused).toEqual([{ id: 'new', reason: 'disk_floor' }]);
  });

  it('stay with one whose repeated wish crossed its grant on the way', () => {
    const first = allot(withWishes({ ...EMPTY, slotsMax: 1 }, wish('a'), wish('b')), AT);
    const echoed = withWant({ ...EMPTY, ...first.table }, wish('a'));
    expect(echoed).toEqual(first.table);
    const more = allot({ ...EMPTY, slotsMax: 1, ...echoed }, AT);
    expect(more.granted).toEqual([]);
    expect(more.table.slots.map(({ id }) => id)).toEqual(['a']);
  });

  it('have no limit at 0', () => {
    const wishes = Array.from({ length: 50 }, (_, index) => wish(`r${index}`));
    expect(allot(withWishes({ ...EMPTY, slotsMax: 0 }, ...wishes), AT).granted).toHaveLength(50);
  });
});

type Step =
  | { readonly do: 'want'; readonly want: Omit<Want, 'told'> }
  | { readonly do: 'release'; readonly id: string }
  | { readonly do: 'limit'; readonly slotsMax: number };

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const want = fc
  .record({
    id,
    priority: fc.constantFrom(10, 20, 30),
    openAt: fc.integer({ min: 0, max: 5 }),
    fresh: fc.boolean(),
    candidates: fc.array(
      fc.integer({ min: 0, max: 2 }).map((index) => upstream('x', index)),
      {
        maxLength: 2,
      },
    ),
  })
  .map((value): Step => ({ do: 'want', want: value }));
const step = fc.oneof(
  want,
  want,
  id.map((value): Step => ({ do: 'release', id: value })),
  fc.integer({ min: 0, max: 4 }).map((slotsMax): Step => ({ do: 'limit', slotsMax })),
);

function after(table: SlotTable, one: Step): SlotTable {
  switch (one.do) {
    case 'want':
      return { ...table, ...withWant(table, one.want) };
    case 'release':
      return { ...table, ...without(table, one.id) };
    case 'limit':
      return { ...table, slotsMax: one.slotsMax };
  }
}

describe('whatever is wished, given back and limited', () => {
  it('none is given beyond the limit, none has two, and nobody is served before a better claim', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let table: SlotTable = EMPTY;
        for (const one of steps) {
          const before = table.slots.length;
          table = after(table, one);
          const { granted, table: next } = allot(table, AT);
          table = { ...table, ...next };
          const ids = [...table.slots, ...table.queue].map((entry) => entry.id);
          expect(new Set(ids).size).toBe(ids.length);
          // A limit that was lowered takes nothing away, and gives nothing more.
          if (table.slotsMax > 0)
            expect(table.slots.length).toBeLessThanOrEqual(Math.max(table.slotsMax, before));
          const room = table.slotsMax === 0 || table.slots.length < table.slotsMax;
          const waiting = table.queue.filter(({ candidates }) => candidates.length > 0);
          if (room) expect(waiting).toEqual([]);
          expect(granted.every((slot) => table.slots.includes(slot))).toBe(true);
        }
      }),
    );
  });

  it('higher priorities come first', () => {
    fc.assert(
      fc.property(fc.array(want, { maxLength: 12 }), fc.integer({ min: 1, max: 4 }), (steps, slotsMax) => {
        const table = steps.reduce(after, { ...EMPTY, slotsMax });
        const claims = new Map(table.queue.map((entry) => [entry.id, entry.priority]));
        const { granted, table: next } = allot(table, AT);
        const able = next.queue.filter(({ candidates }) => candidates.length > 0);
        const lowest = Math.min(...granted.map((slot) => claims.get(slot.id) ?? 0));
        for (const waiting of able) expect(waiting.priority).toBeLessThanOrEqual(lowest);
      }),
    );
  });

  it('the order in which the same wishes came does not matter', () => {
    const wishes = fc.uniqueArray(want, {
      selector: (one) => (one.do === 'want' ? one.want.id : ''),
      maxLength: 6,
    });
    const both = wishes.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(both, ([list, shuffled]) => {
        const of = (steps: readonly Step[]) => allot(steps.reduce(after, EMPTY), AT).granted;
        expect(of(shuffled)).toEqual(of(list));
      }),
    );
  });
});
