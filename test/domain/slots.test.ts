import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refKey } from '../../src/domain/channel.js';
import { allot } from '../../src/domain/allot.js';
import {
  nextChance,
  NO_SLOTS,
  withClosed,
  withOnlyOpen,
  without,
  withRefusal,
  withWant,
  type Candidate,
  type SlotTable,
  type Want,
} from '../../src/domain/slots.js';

const AT = Date.UTC(2026, 10, 23, 19, 30);
const MINUTE = 60_000;

const upstream = (channel: string, accounts: readonly string[] = [], index = 0): Candidate => ({
  source: 'catalog-1',
  channel,
  index,
  accounts,
});

const wish = (id: string, changes: Partial<Omit<Want, 'told'>> = {}): Omit<Want, 'told'> => ({
  id,
  candidates: [upstream(id)],
  priority: 10,
  openAt: AT,
  startAt: AT,
  stopAt: AT + 30 * MINUTE,
  fresh: true,
  ...changes,
});

const EMPTY: SlotTable = { ...NO_SLOTS, slotsMax: 2 };
const ONE_CONNECTION = { one: { max: 1, learned: null, reserve: 0 } };

function withWishes(table: SlotTable, ...wishes: Omit<Want, 'told'>[]): SlotTable {
  return wishes.reduce((sum, want) => ({ ...sum, ...withWant(sum, want) }), table);
}

/** What the scheduler does after every change. */
function settled(table: SlotTable, at = AT) {
  const allotment = allot(table, at);
  return { ...allotment, table: { ...table, ...allotment.table } };
}

const ids = (table: SlotTable) => table.slots.flatMap(({ holders }) => holders.map(({ id }) => id));

describe('slots', () => {
  it('go to the higher priority, then to who has begun, then to the earlier start, then to the lower id', () => {
    const { granted, refused } = allot(
      withWishes(
        { ...EMPTY, slotsMax: 4 },
        wish('late', { openAt: AT + 1 }),
        wish('b'),
        wish('a'),
        wish('begun', { openAt: AT + 5, fresh: false }),
        wish('news', { priority: 20, openAt: AT + 9 }),
      ),
      AT,
    );
    expect(granted.map(({ id }) => id)).toEqual(['news', 'begun', 'a', 'b']);
    expect(refused).toEqual([{ id: 'late', reason: 'slots_full' }]);
  });

  it('say why one waits, and say it once', () => {
    const first = settled(
      withWishes({ ...EMPTY, slotsMax: 1 }, wish('a'), wish('b'), wish('c', { candidates: [] })),
    );
    expect(first.refused).toEqual([
      { id: 'b', reason: 'slots_full' },
      { id: 'c', reason: 'no_upstream' },
    ]);
    expect(settled(first.table)).toMatchObject({ granted: [], refused: [] });
    const left = { ...first.table, ...without(first.table, 'a') };
    const closed = { ...left, ...withClosed(left, refKey(upstream('a')), 'us', AT) };
    expect(settled(closed).granted.map(({ id }) => id)).toEqual(['b']);
  });

  it('are kept from new recordings while the disk is full, and not from one that has bytes already', () => {
    const { granted, refused } = allot(
      withWishes({ ...EMPTY, admission: 'disk_floor' }, wish('new'), wish('old', { fresh: false })),
      AT,
    );
    expect(granted.map(({ id }) => id)).toEqual(['old']);
    expect(refused).toEqual([{ id: 'new', reason: 'disk_floor' }]);
  });

  it('stay with one whose repeated wish crossed its grant on the way', () => {
    const { table } = settled(withWishes({ ...EMPTY, slotsMax: 1 }, wish('a'), wish('b')));
    const echoed = withWant(table, wish('a'));
    expect(echoed).toEqual({ slots: table.slots, queue: table.queue });
  });

  it('know of a new stop of who holds one, so that an overrun does not pass for padding', () => {
    const { table } = settled(withWishes({ ...EMPTY, slotsMax: 1 }, wish('a')));
    const longer = withWishes(
      table,
      wish('a', { stopAt: AT + 60 * MINUTE }),
      wish('b', { stopAt: AT + 90 * MINUTE }),
    );
    expect(settled(longer, AT + 40 * MINUTE).yielded).toEqual([]);
    expect(settled(longer, AT + 60 * MINUTE).yielded).toEqual(['a']);
  });

  it('have no limit at 0', () => {
    const wishes = Array.from({ length: 50 }, (_, index) => wish(`r${index}`));
    expect(allot(withWishes({ ...EMPTY, slotsMax: 0 }, ...wishes), AT).granted).toHaveLength(50);
  });

  it('are not needed to join a feed that runs', () => {
    const shared = { candidates: [upstream('one', ['one'])] };
    const { table } = settled(
      withWishes({ ...EMPTY, limits: ONE_CONNECTION }, wish('now', shared), wish('next', shared)),
    );
    expect(table.slots).toHaveLength(1);
    expect(ids(table)).toEqual(['next', 'now'].toSorted());
  });

  it('take the best upstream that can be had', () => {
    const full = settled(
      withWishes({ ...EMPTY, limits: ONE_CONNECTION }, wish('a', { candidates: [upstream('a', ['one'])] })),
    );
    const { granted } = settled(
      withWishes(full.table, wish('b', { candidates: [upstream('b', ['one']), upstream('b', ['two'], 1)] })),
    );
    expect(granted).toEqual([{ id: 'b', upstream: { source: 'catalog-1', channel: 'b', index: 1 } }]);
  });
});

