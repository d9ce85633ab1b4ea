/**
 * The one place where time becomes an event: keeps the awaited deadline of every recording, guide and of the
 * scheduler, and calls each when it is due. It derives its contents from what it is shown, so that a restart re-arms
 * everything for free. It never sleeps longer than 30 s: a suspended machine or a stepped clock is noticed by then.
 */

import type { Clock, TimerHandle } from '../io/clock.js';

/** Kinds that run on elapsed time: a wall clock that jumps neither hastens nor holds them. */
const ELAPSED: ReadonlySet<string> = new Set([
  'retry',
  'close',
  'wait',
  'restart',
  'chance',
  'tick',
  'poll',
  'owed',
]);
const SLEEP_MS_MAX = 30_000;
/** Smaller differences between wall and elapsed time are drift and rounding. */
const STEP_MS = 1_000;
/** Whoever still awaits what it was called for is called again, but not at once and for ever. */
const CALL_AGAIN_MS = 1_000;
/** At the half hour thousands may be due: so many are called before captures get their turn again, for each may open or close one. */
const CALLED_MAX = 2;

export interface AwaitedDeadline {
  readonly kind: string;
  /** Wall clock, as the chart set it. */
  readonly at: number;
}

export interface Deadlines {
  /** What `id` awaits now; null for nothing. The same deadline again changes nothing. */
  set(id: string, deadline: AwaitedDeadline | null): void;
  size(): number;
  stop(): void;
}

interface Entry {
  readonly id: string;
  readonly deadline: AwaitedDeadline;
  /** Monotonic time at which it is due; its place in the heap. */
  readonly dueMono: number;
}

export interface DeadlineRules {
  /** How far this clock is ahead of the time that `id` lives by. */
  readonly lagOf: (id: string) => number;
  /** Nothing may come of it now: the time is in doubt. */
  readonly isHeld: (id: string, kind: string) => boolean;
}

const NO_RULES: DeadlineRules = { lagOf: () => 0, isHeld: () => false };

export function createDeadlines(
  clock: Clock,
  call: (id: string, deadline: AwaitedDeadline, at: number) => void,
  { lagOf, isHeld }: DeadlineRules = NO_RULES,
): Deadlines {
  const entries = new Map<string, Entry>();
  /** What each was called for last, until it awaits something else. */
  const called = new Map<string, AwaitedDeadline>();
  let heap = createHeap((entry) => entries.get(entry.id) === entry);
  let offset = clock.now() - clock.mono();
  let timer: TimerHandle | null = null;
  let wakesAtMono = Infinity;
  let stopped = false;

  /** What the clock shows to it. */
  const timeOf = (id: string) => clock.now() - lagOf(id);

  function enter(id: string, deadline: AwaitedDeadline, inMsMin = -Infinity): void {
    const inMs = Math.max(inMsMin, deadline.at - timeOf(id));
    const entry = { id, deadline, dueMono: clock.mono() + inMs };
    entries.set(id, entry);
    heap.push(entry);
  }

  function arm(): void {
    const first = heap.peek();
    if (stopped || !first) return;
    const sleepMs = Math.min(SLEEP_MS_MAX, Math.max(0, first.dueMono - clock.mono()));
    const wakeMono = clock.mono() + sleepMs;
    if (timer && wakesAtMono <= wakeMono) return;
    timer?.cancel();
    wakesAtMono = wakeMono;
    timer = clock.after(sleepMs, wake);
  }

  function wake(): void {
    timer = null;
    wakesAtMono = Infinity;
    if (Math.abs(clock.now() - clock.mono() - offset) > STEP_MS) rebase();
    for (let count = 0; count < CALLED_MAX; count += 1) {
      const first = heap.peek();
      if (!first || first.dueMono > clock.mono()) break;
      entries.delete(first.id);
      // A wall clock that lags by a rounded millisecond would make the chart refuse the call for good.
      const early = !ELAPSED.has(first.deadline.kind) && timeOf(first.id) < first.deadline.at;
      const held = isHeld(first.id, first.deadline.kind);
      if (early || held) {
        enter(first.id, first.deadline, held ? SLEEP_MS_MAX : undefined);
        continue;
      }
      called.set(first.id, first.deadline);
      call(first.id, first.deadline, timeOf(first.id));
    }
    arm();
  }

  /** The wall clock was stepped: what waits for the wall moves with it, what runs on elapsed time stays. */
  function rebase(): void {
    offset = clock.now() - clock.mono();
    const before = [...entries.values()];
    entries.clear();
    heap = createHeap((entry) => entries.get(entry.id) === entry);
    for (const entry of before) {
      if (ELAPSED.has(entry.deadline.kind)) {
        entries.set(entry.id, entry);
        heap.push(entry);
      } else enter(entry.id, entry.deadline);
    }
  }

  return {
    set(id, deadline) {
      if (isSame(entries.get(id)?.deadline, deadline)) return;
      entries.delete(id);
      const again = isSame(called.get(id), deadline);
      if (!again) called.delete(id);
      if (deadline === null || stopped) return;
      enter(id, deadline, again ? CALL_AGAIN_MS : undefined);
      arm();
    },
    size: () => entries.size,
    stop() {
      stopped = true;
      timer?.cancel();
      entries.clear();
    },
  };
}

function isSame(one: AwaitedDeadline | undefined, other: AwaitedDeadline | null): boolean {
  return other !== null && one?.at === other.at && one.kind === other.kind;
}

/** A binary heap by due time, then id; entries that are no longer awaited fall out when they come to the top. */
function createHeap(isLive: (entry: Entry) => boolean) {
  const items: Entry[] = [];
  const before = (a: number, b: number): boolean => {
    const [first, second] = [items[a], items[b]];
    if (!first || !second) return first !== undefined;
    return first.dueMono - second.dueMono < 0 || (first.dueMono === second.dueMono && first.id < second.id);
  };
  const swap = (a: number, b: number) => {
    const [first, second] = [items[a], items[b]];
    if (first && second) [items[a], items[b]] = [second, first];
  };

  function pop(): void {
    swap(0, items.length - 1);
    items.pop();
    for (let index = 0; ;) {
      const left = 2 * index + 1;
      const least = before(left + 1, left) ? left + 1 : left;
      if (!before(least, index)) return;
      swap(index, least);
      index = least;
    }
  }

  return {
    push(entry: Entry): void {
      items.push(entry);
      for (let index = items.length - 1; index > 0;) {
        const parent = (index - 1) >> 1;
        if (!before(index, parent)) return;
        swap(index, parent);
        index = parent;
      }
    },
    /** The earliest that is still awaited. */
    peek(): Entry | undefined {
      while (items[0] && !isLive(items[0])) pop();
      return items[0];
    },
  };
}
