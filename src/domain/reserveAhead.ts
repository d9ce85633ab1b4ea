/**
 * The last connection is kept for a higher programme that will need it (`reserve.ts`), as far as a forecast has to know:
 * whether a demand that holds nothing would take it, and from whom.
 */

import type { Demand, Loss, Table } from './slotsAhead.js';

export interface Held<T> {
  readonly demand: Demand<T>;
  /** Accounts that its connection counts against. */
  readonly way: readonly string[];
}

export interface Kept<T> {
  readonly reason: Loss<T>['reason'];
  readonly whom: readonly T[];
}

/**
 * For whom a connection of `demand` by `way` is kept, or null. `coming` are all that begin after now, in the order of
 * start, and `held` who has the connections.
 */
export function keptFor<T>(
  demand: Demand<T>,
  way: readonly string[],
  coming: Iterable<Demand<T>>,
  held: readonly Held<T>[],
  table: Table,
): Kept<T> | null {
  const accounts = way.filter((account) => table.limits[account] !== undefined);
  if (table.slotsMax === 0 && accounts.length === 0) return null;
  let together: Demand<T>[] = [];
  for (const one of coming) {
    if (one.from >= demand.to) return null;
    if (one.priority <= demand.priority) continue;
    together = [...together.filter(({ to }) => to > one.from), one];
    const still = held.filter((each) => each.demand.to > one.from);
    const open = new Set([demand.feed, ...still.map((each) => each.demand.feed)]);
    if (open.has(one.feed)) continue;
    const own = together.filter(({ feed }) => !open.has(feed));
    const whom = own.map(({ what }) => what);
    const feedsHeld = new Set(still.map((each) => each.demand.feed)).size;
    if (table.slotsMax > 0 && feedsHeld + 1 + own.length > table.slotsMax)
      return { reason: 'slots_full', whom };
    for (const account of accounts) {
      if (!needs(one, account)) continue;
      const heldThere = new Set(
        still.filter((each) => each.way.includes(account)).map((each) => each.demand.feed),
      ).size;
      const wanted = own.filter((each) => needs(each, account));
      if (heldThere + 1 + wanted.length > (table.limits[account] ?? Infinity))
        return { reason: 'account_full', whom: wanted.map(({ what }) => what) };
    }
  }
  return null;
}

function needs<T>({ ways }: Demand<T>, account: string): boolean {
  return ways.length > 0 && ways.every((accounts) => accounts.includes(account));
}