describe('an account at its limit', () => {
  const a = wish('a', { candidates: [upstream('a', ['one'])] });
  const b = wish('b', { candidates: [upstream('b', ['one'])] });
  const start = settled(withWishes({ ...EMPTY, limits: ONE_CONNECTION }, a, b));
  const feed = refKey(upstream('a'));

  it('makes the next one wait, and says so', () => {
    expect(start.granted.map(({ id }) => id)).toEqual(['a']);
    expect(start.refused).toEqual([{ id: 'b', reason: 'account_full' }]);
  });

  it('is cooled down after a close of ours, and not after one of the provider', () => {
    const left = { ...start.table, ...without(start.table, 'a') };
    const byProvider = settled({ ...left, ...withClosed(left, feed, 'provider', AT) });
    expect(byProvider.granted.map(({ id }) => id)).toEqual(['b']);
    const byUs = settled({ ...left, ...withClosed(left, feed, 'us', AT) });
    expect(byUs.granted).toEqual([]);
    expect(byUs.refused).toEqual([{ id: 'b', reason: 'account_cooling' }]);
    expect(nextChance(byUs.table, AT)).toBe(AT + 25_000);
    expect(settled(byUs.table, AT + 24_999).granted).toEqual([]);
    expect(settled(byUs.table, AT + 25_000).granted.map(({ id }) => id)).toEqual(['b']);
  });

  it('keeps the place of one whose connection broke, until it asks again', () => {
    const broken = settled({ ...start.table, ...withClosed(start.table, feed, 'provider', AT) });
    expect(broken.granted).toEqual([]);
    const again = settled(withWishes(broken.table, { ...a, fresh: false }));
    expect(again.granted.map(({ id }) => id)).toEqual(['a']);
  });

  it('does not keep that place against a higher lane', () => {
    const broken = settled({ ...start.table, ...withClosed(start.table, feed, 'provider', AT) });
    const sports = wish('sports', { priority: 30, candidates: [upstream('sports', ['one'])] });
    expect(settled(withWishes(broken.table, sports)).granted.map(({ id }) => id)).toEqual(['sports']);
  });

  it('closes a connection that only lingers for one that waits', () => {
    const left = { ...start.table, ...without(start.table, 'a') };
    expect(settled(left).dismissed).toEqual([feed]);
  });

  it('learns from a refusal, only ever downwards, and forgets after a day', () => {
    const three = { max: 3, learned: null, reserve: 0 };
    const busy = settled(withWishes({ ...EMPTY, slotsMax: 0, limits: { one: three } }, a, b)).table;
    const named = { ...busy, ...withRefusal(busy, refKey(upstream('b')), 2, AT) };
    expect(named.limits['one']?.learned?.max).toBe(2);
    const guessed = { ...named, ...withRefusal(named, refKey(upstream('b')), null, AT) };
    expect(guessed.limits['one']?.learned?.max).toBe(1);
    const higher = { ...guessed, ...withRefusal(guessed, refKey(upstream('b')), 9, AT) };
    expect(higher.limits['one']?.learned?.max).toBe(1);
    const c = wish('c', { candidates: [upstream('c', ['one'])] });
    const unknown = { ...higher, limits: { one: { ...higher.limits['one']!, max: 0 } } };
    expect(settled(withWishes(unknown, c)).granted).toEqual([]);
    expect(settled(withWishes(unknown, c), AT + 86_399_999).granted).toEqual([]);
    expect(settled(withWishes(unknown, c), AT + 86_400_000).granted).toHaveLength(1);
  });

  it('doubts a lesson below what is known to be allowed after ten minutes, and says when it will', () => {
    const limits = { one: { max: 2, learned: { max: 1, at: AT }, reserve: 0 } };
    const c = wish('c', { candidates: [upstream('c', ['one'])] });
    const { table } = settled(withWishes({ ...EMPTY, slotsMax: 0, limits }, a, c));
    expect(table.slots).toHaveLength(1);
    expect(nextChance(table, AT)).toBe(AT + 10 * MINUTE);
    expect(settled(table, AT + 10 * MINUTE - 1).granted).toEqual([]);
    expect(settled(table, AT + 10 * MINUTE).granted).toHaveLength(1);
  });

  it('learns nothing from a refusal of what the provider itself has just ended and still counts', () => {
    const busy = settled(withWishes({ ...EMPTY, slotsMax: 0 }, a, b)).table;
    const cut = { ...busy, ...withClosed(busy, refKey(upstream('b')), 'provider', AT) };
    const again = settled(withWishes(cut, b), AT + 250).table;
    const soon = withRefusal(again, refKey(upstream('b')), null, AT + 300);
    expect(soon.limits['one']?.learned?.max).toBe(2);
    const later = withRefusal(again, refKey(upstream('b')), null, AT + again.cooldownMs);
    expect(later.limits['one']?.learned?.max).toBe(1);
  });

  it('leaves connections for a viewer, but never none to record', () => {
    const limits = { one: { max: 2, learned: null, reserve: 1 } };
    expect(settled(withWishes({ ...EMPTY, limits }, a, b)).granted).toHaveLength(1);
    const greedy = { one: { max: 1, learned: null, reserve: 5 } };
    expect(settled(withWishes({ ...EMPTY, limits: greedy }, a, b)).granted).toHaveLength(1);
  });
});

