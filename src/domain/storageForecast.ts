/** How full the disk will be, hour by hour, if everything planned is recorded and everything goes when its time is over. */

export interface StoredItem {
  readonly bytes: number;
  /** When it goes by itself, or null where it is kept. */
  readonly expiresAt: number | null;
}

/** What is planned or under way. */
export interface ComingItem {
  readonly startAt: number;
  readonly stopAt: number;
  readonly expiresAt: number;
}

export interface ForecastInput {
  readonly now: number;
  readonly hours: number;
  readonly stored: readonly StoredItem[];
  readonly coming: readonly ComingItem[];
  /** What a second of recording takes, as far as is known; 0 where nothing was recorded yet. */
  readonly bytesPerSecond: number;
}

export interface ForecastPoint {
  readonly at: number;
  readonly bytes: number;
}

const HOUR_MS = 3_600_000;

/** One point an hour, the present first. */
export function forecastStorage({
  now,
  hours,
  stored,
  coming,
  bytesPerSecond,
}: ForecastInput): ForecastPoint[] {
  return Array.from({ length: hours + 1 }, (_, hour) => {
    const at = now + hour * HOUR_MS;
    let bytes = 0;
    for (const item of stored) if (item.expiresAt === null || item.expiresAt > at) bytes += item.bytes;
    for (const { startAt, stopAt, expiresAt } of coming) {
      const recordedMs = Math.min(at, stopAt) - Math.max(startAt, now);
      if (recordedMs > 0 && expiresAt > at) bytes += (recordedMs / 1000) * bytesPerSecond;
    }
    return { at, bytes: Math.round(bytes) };
  });
}

/** What a second takes on average, of recordings with their bytes and length. */
export function bytesPerSecondOf(
  recorded: readonly { readonly bytes: number; readonly seconds: number }[],
): number {
  let bytes = 0;
  let seconds = 0;
  for (const each of recorded) {
    if (each.bytes === 0 || each.seconds <= 0) continue;
    bytes += each.bytes;
    seconds += each.seconds;
  }
  return seconds === 0 ? 0 : bytes / seconds;
}
