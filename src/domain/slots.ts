/**
 * Who gets a connection (P6). A slot belongs to a feed, that is to one connection to one upstream, and to everyone who
 * listens to it; it counts from the grant until the connection is closed, and for a while longer where the provider may
 * still count it. `allot.ts` gives them out.
 */

import type { UpstreamRef } from './channel.js';
import type { Ahead } from './reserve.js';

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
  readonly lane?: string;
  readonly openAt: number;
  /** It has captured nothing yet, so a lack of disk space may keep it out. */
  readonly fresh: boolean;
  /** The reason it was last given for waiting, or null. */
  readonly told: string | null;
}

export interface Holder extends Span {
  readonly id: string;
  readonly lane?: string;
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
  /** From a refusal; only ever lower, and forgotten in time (`believedUntil`). */
  readonly learned: { readonly max: number; readonly at: number } | null;
  /** Connections left for a viewer. */
  readonly reserve: number;
  /** What others have open by the panel's word, believed for a while; null where it says nothing. */
  readonly others?: { readonly open: number; readonly until: number } | null;
}

/** A connection that is gone and that the provider may still count. */
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
  /** What the provider ended a moment ago. It counts for nothing, unless it refuses. */
  readonly lost: readonly Cooling[];
  readonly limits: Readonly<Record<string, AccountLimit>>;
  /** Connections at once over all accounts; 0 is no limit. */
  readonly slotsMax: number;
  /** Bits a second over all connections beyond which no further one is opened; 0 is no limit. */
  readonly bandwidthMax: number;
  /** What was last measured of each feed, bits a second. */
  readonly rates: Readonly<Record<string, number>>;
  readonly cooldownMs: number;
  /** Whether a higher priority may take the slot of a lower one. */
  readonly preempt: boolean;
  /** Connections at once by lane; 0 or absent is no limit. */
  readonly laneMax: Readonly<Record<string, number>>;
  /** Programmes that will ask for a connection. */
  readonly ahead: readonly Ahead[];
  readonly admission: Admission;
}

export const NO_SLOTS: SlotTable = {
  slots: [],
  queue: [],
  cooling: [],
  lost: [],
  limits: {},
  slotsMax: 0,
  bandwidthMax: 0,
  rates: {},
  cooldownMs: 25_000,
  preempt: true,
  laneMax: {},
  ahead: [],
  admission: null,
};

type Changing = Pick<SlotTable, 'slots' | 'queue'>;

const LESSON_MS = 86_400_000;
/** Where more is allowed by the configuration or the panel's word: somebody else had the rest, for now. */
const DOUBTED_LESSON_MS = 600_000;
const RATES_MAX = 200;
/** A channel in HD, until one is measured. */
const TYPICAL_RATE = 8_000_000;

/**
 * A wish replaces an earlier one of the same recording. One of a recording that holds an open slot crossed its grant on
 * the way and counts for nothing, or that connection would go uncounted.
 */
export function withWant(table: Changing, want: Omit<Want, 'told'>): Changing {
  const isOpen = table.slots.some(({ closed, holders }) => !closed && holds(holders, want.id));
  if (isOpen) {
    const { id, priority, lane, startAt, stopAt } = want;
    const renewed = { id, priority, ...(lane !== undefined && { lane }), startAt, stopAt };
    const slots = table.slots.map((slot) => ({
      ...slot,
      holders: slot.holders.map((holder) => (holder.id === id ? renewed : holder)),
    }));
    return { slots, queue: table.queue };
  }
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
    const { max, reserve, others } = limits[account] ?? { max: 0, reserve: 0 };
    if (max > 0 || reserve > 0 || learned)
      merged[account] = { max, reserve, learned, ...(others && { others }) };
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
): Pick<SlotTable, 'slots' | 'cooling' | 'lost'> {
  const { cooling } = table;
  const lost = table.lost.filter(({ until }) => until > at);
  const slot = table.slots.find((each) => each.feed === feed && !each.closed);
  if (!slot) return { slots: table.slots, cooling, lost };
  const until = at + table.cooldownMs;
  const full = slot.accounts.filter((account) => usedOf(table, account, at) >= limitOf(table, account, at));
  const hot = by === 'us' ? full.map((account) => ({ account, until })) : [];
  const ended = by === 'provider' ? slot.accounts.map((account) => ({ account, until })) : [];
  return {
    slots: table.slots.flatMap((each): Slot[] => {
      if (each !== slot) return [each];
      return slot.holders.length === 0 ? [] : [{ ...slot, closed: true, leaving: false }];
    }),
    cooling: [...cooling, ...hot],
    lost: [...lost, ...ended],
  };
}

