/**
 * Two reasons besides a full account to let a wish wait although a connection is free: its lane has as many as it may, or
 * a higher programme will need the last one before this ends and could not take it back then.
 */

import { refKey } from './channel.js';
import type { SlotTable, Span, Want } from './slots.js';

/** A programme that is scheduled and has not asked yet. */
export interface Ahead extends Span {
  readonly id: string;
  readonly priority: number;
  /** Connections that it can share, by the names of their feeds; where one is open it needs none of its own. */
  readonly feeds?: readonly string[];
}

/** Whether the lane of a wish has all the connections that it may. One that it shares with its lane costs nothing. */
export function laneIsFull({ slots, laneMax }: SlotTable, { lane = '' }: Want, feed: string): boolean {
  const max = laneMax[lane] ?? 0;
  if (max === 0) return false;
  const own = slots.filter(({ holders }) => holders.some((holder) => holder.lane === lane));
  return own.length >= max && !own.some((slot) => slot.feed === feed && !slot.closed);
}

/** Whether a further connection for this wish would be missing for a higher programme that comes while it lasts. */
export function isReserved(table: SlotTable, want: Want, at: number): boolean {
  if (table.preempt || table.slotsMax === 0 || !want.fresh) return false;
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
    return stillHeld.length + 1 + together.length > table.slotsMax;
  });
}
