/**
 * The story of a recording from its history: what happened, where it led, and whether the chart, told the same again,
 * comes to the state that is stored (P10). It only reads; a difference is said and never repaired.
 */

import { isDeepStrictEqual } from 'node:util';
import { transition } from 'xstate';
import { recordingMachine } from '../../machines/recording.js';
import type { RecordingEvent } from '../../machines/events.js';
import type { Gap } from '../domain/ledger.js';
import type { Recording, RecordingDocument } from '../domain/recording.js';
import { showRef } from '../domain/sidecar.js';
import type { NumberedEntry } from '../store/historyLine.js';
import { CHART_VERSION } from './book.js';
import { statePath } from './entries.js';
import { inert, plain, type RecordingSnapshot } from './recover.js';

/**
 * `same`: told again it ends where the store is. `incomplete`: lines are missing that it would need. `other_chart`:
 * written by another version of the chart. `gone`: nothing is stored any more.
 */
export type Verdict = 'same' | 'differs' | 'incomplete' | 'other_chart' | 'no_history' | 'gone';

export interface Step {
  readonly at: number;
  /** The event's name; `BASELINE` where the story begins anew (a start of the daemon). */
  readonly event: string;
  /** Where it was and where it is, as far as that can be told. */
  readonly from: string | null;
  readonly to: string | null;
  /** The upstream that it holds after it. */
  readonly source: string | null;
  /** Holes that became known with it. */
  readonly gaps: readonly Gap[];
  /** What the event says for itself: a reason, a rule, the code of a fault. */
  readonly detail: string;
}

export interface Story {
  readonly id: string;
  /** As it is stored, else as its history ends; null where neither can be read. */
  readonly recording: Recording | null;
  readonly state: string | null;
  readonly steps: readonly Step[];
  readonly verdict: Verdict;
  /** Of `differs`: the parts that are not as they are stored. */
  readonly differences: readonly string[];
}

/** `entries`: of one recording, in order. `damaged`: some lines of the history could not be read. */
export function storyOf(
  id: string,
  entries: readonly NumberedEntry[],
  document: RecordingDocument | undefined,
  damaged: boolean,
): Story {
  const steps: Step[] = [];
  let state: RecordingSnapshot | null = null;
  for (const entry of entries) {
    const before: RecordingSnapshot | null = state;
    state = after(state, entry);
    const step = stepOf(entry, before, state);
    if (step) steps.push(step);
  }
  const stored = document && shownOf(document.snapshot);
  const ended = stored?.context ?? state?.context ?? null;
  const value = stored?.value ?? state?.value;
  const told = document ? compare(entries, document, damaged) : { verdict: 'gone' as const, differences: [] };
  return { id, recording: ended, state: value === undefined ? null : statePath(value), steps, ...told };
}

/** Null where it cannot be told: no beginning, another chart, an event that the chart does not understand. */
function after(state: RecordingSnapshot | null, entry: NumberedEntry): RecordingSnapshot | null {
  if (entry.chart !== CHART_VERSION) return null;
  try {
    if (entry.type === 'baseline') return inert(entry.snapshot);
    return state && transition(recordingMachine, state, entry.event as RecordingEvent & object)[0];
  } catch {
    return null;
  }
}

