/**
 * One commit as one line of the journal: `{"r":REV,"c":"CRC32","set":{SECTION:{KEY:VALUE|null}}}`.
 * The checksum covers the number and the exact bytes of `set`, so that any single changed byte is noticed (P7).
 */
import { crc32 } from 'node:zlib';

import { isRow, SECTIONS, setValue, type StateDocument } from './document.js';
import { createSharing } from './sharing.js';

export interface JournalLine {
  readonly r: number;
  /** Empty where nobody needs it. */
  readonly set: Readonly<Record<string, unknown>>;
}

export interface JournalContent {
  readonly lines: readonly JournalLine[];
  /** Bytes that are no line, with valid lines after them. */
  readonly damaged: readonly Buffer[];
  /** What follows the last valid line; the rest of a write that a crash cut off, where it does not end a line. */
  readonly tail: Buffer;
  /** Where the last valid line ends. */
  readonly goodBytes: number;
  /** The last line is whole but for its line break, so nothing may be appended before it is mended. */
  readonly unended: boolean;
}

const HEAD = /^\{"r":(\d{1,15}),"c":"([0-9a-f]{8})","set":/;
const HEAD_BYTES_MAX = 64;
const NEWLINE = 0x0a;
const CLOSE = 0x7d;
const MARK = '{"r":';

function checksum(rev: number, set: string | Uint8Array): string {
  return crc32(set, crc32(`${rev}:`))
    .toString(16)
    .padStart(8, '0');
}

/** Whether it is what a crash leaves of a line: its beginning. Zeros, for one, are none. */
export function isBeginning(bytes: Buffer): boolean {
  const head = bytes.subarray(0, MARK.length).toString('latin1');
  return MARK.startsWith(head);
}

/** `setText` is the JSON of the changes. */
export function encodeLine(rev: number, setText: string): Buffer {
  return Buffer.from(`{"r":${rev},"c":"${checksum(rev, setText)}","set":${setText}}\n`);
}

/** Up to `known` only the checksum is looked at: what such a line says is in the base. */
function decodeLine(line: Buffer, known: number): JournalLine | null {
  const head = HEAD.exec(line.subarray(0, HEAD_BYTES_MAX).toString('latin1'));
  if (!head || line.at(-1) !== CLOSE) return null;
  const rev = Number(head[1]);
  const body = line.subarray(head[0].length, -1);
  if (checksum(rev, body) !== head[2]) return null;
  if (rev <= known) return { r: rev, set: {} };
  try {
    const set: unknown = JSON.parse(body.toString('utf8'));
    return isRow(set) ? { r: rev, set } : null;
  } catch {
    return null;
  }
}

/** Reads what it can of a journal's bytes, whatever they are; the content of lines up to `known` is left out. */
export function decodeJournal(bytes: Buffer, known = -1): JournalContent {
  const lines: JournalLine[] = [];
  const damaged: Buffer[] = [];
  let badFrom = -1;
  let goodBytes = 0;
  const accept = (line: JournalLine, from: number, to: number) => {
    if (badFrom >= 0 && badFrom < from) damaged.push(bytes.subarray(badFrom, from));
    badFrom = -1;
    goodBytes = to;
    lines.push(line);
  };
  for (let from = 0; from < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline < 0 ? bytes.length : newline;
    const line = decodeLine(bytes.subarray(from, end), known);
    if (line) accept(line, from, end + 1);
    else {
      if (badFrom < 0) badFrom = from;
      salvage(bytes.subarray(from, end), from, known, accept);
      if (badFrom < 0 && goodBytes < end) badFrom = goodBytes;
    }
    from = end + 1;
  }
  const unended = lines.length > 0 && badFrom < 0 && bytes.at(-1) !== NEWLINE;
  const tail = badFrom >= 0 ? bytes.subarray(badFrom) : Buffer.alloc(0);
  return { lines, damaged, tail, unended, goodBytes: Math.min(goodBytes, bytes.length) };
}

/** A line break that rotted away glues two lines together, or one to the end: each part may still be whole. */
function salvage(
  glued: Buffer,
  offset: number,
  known: number,
  accept: (line: JournalLine, from: number, to: number) => void,
): void {
  for (let from = 0; from < glued.length;) {
    const next = glued.indexOf(MARK, from + 1);
    const to = next < 0 ? glued.length : next;
    const line =
      decodeLine(glued.subarray(from, to - 1), known) ?? decodeLine(glued.subarray(from, to), known);
    if (line) accept(line, offset + from, offset + to);
    from = to;
  }
}

/** Lays the lines over a state, each number once, in order. Returns the numbers that are missing in between. */
export function applyLines(state: StateDocument, lines: readonly JournalLine[]): number {
  const ordered = lines.filter((line) => line.r > state.rev).toSorted((a, b) => a.r - b.r);
  const sharing = createSharing();
  let missing = 0;
  for (const line of ordered) {
    if (line.r <= state.rev) continue;
    missing += line.r - state.rev - 1;
    for (const section of SECTIONS) {
      const changes = line.set[section];
      if (!isRow(changes)) continue;
      // Recordings are packed as they come, which shares more.
      const shared = section === 'recordings' ? <T>(value: T) => value : sharing.share;
      for (const [key, value] of Object.entries(changes)) setValue(state, section, key, shared(value));
    }
    state.rev = line.r;
  }
  return missing;
}
