/**
 * The disks under the roots, measured, and what the ladder of `src/domain/ladder.ts` makes of them: whether anything new
 * may start, how much has to come free, and whether something has to end for the others.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.js';
import { closeAt, openAt } from '../domain/capturing.js';
import { floorBytes } from '../domain/floor.js';
import { climb, type DiskNow, type Growing, type Ladder } from '../domain/ladder.js';
import type { Gist } from '../domain/gist.js';
import { firstToGo, type Kept } from '../domain/retention.js';
import type { Book } from './book.js';
import { gist, isResting, type Entry } from './entries.js';
import type { Doors } from './doors.js';
import { retainedItem } from './retaining.js';
import type { Roots } from './roots.js';

/** Whoever starts within this time counts as starting now. */
const DUE_MS = 60_000;
/** Less of a stream says nothing about its rate. */
const MEASURED_MS_MIN = 10_000;
/** File systems of one size whose free space differs by no more are one and the same. */
const SAME_BYTES = 64 * 2 ** 20;

export interface DiskWatch {
  /** Why nothing new may start, or null. */
  refusal(): Promise<string | null>;
  /** As measured by the last `refusal`. */
  ladder(): Ladder;
  /** Everything that retention may look at, with the disk that it lies on. */
  items(): readonly Kept[];
}

export function createDiskWatch(
  config: Config,
  { disk, clock }: Pick<Doors, 'disk' | 'clock'>,
  roots: Roots,
  book: Book,
): DiskWatch {
  let last: Ladder = { short: {}, refuses: false, stop: null };
  /** Root → the disk under it. */
  let diskOf: ReadonlyMap<string, string> = new Map();
  /** Thousands are looked at every few seconds, and nearly all of them are as they were: what was made of each. */
  let itemOf = new WeakMap<Entry, Kept | null>();
  /** As retention wants them, which sorts what is in order in one go. */
  let there: readonly Kept[] = [];

  function items(): readonly Kept[] {
    const fresh: Kept[] = [];
    for (const entry of book.all()) {
      if (itemOf.has(entry)) continue;
      const placed = retainedItem(entry, diskUnder);
      itemOf.set(entry, placed);
      if (placed) fresh.push(placed);
    }
    there = [...there.filter(isCurrent), ...fresh].toSorted(firstToGo);
    return there;
  }

  function isCurrent(item: Kept): boolean {
    const entry = book.get(item.id);
    return entry !== undefined && itemOf.get(entry) === item;
  }

  function placeOn(disks: ReadonlyMap<string, string>): void {
    if (isDeepStrictEqual(disks, diskOf)) return;
    diskOf = disks;
    itemOf = new WeakMap();
  }

  function diskUnder(path: string): string {
    for (const [root, name] of diskOf) if (path.startsWith(`${root}/`)) return name;
    return '';
  }

  function growing(now: number): { readonly running: Growing[]; readonly due: Growing[] } {
    const running: Growing[] = [];
    const due: Growing[] = [];
    const rates = [...book.all()].flatMap((entry) => rateOf(gist(entry)) ?? []);
    const usual = rates.reduce((sum, rate) => sum + rate, 0) / Math.max(1, rates.length);
    for (const entry of book.all()) {
      const { id, path } = entry;
      if (isResting(path)) continue;
      const { recording } = entry;
      if (now >= closeAt(recording)) continue;
      const isRunning = /^(spooling|retrying|failover)/.test(path);
      const isDue = path.startsWith('scheduled') && openAt(recording) <= now + DUE_MS;
      if (!isRunning && !isDue) continue;
      const { priority, window } = recording;
      const remainingMs = closeAt(recording) - Math.max(now, openAt(recording));
      const bytesPerMs = rateOf(gist(entry)) ?? usual;
      const one = {
        id,
        disk: diskUnder(recording.spool),
        priority,
        startAt: window.startAt,
        remainingMs,
        bytesPerMs,
      };
      (isRunning ? running : due).push(one);
    }
    return { running, due };
  }

  return {
    async refusal() {
      const measured: { path: string; now: DiskNow; totalBytes: number }[] = [];
      for (const { path } of roots.all()) {
        if (!(await roots.ready(path))) return 'mount_missing';
        const space = await disk.space(path).catch(() => null);
        if (space === null) return 'mount_missing';
        const { freeBytes, totalBytes } = space;
        const same = measured.find(
          (each) => each.totalBytes === totalBytes && Math.abs(each.now.freeBytes - freeBytes) <= SAME_BYTES,
        );
        const name = same?.now.disk ?? path;
        const now = { disk: name, freeBytes, floorBytes: floorBytes(config.keep.diskFreeMin, totalBytes) };
        measured.push({ path, now, totalBytes });
      }
      placeOn(new Map(measured.map(({ path, now }) => [path, now.disk])));
      const disks = measured.filter(({ path, now }) => path === now.disk).map(({ now }) => now);
      const held = items();
      last = climb({
        disks,
        ...growing(clock.now()),
        evictable: (name, priority) =>
          held
            .filter(
              (item) =>
                item.disk === name && !item.keep && item.kind !== 'active' && item.priority <= priority,
            )
            .reduce((sum, { bytes }) => sum + bytes, 0),
      });
      return last.refuses ? 'disk_floor' : null;
    },
    ladder: () => last,
    items,
  };
}

/** Bytes a millisecond of capture, or null where too little was captured. */
function rateOf({ pieceBytes, capturedMs }: Gist): number | null {
  return capturedMs < MEASURED_MS_MIN ? null : pieceBytes / capturedMs;
}
