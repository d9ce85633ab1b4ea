/**
 * The book of recordings: the last known state of each, live or resting, and the one way from a chart's snapshot to
 * the store, the history and the deadlines. Everything that asks "what is there" reads here.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Snapshot } from 'xstate';
import type { RecordingEvent } from '../../machines/events.js';
import type { Recording, RecordingDocument, Tombstone } from '../domain/recording.js';
import { normTitle } from '../domain/capsules.js';
import type { Clock } from '../io/clock.js';
import type { Log } from '../log.js';
import { isRow } from '../store/document.js';
import type { History } from '../store/history.js';
import { RECORDING_VERSION } from '../store/migrations.js';
import type { Store } from '../store/store.js';
import type { Deadlines } from './deadlines.js';
import { gist, isResting, statePath, type Entry } from './entries.js';
import { createEntryMaker, type Noted } from './entryMaker.js';
import { legible } from './legible.js';
import { plain, verify } from './recover.js';

/** Version of the recording chart; a history is folded only by the chart that wrote it. */
export const CHART_VERSION = `recording/${RECORDING_VERSION}`;

export interface Quarantined {
  readonly id: string;
  readonly reason: string;
  readonly document: RecordingDocument;
}

export interface Book {
  get(id: string): Entry | undefined;
  all(): Iterable<Entry>;
  quarantined(): readonly Quarantined[];
  /** The same as far as it can be read, in a state of its own: `quarantined`. */
  aside(): readonly Entry[];
  /** The stored snapshot, checked; throws CodedError `state_invalid`. */
  snapshot(id: string): Snapshot<unknown>;
  /** A live recording has moved: remembered, stored, armed. */
  observe(id: string, snapshot: Snapshot<unknown>): void;
  /** An event is on its way to a recording: written down before it acts. */
  note(id: string, event: RecordingEvent): void;
  /** A snapshot that was changed on paper (recovery): stored before it lives. */
  restate(id: string, snapshot: Snapshot<unknown>): void;
  /** `fresh` is what one was to be made of that died at its birth, so that nothing is stored of it yet. */
  setAside(id: string, reason: string, fresh?: unknown): void;
  bury(id: string): Tombstone | null;
  /** Resolves when what is known of it now is on disk. */
  durable(id: string): Promise<void>;
}

interface Told {
  readonly value?: unknown;
  readonly context?: Recording;
}

export interface BookDoors {
  readonly store: Store;
  readonly history: History;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after every change, with the state before. */
  readonly onChange: (entry: Entry, before: Entry | undefined) => void;
}

/** A connection is open, or is asked for because one was. */
export function isCapturing(path: string): boolean {
  return /^(spooling|retrying|failover)/.test(path);
}

/** Null where not even identity and window can be read. */
function asideEntry(document: RecordingDocument): Entry | null {
  const { id, rev, updatedAt } = document;
  const { context } = Object(document.snapshot) as Told;
  const parts: readonly unknown[] = [context, context?.capsule, context?.window];
  if (!parts.every(isRow) || !Array.isArray(context?.keys)) return null;
  return { id, recording: { ...legible(context), id }, path: 'quarantined', rev, updatedAt };
}

/** Whether a repeat would be of no use: nearly all of the programme is there. */
export function hasGoodCopy({ result, failReason, cancelReason }: Recording): boolean {
  return failReason === '' && cancelReason === '' && (result?.coverage ?? 0) >= GOOD_COVERAGE;
}

const GOOD_COVERAGE = 0.9;

/** A document that keeps the place of one that could not be made: no chart knows its state, at the next start either. */
function stillborn(id: string, fresh: unknown, updatedAt: number): RecordingDocument {
  const snapshot = { status: 'active', value: 'stillborn', context: plain(fresh as never) };
  return { v: RECORDING_VERSION, id, rev: 1, updatedAt, deadline: null, snapshot };
}

export function tombstoneOf(recording: Recording, at: number): Tombstone {
  const { id, keys, capsule, window, evictedBy } = recording;
  return {
    id,
    keys,
    channel: capsule.dnaId || capsule.channelId,
    startAt: window.startAt,
    stopAt: window.stopAt,
    normTitle: normTitle(capsule.title),
    episode: capsule.episode,
    ...(!hasGoodCopy(recording) && { failed: true }),
    reason: evictedBy,
    at,
  };
}

