/**
 * Two reasons besides a full account to let a wish wait although a connection is free: its lane has as many as it may, or
 * a higher programme will need the last one before this ends and could not take it back then.
 */

import { refKey } from './channel.js';
import { limitOf, type Candidate, type SlotTable, type Span, type Want } from './slots.js';

/** A programme that is scheduled and has not asked yet. */
export interface Ahead extends Span {
  readonly id: string;
  readonly priority: number;
  /** Connections that it can share, by the names of their feeds; where one is open it needs none of its own. */
  readonly feeds?: readonly string[];
  /** Accounts that a connection counts against, for each of its upstreams; not known where it is left out. */
  readonly ways?: readonly (readonly string[])[];
}

/** Whether the lane of a wish has all the connections that it may. One that it shares with its lane costs nothing. */
export function laneIsFull({ slots, laneMax }: SlotTable, { lane = '' }: Want, feed: string): boolean {
  const max = laneMax[lane] ?? 0;
  if (max === 0) return false;
  const own = slots.filter(({ holders }) => holders.some((holder) => holder.lane === lane));
  return own.length >= max && !own.some((slot) => slot.feed === feed && !slot.closed);
}

/**
 * Whether a further connection for this wish, to this of its candidates, would be missing for a higher programme that
 * comes while it lasts: of all that there may be, or on an account of the candidate that the other cannot do without.
 */
export function isReserved(table: SlotTable, want: Want, candidate: Candidate, at: number): boolean {
  if (table.preempt || !want.fresh) return false;
  const accounts = (candidate.accounts ?? []).flatMap((account) => {
    const max = limitOf(table, account, at);
    return max === Infinity ? [] : [{ account, max }];
  });
  if (table.slotsMax === 0 && accounts.length === 0) return false;
  const higher = table.ahead.filter(
    ({ id, priority, startAt }) =>
      id !== want.id && priority > want.priority && startAt > at && startAt < want.stopAt,
  );
  return higher.some((coming) => {
    const stillHeld = table.slots.filter(({ holders }) =>
      holders.some(({ stopAt }) => stopAt > coming.startAt),
    );
    const open = new Set([...want.candidates.map(refKey), ...stillHeld.map(({ feed }) => feed)]);
    const needsOwn = ({ feeds = [] }: Ahead) => !feeds.some((feed) => open.has(feed));
    if (!needsOwn(coming)) return false;
    const together = higher.filter(
      (each) => each.startAt <= coming.startAt && each.stopAt > coming.startAt && needsOwn(each),
    );
    if (table.slotsMax > 0 && stillHeld.length + 1 + together.length > table.slotsMax) return true;
    return accounts.some(({ account, max }) => {
      if (!needs(coming, account)) return false;
      const held = stillHeld.filter((slot) => slot.accounts.includes(account)).length;
      return held + 1 + together.filter((each) => needs(each, account)).length > max;
    });
  });
}

/** Whichever way it is recorded, a connection counts against this account. */
function needs({ ways = [] }: Ahead, account: string): boolean {
  return ways.length > 0 && ways.every((accounts) => accounts.includes(account));
}
