/**
 * The report of CONTRACT §3 in the shape of PROTOCOLS §1.9: what is under way, what is in the library, what failed and
 * why. Pure: the same recordings and the same time give the same report.
 */

import type { Gist } from './gist.js';
import { ToldLater } from './json.js';
import {
  listOf,
  reportItem,
  unlessZero,
  type ListName,
  type MachineState,
  type ReportedRecording,
} from './reportItem.js';
import { compareText, rfc3339 } from './text.js';

/** One of thousands, of which few are shown. */
export interface ListedRecording {
  readonly id: string;
  readonly gist: Gist;
  readonly state: MachineState;
  readonly updatedAt: number;
  whole(): ReportedRecording;
}

export interface ReportOptions {
  readonly now: number;
  /** Items in each list; the statistics count all. 0 is no limit. */
  readonly limit: number;
  readonly stateFile: string;
  readonly rootDir: string;
  readonly budgetBytesPerLane: Readonly<Record<string, number>>;
  /** Lists and guides that are held back now. */
  readonly held: readonly HeldSource[];
}

export interface HeldSource {
  /** Without logins. */
  readonly source: string;
  readonly reason: string;
  readonly since: number;
}

export type Report = ReturnType<typeof buildReport>;

export function buildReport(all: readonly ListedRecording[], options: ReportOptions) {
  return reportWith(all, options, (list) => list.map(itemOfListed));
}

/** The same with its lists told when it is written. */
export function reportToldLater(all: readonly ListedRecording[], options: ReportOptions) {
  return reportWith(all, options, (list) => new ToldLater(list, itemOfListed));
}

function itemOfListed(listed: ListedRecording) {
  return reportItem(listed.whole());
}

function reportWith<L>(
  all: readonly ListedRecording[],
  options: ReportOptions,
  told: (list: readonly ListedRecording[]) => L,
) {
  const lists: Record<ListName, ListedRecording[]> = { active: [], completed: [], failed: [] };
  for (const reported of all) {
    const list = listOf(reported.state);
    if (list) lists[list].push(reported);
  }
  const shown = (list: readonly ListedRecording[]) => {
    const sorted = list.toSorted(newestFirst);
    return told(options.limit === 0 ? sorted : sorted.slice(0, options.limit));
  };
  const updatedAt = Math.max(0, ...all.map((reported) => reported.updatedAt));
  return {
    generated_at: rfc3339(options.now),
    state_file: options.stateFile,
    root_dir: options.rootDir,
    ...(updatedAt > 0 && { updated_at: rfc3339(updatedAt) }),
    statistics: statistics(lists, options),
    published_count: lists.completed.length,
    interrupted_count: lists.failed.filter(({ gist }) => gist.isInterrupted).length,
    lanes: laneRows(lists),
    ...(options.held.length > 0 && {
      held_sources: options.held.map(({ source, reason, since }) => ({
        source,
        reason,
        since: rfc3339(since),
      })),
    }),
    active: shown(lists.active),
    completed: shown(lists.completed),
    failed: shown(lists.failed),
  };
}

function newestFirst(a: ListedRecording, b: ListedRecording): number {
  return b.gist.startAt - a.gist.startAt || b.updatedAt - a.updatedAt || compareText(a.id, b.id);
}

function statistics(lists: Readonly<Record<ListName, ListedRecording[]>>, options: ReportOptions) {
  const all = [...lists.active, ...lists.completed, ...lists.failed].map(({ gist }) => gist);
  const sum = (of: (gist: Gist) => number) => all.reduce((total, one) => total + of(one), 0);
  const used = new Map<string, number>();
  for (const { lane, bytes } of all) used.set(lane, (used.get(lane) ?? 0) + bytes);
  const lanes = [...new Set([...used.keys(), ...Object.keys(options.budgetBytesPerLane)])].toSorted(
    compareText,
  );
  const storage = lanes.map((lane) => {
    const usedBytes = used.get(lane) ?? 0;
    const budget = options.budgetBytesPerLane[lane] ?? 0;
    const limits = { budget_bytes: budget, headroom_bytes: Math.max(0, budget - usedBytes) };
    return [lane, { used_bytes: usedBytes, ...(budget > 0 && limits) }] as const;
  });
  return {
    active_count: lists.active.length,
    completed_count: lists.completed.length,
    failed_count: lists.failed.length,
    ...(storage.length > 0 && { lane_storage: Object.fromEntries(storage) }),
    ...unlessZero(
      'sum_capture_http_attempts',
      sum((one) => one.attempts),
    ),
    ...unlessZero(
      'sum_capture_transient_retries',
      sum((one) => one.transientRetries),
    ),
    ...unlessZero(
      'sum_capture_bytes_resumed',
      sum((one) => one.resumedBytes),
    ),
    ...unlessZero(
      'sum_capture_upstream_switches',
      sum((one) => one.switches),
    ),
  };
}

function laneRows(lists: Readonly<Record<ListName, ListedRecording[]>>) {
  const laneOf = ({ gist }: ListedRecording) => gist.lane;
  const names = new Set([...lists.active, ...lists.completed, ...lists.failed].map(laneOf));
  return [...names].toSorted(compareText).map((lane) => {
    const count = (list: ListName) => lists[list].filter((reported) => laneOf(reported) === lane).length;
    return {
      lane,
      active_count: count('active'),
      completed_count: count('completed'),
      failed_count: count('failed'),
      interrupted_count: lists.failed.filter((one) => laneOf(one) === lane && one.gist.isInterrupted).length,
      published_count: count('completed'),
    };
  });
}