export function createBook(doors: BookDoors): Book {
  const { store, history, deadlines, clock, log } = doors;
  const maker = createEntryMaker();
  const entries = new Map<string, Entry>();
  const aside = new Map<string, Quarantined>();

  for (const row of store.recordings().rows()) {
    // Mostly that was done while it was read.
    const noted = (row.note as Noted | null) ?? maker.noted(row.read(), row);
    if ('flaw' in noted) {
      const document = row.read();
      const { flaw: reason } = noted;
      aside.set(document.id, { id: document.id, reason, document });
      log.error({ id: document.id, reason }, 'a stored recording is put aside: no chart knows its state');
    } else {
      entries.set(noted.id, noted);
      deadlines.set(noted.id, gist(noted).deadline);
    }
  }

  function write(id: string, snapshot: Snapshot<unknown>): void {
    const before = entries.get(id);
    const { value, context } = snapshot as Told;
    if (context === undefined) return;
    const path = statePath(value);
    if (before && before.path === path && isDeepStrictEqual(before.recording, context)) {
      // A stored one that lives again is the same, in a copy of its own.
      if (!isResting(path)) entries.set(id, { ...before, recording: context });
      deadlines.set(id, context.deadline);
      return;
    }
    const rev = (before?.rev ?? 0) + 1;
    const updatedAt = clock.now();
    const entry = { id, recording: context, path, rev, updatedAt };
    const row = store.put({ v: RECORDING_VERSION, id, rev, updatedAt, deadline: context.deadline, snapshot });
    entries.set(id, maker.rested(entry, row));
    deadlines.set(id, context.deadline);
    doors.onChange(entry, before);
  }

  /** Recordings whose history has a beginning in this life: what a kill left behind the state is not folded in. */
  const begun = new Set<string>();

  function baseline(id: string, snapshot: Snapshot<unknown>): void {
    begun.add(id);
    const rev = entries.get(id)?.rev ?? 0;
    history.append({
      at: clock.now(),
      id,
      type: 'baseline',
      chart: CHART_VERSION,
      rev,
      snapshot: plain(snapshot) as never,
    });
  }

  return {
    get: (id) => entries.get(id),
    all: () => entries.values(),
    quarantined: () => [...aside.values()],
    aside: () => [...aside.values()].flatMap(({ document }) => asideEntry(document) ?? []),
    snapshot(id) {
      const document = store.recordings().get(id);
      if (!document) throw new Error(`no recording ${id}`);
      verify(document.snapshot);
      return document.snapshot as Snapshot<unknown>;
    },
    observe(id, snapshot) {
      const isNew = !entries.has(id);
      write(id, snapshot);
      if (isNew) baseline(id, snapshot);
    },
    note(id, event) {
      const stored = begun.has(id) ? undefined : store.recordings().get(id);
      if (stored) baseline(id, stored.snapshot as Snapshot<unknown>);
      const rev = (entries.get(id)?.rev ?? 0) + 1;
      history.append({
        at: clock.now(),
        id,
        type: 'event',
        chart: CHART_VERSION,
        rev,
        event: event as never,
      });
    },
    restate(id, snapshot) {
      write(id, snapshot);
      baseline(id, snapshot);
    },
    setAside(id, reason, fresh) {
      if (fresh && !store.recordings().has(id)) store.put(stillborn(id, fresh, clock.now()));
      const document = store.recordings().get(id);
      if (!document) return;
      entries.delete(id);
      deadlines.set(id, null);
      aside.set(id, { id, reason, document });
    },
    bury(id) {
      const entry = entries.get(id);
      if (!entry) return null;
      const tombstone = tombstoneOf(entry.recording, clock.now());
      entries.delete(id);
      begun.delete(id);
      deadlines.set(id, null);
      store.bury(id, tombstone);
      return tombstone;
    },
    durable(id) {
      const entry = entries.get(id);
      return entry ? store.durable(id, entry.rev) : Promise.resolve();
    },
  };
}
