/** Recordings for the HTTP door: all that fit a wish, newest first, or one with everything that is known of it. */

import { openAt, closeAt } from '../domain/capturing.js';
import { ToldLater } from '../domain/json.js';
import { compareText, rfc3339 } from '../domain/text.js';
import { reportItem, type MachineState, type ReportedRecording } from '../domain/reportItem.js';
import { showRef, timeMs, tsOf } from '../domain/sidecar.js';
import type { Book } from './book.js';
import { gist, type Entry } from './entries.js';

export interface RecordingsWish {
  /** A list of the report, or a state; '' is all. */
  readonly state: string;
  readonly lane: string;
  /** In title or channel. */
  readonly q: string;
  readonly order: 'newest' | 'oldest';
  /** 0 is all. */
  readonly limit: number;
  readonly offset: number;
}

const LISTS: Readonly<Record<string, readonly MachineState[]>> = {
  active: ['scheduled', 'spooling', 'retrying', 'failover', 'finalizing'],
  running: ['spooling', 'retrying', 'failover', 'finalizing'],
  completed: ['published'],
  failed: ['failed', 'cancelled', 'quarantined'],
};

export function recordingsView(book: Book, wish: RecordingsWish, now: number) {
  const found = fitting(book, wish).toSorted(newestFirst);
  if (wish.order === 'oldest') found.reverse();
  const end = wish.limit === 0 ? undefined : wish.offset + wish.limit;
  return {
    generated_at: rfc3339(now),
    total: found.length,
    recordings: new ToldLater(found.slice(wish.offset, end), ({ entry }) => reportItem(reportedEntry(entry))),
  };
}

interface Found {
  readonly entry: Entry;
  readonly startAt: number;
}

function fitting(book: Book, { state, lane, q }: RecordingsWish): Found[] {
  const states: readonly string[] = LISTS[state] ?? (state === '' ? [] : [state]);
  const word = q.trim().toLowerCase();
  return [...book.all(), ...book.aside()].flatMap((entry) => {
    const top = topOf(entry.path);
    if (states.length > 0 ? !states.includes(top) : top === 'expired') return [];
    const { lane: own, title, channelName, startAt } = gist(entry);
    if (lane !== '' && own !== lane) return [];
    const fits = word === '' || [title, channelName].some((text) => text.toLowerCase().includes(word));
    return fits ? [{ entry, startAt }] : [];
  });
}

function newestFirst(a: Found, b: Found): number {
  return b.startAt - a.startAt || compareText(a.entry.id, b.entry.id);
}

export function topOf(path: string): string {
  return path.split('.')[0] ?? '';
}

export function reportedEntry({ recording, path, updatedAt }: Entry): ReportedRecording {
  return { recording, state: topOf(path) as MachineState, updatedAt };
}

/** The item, and what only matters where somebody looks at this one. */
export function recordingView(entry: Entry) {
  const { recording, path, rev, updatedAt } = entry;
  return {
    ...reportItem(reportedEntry(entry)),
    path,
    rev,
    updated_at: timeMs(updatedAt),
    desc: recording.capsule.desc,
    categories: recording.capsule.categories,
    window: {
      open: timeMs(openAt(recording)),
      start: timeMs(recording.window.startAt),
      stop: timeMs(recording.window.stopAt),
      close: timeMs(closeAt(recording)),
    },
    deadline: recording.deadline && { kind: recording.deadline.kind, at: timeMs(recording.deadline.at) },
    upstreams: recording.upstreams.map(showRef),
    current: recording.current && showRef(recording.current),
    stretches: recording.stretches.map(({ source, fromAt, toAt, bytes, firstOffset }) => ({
      source: showRef(source),
      from: timeMs(fromAt),
      to: timeMs(toAt),
      bytes,
      first_offset: firstOffset,
    })),
    joins: recording.joins.map(({ at, kind, removedOverlapS, approximate }) => ({
      at: timeMs(at),
      kind,
      removed_overlap_s: removedOverlapS,
      approximate,
    })),
    ts: tsOf(recording.ts),
    last_fault_at: recording.lastFault && timeMs(recording.lastFault.at),
  };
}
