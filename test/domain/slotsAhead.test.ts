/** Held against the plain way: everybody sorted anew and served from the top, at every start and stop. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { playAhead, type Demand, type Loss, type Table } from '../../src/domain/slotsAhead.js';

type Wish = Demand<string>;

function plainly(ordered: readonly Wish[], table: Table): readonly Loss<string>[] {
  const losses = new Map<string, Loss<string>>();
  const times = [...new Set(ordered.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);
  const began = new Set<Wish>();
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
    const lanes = new Map<string, Set<string>>();
    const inLane = ({ lane = '' }: Wish) => lanes.get(lane) ?? new Set<string>();
    const take = (one: Wish) => lanes.set(one.lane ?? '', inLane(one).add(one.feed));
    const isLaneFull = (one: Wish) => {
      const max = table.laneMax?.[one.lane ?? ''] ?? 0;
      return max > 0 && inLane(one).size >= max;
    };
    for (const one of active) if (holding.has(one)) take(one);
    const placed: Wish[] = [];
    const connections: (readonly [Wish, readonly string[]])[] = [];
    const refused: [one: Wish, reason: Loss<string>['reason'], whom?: readonly string[]][] = [];
    for (const one of active) {
      const isNew = !table.preempt && !began.has(one) && !holding.has(one);
      const open = one.ways.filter((accounts) => accounts.every(hasRoom));
      const words = open.map((accounts) =>
        isNew ? keptPlainly(one, accounts, ordered, connections, table, at) : null,
      );
      const way = open[words.indexOf(null)];
      const kept = words.at(-1);
      if (feeds.has(one.feed)) placed.push(one);
      else if (!holding.has(one) && isLaneFull(one)) refused.push([one, 'lane_full']);
      else if (table.slotsMax > 0 && feeds.size >= table.slotsMax) refused.push([one, 'slots_full']);
      else if (way === undefined && kept) refused.push([one, ...kept]);
      else if (way === undefined) refused.push([one, 'account_full']);
      else {
        feeds.add(one.feed);
        take(one);
        connections.push([one, way]);
        for (const account of way) used.set(account, (used.get(account) ?? 0) + 1);
        placed.push(one);
      }
    }
    // Whoever a connection was kept from shares one that is opened after all.
    const sharing = refused.filter(([{ feed }]) => feeds.has(feed)).map(([one]) => one);
    placed.push(...sharing);
    placed.sort((a, b) => active.indexOf(a) - active.indexOf(b));
    holding = new Set(placed);
    for (const one of placed) began.add(one);
    const winners = placed.slice(0, 5).map(({ what }) => what);
    const inLaneOf = ({ lane }: Wish) => placed.filter((each) => each.lane === lane).map(({ what }) => what);
    for (const [one, reason, kept] of refused.filter(([each]) => !holding.has(each))) {
      const { what } = one;
      const whom = kept ?? (reason === 'lane_full' ? inLaneOf(one) : winners);
      const known = losses.get(what) ?? { what, lostMs: 0, firstAt: at, reason, winners: whom.slice(0, 5) };
      losses.set(what, { ...known, lostMs: known.lostMs + until - at });
    }
  }
  return [...losses.values()];
}

/** Whom the last connection is kept for: everybody higher who begins before this one ends, asked at every start. */
function keptPlainly(
  one: Wish,
  way: readonly string[],
  all: readonly Wish[],
  connections: readonly (readonly [Wish, readonly string[]])[],
  table: Table,
  at: number,
): [Loss<string>['reason'], readonly string[]] | null {
  const higher = all
    .filter(({ from, priority }) => from > at && from < one.to && priority > one.priority)
    .toSorted((a, b) => a.from - b.from || all.indexOf(a) - all.indexOf(b));
  const needs = ({ ways }: Wish, account: string) => ways.every((accounts) => accounts.includes(account));
  for (const coming of higher) {
    const still = connections.filter(([{ feed }]) =>
      all.some((each) => each.feed === feed && each.from <= at && each.to > coming.from),
    );
    const open = new Set([one.feed, ...still.map(([{ feed }]) => feed)]);
    if (open.has(coming.feed)) continue;
    const own = higher
      .slice(0, higher.indexOf(coming) + 1)
      .filter(({ feed, to }) => to > coming.from && !open.has(feed));
    if (table.slotsMax > 0 && still.length + 1 + own.length > table.slotsMax)
      return ['slots_full', own.map(({ what }) => what)];
    for (const account of way) {
      const max = table.limits[account];
      if (max === undefined || !needs(coming, account)) continue;
      const wanted = own.filter((each) => needs(each, account));
      if (still.filter(([, ways]) => ways.includes(account)).length + 1 + wanted.length > max)
        return ['account_full', wanted.map(({ what }) => what)];
    }
  }
  return null;
}

const WAYS: readonly Wish['ways'][] = [[['me']], [['me'], ['you']], [['you', 'me']], [[]]];

const wishes = fc
  .array(
    fc.record({
      channel: fc.nat(7),
      from: fc.nat(12),
      length: fc.integer({ min: 1, max: 6 }),
      priority: fc.constantFrom(10, 20, 30),
      lane: fc.constantFrom('kids', 'films'),
      running: fc.boolean(),
    }),
    { maxLength: 25 },
  )
  .map((rows) =>
    rows
      .map(({ channel, from, length, priority, lane, running }): Wish => ({
        what: '',
        feed: String(channel),
        from,
        to: from + length,
        priority,
        lane,
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
  laneMax: fc.constantFrom<NonNullable<Table['laneMax']>>(
    {},
    { kids: 1 },
    { kids: 2, films: 1 },
    { films: 0 },
  ),
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
