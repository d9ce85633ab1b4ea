/**
 * What has to go, by which rule: a list of named rules, each of which picks among what the ones before it left (P5, P10).
 * The oldest of the lowest priority goes first; what a person keeps never goes. 0 is no limit.
 */

import { compareText } from './text.js';

/** A finished recording, as far as retention looks at it. */
export interface Kept {
  readonly id: string;
  readonly lane: string;
  /** `completed`: published. `failed`: failed or cancelled. */
  readonly kind: 'completed' | 'failed';
  readonly priority: number;
  readonly stopAt: number;
  readonly expiresAt: number;
  readonly bytes: number;
  /** Pinned by a person. */
  readonly keep: boolean;
}

export type ByLane = Readonly<Record<string, number>>;

export interface RetentionPolicy {
  readonly retainCompleted: number;
  readonly retainFailed: number;
  readonly retainCompletedPerLane: ByLane;
  readonly retainFailedPerLane: ByLane;
  readonly budgetBytesPerLane: ByLane;
}

export interface Eviction {
  readonly id: string;
  /** Name of the rule. */
  readonly rule: string;
}

export interface RetentionRule {
  readonly name: string;
  /** Ids of what must go, all of it at once; `items` holds what is still there, first to go first. */
  readonly choose: (items: readonly Kept[], policy: RetentionPolicy, now: number) => readonly string[];
}

export const RETENTION_RULES: readonly RetentionRule[] = [
  {
    name: 'expiry',
    choose: (items, _policy, now) => idsOf(items.filter((item) => !item.keep && item.expiresAt <= now)),
  },
  {
    name: 'retain-completed-per-lane',
    choose: (items, policy) => perLane(ofKind(items, 'completed'), policy.retainCompletedPerLane, overCount),
  },
  {
    name: 'retain-failed-per-lane',
    choose: (items, policy) => perLane(ofKind(items, 'failed'), policy.retainFailedPerLane, overCount),
  },
  {
    name: 'budget-bytes-per-lane',
    choose: (items, policy) => perLane(items, policy.budgetBytesPerLane, overBytes),
  },
  {
    name: 'retain-completed',
    choose: (items, policy) => overCount(ofKind(items, 'completed'), policy.retainCompleted),
  },
  {
    name: 'retain-failed',
    choose: (items, policy) => overCount(ofKind(items, 'failed'), policy.retainFailed),
  },
];

/** Applies the rules in their order. The result does not depend on the order of `items`. */
export function chooseEvictions(
  items: readonly Kept[],
  policy: RetentionPolicy,
  now: number,
  rules: readonly RetentionRule[] = RETENTION_RULES,
): readonly Eviction[] {
  const evictions: Eviction[] = [];
  let left = items.toSorted(firstToGo);
  for (const { name, choose } of rules) {
    const gone = new Set(choose(left, policy, now));
    for (const id of gone) evictions.push({ id, rule: name });
    left = left.filter((item) => !gone.has(item.id));
  }
  return evictions;
}

function firstToGo(a: Kept, b: Kept): number {
  return a.priority - b.priority || a.stopAt - b.stopAt || compareText(a.id, b.id);
}

function idsOf(items: readonly Kept[]): string[] {
  return items.map((item) => item.id);
}

function ofKind(items: readonly Kept[], kind: Kept['kind']): readonly Kept[] {
  return items.filter((item) => item.kind === kind);
}

/** What is kept counts towards a limit, but cannot go to meet it. */
function overCount(items: readonly Kept[], limit: number): string[] {
  const over = limit === 0 ? 0 : items.length - limit;
  return over <= 0 ? [] : idsOf(items.filter((item) => !item.keep)).slice(0, over);
}

function overBytes(items: readonly Kept[], limit: number): string[] {
  let over = limit === 0 ? 0 : items.reduce((sum, item) => sum + item.bytes, 0) - limit;
  const gone: string[] = [];
  for (const item of items) {
    if (over <= 0) break;
    if (item.keep || item.bytes === 0) continue;
    gone.push(item.id);
    over -= item.bytes;
  }
  return gone;
}

function perLane(
  items: readonly Kept[],
  limits: ByLane,
  choose: (items: readonly Kept[], limit: number) => readonly string[],
): string[] {
  return Object.entries(limits).flatMap(([lane, limit]) =>
    choose(
      items.filter((item) => item.lane === lane),
      limit,
    ),
  );
}
