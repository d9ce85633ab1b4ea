/**
 * Who gets a connection (P6). A slot belongs to a feed, that is to one connection to one upstream, and to everyone who
 * listens to it; it counts from the grant until the connection is closed, and for a while longer where the provider may
 * still count it. Higher priority first, then who has begun already, then the earlier start, then the id, so that the
 * same wishes always end the same way.
 */

import { refKey, type UpstreamRef } from './channel.js';

/** An upstream with the accounts that a connection to it counts against (a relay's: its own and the one behind). */
export interface Candidate extends UpstreamRef {
  readonly accounts?: readonly string[];
}

/** When the programme itself is on; before and after is padding. */
export interface Span {
  readonly startAt: number;
  readonly stopAt: number;
}

export interface Want extends Span {
  readonly id: string;
  /** Best first. */
  readonly candidates: readonly Candidate[];
  readonly priority: number;
  readonly openAt: number;
  /** It has captured nothing yet, so a lack of disk space may keep it out. */
  readonly fresh: boolean;
  /** The reason it was last given for waiting, or null. */
  readonly told: string | null;
}

export interface Holder extends Span {
  readonly id: string;
  readonly priority: number;
}

export interface Slot {
  /** `refKey` of its upstream. */
  readonly feed: string;
  readonly upstream: UpstreamRef;
  readonly accounts: readonly string[];
  readonly since: number;
  /** Who listens; none while the connection lingers. */
  readonly holders: readonly Holder[];
  /** The connection is gone; kept for its holder, who is about to ask again. */
  readonly closed: boolean;
  /** Its holders were asked to leave. */
  readonly leaving: boolean;
}

export interface AccountLimit {
  /** Configured or told by the panel; 0 is not known. */
  readonly max: number;
  /** From a refusal; only ever lower, forgotten after a day. */
  readonly learned: { readonly max: number; readonly at: number } | null;
  /** Connections left for a viewer. */
  readonly reserve: number;
}

/** A connection that we closed and that the provider may still count. */
export interface Cooling {
  readonly account: string;
  readonly until: number;
}

/** What nothing new may start for (`disk_floor`, `state_unwritable`), or null. */
export type Admission = string | null;

export interface SlotTable {
  readonly slots: readonly Slot[];
  readonly queue: readonly Want[];
  readonly cooling: readonly Cooling[];
  readonly limits: Readonly<Record<string, AccountLimit>>;
  /** Connections at once over all accounts; 0 is no limit. */
  readonly slotsMax: number;
  readonly cooldownMs: number;
  /** Whether a higher priority may take the slot of a lower one. */
  readonly preempt: boolean;
  readonly admission: Admission;
}

export const NO_SLOTS: SlotTable = {
  slots: [],
  queue: [],
  cooling: [],
  limits: {},
  slotsMax: 0,
  cooldownMs: 25_000,
  preempt: true,
  admission: null,
};

type Changing = Pick<SlotTable, 'slots' | 'queue'>;

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

const LEARNED_MS_MAX = 86_400_000;

/**
 * A wish replaces an earlier one of the same recording. One of a recording that holds an open slot crossed its grant on
 * the way and counts for nothing, or that connection would go uncounted.
 */
export function withWant(table: Changing, want: Omit<Want, 'told'>): Changing {
  const isOpen = table.slots.some(({ closed, holders }) => !closed && holds(holders, want.id));
  if (isOpen) return { slots: table.slots, queue: table.queue };
  const rest = without(table, want.id);
  return { slots: rest.slots, queue: [...rest.queue, { ...want, told: null }] };
}

/** It gives back what it holds and wants; a connection that is open stays a slot until it is closed. */
export function without(table: Changing, id: string): Changing {
  return {
    slots: table.slots.flatMap((slot): Slot[] => {
      if (!holds(slot.holders, id)) return [slot];
      const holders = slot.holders.filter((holder) => holder.id !== id);
      return slot.closed && holders.length === 0 ? [] : [{ ...slot, holders }];
    }),
    queue: table.queue.filter((want) => want.id !== id),
  };
}

/** It backs off: the place of a connection that broke is kept for it, one that is open is left to the others. */
export function withPaused(table: Changing, id: string): Changing {
  const broke = table.slots.some(({ closed, holders }) => closed && holds(holders, id));
  return broke ? { slots: table.slots, queue: table.queue } : without(table, id);
}

/** What is configured counts from now on; what was learned stays, and the later of two lessons. */
export function withAccounts(
  table: SlotTable,
  limits: SlotTable['limits'],
  cooling: readonly Cooling[],
): Pick<SlotTable, 'limits' | 'cooling'> {
  const merged: Record<string, AccountLimit> = {};
  for (const account of new Set([...Object.keys(table.limits), ...Object.keys(limits)])) {
    const learned = limits[account]?.learned ?? table.limits[account]?.learned ?? null;
    const { max, reserve } = limits[account] ?? { max: 0, reserve: 0 };
    if (max > 0 || reserve > 0 || learned) merged[account] = { max, reserve, learned };
  }
  return { limits: merged, cooling: [...table.cooling, ...cooling] };
}

