/**
 * The giving out of slots, played ahead from one start or stop to the next: higher priority first, then who has begun
 * already, then the earlier start. Thousands may want a few slots, so what waits is kept in order rather than sorted at
 * every step, and is looked at only as far as there are slots to give.
 */

import { createHeap, type Heap } from './heap.js';
import { keptFor, type Kept } from './reserveAhead.js';

export interface Demand<T> {
  readonly what: T;
  /** Demands of one feed share a connection. */
  readonly feed: string;
  readonly from: number;
  readonly to: number;
  readonly priority: number;
  readonly lane?: string;
  /** It holds a connection now. */
  readonly running: boolean;
  /** Accounts that a connection counts against, for each way in order. */
  readonly ways: readonly (readonly string[])[];
}

export interface Table {
  /** 0 is no limit. */
  readonly slotsMax: number;
  readonly limits: Readonly<Record<string, number>>;
  /** Connections at once by lane; 0 or absent is no limit. Nobody has to go for it. */
  readonly laneMax?: Readonly<Record<string, number>>;
  readonly preempt: boolean;
}

export interface Loss<T> {
  readonly what: T;
  readonly lostMs: number;
  readonly firstAt: number;
  readonly reason: 'slots_full' | 'account_full' | 'lane_full';
  /** Who has the connections then, the highest first, a few of them. */
  readonly winners: readonly T[];
}

const WINNERS_SHOWN = 5;
/** So many of one queue are asked at one moment whether the connection is kept from them; those behind wait. */
const KEPT_MAX = 200;

interface Claim<T> {
  readonly demand: Demand<T>;
  /** Place among those that hold nothing. */
  readonly order: number;
  readonly queue: Queue<T>;
  held: boolean;
  queued: boolean;
  loss: (Loss<T> & { lostMs: number }) | null;
  losingSince: number | null;
  /** It has had a connection, so that none is kept from it any more. */
  began: boolean;
  /** Whom a connection is kept from it for just now. */
  kept: Kept<T> | null;
}

/** Those of a lane that can be had in the same ways: where one of them finds no room, none of them does. */
interface Queue<T> {
  readonly ways: Demand<T>['ways'];
  readonly waiting: Heap<Claim<T>>;
}

