/**
 * When a state was written last, by what its documents say of themselves. One that is far ahead of the wall and of all
 * others has a byte that rotted: believed, it would be over with everything that runs. Pure.
 */

/** What happens is written down: no two changes are further apart than a long rest. */
const APART_MS_MAX = 7 * 86_400_000;

/** 0 for none. */
export function lastWritten(times: Iterable<unknown>, wallAt: number): number {
  let last = 0;
  let before = 0;
  let count = 0;
  for (const at of times) {
    if (typeof at !== 'number' || !Number.isFinite(at)) continue;
    count += 1;
    before = Math.max(before, Math.min(at, last));
    last = Math.max(last, at);
  }
  const isAlone = count > 1 && last > wallAt && last - Math.max(before, wallAt) > APART_MS_MAX;
  return isAlone ? before : last;
}
