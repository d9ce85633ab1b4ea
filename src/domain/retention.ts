/**
 * What has to go, by which rule: a list of named rules, each of which picks among what the ones before it left (P5, P10).
 * The oldest of the lowest priority goes first; what a person keeps never goes, and what is being recorded counts but
 * cannot go. Where a limit cannot be met, the rule says by how much. 0 is no limit.
 */

import { compareText } from './text.js';

/** A recording, as far as retention looks at it. */
export interface Kept {
  readonly id: string;
  readonly lane: string;
  /** `completed`: published. `failed`: failed or cancelled. `active`: its bytes count, and it stays. */
  readonly kind: 'completed' | 'failed' | 'active';
  readonly priority: number;
  readonly stopAt: number;
  readonly expiresAt: number;
  readonly bytes: number;
  /** Pinned by a person. */
  readonly keep: boolean;
  /** The disk that its bytes lie on, by the name that `diskShort` uses; '' is none that is known. */
  readonly disk?: string;
}

export type ByLane = Readonly<Record<string, number>>;

export interface RetentionPolicy {
  readonly retainCompleted: number;
  readonly retainFailed: number;
  readonly retainCompletedPerLane: ByLane;
  readonly retainFailedPerLane: ByLane;
  /** Since the stop. A lane's own counts in place of the one for all. */
  readonly completedAgeMsMax: number;
  readonly completedAgeMsMaxPerLane: ByLane;
  readonly budgetBytesPerLane: ByLane;
  readonly budgetBytes: number;
  /** Bytes that must come free on a disk, measured or foreseen; a disk that is not here has enough. */
  readonly diskShort: Readonly<Record<string, number>>;
}

export const NO_LIMITS: RetentionPolicy = {
  retainCompleted: 0,
  retainFailed: 0,
  retainCompletedPerLane: {},
  retainFailedPerLane: {},
  completedAgeMsMax: 0,
  completedAgeMsMaxPerLane: {},
  budgetBytesPerLane: {},
  budgetBytes: 0,
  diskShort: {},
};

export interface Eviction {
  readonly id: string;
  /** Name of the rule. */
  readonly rule: string;
}

/** A limit that stays exceeded, because what is left is kept by a person or still being recorded. */
export interface Unmet {
  readonly rule: string;
  /** The lane or disk that it is about; '' is all of them. */
  readonly of: string;
  /** Bytes or recordings too many. */
  readonly over: number;
}

export interface Choice {
  readonly ids: readonly string[];
  readonly unmet: readonly Omit<Unmet, 'rule'>[];
}

export interface RetentionRule {
  readonly name: string;
  /** What must go, all of it at once; `items` holds what is still there, first to go first. */
  readonly choose: (items: readonly Kept[], policy: RetentionPolicy, now: number) => Choice;
}

export const RETENTION_RULES: readonly RetentionRule[] = [
  {
    name: 'expiry',
    choose: (items, _policy, now) => all(items.filter((item) => item.expiresAt <= now)),
  },
  {
    name: 'retain-completed-max-age',
    choose: (items, { completedAgeMsMax, completedAgeMsMaxPerLane }, now) =>
      all(
        ofKind(items, 'completed').filter(({ lane, stopAt }) => {
          const ageMsMax = completedAgeMsMaxPerLane[lane] ?? completedAgeMsMax;
          return ageMsMax > 0 && stopAt + ageMsMax <= now;
        }),
      ),
  },
  {
    name: 'retain-completed-per-lane',
    choose: (items, policy) =>
      perLane(ofKind(items, 'completed'), policy.retainCompletedPerLane, (some, limit) =>
        toLimit(some, limit, one),
      ),
  },
  {
    name: 'retain-failed-per-lane',
    choose: (items, policy) =>
      perLane(ofKind(items, 'failed'), policy.retainFailedPerLane, (some, limit) =>
        toLimit(some, limit, one),
      ),
  },
  {
    name: 'budget-bytes-per-lane',
    choose: (items, policy) =>
      perLane(items, policy.budgetBytesPerLane, (some, limit) => toLimit(some, limit, bytes)),
  },
  {
    name: 'retain-completed',
    choose: (items, policy) => toLimit(ofKind(items, 'completed'), policy.retainCompleted, one),
  },
  {
    name: 'retain-failed',
    choose: (items, policy) => toLimit(ofKind(items, 'failed'), policy.retainFailed, one),
  },
  {
    name: 'budget-bytes',
    choose: (items, policy) => toLimit(items, policy.budgetBytes, bytes),
  },
  {
    name: 'disk-free-min',
    choose: (items, { diskShort }) =>
      joined(
        Object.entries(diskShort).map(([disk, short]) =>
          named(
            disk,
            free(
              items.filter((item) => item.disk === disk),
              short,
              bytes,
            ),
          ),
        ),
      ),
  },
];

