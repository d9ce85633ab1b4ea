/**
 * What the book knows a recording by. One that lives is there as a whole; of one that rests there is its gist, and the
 * rest is read from its row of the store whenever somebody asks for it: ten thousand rest, and few are asked for.
 */

import { gistOf, type Gist } from '../domain/gist.js';
import type { Recording, RecordingDocument } from '../domain/recording.js';
import type { Row } from '../store/rows.js';

export interface Entry {
  readonly id: string;
  /**
   * Of one that rests it is read at each asking, in objects of its own: who looks at all recordings asks for the path or
   * the gist first.
   */
  readonly recording: Recording;
  /** `spooling.open`, `published`, … */
  readonly path: string;
  readonly rev: number;
  readonly updatedAt: number;
}

interface Told {
  readonly value?: unknown;
  readonly context?: Recording;
}

/** States that need no actor until a deadline or a command comes. */
export function isResting(path: string): boolean {
  return path === 'published' || path === 'failed.resting' || path === 'cancelled.resting';
}

/** Dotted path of a state value: `spooling.open`. */
export function statePath(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[parent, child] = ['', '']] = Object.entries(value as Record<string, unknown>);
  return child === '' ? parent : `${parent}.${statePath(child)}`;
}

/** Throws where there is nothing in it. */
export function entryOf(document: RecordingDocument): Entry {
  const { value, context } = Object(document.snapshot) as Told;
  if (context === undefined) throw new Error('no context');
  const { id, rev, updatedAt } = document;
  return { id, recording: context, path: statePath(value), rev, updatedAt };
}

/** One whose document is in that row, and not in memory. */
export class Resting implements Entry {
  readonly id: string;
  readonly path: string;
  readonly gist: Gist;
  readonly #row: Row;

  constructor(id: string, path: string, gist: Gist, row: Row) {
    this.id = id;
    this.path = path;
    this.gist = gist;
    this.#row = row;
  }

  get recording(): Recording {
    return entryOf(this.#row.read()).recording;
  }
  get rev(): number {
    return this.#row.rev;
  }
  get updatedAt(): number {
    return this.#row.updatedAt;
  }
}

export function gist(entry: Entry): Gist {
  return entry instanceof Resting ? entry.gist : gistOf(entry.recording, entry.path === 'published');
}