function compare(
  entries: readonly NumberedEntry[],
  document: RecordingDocument,
  damaged: boolean,
): Pick<Story, 'verdict' | 'differences'> {
  const none: readonly string[] = [];
  const from = entries.findLastIndex(({ type, rev }) => type === 'baseline' && rev <= document.rev);
  const baseline = entries[from];
  if (!baseline) return { verdict: damaged ? 'incomplete' : 'no_history', differences: none };
  if (baseline.chart !== CHART_VERSION) return { verdict: 'other_chart', differences: none };
  // The history is written first: after a kill it may know of more than the state does.
  const part = entries.slice(from).filter(({ rev }) => rev <= document.rev);
  // An event makes at most one revision.
  const whole = part.every(({ rev }, index) => rev <= baseline.rev + index);
  let state: RecordingSnapshot | null = null;
  let revisions = 0;
  for (const entry of part) {
    const before: RecordingSnapshot | null = state;
    state = after(state, entry);
    if (before && state && differencesOf(shownOf(before), shownOf(state)).length > 0) revisions += 1;
  }
  const folded = state && shownOf(plain(recordingMachine.getPersistedSnapshot(state)));
  const differences = folded ? differencesOf(folded, shownOf(plain(document.snapshot as never))) : ['value'];
  if (differences.length === 0) return { verdict: 'same', differences };
  // A power cut may take the last lines: of each revision there is an event that made it, else some are missing.
  const complete = whole && baseline.rev + revisions >= document.rev && !damaged;
  return complete ? { verdict: 'differs', differences } : { verdict: 'incomplete', differences: none };
}

/** Where a history ends, with the revision that it reached; null where it cannot be told whole from a beginning. */
export function endOf(entries: readonly NumberedEntry[]): { state: RecordingSnapshot; rev: number } | null {
  const from = entries.findLastIndex(({ type }) => type === 'baseline');
  const part = from < 0 ? [] : entries.slice(from);
  const first = part[0]?.rev ?? 0;
  if (!part.every(({ rev }, index) => rev <= first + index)) return null;
  let state: RecordingSnapshot | null = null;
  for (const entry of part) state = after(state, entry);
  return state && { state, rev: Math.max(...part.map(({ rev }) => rev)) };
}

interface Shown {
  readonly value?: unknown;
  readonly context?: Recording;
}

function shownOf(snapshot: unknown): Shown {
  return Object(snapshot) as Shown;
}

function differencesOf(folded: Shown, stored: Shown): string[] {
  const one = Object(folded.context) as Record<string, unknown>;
  const other = Object(stored.context) as Record<string, unknown>;
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].toSorted();
  return [
    ...(isDeepStrictEqual(folded.value, stored.value) ? [] : ['value']),
    ...names.filter((name) => !isDeepStrictEqual(one[name], other[name])),
  ];
}

/** Null for what led nowhere and told nothing new (a checkpoint, a letter that came too late). */
function stepOf(
  { at, type, event }: NumberedEntry,
  before: RecordingSnapshot | null,
  state: RecordingSnapshot | null,
): Step | null {
  const path = (snapshot: RecordingSnapshot | null) => snapshot && statePath(snapshot.value);
  const upstream = (snapshot: RecordingSnapshot | null) =>
    snapshot?.context.current ? showRef(snapshot.context.current) : null;
  const [from, to] = [path(before), path(state)];
  const source = upstream(state);
  const known = type === 'baseline' ? 0 : (before?.context.gaps.length ?? 0);
  const gaps = before && type === 'event' ? (state?.context.gaps ?? []).slice(known) : [];
  const name = type === 'baseline' ? 'BASELINE' : String(shownEvent(event).type);
  const quiet = type === 'event' && state !== null && from === to && gaps.length === 0;
  if (quiet && source === upstream(before)) return null;
  return {
    at,
    event: name,
    from: type === 'baseline' ? null : from,
    to,
    source,
    gaps,
    detail: detailOf(event),
  };
}

interface ShownEvent {
  readonly type?: unknown;
  readonly kind?: unknown;
  readonly reason?: unknown;
  readonly rule?: unknown;
  readonly output?: { readonly kind?: unknown; readonly code?: unknown };
}

function shownEvent(event: unknown): ShownEvent {
  return Object(event) as ShownEvent;
}

function detailOf(event: unknown): string {
  const { kind, reason, rule, output } = shownEvent(event);
  const words = [kind, reason, rule, output?.kind, output?.code];
  return words.filter((word) => typeof word === 'string' && word !== '').join(' ');
}
