/**
 * What is done about a disk that fills, rung by rung: look ahead before anything new starts, prune what retention lets go,
 * and only when what runs would use up the very last bytes stop the lowest of it; never all (P3, P5).
 */

import { compareText } from './text.js';

export interface DiskNow {
  readonly disk: string;
  readonly freeBytes: number;
  /** What stays free. */
  readonly floorBytes: number;
}

/** A recording that grows, or is about to. */
export interface Growing {
  readonly id: string;
  readonly disk: string;
  readonly priority: number;
  readonly startAt: number;
  /** Until its capture ends. */
  readonly remainingMs: number;
  /** Measured; 0 where nothing is known. */
  readonly bytesPerMs: number;
}

export interface LadderInput {
  readonly disks: readonly DiskNow[];
  readonly running: readonly Growing[];
  /** Those that start now or wait to. */
  readonly due: readonly Growing[];
  /** Bytes that retention could let go on a disk for something of this priority. */
  readonly evictable: (disk: string, priority: number) => number;
}

export interface Ladder {
  /** Bytes that must come free now, by disk. */
  readonly short: Readonly<Record<string, number>>;
  /** Nothing new starts. */
  readonly refuses: boolean;
  /** The recording that has to end so that the others can go on, or null. */
  readonly stop: string | null;
}

/** Space is made for so much of what runs; the rest of it may never be needed. */
const AHEAD_MS = 600_000;

export function climb(input: LadderInput): Ladder {
  const short: Record<string, number> = {};
  let refuses = false;
  let stop: string | null = null;
  for (const { disk, freeBytes, floorBytes } of input.disks) {
    const running = input.running.filter((each) => each.disk === disk);
    const due = input.due.filter((each) => each.disk === disk);
    const soon = sumOf(running, (ms) => Math.min(ms, AHEAD_MS));
    const whole = sumOf(running, (ms) => ms);
    const wanted = Math.max(0, ...due.map(({ bytesPerMs, remainingMs }) => bytesPerMs * remainingMs));
    const priority = Math.max(0, ...due.map((each) => each.priority));
    const evictable = input.evictable(disk, priority);
    const fits = freeBytes + evictable - whole - wanted >= floorBytes;
    const missing = Math.ceil(floorBytes + soon + (fits ? wanted : 0) - freeBytes);
    if (missing > 0) short[disk] = missing;
    if (freeBytes < floorBytes || (due.length > 0 && !fits)) refuses = true;
    const spent = freeBytes < floorBytes && freeBytes < Math.min(whole, floorBytes / 2);
    if (spent && input.evictable(disk, Infinity) === 0 && running.length > 1)
      stop ??= running.toSorted(lowestFirst)[0]?.id ?? null;
  }
  return { short, refuses, stop };
}

function sumOf(growing: readonly Growing[], span: (remainingMs: number) => number): number {
  return growing.reduce((sum, { bytesPerMs, remainingMs }) => sum + bytesPerMs * span(remainingMs), 0);
}

function lowestFirst(a: Growing, b: Growing): number {
  return a.priority - b.priority || b.startAt - a.startAt || compareText(a.id, b.id);
}
