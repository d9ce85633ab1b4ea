/**
 * The recordings of the state, held packed: a row each, read into a document whenever somebody wants it. What only the
 * heading of a document says (its revision, when it changed) is there without reading. Rows that did not change for
 * long are pressed together, block by block: they repeat each other, and ten thousand take little more than a megabyte.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';

import type { RecordingDocument } from '../domain/recording.js';
import { createPacking, type Packing } from './packing.js';

/** A block is pressed in half a millisecond and opened in a tenth of one. */
const BLOCK_ROWS = 64;
/** So many of those that came last are left as they are: what is recorded changes every few seconds. */
const LOOSE_MAX = 128;
/** When no more rows than that are left of a block they are pressed anew, with others. */
const BLOCK_LEFT_MIN = BLOCK_ROWS / 4;
const PRESSED = { level: 1, chunkSize: 16 * 1024 };
const OPENED = { chunkSize: 64 * 1024 };

export interface Block {
  readonly ids: readonly string[];
  /** How many of them are still in the table as they were when they were pressed. */
  left: number;
  /** Bytes, as Latin-1. */
  readonly pressed: string;
  /** Where each row of it ends. */
  readonly ends: readonly number[];
}

/** What all rows of a table are read by. */
class Reader {
  readonly packing: Packing = createPacking();
  /** Whoever goes through all of them opens each block once. */
  #last: Block | null = null;
  #text = '';

  textOf(block: Block, at: number): string {
    if (block !== this.#last) {
      this.#text = inflateRawSync(Buffer.from(block.pressed, 'latin1'), OPENED).toString('latin1');
      this.#last = block;
    }
    return this.#text.slice(block.ends[at - 1] ?? 0, block.ends[at]);
  }
}

/** One recording as it was when it was put; never changes. */
export class Row {
  readonly v: number;
  readonly rev: number;
  readonly updatedAt: number;
  /** What `note` made of the document when it was read from disk; null of others. */
  readonly note: unknown;
  readonly #reader: Reader;
  /** The document itself where it cannot be packed. */
  #held: string | Block | RecordingDocument;
  #at = 0;

  constructor(reader: Reader, document: RecordingDocument, note: Note | null) {
    this.v = document.v;
    this.rev = document.rev;
    this.updatedAt = document.updatedAt;
    this.#reader = reader;
    this.#held = reader.packing.pack(document) ?? document;
    this.note = note ? note(document, this) : null;
  }

  /** A document of its own for each who asks: nobody's changes are seen by others. */
  read(): RecordingDocument {
    const held = this.#held;
    if (typeof held === 'string') return this.#reader.packing.unpack(held) as RecordingDocument;
    if (!('pressed' in held)) return held;
    return this.#reader.packing.unpack(this.#reader.textOf(held, this.#at)) as RecordingDocument;
  }

  /** The block that it is pressed in, if it is. */
  get block(): Block | null {
    return typeof this.#held === 'object' && 'pressed' in this.#held ? this.#held : null;
  }

  /** Takes it out of its block. */
  loosen(): void {
    if (this.block) this.#held = this.#reader.textOf(this.block, this.#at);
  }

  /** Presses those that are packed and not pressed yet. */
  static press(rows: readonly (readonly [id: string, row: Row])[]): void {
    const packed = rows.flatMap(([id, row]) =>
      typeof row.#held === 'string' ? [{ id, row, text: row.#held }] : [],
    );
    let end = 0;
    const ends = packed.map(({ text }) => (end += text.length));
    const bytes = deflateRawSync(Buffer.from(packed.map(({ text }) => text).join(''), 'latin1'), PRESSED);
    const ids = packed.map(({ id }) => id);
    const block = { ids, left: ids.length, pressed: bytes.toString('latin1'), ends };
    for (const [at, { row }] of packed.entries()) {
      row.#held = block;
      row.#at = at;
    }
  }
}

/**
 * Looks at a document while it is there as a whole, so that nobody has to read ten thousand again at a start. Nobody has
 * judged it yet; must not throw, nor keep it.
 */
export type Note = (document: RecordingDocument, row: Row) => unknown;

/** As a `Map` has it; a value is read at each asking, so whoever goes through all of them asks the rows first. */
export interface Recordings extends Iterable<[string, RecordingDocument]> {
  readonly size: number;
  has(id: string): boolean;
  get(id: string): RecordingDocument | undefined;
  keys(): IterableIterator<string>;
  values(): IterableIterator<RecordingDocument>;
  row(id: string): Row | undefined;
  rows(): IterableIterator<Row>;
}

export class RowTable implements Recordings {
  readonly #rows = new Map<string, Row>();
  readonly #reader = new Reader();
  readonly #note: Note | null;
  /** Not pressed yet, in the order in which they came; some were replaced since. */
  #loose: (readonly [string, Row])[] = [];

  constructor(note: Note | null = null) {
    this.#note = note;
  }

  get size(): number {
    return this.#rows.size;
  }
  has(id: string): boolean {
    return this.#rows.has(id);
  }
  get(id: string): RecordingDocument | undefined {
    return this.#rows.get(id)?.read();
  }
  set(id: string, document: RecordingDocument, note: Note | null = null): Row {
    const row = new Row(this.#reader, document, note);
    const before = this.#rows.get(id);
    this.#rows.set(id, row);
    this.#loose.push([id, row]);
    this.#leave(before);
    if (this.#loose.length >= LOOSE_MAX) this.#tidy();
    return row;
  }
  /** One that was read from disk. */
  take(id: string, document: RecordingDocument): Row {
    return this.set(id, document, this.#note);
  }
  delete(id: string): boolean {
    const row = this.#rows.get(id);
    const isGone = this.#rows.delete(id);
    this.#leave(row);
    return isGone;
  }
  keys(): IterableIterator<string> {
    return this.#rows.keys();
  }
  *values(): IterableIterator<RecordingDocument> {
    for (const row of this.#rows.values()) yield row.read();
  }
  *[Symbol.iterator](): IterableIterator<[string, RecordingDocument]> {
    for (const [id, row] of this.#rows) yield [id, row.read()];
  }
  row(id: string): Row | undefined {
    return this.#rows.get(id);
  }
  rows(): IterableIterator<Row> {
    return this.#rows.values();
  }

  #tidy(): void {
    const left = this.#loose.filter(([id, row]) => this.#rows.get(id) === row);
    if (left.length >= LOOSE_MAX / 2) Row.press(left.splice(0, BLOCK_ROWS));
    this.#loose = left;
  }

  /** The last of its rows would keep a whole block: the few that are left go into others. */
  #leave(row: Row | undefined): void {
    const block = row?.block;
    if (!block) return;
    block.left -= 1;
    if (block.left > BLOCK_LEFT_MIN) return;
    for (const id of block.ids) {
      const other = this.#rows.get(id);
      if (other?.block !== block) continue;
      other.loosen();
      this.#loose.push([id, other]);
    }
    if (this.#loose.length >= LOOSE_MAX) this.#tidy();
  }
}
