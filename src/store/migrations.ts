/**
 * Recordings as earlier versions stored them, brought to the shape of today, step by step on plain JSON. They are read
 * so and written so when they next change; what a later version wrote is nobody's to touch (`state_newer`).
 */
import type { RecordingDocument } from '../domain/recording.js';
import type { RowTable } from './rows.js';

/** Version of the recording chart and of what it stores. Raise it with every change that a stored snapshot can tell. */
export const RECORDING_VERSION = 2;

/** From the version that is the key to the next. */
const STEPS: Readonly<Record<number, (snapshot: unknown) => unknown>> = {
  // 2 knows archives: `finalizing.choosing` and `.archive` are new, and every state of 1 is still one. What was
  // finalizing is asked anew by RESTARTED, as all are at a start.
  1: (snapshot) => snapshot,
};

/** The same document where it is of today. */
export function migrated(document: RecordingDocument): RecordingDocument {
  if (document.v >= RECORDING_VERSION) return document;
  let { snapshot } = document;
  for (let v = document.v; v < RECORDING_VERSION; v += 1) snapshot = (STEPS[v] ?? ((same) => same))(snapshot);
  return { ...document, v: RECORDING_VERSION, snapshot };
}

/** The first that a later version wrote, or undefined. */
export function newerThanToday(recordings: RowTable): RecordingDocument | undefined {
  for (const row of recordings.rows()) if (row.v > RECORDING_VERSION) return row.read();
  return undefined;
}
