/**
 * Whether a whole guide lies beside the last good one by one and the same time: a provider that got its zone wrong, or
 * counted a clock change twice. Taken, it would move every recording at once (P5).
 */

import type { GuideData, Programme } from './programme.js';

/** Less is drift of single programmes, not of a guide. */
const SHIFT_MS_MIN = 15 * 60_000;
/** No zone is further from another; what is a day off is tomorrow's, not shifted. */
const SHIFT_MS_MAX = 14 * 3_600_000;
/** Fewer programmes that can be compared prove nothing. */
const COMPARED_MIN = 10;
const SHARE_MIN = 0.8;
/** A title that comes more often says little of where it lies, and much work. */
const REPEATS_MAX = 40;
/** As many of the commonest distances are looked at closely. */
const CANDIDATES_MAX = 8;

/**
 * By how much the later load starts later, in milliseconds; 0 where they agree or nothing can be said. A title may come
 * many times: the distance that most programmes agree on is taken, and only if they do not agree as well on none.
 */
export function guideShift(
  before: Pick<GuideData, 'programmes'>,
  after: Pick<GuideData, 'programmes'>,
): number {
  const known = startsByName(before.programmes);
  const later = startsByName(after.programmes);
  const votes = new Map<number, number>();
  for (const [name, starts] of later)
    for (const startAt of starts)
      for (const was of known.get(name) ?? []) {
        const distance = startAt - was;
        if (Math.abs(distance) <= SHIFT_MS_MAX) votes.set(distance, (votes.get(distance) ?? 0) + 1);
      }
  const best = [...votes]
    .toSorted((a, b) => b[1] - a[1] || Math.abs(a[0]) - Math.abs(b[0]) || a[0] - b[0])
    .slice(0, CANDIDATES_MAX)
    .map(([distance]) => ({ distance, ...agreement(known, later, distance) }))
    .filter(({ compared, agreed }) => compared >= COMPARED_MIN && agreed >= SHARE_MIN * compared)
    .toSorted((a, b) => Math.abs(a.distance) - Math.abs(b.distance) || b.agreed - a.agreed)[0];
  const unmoved = agreement(known, later, 0);
  const isUnmoved = unmoved.compared > 0 && unmoved.agreed >= SHARE_MIN * unmoved.compared;
  if (!best || isUnmoved || best.agreed <= unmoved.agreed) return 0;
  return Math.abs(best.distance) < SHIFT_MS_MIN ? 0 : best.distance;
}

type Starts = ReadonlyMap<string, ReadonlySet<number>>;

/** Of the programmes whose place the earlier guide shows, how many are there at that distance. */
function agreement(known: Starts, later: Starts, distance: number): { compared: number; agreed: number } {
  let firstAt = Infinity;
  let lastAt = -Infinity;
  for (const starts of known.values())
    for (const startAt of starts) {
      firstAt = Math.min(firstAt, startAt);
      lastAt = Math.max(lastAt, startAt);
    }
  let compared = 0;
  let agreed = 0;
  for (const [name, starts] of later) {
    const was = known.get(name);
    if (!was) continue;
    for (const startAt of starts) {
      const at = startAt - distance;
      if (at < firstAt || at > lastAt) continue;
      compared += 1;
      if (was.has(at)) agreed += 1;
    }
  }
  return { compared, agreed };
}

/** Starts by channel, title and episode. */
function startsByName(programmes: readonly Programme[]): Starts {
  const byName = new Map<string, Set<number>>();
  for (const { channel, title, episode, startAt } of programmes) {
    const name = `${channel}\n${title}\n${episode}`;
    const starts = byName.get(name) ?? new Set();
    if (starts.size < REPEATS_MAX) byName.set(name, starts.add(startAt));
  }
  return byName;
}