describe('when all slots are taken', () => {
  const one = { ...EMPTY, slotsMax: 1 };

  it('a higher lane takes the slot of a lower one, once, and only if that is allowed', () => {
    const { table } = settled(withWishes(one, wish('low')));
    const high = wish('high', { priority: 30 });
    const asked = settled(withWishes(table, high));
    expect(asked.preempted).toEqual(['low']);
    expect(settled(asked.table).preempted).toEqual([]);
    expect(settled(withWishes({ ...table, preempt: false }, high)).preempted).toEqual([]);
    expect(settled(withWishes(table, wish('equal'))).preempted).toEqual([]);
  });

  it('the connection of who has left is closed at once, not when it has lingered', () => {
    const { table } = settled(withWishes(one, wish('low')));
    const asked = settled(withWishes(table, wish('high', { priority: 30 })));
    const left = { ...asked.table, ...without(asked.table, 'low') };
    expect(settled(left).dismissed).toEqual([refKey(upstream('low'))]);
  });

  it('the lowest and latest goes first', () => {
    const { table } = settled(
      withWishes(
        { ...EMPTY, slotsMax: 3 },
        wish('mid', { priority: 20 }),
        wish('early', { startAt: AT - MINUTE }),
        wish('late', { startAt: AT }),
      ),
    );
    expect(settled(withWishes(table, wish('high', { priority: 30 }))).preempted).toEqual(['late']);
  });

  it('what is over and only pads gives way, whatever the lanes', () => {
    const over = wish('over', { priority: 30, startAt: AT - 60 * MINUTE, stopAt: AT - 1 });
    const { table } = settled(withWishes(one, over), AT - 2);
    const waiting = settled(withWishes(table, wish('low')), AT - 2);
    expect(waiting.yielded).toEqual([]);
    expect(nextChance(waiting.table, AT - 2)).toBe(AT - 1);
    expect(settled(waiting.table).yielded).toEqual(['over']);
  });

  it('nothing gives way to what is over itself', () => {
    const over = wish('over', { stopAt: AT });
    const { table } = settled(withWishes(one, over), AT - 2);
    expect(settled(withWishes(table, wish('late', { priority: 50, stopAt: AT })))).toMatchObject({
      preempted: [],
      yielded: [],
    });
  });

  it('padding ahead of a programme is only taken by a higher lane, so that two never take from each other', () => {
    const early = wish('early', { startAt: AT + MINUTE, priority: 30 });
    const { table } = settled(withWishes(one, early));
    const asked = settled(withWishes(table, wish('now')));
    expect(asked).toMatchObject({ preempted: [], yielded: [] });
  });
});

