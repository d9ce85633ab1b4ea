/**
 * The plan within what the connections allow: a programme that will lose all of its time to others is not scheduled
 * ahead, and its episode is left to another airing. Once it is on it is tried all the same, because by then the
 * scheduler knows what the forecast only guessed. What is shown and what is done come from here (P10).
 */

import {
  conflictsOf,
  isRecorded,
  isWhole,
  lossesAhead,
  type Capacity,
  type Conflict,
  type Found,
} from './forecast.js';
import type { KnownRecording } from './identity.js';
import { latestWord } from './override.js';
import { planner, type Decision, type PlanInput } from './plan.js';
import { episodeKeyOf } from './repeats.js';

export interface Foreseen {
  readonly decisions: readonly Decision[];
  /** Those that lose some of their time or, where they are on or wanted, all of it; and those skipped for it. */
  readonly conflicts: ReadonlyMap<Decision, Conflict>;
}

/** By then those of higher rank have the connections that they will have: nobody is let in only to be thrown out. */
export const SETTLE_MS = 1_000;
/**
 * A repeat that takes the place of one that loses may lose itself. Each round is a whole plan and finds every one that
 * does, so there are as many as an episode has airings without a place. An episode with more of them waits for a later
 * plan: its next airing is found when those before it are over.
 */
const ROUNDS_MAX = 30;

export function planWithin(input: PlanInput, capacity: Capacity): Foreseen {
  const { now } = input;
  const isAhead = aheadOf(input);
  const decide = planner(input);
  let losing: ReadonlySet<string> = new Set();
  for (let round = 1; ; round += 1) {
    const decisions = decide(losing);
    const losses = lossesAhead(decisions, capacity, now);
    const waiting = new Set(
      decisions.flatMap(({ reason, capsule }) => (reason === 'repeat' ? [episodeKeyOf(capsule)] : [])),
    );
    const more =
      waiting.size === 0
        ? []
        : losses
            .filter((loss) => waiting.has(episodeKeyOf(loss.what.capsule)))
            .filter((loss) => isWhole(loss, now) && isAhead(loss.what))
            .map(({ what }) => what.capsule.recordKey)
            .filter((key) => !losing.has(key));
    if (more.length === 0 || round === ROUNDS_MAX)
      return skipping(decisions, conflictsOf(decisions, losses, now), isAhead);
    losing = new Set([...losing, ...more]);
  }
}

/**
 * The conflicts of a plan that still stands at a later moment: whoever loses from then on has lost so much less of what
 * is ahead.
 */
export function conflictsLater(
  conflicts: ReadonlyMap<Decision, Conflict>,
  madeAt: number,
  now: number,
): ReadonlyMap<Decision, Conflict> {
  const passedMs = now - madeAt;
  return new Map(
    [...conflicts].map(([decision, conflict]) => {
      const { lostMs, whole, firstAt, reason, winners } = conflict;
      if (firstAt !== madeAt) return [decision, conflict];
      const later = { lostMs: lostMs - passedMs, whole, firstAt: now, reason, winners };
      return [
        decision,
        {
          ...later,
          get again() {
            return conflict.again;
          },
        },
      ];
    }),
  );
}

/** When the next of the programmes that were skipped for want of connections is tried all the same, or null. */
export function nextTryAt({ decisions }: Pick<Foreseen, 'decisions'>): number | null {
  const starts = decisions.flatMap(({ reason, capsule }) =>
    reason === 'conflict' ? [capsule.startAt + SETTLE_MS] : [],
  );
  return starts.length === 0 ? null : starts.reduce((first, at) => Math.min(first, at));
}

/** Not on yet, and nobody asked for it. */
function aheadOf({ known, overrides = [], now }: PlanInput): (decision: Decision) => boolean {
  const byId = new Map(known.map((one) => [one.id, one]));
  const wordOf = latestWord(overrides);
  const isWanted = ({ wanted, keys }: KnownRecording) => wanted === true || wordOf(keys)?.word === 'want';
  return ({ reason, recordingId = '', capsule }) => {
    const one = byId.get(recordingId);
    if (reason === 'wanted' || (one && (one.state !== 'scheduled' || isWanted(one)))) return false;
    return Math.min(capsule.startAt, one?.startAt ?? Infinity) + SETTLE_MS > now;
  };
}

function skipping(
  decisions: readonly Decision[],
  found: readonly Found[],
  isAhead: (decision: Decision) => boolean,
): Foreseen {
  if (found.length === 0) return { decisions, conflicts: new Map() };
  const conflictOf = new Map(found.map(({ decision, conflict }) => [decision, conflict]));
  const pairs: (readonly [Decision, Conflict])[] = [];
  const all = decisions.map((decision) => {
    const conflict = conflictOf.get(decision);
    if (!conflict) return decision;
    if (!conflict.whole || !isAhead(decision)) {
      if (isRecorded(decision)) pairs.push([decision, conflict]);
      return decision;
    }
    const action = decision.recordingId === undefined ? 'skip' : 'drop';
    const settled: Decision = { ...decision, action, reason: 'conflict' };
    pairs.push([settled, conflict]);
    return settled;
  });
  let conflicts: ReadonlyMap<Decision, Conflict> | null = null;
  return {
    decisions: all,
    // Of thousands, for whoever looks at the plan.
    get conflicts() {
      return (conflicts ??= new Map(pairs));
    },
  };
}
