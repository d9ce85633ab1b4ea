/**
 * Counts since the start, for metrics: taken from what each change of a recording adds to what was known of it, so that
 * nothing is counted that is not also in the book. Labels are lanes, outcomes, causes and accounts, all of them few.
 */

import { openAt } from '../domain/capturing.js';
import type { UpstreamRef } from '../domain/channel.js';
import type { Recording } from '../domain/recording.js';
import type { TsCounts } from '../domain/ledger.js';
import type { Entry } from './entries.js';

/** Totals by label values, joined by a tab. */
export type Totals = ReadonlyMap<string, number>;

export interface Counts {
  /** `outcome\tlane` */
  readonly finished: Totals;
  /** Account. */
  readonly bytes: Totals;
  /** Cause. */
  readonly gapSeconds: Totals;
  /** Kind. */
  readonly tsErrors: Totals;
  /** Cause of the fault that led to it. */
  readonly switches: Totals;
  readonly attempts: number;
  readonly retries: number;
  /** Seconds from when capture was due to its first request, as bucket counts by upper bound, and their sum. */
  readonly startDelay: {
    readonly buckets: readonly (readonly [number, number])[];
    readonly sum: number;
    readonly count: number;
  };
}

export interface Tally {
  note(entry: Entry, before: Entry | undefined): void;
  counts(): Counts;
}

const DELAY_BOUNDS = [0.5, 1, 2, 5, 10, 30, 60, 300, 1800];
/** More than this many values of a label are one. */
const LABELS_MAX = 100;

const TS_KINDS: Readonly<Partial<Record<keyof TsCounts, string>>> = {
  continuityErrors: 'continuity',
  transportErrors: 'transport',
  scrambled: 'scrambled',
  syncLosses: 'sync_loss',
  clockJumps: 'clock_jump',
};

const FINISHED: ReadonlySet<string> = new Set(['published', 'failed', 'cancelled']);

/** `accountOf` names the account of an upstream as people know it. */
export function createTally(accountOf: (ref: UpstreamRef) => string): Tally {
  const finished = new Map<string, number>();
  const bytes = new Map<string, number>();
  const gapSeconds = new Map<string, number>();
  const tsErrors = new Map<string, number>();
  const switches = new Map<string, number>();
  const delays = DELAY_BOUNDS.map(() => 0);
  let delaySum = 0;
  let delayCount = 0;
  let attempts = 0;
  let retries = 0;

  function add(totals: Map<string, number>, label: string, amount: number): void {
    if (!(amount > 0)) return;
    const name = totals.has(label) || totals.size < LABELS_MAX ? label : 'other';
    totals.set(name, (totals.get(name) ?? 0) + amount);
  }

  function noteCapture(now: Recording, was: Recording | undefined): void {
    const source = now.current ?? now.stretches.at(-1)?.source ?? null;
    const grown = now.bytes - (was?.bytes ?? 0);
    if (source && grown > 0) add(bytes, accountOf(source), grown);
    const holes = now.gaps.slice(was?.gaps.length ?? 0);
    for (const { fromAt, toAt, cause } of holes) add(gapSeconds, cause, (toAt - fromAt) / 1000);
    for (const [field, kind] of Object.entries(TS_KINDS)) {
      const count = field as keyof TsCounts;
      add(tsErrors, kind, now.ts[count] - (was?.ts[count] ?? 0));
    }
    add(switches, was?.lastFault?.cause ?? 'none', now.switches - (was?.switches ?? 0));
    attempts += Math.max(0, now.attempts - (was?.attempts ?? 0));
    retries += Math.max(0, now.transientRetries - (was?.transientRetries ?? 0));
    if (now.startedAt !== null && was && was.startedAt === null)
      noteDelay((now.startedAt - openAt(now)) / 1000);
  }

  function noteDelay(seconds: number): void {
    const delay = Math.max(0, seconds);
    delaySum += delay;
    delayCount += 1;
    DELAY_BOUNDS.forEach((bound, index) => {
      if (delay <= bound) delays[index] = (delays[index] ?? 0) + 1;
    });
  }

  return {
    note({ recording, path }, before) {
      noteCapture(recording, before?.recording);
      const state = path.split('.')[0] ?? '';
      const was = before?.path.split('.')[0] ?? '';
      if (state !== was && FINISHED.has(state) && !FINISHED.has(was)) {
        const outcome = recording.result?.outcome ?? (state === 'published' ? 'complete' : 'missed');
        add(finished, `${outcome}\t${recording.capsule.lane}`, 1);
      }
    },
    counts: () => ({
      finished,
      bytes,
      gapSeconds,
      tsErrors,
      switches,
      attempts,
      retries,
      startDelay: {
        buckets: DELAY_BOUNDS.map((bound, index) => [bound, delays[index] ?? 0] as const),
        sum: delaySum,
        count: delayCount,
      },
    }),
  };
}