it('forgets slots whose connection is not there and that nobody holds', () => {
  const { table } = settled(withWishes(EMPTY, wish('a'), wish('b')));
  const left = { ...table, ...without(table, 'a') };
  expect(withOnlyOpen(left, new Set([refKey(upstream('a'))])).slots).toHaveLength(2);
  expect(withOnlyOpen(left, new Set()).slots.map(({ feed }) => feed)).toEqual([refKey(upstream('b'))]);
});

describe('whatever happens', () => {
  const CHANNELS = ['c1', 'c2', 'c3', 'c4'];
  const step = fc.oneof(
    fc.record({
      do: fc.constant('want' as const),
      id: fc.nat(7),
      channel: fc.nat(3),
      priority: fc.constantFrom(10, 20, 30),
    }),
    fc.record({ do: fc.constant('leave' as const), id: fc.nat(7) }),
    fc.record({
      do: fc.constant('close' as const),
      channel: fc.nat(3),
      by: fc.constantFrom('us' as const, 'provider' as const),
    }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(40_000) }),
  );
  const limit = fc.integer({ min: 1, max: 3 });

  it('an account never has more connections open and cooling than its limit', () => {
    fc.assert(
      fc.property(limit, fc.nat(4), fc.array(step, { maxLength: 60 }), (max, slotsMax, steps) => {
        let at = AT;
        let table: SlotTable = {
          ...NO_SLOTS,
          slotsMax,
          limits: { one: { max, learned: null, reserve: 0 } },
        };
        for (const each of steps) {
          switch (each.do) {
            case 'want':
              table = withWishes(
                table,
                wish(`r${each.id}`, {
                  candidates: [upstream(CHANNELS[each.channel] ?? '', ['one'])],
                  priority: each.priority,
                }),
              );
              break;
            case 'leave':
              table = { ...table, ...without(table, `r${each.id}`) };
              break;
            case 'close':
              table = {
                ...table,
                ...withClosed(table, refKey(upstream(CHANNELS[each.channel] ?? '')), each.by, at),
              };
              break;
            case 'wait':
              at += each.ms;
              break;
          }
          const before = new Set(table.slots.filter(({ closed }) => !closed).map(({ feed }) => feed));
          const result = settled(table, at);
          table = result.table;
          const open = table.slots.filter(({ closed }) => !closed);
          const cooling = table.cooling.filter(({ until }) => until > at);
          const opened = open.filter(({ feed }) => !before.has(feed));
          // A close makes the provider count one more for a while: nothing may be opened on top of that.
          if (opened.length > 0) expect(table.slots.length + cooling.length).toBeLessThanOrEqual(max);
          if (opened.length > 0 && slotsMax > 0) expect(table.slots.length).toBeLessThanOrEqual(slotsMax);
          expect(new Set(table.slots.map(({ feed }) => feed)).size).toBe(table.slots.length);
          const holders = ids(table);
          expect(new Set(holders).size).toBe(holders.length);
          expect(
            table.queue.every(({ id }) => !open.some((slot) => slot.holders.some((h) => h.id === id))),
          ).toBe(true);
        }
      }),
    );
  });

  it('the order of the wishes changes nothing', () => {
    const wishes = fc
      .uniqueArray(fc.nat(20), { maxLength: 8 })
      .map((numbers) => numbers.map((number) => wish(`r${number}`, { priority: 10 * (1 + (number % 3)) })));
    fc.assert(
      fc.property(wishes, fc.nat(5), (all, slotsMax) => {
        const one = allot(withWishes({ ...NO_SLOTS, slotsMax }, ...all), AT);
        const other = allot(withWishes({ ...NO_SLOTS, slotsMax }, ...all.toReversed()), AT);
        expect(one.granted).toEqual(other.granted);
        expect(one.table.queue).toEqual(other.table.queue);
      }),
    );
  });
});
