/**
 * Whether a plan still stands: nothing that it was made of is another, and no moment has come since at which it would
 * say something else. Then it is seen by comparing references, and not made again.
 */

import type { Decision } from '../domain/plan.js';
import { SETTLE_MS } from '../domain/foresight.js';
import type { DecideInput } from './planning.js';
import type { Shadow } from './shadow.js';

export interface Made {
  readonly decisions: readonly Decision[];
  readonly rowKeys: ReadonlyMap<string, unknown>;
  /** When a programme comes into view that was too far ahead. */
  readonly viewAt: number;
}

/** Asked of the next time that a plan is wanted. */
export function standingOf(input: DecideInput, made: Made): (next: DecideInput) => boolean {
  const { now, guide, previousRowKeys } = input;
  const shadows = [...input.shadows];
  const tombstones = [...input.tombstones];
  const overrides = [...input.overrides];
  const settings = settingsOf(input);
  let untilAt: number | null = null;
  let hasNoNewRow: boolean | null = null;
  /** The load before tells what may have moved: a row that it did not have, to one that is known. */
  const isSameBefore = (keys: DecideInput['previousRowKeys']): boolean => {
    if (keys === previousRowKeys || shadows.length + tombstones.length + overrides.length === 0) return true;
    if (keys !== made.rowKeys || previousRowKeys === null) return false;
    return (hasNoNewRow ??= [...made.rowKeys.keys()].every((key) => previousRowKeys.has(key)));
  };
  return (next) =>
    next.now >= now &&
    isSame(settings, settingsOf(next)) &&
    isSame(guide.channels, next.guide.channels) &&
    isSame(guide.guides, next.guide.guides) &&
    isSame(overrides, [...next.overrides]) &&
    isSame(tombstones, [...next.tombstones]) &&
    areSameShadows(shadows, [...next.shadows]) &&
    isSameBefore(next.previousRowKeys) &&
    next.now < (untilAt ??= nextMoment(input, made, shadows, tombstones));
}

/** What is read again puts its values into the configuration that is in use, so each is compared. */
function settingsOf({ config, guide, rules, capacity }: DecideInput): readonly unknown[] {
  return [
    config,
    ...Object.values(config).flatMap((group) => Object.values(group as object) as unknown[]),
    guide.aliases,
    rules,
    capacity.slotsMax,
    capacity.preempt,
    ...Object.entries(capacity.limits).flat(),
  ];
}

/** The first moment after the plan was made at which any programme may be decided otherwise. */
function nextMoment(
  { config, now }: DecideInput,
  { decisions, viewAt }: Made,
  shadows: readonly Shadow[],
  tombstones: DecideInput['tombstones'],
): number {
  const { horizonMs } = config.what;
  const { prePaddingMs, leadTimeMs, joinMinLeft } = config.when;
  let first = viewAt;
  const note = (at: number) => {
    if (at > now && at < first) first = at;
  };
  const noteSpan = ({ startAt, stopAt }: { readonly startAt: number; readonly stopAt: number }) => {
    note(startAt);
    note(startAt + SETTLE_MS);
    note(stopAt);
    // At its stop it is shown for the last time.
    note(stopAt + 1);
  };
  for (const { capsule } of decisions) {
    noteSpan(capsule);
    note(capsule.startAt - horizonMs);
    note(capsule.startAt - Math.max(prePaddingMs, leadTimeMs));
    const lateAt = Math.floor(capsule.stopAt - joinMinLeft * (capsule.stopAt - capsule.startAt));
    for (let at = lateAt; at <= lateAt + 2; at += 1) note(at);
  }
  shadows.forEach(noteSpan);
  for (const tombstone of tombstones) noteSpan(tombstone);
  return first;
}

export function isSame(one: readonly unknown[], two: readonly unknown[]): boolean {
  return one.length === two.length && one.every((each, i) => each === two[i]);
}

/** A recording under way is told anew all the time, mostly for what no plan is made of. */
function areSameShadows(one: readonly Shadow[], two: readonly Shadow[]): boolean {
  return (
    one.length === two.length &&
    one.every((each, i) => each === two[i] || JSON.stringify(each) === JSON.stringify(two[i]))
  );
}
