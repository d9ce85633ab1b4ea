/** The report of CONTRACT §3, from the book of a running daemon or from a state on disk. */

import type { Config } from '../config/config.js';
import type { RecordingDocument } from '../domain/recording.js';
import {
  buildReport,
  reportToldLater,
  type HeldSource,
  type ListedRecording,
  type ReportOptions,
} from '../domain/report.js';
import { reportItem, type MachineState, type ReportedRecording } from '../domain/reportItem.js';
import type { Book } from './book.js';
import { entryOf, gist, type Entry } from './entries.js';
import { legible } from './legible.js';

/** The state's section of that name. */
type Held = ReadonlyMap<string, unknown>;

/** `limit` items a list; 0 is all. */
export function reportOf(config: Config, book: Book, held: Held, now: number, limit: number) {
  return reportToldLater([...book.all(), ...book.aside()].map(listed), optionsOf(config, held, now, limit));
}

export function reportOfDocuments(
  config: Config,
  documents: Iterable<RecordingDocument>,
  held: Held,
  now: number,
  limit: number,
) {
  return buildReport([...documents].flatMap(readable).map(listed), optionsOf(config, held, now, limit));
}

/** Entries of a state that is only read; what makes no sense is left out. */
export function entriesOf(documents: Iterable<RecordingDocument>): Entry[] {
  return [...documents].flatMap(readable);
}

function readable(document: RecordingDocument): Entry[] {
  try {
    const entry = entryOf(document);
    return [{ ...entry, recording: legible(entry.recording) }];
  } catch {
    return [];
  }
}

function reported({ recording, path, updatedAt }: Entry): ReportedRecording {
  return { recording, state: path.split('.')[0] as MachineState, updatedAt };
}

/** For the lists: read as a whole only where it is shown. */
function listed(entry: Entry): ListedRecording {
  return {
    id: entry.id,
    gist: gist(entry),
    state: entry.path.split('.')[0] as MachineState,
    updatedAt: entry.updatedAt,
    whole: () => reported(entry),
  };
}

/** One recording as the report shows it. */
export function itemOf(entry: Entry) {
  return reportItem(reported(entry));
}

function optionsOf(config: Config, held: Held, now: number, limit: number): ReportOptions {
  return {
    held: [...held.values()].flatMap((value) => heldSource(value) ?? []),
    now,
    limit,
    stateFile: config.places.stateFile,
    rootDir: config.places.publishDir ?? config.places.outDir,
    budgetBytesPerLane: config.keep.bytesMaxPerLane,
  };
}

function heldSource(value: unknown): HeldSource | null {
  const { source, reason, since } = Object(value) as Partial<HeldSource>;
  const isWhole = typeof source === 'string' && typeof reason === 'string' && Number.isFinite(since);
  return isWhole ? { source, reason, since: since ?? 0 } : null;
}
