/** The report of CONTRACT §3, from the book of a running daemon or from a state on disk. */

import type { Config } from '../config/config.js';
import type { RecordingDocument } from '../domain/recording.js';
import { buildReport, reportItem, type MachineState, type ReportedRecording } from '../domain/report.js';
import { entryOf, type Book, type Entry } from './book.js';

/** `limit` items a list; 0 is all. */
export function reportOf(config: Config, book: Book, now: number, limit: number) {
  const aside = book.quarantined().flatMap(({ document }) => quarantined(document));
  return build(config, [...[...book.all()].map(reported), ...aside], now, limit);
}

export function reportOfDocuments(
  config: Config,
  documents: Iterable<RecordingDocument>,
  now: number,
  limit: number,
) {
  return build(config, [...documents].flatMap(readable).map(reported), now, limit);
}

/** Entries of a state that is only read; what makes no sense is left out. */
export function entriesOf(documents: Iterable<RecordingDocument>): Entry[] {
  return [...documents].flatMap(readable);
}

function readable(document: RecordingDocument): Entry[] {
  try {
    return [entryOf(document)];
  } catch {
    return [];
  }
}

function reported({ recording, path, updatedAt }: Entry): ReportedRecording {
  return { recording, state: path.split('.')[0] as MachineState, updatedAt };
}

/** One recording as the report shows it. */
export function itemOf(entry: Entry) {
  return reportItem(reported(entry));
}

function quarantined(document: RecordingDocument): ReportedRecording[] {
  return readable(document).map(({ recording, updatedAt }) => ({
    recording,
    state: 'quarantined',
    updatedAt,
  }));
}

function build(config: Config, all: readonly ReportedRecording[], now: number, limit: number) {
  return buildReport(all, {
    now,
    limit,
    stateFile: config.places.stateFile,
    rootDir: config.places.publishDir ?? config.places.outDir,
    budgetBytesPerLane: config.keep.bytesMaxPerLane,
  });
}
