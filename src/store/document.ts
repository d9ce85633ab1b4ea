/**
 * The state as it is in memory: one map a section, so that one recording changes without touching the others, and the
 * recordings packed (`rows.ts`). On disk it is the readable JSON of CONTRACT §2 (`baseFile.ts`) and the lines that came after it (`journalLine.ts`).
 */
import type { Override } from '../domain/override.js';
import type { RecordingDocument, Tombstone } from '../domain/recording.js';
import { migrated } from './migrations.js';
import { RowTable, type Note } from './rows.js';

export const STATE_VERSION = 1;

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Something owed to the world outside (a media-server call). Its other fields are its owner's. */
export interface OutboxRow {
  readonly id: string;
  readonly [key: string]: Json;
}

/** What each section holds, by key. `tombstones` and `outbox` are lists on disk, keyed by their `id`. */
export interface StateValues {
  readonly recordings: RecordingDocument;
  readonly tombstones: Tombstone;
  readonly outbox: OutboxRow;
  readonly hosts: Json;
  readonly autopilot: Json;
  readonly accounts: Json;
  /** By capsule id: what a person said of a programme. */
  readonly overrides: Override;
  /** Root folder → the uuid in its marker. */
  readonly roots: string;
  /** Libraries on media servers, by server and lane; their fields are their owner's. */
  readonly libraries: Json;
  /** Lists and guides that the sanity gate holds back now, by source. */
  readonly held: Json;
}

export type Section = keyof StateValues;

/** All but the recordings, which are held otherwise. */
export type MapSection = Exclude<Section, 'recordings'>;

export type MapSections = { readonly [S in MapSection]: Map<string, StateValues[S]> };

export type Sections = MapSections & { readonly recordings: RowTable };

export type StateDocument = Sections & {
  /** Counts journal lines; a line applies where its number is higher. */
  rev: number;
};

export const SECTIONS = [
  'recordings',
  'tombstones',
  'outbox',
  'hosts',
  'autopilot',
  'accounts',
  'overrides',
  'roots',
  'libraries',
  'held',
] as const satisfies readonly Section[];

export const LISTS: ReadonlySet<Section> = new Set<Section>(['tombstones', 'outbox']);

/** `note` sees each document that comes in. */
export function emptyState(note?: Note): StateDocument {
  return {
    rev: 0,
    recordings: new RowTable(note),
    tombstones: new Map(),
    outbox: new Map(),
    hosts: new Map(),
    autopilot: new Map(),
    accounts: new Map(),
    overrides: new Map(),
    roots: new Map(),
    libraries: new Map(),
    held: new Map(),
  };
}

export function sectionOf<S extends MapSection>(state: MapSections, section: S): Map<string, StateValues[S]> {
  return state[section];
}

export function isRow(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDocument(value: unknown): value is RecordingDocument {
  return (
    isRow(value) &&
    Number.isInteger(value['v']) &&
    typeof value['id'] === 'string' &&
    typeof value['rev'] === 'number'
  );
}

function isTaken({ recordings }: StateDocument, document: RecordingDocument): boolean {
  recordings.take(document.id, document);
  return true;
}

/**
 * Its key, the document and its chart each say whose it is. Where one of them rotted the other two know; the same for
 * all of them, because a recording that is one thing to the book and another to the store could never be ended.
 */
function named(key: string, document: RecordingDocument): RecordingDocument {
  const { context } = Object(document.snapshot) as { readonly context?: unknown };
  const told = isRow(context) ? context['id'] : undefined;
  if (document.id === key && (told === key || typeof told !== 'string')) return document;
  const id = told === document.id ? document.id : key;
  if (!isRow(context)) return { ...document, id };
  return { ...document, id, snapshot: { ...Object(document.snapshot), context: { ...context, id } } };
}

function isTombstone(value: unknown): value is Tombstone {
  return (
    isRow(value) &&
    typeof value['id'] === 'string' &&
    Array.isArray(value['keys']) &&
    typeof value['stopAt'] === 'number'
  );
}

function isOverride(value: unknown): value is Override {
  return (
    isRow(value) &&
    (value['word'] === 'want' || value['word'] === 'skip') &&
    Array.isArray(value['keys']) &&
    typeof value['stopAt'] === 'number'
  );
}

function isOutboxRow(value: unknown): value is OutboxRow {
  return isRow(value) && typeof value['id'] === 'string';
}

/** True of whatever `JSON.parse` gave. */
function isJson(value: unknown): value is Json {
  return value !== undefined;
}

/**
 * Puts one value read from disk into its section; `null` takes the key away. Only what every reader relies on is
 * checked here; recovery judges the rest of a document. False where the value cannot be what the section holds.
 */
export function setValue(state: StateDocument, section: Section, key: string, value: unknown): boolean {
  if (value === null) {
    state[section].delete(key);
    return true;
  }
  switch (section) {
    case 'recordings':
      return isDocument(value) && isTaken(state, named(key, migrated(value)));
    case 'tombstones':
      return isTombstone(value) && Boolean(state.tombstones.set(key, value));
    case 'outbox':
      return isOutboxRow(value) && Boolean(state.outbox.set(key, value));
    case 'overrides':
      return isOverride(value) && Boolean(state.overrides.set(key, value));
    case 'roots':
      return typeof value === 'string' && Boolean(state.roots.set(key, value));
    case 'hosts':
    case 'autopilot':
    case 'accounts':
    case 'libraries':
    case 'held':
      return isJson(value) && Boolean(state[section].set(key, value));
  }
}