/** `ordered`: higher claims first among those that hold nothing. Gives who will lose, in the order in which they do. */
export function playAhead<T>(ordered: readonly Demand<T>[], table: Table): readonly Loss<T>[] {
  const claims = claimsOf(ordered, table);
  const queues = [...new Set(claims.map(({ queue }) => queue))];
  const { times, starts, ends } = momentsOf(claims);
  const losses: Loss<T>[] = [];
  const byFeed = new Map<string, Set<Claim<T>>>();
  let holding: readonly Claim<T>[] = [];

  const precedes = (a: Claim<T>, b: Claim<T>): boolean => {
    const [one, two] = [a.demand.priority, b.demand.priority];
    if ((table.preempt ? one === two : true) && a.held !== b.held) return a.held;
    return one === two ? a.order < b.order : one > two;
  };

  times.forEach((at, index) => {
    for (const claim of ends.get(at) ?? []) end(claim);
    const begun = starts.get(at) ?? [];
    for (const claim of begun) {
      claim.held = index === 0 && claim.demand.running;
      const { feed } = claim.demand;
      const shared = byFeed.get(feed);
      if (shared) shared.add(claim);
      else byFeed.set(feed, new Set([claim]));
      if (!claim.held) wait(claim);
    }
    const before = [...holding.filter(({ demand }) => demand.to > at), ...begun.filter(({ held }) => held)];
    const { placed, filler, fullLanes } = place(before.toSorted(byClaim), at);
    const isIn = new Set(placed);
    const thrown = before.filter((claim) => !isIn.has(claim));
    const kept = begun.filter((claim) => !claim.held && !isIn.has(claim));
    // Those that begin are in order.
    const losing = thrown.length === 0 ? kept : [...thrown, ...kept].sort(byClaim);
    const winners = placed.slice(0, WINNERS_SHOWN).map(({ demand }) => demand.what);
    const ofLanes = new Map<string, readonly T[]>();
    for (const claim of losing) {
      claim.losingSince = at;
      if (claim.loss) continue;
      claim.loss = { what: claim.demand.what, lostMs: 0, firstAt: at, ...whyOf(claim) };
      losses.push(claim.loss);
    }
    for (const claim of losing) {
      claim.held = false;
      wait(claim);
    }
    for (const claim of placed) {
      claim.held = true;
      claim.began = true;
      won(claim, at);
    }
    holding = placed;

    function whyOf(claim: Claim<T>): Pick<Loss<T>, 'reason' | 'winners'> {
      const { lane = '' } = claim.demand;
      const last = fullLanes.get(lane);
      // Whoever holds a connection is not asked about its lane.
      if (!claim.held && last !== undefined && (last === null || precedes(last, claim)))
        return { reason: 'lane_full', winners: laneWinners(lane) };
      if (claim.kept) {
        const { reason, whom } = claim.kept;
        return { reason, winners: whom.slice(0, WINNERS_SHOWN) };
      }
      const isBeaten = filler !== null && precedes(filler, claim);
      return { reason: isBeaten ? 'slots_full' : 'account_full', winners };
    }

    /** The same list for all that lose to it. */
    function laneWinners(lane: string): readonly T[] {
      const known = ofLanes.get(lane);
      if (known) return known;
      const own = placed.filter(({ demand }) => demand.lane === lane).slice(0, WINNERS_SHOWN);
      const whom = own.map(({ demand }) => demand.what);
      ofLanes.set(lane, whom);
      return whom;
    }
  });
  return losses;

  function byClaim(a: Claim<T>, b: Claim<T>): number {
    return a === b ? 0 : precedes(a, b) ? -1 : 1;
  }

  function end(claim: Claim<T>): void {
    won(claim, claim.demand.to);
    byFeed.get(claim.demand.feed)?.delete(claim);
  }

  /** What it has lost up to here is counted. */
  function won(claim: Claim<T>, at: number): void {
    if (claim.loss && claim.losingSince !== null) claim.loss.lostMs += at - claim.losingSince;
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

  /** The first way that there is room in, and that is not kept for somebody higher. */
  function wayOf(
    claim: Claim<T>,
    hasRoom: (account: string) => boolean,
    taken: ReadonlyMap<string, readonly string[]>,
    at: number,
  ): readonly string[] | 'kept' | null {
    claim.kept = null;
    const open = claim.queue.ways.filter((accounts) => accounts.every(hasRoom));
    if (open.length === 0 || table.preempt || claim.began || claim.held) return open[0] ?? null;
    const held = [...taken].flatMap(([feed, way]) =>
      [...(byFeed.get(feed) ?? [])].map(({ demand }) => ({ demand, way })),
    );
    for (const way of open) {
      claim.kept = keptFor(claim.demand, way, comingAfter(at), held, table);
      if (claim.kept === null) return way;
    }
    return 'kept';
  }

  /** What begins later, in the order of start. */
  function* comingAfter(at: number): Iterable<Demand<T>> {
    for (let i = times.findIndex((time) => time > at); i >= 0 && i < times.length; i += 1)
      for (const { demand } of starts.get(times[i] ?? at) ?? []) yield demand;
  }

  /**
   * What lanes with a limit have of it: who holds a connection keeps it, and what is opened beside counts. `fullLanes`:
   * who took the last place, or null where those that held one did.
   */
  function lanesAt(before: readonly Claim<T>[]) {
    const { laneMax = {} } = table;
    const fullLanes = new Map<string, Claim<T> | null>();
    const used = new Map<string, Set<string>>();
    const take = ({ demand: { lane = '', feed } }: Claim<T>, by: Claim<T> | null) => {
      const max = laneMax[lane] ?? 0;
      if (max === 0) return;
      const feeds = used.get(lane) ?? new Set();
      used.set(lane, feeds.add(feed));
      if (feeds.size >= max && !fullLanes.has(lane)) fullLanes.set(lane, by);
    };
    for (const claim of before) take(claim, null);
    return {
      fullLanes,
      isLaneFull: ({ demand: { lane = '' } }: Claim<T>) => fullLanes.has(lane),
      opened: (claim: Claim<T>) => {
        take(claim, claim);
      },
    };
  }

  /** `before` hold a connection, the highest first. `filler` took the last slot, where none is left. */
  function place(before: readonly Claim<T>[], at: number) {
    const used = new Map<string, number>();
    const hasRoom = (account: string) => (used.get(account) ?? 0) < (table.limits[account] ?? Infinity);
    const feeds = new Set<string>();
    const shut = new Set<Queue<T>>();
    const unserved = [...before].toReversed();
    const ways = new Map<string, readonly string[]>();
    const aside = new Map<Queue<T>, Claim<T>[]>();
    const { isLaneFull, opened, fullLanes } = lanesAt(before);
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
      if (!isHolder && !feeds.has(feed) && isLaneFull(next)) {
        shut.add(next.queue);
        continue;
      }
      const way = feeds.has(feed) ? [] : wayOf(next, hasRoom, ways, at);
      if (way === 'kept') {
        const others = aside.get(next.queue) ?? [];
        aside.set(next.queue, [...others, next]);
        next.queue.waiting.pop();
        if (others.length + 1 >= KEPT_MAX) shut.add(next.queue);
        continue;
      }
      if (way === null) {
        if (!isHolder) shut.add(next.queue);
        continue;
      }
      if (!isHolder) {
        next.queue.waiting.pop();
        next.queued = false;
      }
      if (!feeds.has(feed)) opened(next);
      feeds.add(feed);
      if (!ways.has(feed)) ways.set(feed, way);
      for (const account of way) used.set(account, (used.get(account) ?? 0) + 1);
      if (table.slotsMax > 0 && feeds.size >= table.slotsMax) filler = next;
    }
    for (const [{ waiting }, claims] of aside) claims.forEach(waiting.push);
    const placed = [...feeds].flatMap((feed) => [...(byFeed.get(feed) ?? [])]);
    return { placed: placed.toSorted(byClaim), filler, fullLanes };
  }
}

