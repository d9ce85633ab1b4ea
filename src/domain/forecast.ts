/**
 * What the connections that are known allow of a plan: which programme will lose, to which, and when it is on again
 * (P10). Padding yields and does not count; programmes of one channel share a connection.
 */

import type { Capsule } from './capsule.js';
import { normTitle } from './capsules.js';
import { channelKeyOf } from './identity.js';
import type { Decision } from './plan.js';
import { playAhead, type Demand, type Loss } from './slotsAhead.js';
import { compareText } from './text.js';

export interface Capacity {
  /** 0 is no limit. */
  readonly slotsMax: number;
  /** By account; one that is not here has no known limit. */
  readonly limits: Readonly<Record<string, number>>;
  /** Connections at once by lane; 0 or absent is no limit. */
  readonly laneMax?: Readonly<Record<string, number>>;
  /** Whether a higher priority takes the slot of a lower one. */
  readonly preempt: boolean;
  /** Accounts that a connection counts against, for each address of a programme in order. */
  readonly accountsOf: (capsule: Capsule) => readonly (readonly string[])[];
}

export interface Conflict {
  /** Recorded it is for the rest of its time; all of it is lost where this is its whole length. */
  readonly lostMs: number;
  readonly whole: boolean;
  readonly firstAt: number;
  readonly reason: Loss<Decision>['reason'];
  /** Who has the connections then. */
  readonly winners: readonly Capsule[];
  /** The next airing of the same, or null. */
  readonly again: Capsule | null;
}

const PLANNED_ALREADY: ReadonlySet<string> = new Set(['already_scheduled', 'already_recording']);

/** Whether the scheduler has it, or is about to get it. */
export function isRecorded({ action, reason }: Decision): boolean {
  return action === 'skip' ? PLANNED_ALREADY.has(reason) : action !== 'drop';
}

/** The decisions that will lose some of their programme, with what they lose it to, in the order in which they do. */
export function forecast(
  decisions: readonly Decision[],
  capacity: Capacity,
  now: number,
): ReadonlyMap<Decision, Conflict> {
  const found = conflictsOf(decisions, lossesAhead(decisions, capacity, now), now);
  return new Map(found.map(({ decision, conflict }) => [decision, conflict]));
}

/** Who will lose, without what there is to say about it. */
export function lossesAhead(
  decisions: readonly Decision[],
  capacity: Capacity,
  now: number,
): readonly Loss<Decision>[] {
  const isLaneLimited = Object.values(capacity.laneMax ?? {}).some((max) => max > 0);
  if (capacity.slotsMax === 0 && Object.keys(capacity.limits).length === 0 && !isLaneLimited) return [];
  const waysKnown = new Map<Capsule['upstreams'], Demand<Decision>['ways']>();
  const waysOf = (capsule: Capsule) => {
    let ways = waysKnown.get(capsule.upstreams);
    if (ways === undefined) waysKnown.set(capsule.upstreams, (ways = capacity.accountsOf(capsule)));
    return ways;
  };
  const demands = byPriority(
    decisions.filter(
      (decision) => isRecorded(decision) && decision.capsule.stopAt > Math.max(now, decision.capsule.startAt),
    ),
  ).map((decision) => demandOf(decision, waysOf(decision.capsule), now));
  return playAhead(demands, capacity);
}

/** Whether nothing of the programme is left. */
export function isWhole({ what, lostMs }: Loss<Decision>, now: number): boolean {
  return lostMs >= what.capsule.stopAt - Math.max(now, what.capsule.startAt);
}

export interface Found {
  readonly decision: Decision;
  readonly conflict: Conflict;
}

