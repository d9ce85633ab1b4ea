/**
 * The sanity gate: whether a new load of a guide or list may take the place of the last good one (P5). Providers
 * answer with empty, halved and broken-off files, and a plan made from one would drop what it does not show.
 */

/** What is compared: totals of the whole file. `GuideCounts` has all of it. */
export interface GateCounts {
  readonly channels: number;
  /** Null for a list, which has none. */
  readonly programmes: number | null;
  /** Latest stop in the whole guide; 0 for a list or an empty guide. */
  readonly lastStopAt: number;
  /** Earliest start in the whole guide; absent where it has none. */
  readonly firstStartAt?: number;
  /** By how much it lies beside the last good one as a whole; absent or 0 is not at all. */
  readonly shiftMs?: number;
  /** It ended early or broke off. */
  readonly partial: boolean;
}

/** `empty` nothing in it; `halved` under half of the channels or programmes; `partial` broken off and smaller; `shifted` as a whole. */
export type HoldReason = 'empty' | 'halved' | 'partial' | 'shifted';

export type Verdict =
  { readonly verdict: 'accept' } | { readonly verdict: 'hold'; readonly reason: HoldReason };

/** An empty load is held even when nothing came before it; anything else is better than nothing. */
export function judge(lastGood: GateCounts | null, next: GateCounts): Verdict {
  if (next.channels === 0 || next.programmes === 0) return { verdict: 'hold', reason: 'empty' };
  if (lastGood === null) return { verdict: 'accept' };
  if (underHalf(lastGood.channels, next.channels) || underHalf(lastGood.programmes, next.programmes)) {
    return { verdict: 'hold', reason: 'halved' };
  }
  const smaller = next.channels < lastGood.channels || (next.programmes ?? 0) < (lastGood.programmes ?? 0);
  if (next.partial && smaller) return { verdict: 'hold', reason: 'partial' };
  return (next.shiftMs ?? 0) === 0 ? { verdict: 'accept' } : { verdict: 'hold', reason: 'shifted' };
}

/** The counts of a parsed list. */
export function listCounts(list: { readonly channels: readonly unknown[] }): GateCounts {
  return { channels: list.channels.length, programmes: null, lastStopAt: 0, partial: false };
}

function underHalf(before: number | null, after: number | null): boolean {
  return (after ?? 0) * 2 < (before ?? 0);
}