function claimsOf<T>(ordered: readonly Demand<T>[], { laneMax = {} }: Table): Claim<T>[] {
  const queues = new Map<string, Queue<T>>();
  /** By lane, where that has a limit. Programmes of one channel mostly have the same list of ways. */
  const knownOf = new Map<string, Map<Demand<T>['ways'], Queue<T>>>();
  const queueOf = ({ ways, lane = '' }: Demand<T>): Queue<T> => {
    const limited = (laneMax[lane] ?? 0) > 0 ? lane : '';
    let known = knownOf.get(limited);
    if (!known) knownOf.set(limited, (known = new Map<Demand<T>['ways'], Queue<T>>()));
    const there = known.get(ways);
    if (there) return there;
    const key = JSON.stringify([limited, ways]);
    const queue = queues.get(key) ?? { ways, waiting: createHeap<Claim<T>>((a, b) => a.order < b.order) };
    queues.set(key, queue);
    known.set(ways, queue);
    return queue;
  };
  return ordered.map((demand, order) => {
    const queue = queueOf(demand);
    return {
      demand,
      order,
      queue,
      held: false,
      queued: false,
      loss: null,
      losingSince: null,
      began: false,
      kept: null,
    };
  });
}

/** Every start and stop in order, and whose it is. */
function momentsOf<T>(claims: readonly Claim<T>[]) {
  const starts = new Map<number, Claim<T>[]>();
  const ends = new Map<number, Claim<T>[]>();
  const note = (map: Map<number, Claim<T>[]>, at: number, claim: Claim<T>) => {
    const list = map.get(at);
    if (list) list.push(claim);
    else map.set(at, [claim]);
  };
  for (const claim of claims) {
    note(starts, claim.demand.from, claim);
    note(ends, claim.demand.to, claim);
  }
  const times = [...new Set([...starts.keys(), ...ends.keys()])].sort((a, b) => a - b);
  return { times, starts, ends };
}
