/**
 * Channels by time, each programme with what was decided about it and what became of it: what the plan looks at, and
 * behind the present what was recorded. Built for a part of the channels at a time; there may be thousands.
 */

import type { Conflict } from '../domain/forecast.js';
import type { Decision } from '../domain/plan.js';
import { channelKeyOf } from '../domain/identity.js';
import { rfc3339 } from '../domain/text.js';
import { shownAction, shownConflict, type Conflicts } from './decisionsView.js';
import type { PageParts } from './planFacts.js';
import { topOf } from './recordingsView.js';
import type { Shadow } from './shadow.js';

/** A plan, and when it was made: epoch milliseconds, 0 before the first one. */
interface Planning {
  readonly decisions: readonly Decision[];
  readonly conflicts: Conflicts;
  readonly at: number;
}

export interface GuideWish {
  readonly fromAt: number;
  readonly toAt: number;
  /** In the name of a channel or a title. */
  readonly q: string;
  readonly offset: number;
  /** 0 is all. */
  readonly limit: number;
}

interface Row {
  readonly key: string;
  readonly channelId: string;
  readonly name: string;
  readonly number: string;
  readonly group: string;
  readonly decisions: Decision[];
}

/** A plan is made every few minutes, and asked for many times. */
const rowsOf = new WeakMap<readonly Decision[], ReadonlyMap<string, Row>>();

/**
 * JSON, and between its parts the ids of recordings: what they are just now is known elsewhere. Each stands where its
 * programme's `recording` belongs.
 */
export function guidePage(
  planning: Planning,
  shadows: Iterable<Shadow>,
  wish: GuideWish,
  now: number,
): PageParts {
  const encoder = new TextEncoder();
  const text = JSON.stringify(pageOf(planning, shadows, wish, now));
  return text.split(RECORDING).map((part, i) => (i % 2 === 0 ? encoder.encode(part) : part));
}

/** No text of a guide reads like this in JSON, where its quotes are escaped. */
const RECORDING = /,"recording":"([0-9a-f]+)"/;

function pageOf(planning: Planning, shadows: Iterable<Shadow>, wish: GuideWish, now: number) {
  const rows = new Map(planned(planning.decisions));
  const recorded = new Map<string, Shadow[]>();
  const byKey = new Map<string, Shadow>();
  for (const shadow of shadows) {
    const { path, keys, capsule, startAt, stopAt } = shadow;
    if (path === 'quarantined') continue;
    for (const key of keys) byKey.set(key, shadow);
    if (topOf(path) === 'expired' || stopAt <= wish.fromAt || startAt >= wish.toAt) continue;
    const key = channelKeyOf(capsule);
    recorded.set(key, [...(recorded.get(key) ?? []), shadow]);
    if (!rows.has(key)) rows.set(key, rowOf(key, capsule));
  }
  const word = wish.q.trim().toLowerCase();
  const all = [...rows.values()]
    .filter((row) => word === '' || fits(row, recorded.get(row.key) ?? [], word))
    .toSorted(byNumber);
  const end = wish.limit === 0 ? undefined : wish.offset + wish.limit;
  return {
    generated_at: rfc3339(now),
    planned_at: planning.at === 0 ? null : rfc3339(planning.at),
    from: rfc3339(wish.fromAt),
    to: rfc3339(wish.toAt),
    total: all.length,
    channels: all.slice(wish.offset, end).map((row) => ({
      channel_id: row.channelId,
      channel_name: row.name,
      guide_number: row.number,
      group: row.group,
      programmes: programmesOf(row, recorded.get(row.key) ?? [], byKey, wish, planning.conflicts),
    })),
  };
}

function planned(decisions: readonly Decision[]): ReadonlyMap<string, Row> {
  const known = rowsOf.get(decisions);
  if (known) return known;
  const rows = new Map<string, Row>();
  for (const decision of decisions) {
    const key = channelKeyOf(decision.capsule);
    const row = rows.get(key) ?? rowOf(key, decision.capsule);
    row.decisions.push(decision);
    rows.set(key, row);
  }
  rowsOf.set(decisions, rows);
  return rows;
}

function rowOf(key: string, { channelId, channelName, guideNumber, group }: Decision['capsule']): Row {
  return { key, channelId, name: channelName, number: guideNumber, group, decisions: [] };
}

function fits(row: Row, shadows: readonly Shadow[], word: string): boolean {
  const has = (text: string) => text.toLowerCase().includes(word);
  return (
    has(row.name) ||
    row.decisions.some(({ capsule }) => has(capsule.title)) ||
    shadows.some(({ capsule }) => has(capsule.title))
  );
}

function byNumber(a: Row, b: Row): number {
  const number = (row: Row) => (row.number === '' ? Infinity : Number.parseFloat(row.number) || Infinity);
  const difference = number(a) - number(b);
  return (
    (Number.isNaN(difference) ? 0 : difference) || a.name.localeCompare(b.name) || (a.key < b.key ? -1 : 1)
  );
}

function programmesOf(
  row: Row,
  shadows: readonly Shadow[],
  byKey: ReadonlyMap<string, Shadow>,
  { fromAt, toAt }: GuideWish,
  conflicts: Conflicts,
) {
  const shown = new Set<string>();
  const programmes = row.decisions
    .filter(({ capsule }) => capsule.stopAt > fromAt && capsule.startAt < toAt)
    .map((decision) => {
      const shadow = byKey.get(decision.capsule.recordKey);
      if (shadow) shown.add(shadow.id);
      return programme(decision.capsule, told(decision, conflicts.get(decision)), shadow);
    });
  for (const shadow of shadows)
    if (!shown.has(shadow.id))
      programmes.push(programme(capsuleOf(shadow), { action: 'record', reason: shadow.reason }, shadow));
  return programmes.toSorted((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
}

/** Where the recording knows better than the row it came from. */
function capsuleOf({ capsule, startAt, stopAt }: Shadow): Decision['capsule'] {
  return { ...capsule, startAt, stopAt };
}

function told(decision: Decision, conflict: Conflict | undefined) {
  return {
    action: shownAction(decision),
    reason: decision.reason,
    ...(conflict && { conflict: shownConflict(conflict) }),
  };
}

function programme(capsule: Decision['capsule'], decided: object, shadow?: Shadow) {
  return {
    capsule_id: capsule.capsuleId,
    title: capsule.title,
    ...(capsule.subTitle !== '' && { sub_title: capsule.subTitle }),
    lane: capsule.lane,
    start: rfc3339(capsule.startAt),
    stop: rfc3339(capsule.stopAt),
    ...decided,
    ...(shadow && { recording: shadow.id }),
  };
}
