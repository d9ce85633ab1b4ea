/**
 * What the connections that are known allow of a plan: which programme will lose, to which, and when it is on again
 * (P10). It plays the giving out of slots ahead, from one start or stop to the next: higher priority first, then who has
 * begun already, then the earlier start. Padding yields and does not count; programmes of one channel share a connection.
 */

import type { Capsule } from './capsule.js';
import { normTitle } from './capsules.js';
import { channelKeyOf } from './identity.js';
import type { Decision } from './plan.js';
import { compareText } from './text.js';

export interface Capacity {
  /** 0 is no limit. */
  readonly slotsMax: number;
  /** By account; one that is not here has no known limit. */
  readonly limits: Readonly<Record<string, number>>;
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
  readonly reason: 'slots_full' | 'account_full';
  /** Who has the connections then. */
  readonly winners: readonly Capsule[];
  /** The next airing of the same, or null. */
  readonly again: Capsule | null;
}

interface Demand {
  readonly decision: Decision;
  readonly feed: string;
  readonly from: number;
  readonly to: number;
}

interface Loss {
  lostMs: number;
  readonly firstAt: number;
  readonly reason: Conflict['reason'];
  readonly winners: readonly Capsule[];
}

const PLANNED_ALREADY: ReadonlySet<string> = new Set(['already_scheduled', 'already_recording']);
const WINNERS_SHOWN = 5;

/** Whether the scheduler has it, or is about to get it. */
export function isRecorded({ action, reason }: Decision): boolean {
  return action === 'skip' ? PLANNED_ALREADY.has(reason) : action !== 'drop';
}

/** The decisions that will lose some of their programme, with what they lose it to. */
export function forecast(
  decisions: readonly Decision[],
  capacity: Capacity,
  now: number,
): ReadonlyMap<Decision, Conflict> {
  const losses = new Map<Demand, Loss>();
  if (capacity.slotsMax === 0 && Object.keys(capacity.limits).length === 0) return new Map();
  const demands = decisions
    .filter(isRecorded)
    .map((decision): Demand => ({
      decision,
      feed: channelKeyOf(decision.capsule),
      from: Math.max(now, decision.capsule.startAt),
      to: decision.capsule.stopAt,
    }))
    .filter(({ from, to }) => from < to)
    .toSorted((a, b) => a.from - b.from);
  const times = [...new Set(demands.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);
  let next = 0;
  let active: Demand[] = [];
  let holding: ReadonlySet<Demand> = new Set(demands.filter(({ decision }) => isRunning(decision)));
  times.forEach((at, i) => {
    const until = times[i + 1];
    active = active.filter(({ to }) => to > at);
    for (let demand = demands[next]; demand !== undefined && demand.from <= at; demand = demands[next]) {
      active.push(demand);
      next += 1;
    }
    if (until === undefined) return;
    const { placed, refused } = place(active.toSorted(byClaim(holding, capacity.preempt)), capacity);
    holding = new Set(placed);
    const winners = placed.slice(0, WINNERS_SHOWN).map(({ decision }) => decision.capsule);
    for (const [demand, reason] of refused) {
      const loss = losses.get(demand);
      if (loss) loss.lostMs += until - at;
      else losses.set(demand, { lostMs: until - at, firstAt: at, reason, winners });
    }
  });
  const all = decisions.map(({ capsule }) => capsule);
  return new Map(
    [...losses].map(([{ decision, from, to }, loss]) => [
      decision,
      { ...loss, whole: loss.lostMs >= to - from, again: airedAgain(decision.capsule, all) },
    ]),
  );
}

function isRunning({ reason }: Decision): boolean {
  return reason === 'already_recording' || reason === 'stop_later' || reason === 'stop_earlier';
}

function byClaim(holding: ReadonlySet<Demand>, preempt: boolean): (a: Demand, b: Demand) => number {
  const held = (demand: Demand) => Number(holding.has(demand));
  return (a, b) =>
    (preempt ? 0 : held(b) - held(a)) ||
    b.decision.priority - a.decision.priority ||
    held(b) - held(a) ||
    a.decision.capsule.startAt - b.decision.capsule.startAt ||
    compareText(a.decision.capsule.recordKey, b.decision.capsule.recordKey);
}

function place(demands: readonly Demand[], { slotsMax, limits, accountsOf }: Capacity) {
  const feeds = new Set<string>();
  const used = new Map<string, number>();
  const placed: Demand[] = [];
  const refused: [Demand, Conflict['reason']][] = [];
  for (const demand of demands) {
    if (feeds.has(demand.feed)) {
      placed.push(demand);
      continue;
    }
    const hasRoom = (account: string) => (used.get(account) ?? 0) < (limits[account] ?? Infinity);
    const way = accountsOf(demand.decision.capsule).find((accounts) => accounts.every(hasRoom));
    if (slotsMax > 0 && feeds.size >= slotsMax) refused.push([demand, 'slots_full']);
    else if (way === undefined) refused.push([demand, 'account_full']);
    else {
      feeds.add(demand.feed);
      for (const account of way) used.set(account, (used.get(account) ?? 0) + 1);
      placed.push(demand);
    }
  }
  return { placed, refused };
}

/** The same programme later: by its episode or words where the guide has some, a film by its title alone. */
function airedAgain(capsule: Capsule, all: readonly Capsule[]): Capsule | null {
  const title = normTitle(capsule.title);
  const same = all.filter(
    (each) =>
      each.startAt >= capsule.stopAt &&
      normTitle(each.title) === title &&
      (capsule.episode === ''
        ? capsule.lane === 'movies' || (capsule.desc !== '' && each.desc === capsule.desc)
        : each.episode === capsule.episode),
  );
  return same.reduce<Capsule | null>(
    (first, each) => (first && first.startAt <= each.startAt ? first : each),
    null,
  );
}
