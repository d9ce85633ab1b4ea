/** Held against the plain way: everybody sorted anew and served from the top, at every start and stop. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { playAhead, type Demand, type Loss, type Table } from '../../src/domain/slotsAhead.js';

type Wish = Demand<string>;

function plainly(ordered: readonly Wish[], table: Table): readonly Loss<string>[] {
  const losses = new Map<string, Loss<string>>();
  const times = [...new Set(ordered.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);
  let holding = new Set(ordered.filter(({ running }) => running));
  for (const [index, at] of times.entries()) {
    const until = times[index + 1];
    if (until === undefined) break;
    const held = (one: Wish) => Number(holding.has(one));
    const active = ordered
      .filter(({ from, to }) => from <= at && to > at)
      .toSorted(
        (a, b) =>
          (table.preempt ? 0 : held(b) - held(a)) ||
          b.priority - a.priority ||
          held(b) - held(a) ||
          ordered.indexOf(a) - ordered.indexOf(b),
      );
    const used = new Map<string, number>();
    const hasRoom = (account: string) => (used.get(account) ?? 0) < (table.limits[account] ?? Infinity);
    const feeds = new Set<string>();
    const placed: Wish[] = [];
    const refused: [Wish, Loss<string>['reason']][] = [];
    for (const one of active) {
      const way = one.ways.find((accounts) => accounts.every(hasRoom));
      if (feeds.has(one.feed)) placed.push(one);
      else if (table.slotsMax > 0 && feeds.size >= table.slotsMax) refused.push([one, 'slots_full']);
      else if (way === undefined) refused.push([one, 'account_full']);
      else {
        feeds.add(one.feed);
        for (const account of way) used.set(account, (used.get(account) ?? 0) + 1);
        placed.push(one);
      }
    }
    holding = new Set(placed);
    const winners = placed.slice(0, 5).map(({ what }) => what);
    for (const [{ what }, reason] of refused) {
      const known = losses.get(what) ?? { what, lostMs: 0, firstAt: at, reason, winners };
      losses.set(what, { ...known, lostMs: known.lostMs + until - at });
    }
  }
  return [...losses.values()];
}

const WAYS: readonly Wish['ways'][] = [[['me']], [['me'], ['you']], [['you', 'me']], [[]]];

const wishes = fc
  .array(
    fc.record({
      channel: fc.nat(7),
      from: fc.nat(12),
      length: fc.integer({ min: 1, max: 6 }),
      priority: fc.constantFrom(10, 20, 30),
      running: fc.boolean(),
    }),
    { maxLength: 25 },
  )
  .map((rows) =>
    rows
      .map(({ channel, from, length, priority, running }): Wish => ({
        what: '',
        feed: String(channel),
        from,
        to: from + length,
        priority,
        running,
        ways: WAYS[channel % WAYS.length] ?? [],
      }))
      .toSorted((a, b) => b.priority - a.priority || a.from - b.from)
      .map((wish, index) => ({ ...wish, what: `w${index}` })),
  );

const tables = fc.record({
  slotsMax: fc.nat(5),
  preempt: fc.boolean(),
  limits: fc.constantFrom<Table['limits']>({}, { me: 1 }, { me: 2, you: 1 }, { you: 3 }),
});

it('slots played ahead go to whom they go when everybody is asked at every moment', () => {
  fc.assert(
    fc.property(wishes, tables, (ordered, table) => {
      expect(playAhead(ordered, table)).toEqual(plainly(ordered, table));
    }),
    { numRuns: 1_000 },
  );
});

it('thousands that want a few slots are played ahead in the time that it takes to sort them', () => {
  const ordered = Array.from({ length: 20_000 }, (_, index): Wish => {
    const from = (index * 7) % 600;
    return {
      what: `w${index}`,
      feed: `f${index}`,
      from,
      to: from + 60,
      priority: 10,
      running: false,
      ways: [[]],
    };
  });
  let asked = 0;
  const counted = ordered.map((wish) => ({
    ...wish,
    get priority() {
      asked += 1;
      return 10;
    },
  }));
  const losses = playAhead(counted, { slotsMax: 8, limits: {}, preempt: true });
  expect(losses.length).toBeGreaterThan(19_000);
  // Two for each that is compared: far from everybody at every one of 660 moments.
  expect(asked).toBeLessThan(40 * counted.length);
});
