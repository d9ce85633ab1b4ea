/**
 * Whether a whole guide lies beside the last good one by one and the same time: a provider that got its zone wrong, or
 * counted a clock change twice. Taken, it would move every recording at once (P5).
 */

import type { GuideData, Programme } from './programme.js';

/** Less is drift of single programmes, not of a guide. */
const SHIFT_MS_MIN = 15 * 60_000;
/** Fewer programmes that can be compared prove nothing. */
const COMPARED_MIN = 10;
const SHARE_MIN = 0.8;

/** By how much the later load starts later, in milliseconds; 0 where they agree or nothing can be said. */
export function guideShift(
  before: Pick<GuideData, 'programmes'>,
  after: Pick<GuideData, 'programmes'>,
): number {
  const known = onlyOnce(before.programmes);
  const counts = new Map<number, number>();
  let compared = 0;
  for (const [key, startAt] of onlyOnce(after.programmes)) {
    const was = known.get(key);
    if (was === undefined || was === null || startAt === null) continue;
    compared += 1;
    counts.set(startAt - was, (counts.get(startAt - was) ?? 0) + 1);
  }
  const [[shiftMs, count] = [0, 0]] = [...counts].toSorted((a, b) => b[1] - a[1] || a[0] - b[0]);
  const isShift =
    compared >= COMPARED_MIN && count >= SHARE_MIN * compared && Math.abs(shiftMs) >= SHIFT_MS_MIN;
  return isShift ? shiftMs : 0;
}

/** Starts by channel and title; null where a title comes more than once, so that nothing is compared wrongly. */
function onlyOnce(programmes: readonly Programme[]): ReadonlyMap<string, number | null> {
  const starts = new Map<string, number | null>();
  for (const { channel, title, episode, startAt } of programmes) {
    const key = `${channel}\n${title}\n${episode}`;
    starts.set(key, starts.has(key) ? null : startAt);
  }
  return starts;
}
