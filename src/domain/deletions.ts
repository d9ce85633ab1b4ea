/** What will be removed, when and by which rule, if nothing else happens: retention, told ahead (P10). */

import { retain, type Kept, type RetentionPolicy, type Unmet } from './retention.js';
import { compareText } from './text.js';

export interface Deletion {
  readonly id: string;
  readonly at: number;
  /** Name of the rule. */
  readonly rule: string;
}

export interface Deletions {
  /** The next first; what a person keeps and what is being recorded is not among them. */
  readonly deletions: readonly Deletion[];
  /** Limits that cannot be met. */
  readonly unmet: readonly Unmet[];
}

/** Asks retention at every time at which it may say something new. */
export function deletionsOf(items: readonly Kept[], policy: RetentionPolicy, now: number): Deletions {
  const { evictions, unmet } = retain(items, policy, now);
  const deletions: Deletion[] = evictions.map((eviction) => ({ ...eviction, at: now }));
  const gone = new Set(evictions.map(({ id }) => id));
  const left = items.filter(({ id, keep, kind }) => !gone.has(id) && !keep && kind !== 'active');
  for (const item of left) {
    const { at, rule } = endOf(item, policy);
    if (at < Infinity) deletions.push({ id: item.id, at, rule });
  }
  return { deletions: deletions.toSorted((a, b) => a.at - b.at || compareText(a.id, b.id)), unmet };
}

function endOf(item: Kept, policy: RetentionPolicy): { readonly at: number; readonly rule: string } {
  const ageMsMax = policy.completedAgeMsMaxPerLane[item.lane] ?? policy.completedAgeMsMax;
  const agedAt = item.kind === 'completed' && ageMsMax > 0 ? item.stopAt + ageMsMax : Infinity;
  return agedAt < item.expiresAt
    ? { at: agedAt, rule: 'retain-completed-max-age' }
    : { at: item.expiresAt, rule: 'expiry' };
}
