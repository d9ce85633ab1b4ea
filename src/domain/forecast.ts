/**
 * What the connections that are known allow of a plan: which programme will lose, to which, and when it is on again
 * (P10). Padding yields and does not count; programmes of one channel share a connection.
 */

import type { Capsule } from './capsule.js';
import { normTitle } from './capsules.js';
import { channelKeyOf } from './identity.js';
import type { Decision } from './plan.js';
import { playAhead, type Demand } from './slotsAhead.js';
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

const PLANNED_ALREADY: ReadonlySet<string> = new Set(['already_scheduled', 'already_recording']);

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
  if (capacity.slotsMax === 0 && Object.keys(capacity.limits).length === 0) return new Map();
  const demands = decisions
    .filter(
      (decision) => isRecorded(decision) && decision.capsule.stopAt > Math.max(now, decision.capsule.startAt),
    )
    .toSorted(byClaim)
    .map((decision) => demandOf(decision, capacity, now));
  const losses = playAhead(demands, capacity);
  let airings: ReadonlyMap<string, readonly Capsule[]> | null = null;
  // Of thousands that lose a few are looked at.
  const airingsLike = ({ title }: Capsule) =>
    (airings ??= airingsOf(decisions, losses.keys())).get(normTitle(title)) ?? [];
  return new Map(
    [...losses].map(([decision, { winners, ...loss }]) => {
      const { capsule } = decision;
      const whole = loss.lostMs >= capsule.stopAt - Math.max(now, capsule.startAt);
      return [
        decision,
        {
          ...loss,
          whole,
          winners: winners.map((winner) => winner.capsule),
          get again() {
            return airedAgain(capsule, airingsLike(capsule));
          },
        },
      ];
    }),
  );
}

function demandOf(decision: Decision, { accountsOf }: Capacity, now: number): Demand<Decision> {
  const { capsule, priority } = decision;
  return {
    what: decision,
    feed: channelKeyOf(capsule),
    from: Math.max(now, capsule.startAt),
    to: capsule.stopAt,
    priority,
    running: isRunning(decision),
    ways: accountsOf(capsule),
  };
}

function isRunning({ reason }: Decision): boolean {
  return reason === 'already_recording' || reason === 'stop_later' || reason === 'stop_earlier';
}

function byClaim(a: Decision, b: Decision): number {
  return (
    b.priority - a.priority ||
    a.capsule.startAt - b.capsule.startAt ||
    compareText(a.capsule.recordKey, b.capsule.recordKey)
  );
}

/** Of the titles of `sought`, every programme that there is. */
function airingsOf(
  decisions: readonly Decision[],
  sought: Iterable<Decision>,
): ReadonlyMap<string, readonly Capsule[]> {
  const airings = new Map<string, Capsule[]>();
  for (const { capsule } of sought) airings.set(normTitle(capsule.title), []);
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