export interface Retention {
  readonly evictions: readonly Eviction[];
  readonly unmet: readonly Unmet[];
}

/** Applies the rules in their order. The result does not depend on the order of `items`. */
export function retain(
  items: readonly Kept[],
  policy: RetentionPolicy,
  now: number,
  rules: readonly RetentionRule[] = RETENTION_RULES,
): Retention {
  const evictions: Eviction[] = [];
  const unmet: Unmet[] = [];
  let left = items.toSorted(firstToGo);
  for (const { name: rule, choose } of rules) {
    const choice = choose(left, policy, now);
    const gone = new Set(choice.ids);
    for (const id of gone) evictions.push({ id, rule });
    for (const limit of choice.unmet) unmet.push({ rule, ...limit });
    if (gone.size > 0) left = left.filter((item) => !gone.has(item.id));
  }
  return { evictions, unmet };
}

export function chooseEvictions(
  items: readonly Kept[],
  policy: RetentionPolicy,
  now: number,
): readonly Eviction[] {
  return retain(items, policy, now).evictions;
}

/** Lowest priority first, then oldest. */
export function firstToGo(a: Kept, b: Kept): number {
  return a.priority - b.priority || a.stopAt - b.stopAt || compareText(a.id, b.id);
}

function canGo({ keep, kind }: Kept): boolean {
  return !keep && kind !== 'active';
}

function all(items: readonly Kept[]): Choice {
  return { ids: items.filter(canGo).map(({ id }) => id), unmet: [] };
}

function ofKind(items: readonly Kept[], kind: Kept['kind']): readonly Kept[] {
  return items.filter((item) => item.kind === kind);
}

const one = () => 1;
const bytes = (item: Kept) => item.bytes;

/** What is kept counts towards a limit, but cannot go to meet it. */
function toLimit(items: readonly Kept[], limit: number, weight: (item: Kept) => number): Choice {
  const sum = items.reduce((total, item) => total + weight(item), 0);
  return free(items, limit === 0 ? 0 : sum - limit, weight);
}

/** The first that can go, until nothing is over. */
function free(items: readonly Kept[], over: number, weight: (item: Kept) => number): Choice {
  let left = over;
  const ids: string[] = [];
  for (const item of items) {
    if (left <= 0) break;
    if (!canGo(item) || weight(item) === 0) continue;
    ids.push(item.id);
    left -= weight(item);
  }
  return { ids, unmet: left > 0 ? [{ of: '', over: left }] : [] };
}

function perLane(
  items: readonly Kept[],
  limits: ByLane,
  choose: (items: readonly Kept[], limit: number) => Choice,
): Choice {
  return joined(
    Object.entries(limits).map(([lane, limit]) =>
      named(
        lane,
        choose(
          items.filter((item) => item.lane === lane),
          limit,
        ),
      ),
    ),
  );
}

function named(of: string, { ids, unmet }: Choice): Choice {
  return { ids, unmet: unmet.map(({ over }) => ({ of, over })) };
}

function joined(choices: readonly Choice[]): Choice {
  return { ids: choices.flatMap(({ ids }) => ids), unmet: choices.flatMap(({ unmet }) => unmet) };
}
