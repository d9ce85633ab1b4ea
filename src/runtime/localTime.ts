/**
 * Recordings that run while the clock is set live by the time that they began with: their stop is where it was in
 * elapsed time, so that none is cut short, and their ledger knows no jump (P4). The difference is kept here, by id, and
 * taken off every time that such a recording is told.
 */

export interface LocalTimes {
  /** How far the daemon's time is ahead of this recording's. */
  lagOf(id: string): number;
  /** The daemon's time jumped while these were running. */
  jumped(ids: Iterable<string>, jumpMs: number): void;
  /** It runs no more. */
  forget(id: string): void;
}

export function createLocalTimes(): LocalTimes {
  const lags = new Map<string, number>();
  return {
    lagOf: (id) => lags.get(id) ?? 0,
    jumped(ids, jumpMs) {
      for (const id of ids) lags.set(id, (lags.get(id) ?? 0) + jumpMs);
    },
    forget: (id) => void lags.delete(id),
  };
}