/** What there is to say of losses (`lossesAhead`), in their order. */
export function conflictsOf(
  decisions: readonly Decision[],
  losses: readonly Loss<Decision>[],
  now: number,
): readonly Found[] {
  let airings: ReadonlyMap<string, readonly Capsule[]> | null = null;
  // Of thousands that lose a few are looked at.
  const nextOf = (capsule: Capsule) => {
    airings ??= airingsOf(decisions, losses);
    return airedAgain(capsule, airings.get(normTitle(capsule.title)) ?? []);
  };
  let winners: readonly Decision[] = [];
  let capsules: readonly Capsule[] = [];
  return losses.map((loss) => {
    const decision = loss.what;
    // Those that lose at one moment lose to the same.
    if (loss.winners !== winners) {
      winners = loss.winners;
      capsules = winners.map(({ capsule }) => capsule);
    }
    return { decision, conflict: new Foretold(loss, isWhole(loss, now), capsules, nextOf) };
  });
}

/** One of thousands: what nobody asks for is not worked out. */
class Foretold implements Conflict {
  readonly lostMs: number;
  readonly whole: boolean;
  readonly firstAt: number;
  readonly reason: Conflict['reason'];
  readonly winners: readonly Capsule[];
  readonly #capsule: Capsule;
  readonly #nextOf: (capsule: Capsule) => Capsule | null;

  constructor(
    { what, lostMs, firstAt, reason }: Loss<Decision>,
    whole: boolean,
    winners: readonly Capsule[],
    nextOf: (capsule: Capsule) => Capsule | null,
  ) {
    this.lostMs = lostMs;
    this.whole = whole;
    this.firstAt = firstAt;
    this.reason = reason;
    this.winners = winners;
    this.#capsule = what.capsule;
    this.#nextOf = nextOf;
  }

  get again(): Capsule | null {
    return this.#nextOf(this.#capsule);
  }
}

/** By priority, then start: those of one priority are mostly in order already. */
function byPriority(decisions: readonly Decision[]): Decision[] {
  const groups = new Map<number, Decision[]>();
  for (const decision of decisions) {
    const group = groups.get(decision.priority);
    if (group) group.push(decision);
    else groups.set(decision.priority, [decision]);
  }
  return [...groups.values()].flat().sort(byClaim);
}

function demandOf(decision: Decision, ways: Demand<Decision>['ways'], now: number): Demand<Decision> {
  const { capsule, priority } = decision;
  return {
    what: decision,
    feed: channelKeyOf(capsule),
    from: Math.max(now, capsule.startAt),
    to: capsule.stopAt,
    priority,
    lane: capsule.lane,
    running: isRunning(decision),
    ways,
  };
}

function isRunning({ reason }: Decision): boolean {
  return reason === 'already_recording' || reason === 'stop_later' || reason === 'stop_earlier';
}

function byClaim(a: Decision, b: Decision): number {
  return (
    b.priority - a.priority ||
    a.capsule.startAt - b.capsule.startAt ||
    compareText(a.capsule.channelName, b.capsule.channelName) ||
    compareText(a.capsule.recordKey, b.capsule.recordKey)
  );
}

/** Of the titles of `sought`, every programme that there is. */
function airingsOf(
  decisions: readonly Decision[],
  sought: readonly Loss<Decision>[],
): ReadonlyMap<string, readonly Capsule[]> {
  const airings = new Map<string, Capsule[]>();
  for (const { what } of sought) airings.set(normTitle(what.capsule.title), []);
  if (airings.size > 0)
    for (const { capsule } of decisions) airings.get(normTitle(capsule.title))?.push(capsule);
  return airings;
}

/** The same programme later: by its episode or words where the guide has some, a film by its title alone. */
function airedAgain(capsule: Capsule, airings: readonly Capsule[]): Capsule | null {
  const same = airings.filter(
    (each) =>
      each.startAt >= capsule.stopAt &&
      (capsule.episode === ''
        ? capsule.lane === 'movies' || (capsule.desc !== '' && each.desc === capsule.desc)
        : each.episode === capsule.episode),
  );
  return same.reduce<Capsule | null>(
    (first, each) => (first && first.startAt <= each.startAt ? first : each),
    null,
  );
}
