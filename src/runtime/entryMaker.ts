/** From a document, in memory or just read from disk, to its entry: judged, and at rest where its state allows it. */
import { gistOf } from '../domain/gist.js';
import type { RecordingDocument } from '../domain/recording.js';
import type { Row } from '../store/rows.js';
import { entryOf, isResting, Resting, type Entry } from './entries.js';
import { verify } from './recover.js';

/** What is known of a document that was read: its entry, or why no chart could go on with it. */
export type Noted = Entry | { readonly flaw: string };

export interface EntryMaker {
  /** Of a stored document, and the row that it is in. Never throws. */
  noted(document: RecordingDocument, row: Row): Noted;
  /** The same entry, resting in its row where its state allows it. */
  rested(entry: Entry, row: Row): Entry;
}

/** Channels and lanes are few: one text of each is kept. */
const TEXTS_MAX = 8_192;

export function createEntryMaker(): EntryMaker {
  const texts = new Map<string, string>();

  function same(text: string): string {
    const known = texts.get(text);
    if (known !== undefined || texts.size >= TEXTS_MAX) return known ?? text;
    texts.set(text, text);
    return text;
  }

  function rested(entry: Entry, row: Row): Entry {
    const { id, path, recording } = entry;
    if (!isResting(path)) return entry;
    return new Resting(id, same(path), gistOf(recording, path === 'published', same), row);
  }

  return {
    rested,
    noted(document, row) {
      try {
        verify(document.snapshot);
        return rested(entryOf(document), row);
      } catch (error) {
        return { flaw: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}