/**
 * A connection is gone. Closed by us on an account that was at its limit, the provider may count it a while longer; a
 * holder that is about to ask again keeps its place.
 */
export function withClosed(
  table: SlotTable,
  feed: string,
  by: 'us' | 'provider',
  at: number,
): Pick<SlotTable, 'slots' | 'cooling'> {
  const slot = table.slots.find((each) => each.feed === feed && !each.closed);
  if (!slot) return { slots: table.slots, cooling: table.cooling };
  const full = slot.accounts.filter((account) => used(table, account, at) >= limitOf(table, account, at));
  const hot = by === 'us' ? full.map((account) => ({ account, until: at + table.cooldownMs })) : [];
  return {
    slots: table.slots.flatMap((each): Slot[] => {
      if (each !== slot) return [each];
      return slot.holders.length === 0 ? [] : [{ ...slot, closed: true, leaving: false }];
    }),
    cooling: [...table.cooling, ...hot],
  };
}

/** A refusal for want of connections teaches a limit: the one it named, else what was open and cooling then. */
export function withRefusal(
  table: SlotTable,
  feed: string,
  named: number | null,
  at: number,
): Pick<SlotTable, 'limits'> {
  const slot = table.slots.find((each) => each.feed === feed);
  const limits = { ...table.limits };
  for (const account of slot?.accounts ?? []) {
    const others = used(table, account, at) - 1;
    const known = limits[account] ?? { max: 0, learned: null, reserve: 0 };
    const before = isFresh(known.learned, at) ? (known.learned?.max ?? Infinity) : Infinity;
    limits[account] = { ...known, learned: { max: Math.min(before, named ?? Math.max(1, others)), at } };
  }
  return { limits };
}

/** Slots that nobody holds and whose connection is not there never were; the runtime says which are. */
export function withOnlyOpen(table: Changing, open: ReadonlySet<string>): Changing {
  return {
    slots: table.slots.filter(({ feed, holders }) => holders.length > 0 || open.has(feed)),
    queue: table.queue,
  };
}

/** When somebody who waits may get a slot without anything else happening: a cool-down or a programme ends. Or null. */
export function nextChance(table: SlotTable, at: number): number | null {
  if (table.queue.length === 0) return null;
  const ends = table.slots.map(({ holders }) => Math.max(0, ...holders.map(({ stopAt }) => stopAt)));
  const chances = [...table.cooling.map(({ until }) => until), ...ends].filter((chance) => chance > at);
  return chances.length === 0 ? null : Math.min(...chances);
}

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
    const reason = grant(want);
    if (reason === null) continue;
    if (want.told !== reason) refused.push({ id: want.id, reason });
    queue.push({ ...want, told: reason });
    if (reason !== 'no_upstream' && reason !== now.admission) makeRoom(want);
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
      const others = now.slots.filter((each) => each.feed !== feed || !each.closed);
      const obstacle = slot ? null : obstacleFor({ ...now, slots: others }, candidate, at);
      if (obstacle !== null) {
        why = obstacle;
        continue;
      }
      const { id, priority, startAt, stopAt } = want;
      const holder = { id, priority, startAt, stopAt };
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
  for (const account of candidate.accounts ?? []) {
    const limit = limitOf(table, account, at);
    if (used(table, account, at) < limit) continue;
    return open(table, account) < limit ? 'account_cooling' : 'account_full';
  }
  return null;
}

/** Whether this slot, once closed, brings a wish nearer to a connection. */
function helps(table: SlotTable, slot: Slot, want: Want, at: number): boolean {
  if (table.slotsMax > 0 && table.slots.length >= table.slotsMax) return true;
  return want.candidates.some((candidate) =>
    (candidate.accounts ?? []).some(
      (account) => slot.accounts.includes(account) && open(table, account) >= limitOf(table, account, at),
    ),
  );
}

/** Connections this account may have at once, the viewer's left out. At least one, or nothing would ever be recorded. */
function limitOf(table: SlotTable, account: string, at: number): number {
  const known = table.limits[account];
  if (!known) return Infinity;
  const learned = isFresh(known.learned, at) ? (known.learned?.max ?? Infinity) : Infinity;
  const max = Math.min(known.max === 0 ? Infinity : known.max, learned);
  return max === Infinity ? Infinity : Math.max(1, max - known.reserve);
}

function isFresh(learned: AccountLimit['learned'], at: number): boolean {
  return learned !== null && at - learned.at < LEARNED_MS_MAX;
}

function open(table: SlotTable, account: string): number {
  return table.slots.filter(({ accounts }) => accounts.includes(account)).length;
}

/** What the provider may count now. */
function used(table: SlotTable, account: string, at: number): number {
  const cooling = table.cooling.filter((each) => each.account === account && each.until > at);
  return open(table, account) + cooling.length;
}

function holds(holders: readonly Holder[], id: string): boolean {
  return holders.some((holder) => holder.id === id);
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
