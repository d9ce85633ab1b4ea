/**
 * The giving out of slots, played ahead from one start or stop to the next: higher priority first, then who has begun
 * already, then the earlier start. Thousands may want a few slots, so what waits is kept in order rather than sorted at
 * every step, and is looked at only as far as there are slots to give.
 */

import { createHeap, type Heap } from './heap.js';

export interface Demand<T> {
  readonly what: T;
  /** Demands of one feed share a connection. */
  readonly feed: string;
  readonly from: number;
  readonly to: number;
  readonly priority: number;
  /** It holds a connection now. */
  readonly running: boolean;
  /** Accounts that a connection counts against, for each way in order. */
  readonly ways: readonly (readonly string[])[];
}

export interface Table {
  /** 0 is no limit. */
  readonly slotsMax: number;
  readonly limits: Readonly<Record<string, number>>;
  readonly preempt: boolean;
}

export interface Loss<T> {
  readonly lostMs: number;
  readonly firstAt: number;
  readonly reason: 'slots_full' | 'account_full';
  /** Who has the connections then, the highest first, a few of them. */
  readonly winners: readonly T[];
}

const WINNERS_SHOWN = 5;

interface Claim<T> {
  readonly demand: Demand<T>;
  /** Place among those that hold nothing. */
  readonly order: number;
  readonly queue: Queue<T>;
  held: boolean;
  queued: boolean;
  losingSince: number | null;
}

/** Those that can be had in the same ways: where one of them finds no room, none of them does. */
interface Queue<T> {
  readonly ways: Demand<T>['ways'];
  readonly waiting: Heap<Claim<T>>;
}

/** `ordered`: higher claims first among those that hold nothing. Gives who will lose, in the order in which they do. */
export function playAhead<T>(ordered: readonly Demand<T>[], table: Table): ReadonlyMap<T, Loss<T>> {
  const claims = claimsOf(ordered);
  const queues = [...new Set(claims.map(({ queue }) => queue))];
  const starts = claims.toSorted((a, b) => a.demand.from - b.demand.from);
  const ends = claims.toSorted((a, b) => a.demand.to - b.demand.to);
  const times = [...new Set(ordered.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);
  const losses = new Map<Claim<T>, Loss<T>>();
  const byFeed = new Map<string, Set<Claim<T>>>();
  let holding: readonly Claim<T>[] = [];
  let [started, ended] = [0, 0];

  const precedes = (a: Claim<T>, b: Claim<T>): boolean => {
    const [one, two] = [a.demand.priority, b.demand.priority];
    if ((table.preempt ? one === two : true) && a.held !== b.held) return a.held;
    return one === two ? a.order < b.order : one > two;
  };

  times.forEach((at, index) => {
    for (let claim = ends[ended]; claim && claim.demand.to <= at; claim = ends[(ended += 1)]) end(claim);
    const begun: Claim<T>[] = [];
    for (let claim = starts[started]; claim && claim.demand.from <= at; claim = starts[(started += 1)]) {
      begun.push(claim);
      claim.held = index === 0 && claim.demand.running;
      const { feed } = claim.demand;
      byFeed.set(feed, (byFeed.get(feed) ?? new Set()).add(claim));
      if (!claim.held) wait(claim);
    }
    const before = [...holding.filter(({ demand }) => demand.to > at), ...begun.filter(({ held }) => held)];
    const { placed, filler } = place(before.toSorted(byClaim), at);
    const isIn = new Set(placed);
    const losers = [...before, ...begun.filter(({ held }) => !held)].filter((claim) => !isIn.has(claim));
    const winners = placed.slice(0, WINNERS_SHOWN).map(({ demand }) => demand.what);
    for (const claim of losers.toSorted(byClaim)) {
      claim.losingSince = at;
      const isBeaten = filler !== null && precedes(filler, claim);
      const reason = isBeaten ? 'slots_full' : 'account_full';
      if (!losses.has(claim)) losses.set(claim, { lostMs: 0, firstAt: at, reason, winners });
    }
    for (const claim of losers) {
      claim.held = false;
      wait(claim);
    }
    for (const claim of placed) {
      claim.held = true;
      won(claim, at);
    }
    holding = placed;
  });
  return new Map([...losses].map(([{ demand }, loss]) => [demand.what, loss]));

  function byClaim(a: Claim<T>, b: Claim<T>): number {
    return a === b ? 0 : precedes(a, b) ? -1 : 1;
  }

  function end(claim: Claim<T>): void {
    won(claim, claim.demand.to);
    byFeed.get(claim.demand.feed)?.delete(claim);
  }

  /** What it has lost up to here is counted. */
  function won(claim: Claim<T>, at: number): void {
    const loss = losses.get(claim);
    if (loss && claim.losingSince !== null)
      losses.set(claim, { ...loss, lostMs: loss.lostMs + at - claim.losingSince });
    claim.losingSince = null;
  }

  function wait(claim: Claim<T>): void {
    if (claim.queued) return;
    claim.queued = true;
    claim.queue.waiting.push(claim);
  }

  /** The first that waits in a queue and is still to be served. */
  function first({ waiting }: Queue<T>, at: number): Claim<T> | undefined {
    for (let claim = waiting.peek(); claim; claim = waiting.peek()) {
      if (claim.demand.to > at && !claim.held) return claim;
      waiting.pop();
      claim.queued = false;
    }
    return undefined;
  }

  /** `before` hold a connection, the highest first. `filler` took the last slot, where none is left. */
  function place(before: readonly Claim<T>[], at: number) {
    const used = new Map<string, number>();
    const hasRoom = (account: string) => (used.get(account) ?? 0) < (table.limits[account] ?? Infinity);
    const feeds = new Set<string>();
    const shut = new Set<Queue<T>>();
    const unserved = [...before].toReversed();
    let filler: Claim<T> | null = null;
    while (filler === null) {
      let next = unserved.at(-1);
      for (const queue of queues) {
        const claim = shut.has(queue) ? undefined : first(queue, at);
        if (claim && (!next || precedes(claim, next))) next = claim;
      }
      if (!next) break;
      const isHolder = next === unserved.at(-1);
      if (isHolder) unserved.pop();
      const { feed } = next.demand;
      const way = feeds.has(feed) ? [] : next.queue.ways.find((accounts) => accounts.every(hasRoom));
      if (way === undefined) {
        if (!isHolder) shut.add(next.queue);
        continue;
      }
      if (!isHolder) {
        next.queue.waiting.pop();
        next.queued = false;
      }
      feeds.add(feed);
      for (const account of way) used.set(account, (used.get(account) ?? 0) + 1);
      if (table.slotsMax > 0 && feeds.size >= table.slotsMax) filler = next;
    }
    const placed = [...feeds].flatMap((feed) => [...(byFeed.get(feed) ?? [])]);
    return { placed: placed.toSorted(byClaim), filler };
  }
}

function claimsOf<T>(ordered: readonly Demand<T>[]): Claim<T>[] {
  const queues = new Map<string, Queue<T>>();
  return ordered.map((demand, order) => {
    const key = JSON.stringify(demand.ways);
    const queue = queues.get(key) ?? {
      ways: demand.ways,
      waiting: createHeap<Claim<T>>((a, b) => a.order < b.order),
    };
    queues.set(key, queue);
    return { demand, order, queue, held: false, queued: false, losingSince: null };
  });
}
