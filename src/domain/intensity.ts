/**
 * Whether something that crashed is started again (OTP's restart intensity and period): a few times, later each time;
 * one that will not stay up is put aside rather than allowed to crash for ever.
 */

export interface Intensity {
  /** More crashes than this within the period mean giving up. */
  readonly crashesMax: number;
  readonly withinMs: number;
  readonly backoffMs: number;
  readonly backoffMsMax: number;
}

export const DEFAULT_INTENSITY: Intensity = {
  crashesMax: 3,
  withinMs: 60_000,
  backoffMs: 1_000,
  backoffMsMax: 30_000,
};

export type Verdict = { readonly kind: 'restart'; readonly at: number } | { readonly kind: 'give_up' };

/** Crashes that still count at `at`, this one included. */
export function recentCrashes(crashes: readonly number[], at: number, intensity: Intensity): number[] {
  return [...crashes, at].filter((crashedAt) => at - crashedAt < intensity.withinMs);
}

/** `recent` as `recentCrashes` gives it. */
export function decide(recent: readonly number[], at: number, intensity: Intensity): Verdict {
  if (recent.length > intensity.crashesMax) return { kind: 'give_up' };
  const delayMs = Math.min(intensity.backoffMsMax, intensity.backoffMs * 2 ** Math.max(0, recent.length - 1));
  return { kind: 'restart', at: at + delayMs };
}
