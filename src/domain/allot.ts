/**
 * The giving out of slots: who gets one now, who is told to wait and why, and who has to go for whom. Higher priority
 * first, then who has begun already, then the earlier start, then the id, so that the same wishes always end the same
 * way.
 */

import { refKey, type UpstreamRef } from './channel.js';
import { isReserved, laneIsFull } from './reserve.js';
import {
  isLineFull,
  limitOf,
  openOn,
  usedOf,
  type Candidate,
  type Slot,
  type SlotTable,
  type Want,
} from './slots.js';

/** What is asked of the world so that a wish can be granted later. */
export interface Allotment {
  readonly table: Pick<SlotTable, 'slots' | 'queue' | 'cooling'>;
  readonly granted: readonly { readonly id: string; readonly upstream: UpstreamRef }[];
  /** Only those whose reason is new to them. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
  /** Recordings that lose their slot to a higher one, and come back. */
  readonly preempted: readonly string[];
  /** Recordings that have only padding left and give way to a programme. */
  readonly yielded: readonly string[];
  /** Feeds that nobody listens to and that stand in somebody's way. */
  readonly dismissed: readonly string[];
}

const UNHELPED: ReadonlySet<string> = new Set(['no_upstream', 'lane_full', 'reserved']);

export function allot(table: SlotTable, at: number): Allotment {
  const now = { ...table, slots: [...table.slots], cooling: table.cooling.filter(({ until }) => until > at) };
  const queue: Want[] = [];
  const granted: { id: string; upstream: UpstreamRef }[] = [];
  const refused: { id: string; reason: string }[] = [];
  const preempted: string[] = [];
  const yielded: string[] = [];
  const dismissed: string[] = [];
  /** Slots that are on their way out and already meant for somebody. */
  const promised = new Set<string>();

  for (const want of table.queue.toSorted(byClaim)) {
    let reason = grant(want);
    while (reason !== null && !UNHELPED.has(reason) && dropPlace(want)) reason = grant(want);
    if (reason === null) continue;
    if (want.told === reason) queue.push(want);
    else {
      refused.push({ id: want.id, reason });
      queue.push({ ...want, told: reason });
    }
    // Nobody has to go for a limit that is the wish's own, a place that is meant for somebody else, or what is over.
    if (!UNHELPED.has(reason) && reason !== now.admission && at < want.stopAt) makeRoom(want);
  }
  return {
    table: { slots: now.slots, queue, cooling: now.cooling },
    granted,
    refused,
    preempted,
    yielded,
    dismissed,
  };

  function grant(want: Want): string | null {
    if (want.candidates.length === 0) return 'no_upstream';
    if (want.fresh && now.admission !== null) return now.admission;
    let why = 'slots_full';
    for (const candidate of want.candidates) {
      const feed = refKey(candidate);
      const index = now.slots.findIndex((slot) => slot.feed === feed && !slot.closed && !slot.leaving);
      const slot = now.slots[index];
      // Whoever waits behind a broken connection to the same upstream will ask again, and join.
      const isKept = now.slots.some((each) => each.closed && each.feed === feed);
      const others = isKept ? now.slots.filter((each) => each.feed !== feed || !each.closed) : now.slots;
      const table = isKept ? { ...now, slots: others } : now;
      const obstacle = laneIsFull(table, want, feed)
        ? 'lane_full'
        : slot
          ? null
          : (obstacleFor(table, candidate, at) ??
            (isReserved(table, want, candidate, at) ? 'reserved' : null));
      if (obstacle !== null) {
        why = obstacle;
        continue;
      }
      const { id, priority, lane, startAt, stopAt } = want;
      const holder = { id, priority, ...(lane !== undefined && { lane }), startAt, stopAt };
      const { source, channel, index: number } = candidate;
      const upstream = { source, channel, index: number };
      const accounts = candidate.accounts ?? [];
      if (slot) now.slots[index] = { ...slot, holders: [...slot.holders, holder] };
      else
        now.slots = [
          ...others,
          { feed, upstream, accounts, since: at, holders: [holder], closed: false, leaving: false },
        ];
      granted.push({ id, upstream });
      return null;
    }
    return why;
  }

  /** A place that is only kept, for one of less priority that backs off, is no obstacle. */
  function dropPlace(want: Want): boolean {
    const kept = now.slots.find(
      (slot) => slot.closed && top(slot) < want.priority && helps(now, slot, want, at),
    );
    if (!kept || !now.preempt) return false;
    now.slots = now.slots.filter((slot) => slot !== kept);
    return true;
  }

  /**
   * Lingering connections go first, then what is over and only pads, then (if that is allowed) the lowest that is lower
   * than this. Padding ahead of a programme is not taken from it: it would come back for more than it gave.
   */
  function makeRoom(want: Want): void {
    const victims = now.slots.filter(
      (slot) => !slot.closed && !promised.has(slot.feed) && helps(now, slot, want, at),
    );
    const idle = victims.find(({ holders }) => holders.length === 0);
    if (idle) {
      promised.add(idle.feed);
      dismissed.push(idle.feed);
      return;
    }
    const leaving = victims.find((slot) => slot.leaving);
    if (leaving) return void promised.add(leaving.feed);
    const padding = victims.find(({ holders }) => holders.every(({ stopAt }) => at >= stopAt));
    const lowest = now.preempt
      ? victims.filter((slot) => top(slot) < want.priority).toSorted(byWorth)[0]
      : undefined;
    const victim = padding ?? lowest;
    if (!victim) return;
    promised.add(victim.feed);
    now.slots = now.slots.map((slot) => (slot === victim ? { ...slot, leaving: true } : slot));
    for (const holder of victim.holders) (at >= holder.stopAt ? yielded : preempted).push(holder.id);
  }
}

/** Why a new connection to this upstream cannot be opened now, or null. */
function obstacleFor(table: SlotTable, candidate: Candidate, at: number): string | null {
  if (table.slotsMax > 0 && table.slots.length >= table.slotsMax) return 'slots_full';
  if (isLineFull(table)) return 'bandwidth';
  for (const account of candidate.accounts ?? []) {
    const limit = limitOf(table, account, at);
    if (usedOf(table, account, at) < limit) continue;
    return openOn(table, account) < limit ? 'account_cooling' : 'account_full';
  }
  return null;
}

/** Whether this slot, once closed, brings a wish nearer to a connection. */
function helps(table: SlotTable, slot: Slot, want: Want, at: number): boolean {
  if (table.slotsMax > 0 && table.slots.length >= table.slotsMax) return true;
  if (isLineFull(table) && !slot.closed) return true;
  return want.candidates.some((candidate) =>
    (candidate.accounts ?? []).some(
      (account) => slot.accounts.includes(account) && openOn(table, account) >= limitOf(table, account, at),
    ),
  );
}

function top(slot: Slot): number {
  return Math.max(...slot.holders.map(({ priority }) => priority));
}

/** The least worth first: lower priority, then the later start. */
function byWorth(a: Slot, b: Slot): number {
  const start = (slot: Slot) => Math.min(...slot.holders.map(({ startAt }) => startAt));
  return top(a) - top(b) || start(b) - start(a) || (a.feed < b.feed ? -1 : 1);
}

function byClaim(a: Want, b: Want): number {
  return (
    b.priority - a.priority ||
    Number(a.fresh) - Number(b.fresh) ||
    a.openAt - b.openAt ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}
