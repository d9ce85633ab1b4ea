/** What lies on disk: lanes against their budgets, disks against their floors, and where it is going. */

import type { Config } from '../config/config.js';
import { floorBytes } from '../domain/floor.js';
import { bytesPerSecondOf, forecastStorage } from '../domain/storageForecast.js';
import { compareText, rfc3339 } from '../domain/text.js';
import type { Disk } from '../io/disk.js';
import type { Book } from './book.js';
import { gist, isResting, type Entry } from './entries.js';
import type { Roots } from './roots.js';

const FORECAST_HOURS = 24;

export interface StorageDoors {
  readonly config: Config;
  readonly book: Book;
  readonly roots: Roots;
  readonly disk: Disk;
}

interface Lane {
  used: number;
  kept: number;
  spooling: number;
  recordings: number;
}

export async function storageView({ config, book, roots, disk }: StorageDoors, now: number) {
  const entries = [...book.all()];
  const lanes = new Map<string, Lane>();
  for (const entry of entries) {
    const { lane: name, bytes, keep } = gist(entry);
    const lane = lanes.get(name) ?? { used: 0, kept: 0, spooling: 0, recordings: 0 };
    lane.used += bytes;
    if (keep) lane.kept += bytes;
    if (!isResting(entry.path)) lane.spooling += bytes;
    if (bytes > 0) lane.recordings += 1;
    lanes.set(name, lane);
  }
  for (const name of Object.keys(config.keep.keepMs))
    if (!lanes.has(name)) lanes.set(name, { used: 0, kept: 0, spooling: 0, recordings: 0 });
  return {
    generated_at: rfc3339(now),
    lanes: [...lanes]
      .toSorted(([a], [b]) => compareText(a, b))
      .map(([lane, { used, kept, spooling, recordings }]) => ({
        lane,
        used_bytes: used,
        kept_bytes: kept,
        spool_bytes: spooling,
        recordings,
        budget_bytes: config.keep.bytesMaxPerLane[lane] || null,
        keep_seconds: (config.keep.keepMs[lane] ?? 0) / 1000,
      })),
    disks: await Promise.all(roots.all().map(({ path }) => diskOf(path))),
    forecast: forecast(entries, now),
  };

  async function diskOf(path: string) {
    const ready = await roots.ready(path);
    const space = ready ? await disk.space(path).catch(() => null) : null;
    return {
      path,
      role: path === roots.publish?.path ? 'publish-dir' : 'out-dir',
      ready,
      free_bytes: space?.freeBytes ?? null,
      total_bytes: space?.totalBytes ?? null,
      floor_bytes: space && Math.round(floorBytes(config.keep.diskFreeMin, space.totalBytes)),
    };
  }
}

function forecast(entries: readonly Entry[], now: number) {
  const gists = entries.map(gist);
  const bytesPerSecond = bytesPerSecondOf(
    gists.map(({ bytes, capturedMs }) => ({ bytes, seconds: capturedMs / 1000 })),
  );
  const points = forecastStorage({
    now,
    hours: FORECAST_HOURS,
    bytesPerSecond,
    stored: gists.map(({ bytes, keep, expiresAt }) => ({ bytes, expiresAt: keep ? null : expiresAt })),
    coming: entries
      .filter(({ path }) => /^(scheduled|spooling|retrying|failover)/.test(path))
      .map(({ recording: { window, expiresAt } }) => ({ ...window, expiresAt })),
  });
  return {
    bytes_per_second: Math.round(bytesPerSecond),
    points: points.map(({ at, bytes }) => ({ at: rfc3339(at), bytes })),
  };
}