/**
 * A refusal for want of connections teaches a limit: the one it named, else what was open and cooling then, and what
 * the provider had just ended itself, which some count for seconds more (docs/decisions/0015).
 */
export function withRefusal(
  table: SlotTable,
  feed: string,
  named: number | null,
  at: number,
): Pick<SlotTable, 'limits'> {
  const slot = table.slots.find((each) => each.feed === feed);
  const limits = { ...table.limits };
  for (const account of slot?.accounts ?? []) {
    const others = usedOf(table, account, at) - 1 + countOf(table.lost, account, at);
    const known = limits[account] ?? { max: 0, learned: null, reserve: 0 };
    const max = Math.min(lessonOf(known, at), named ?? Math.max(1, others));
    limits[account] = { ...known, learned: { max, at } };
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

/** A feed was measured. Of those without a slot as many are remembered as may soon come back. */
export function withRate(table: SlotTable, feed: string, bitsPerSecond: number): Pick<SlotTable, 'rates'> {
  const { [feed]: _, ...others } = table.rates;
  const kept = Object.entries(others).slice(-RATES_MAX);
  return { rates: { ...Object.fromEntries(kept), [feed]: bitsPerSecond } };
}

/** What comes over the line now: measured, and of what was just opened the mean of what is known. */
export function bandwidthOf(table: SlotTable): number {
  const known = Object.values(table.rates);
  const sum = known.reduce((total, rate) => total + rate, 0);
  const typical = known.length === 0 ? TYPICAL_RATE : sum / known.length;
  const open = table.slots.filter(({ closed }) => !closed);
  return open.reduce((total, { feed }) => total + (table.rates[feed] ?? typical), 0);
}

export function isLineFull(table: SlotTable): boolean {
  return table.bandwidthMax > 0 && bandwidthOf(table) >= table.bandwidthMax;
}

/** When somebody who waits may get a slot by itself: a cool-down or a programme ends, a lesson is forgotten. Or null. */
export function nextChance(table: SlotTable, at: number): number | null {
  if (table.queue.length === 0) return null;
  const ends = table.slots.map(({ holders }) => Math.max(0, ...holders.map(({ stopAt }) => stopAt)));
  const lessons = Object.values(table.limits).map(believedUntil);
  const chances = [...table.cooling.map(({ until }) => until), ...lessons, ...ends].filter(
    (chance) => chance > at,
  );
  return chances.length === 0 ? null : Math.min(...chances);
}

/**
 * Connections this account may have at once, the viewer's left out. At least one, or nothing would ever be recorded;
 * none only while others have them all by the panel's own word.
 */
export function limitOf(table: SlotTable, account: string, at: number): number {
  const known = table.limits[account];
  if (!known) return Infinity;
  const max = Math.min(known.max === 0 ? Infinity : known.max, lessonOf(known, at));
  if (max === Infinity) return Infinity;
  const others = known.others && at < known.others.until ? known.others.open : 0;
  // The viewer that a place is kept for is one of the others once they watch.
  return others >= max ? 0 : Math.max(1, max - Math.max(known.reserve, others));
}

/** What refusals taught and is still believed; else no limit. */
export function lessonOf(known: Pick<AccountLimit, 'max' | 'learned'>, at: number): number {
  return at < believedUntil(known) ? (known.learned?.max ?? Infinity) : Infinity;
}

/** Until when a lesson counts; 0 without one. */
function believedUntil({ max, learned }: Pick<AccountLimit, 'max' | 'learned'>): number {
  if (!learned) return 0;
  return learned.at + (learned.max < max ? DOUBTED_LESSON_MS : LESSON_MS);
}

export function openOn(table: SlotTable, account: string): number {
  return table.slots.filter(({ accounts }) => accounts.includes(account)).length;
}

/** What the provider may count now. */
export function usedOf(table: SlotTable, account: string, at: number): number {
  return openOn(table, account) + countOf(table.cooling, account, at);
}

function countOf(gone: readonly Cooling[], account: string, at: number): number {
  return gone.filter((each) => each.account === account && each.until > at).length;
}

function holds(holders: readonly Holder[], id: string): boolean {
  return holders.some((holder) => holder.id === id);
}
