/**
 * One entry of the history as one line: JSON with a checksum of everything before it as its last field, so that a
 * changed byte is noticed and costs this line alone.
 */
import { crc32 } from 'node:zlib';

import { isRow, type Json } from './document.js';

export interface HistoryEntry {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly id: string;
  /** `baseline` carries the snapshot that the events after it start from; `chart` is the version they belong to. */
  readonly type: 'baseline' | 'event';
  readonly chart: string;
  /** Revision of the document after it. */
  readonly rev: number;
  readonly snapshot?: Json;
  readonly event?: Json;
  /** Number of the journal line that goes with it; the state knows at least the one before. */
  readonly line?: number;
}

export interface NumberedEntry extends HistoryEntry {
  readonly seq: number;
}

const CHECK = /^(.*),"c":"([0-9a-f]{8})"\}$/s;

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

export function encodeEntry({ seq, at, id, ...rest }: NumberedEntry): string {
  // Number, time and id come first: `idOf` looks for them there.
  const text = JSON.stringify({ seq, at, id, ...rest }).slice(0, -1);
  return `${text},"c":"${checksum(text)}"}\n`;
}

/** Null for a line that is not what was written. */
export function decodeEntry(line: string): NumberedEntry | null {
  const [, text = '', found] = CHECK.exec(line) ?? [];
  if (found === undefined || checksum(text) !== found) return null;
  try {
    const value: unknown = JSON.parse(`${text}}`);
    return isEntry(value) ? value : null;
  } catch {
    return null;
  }
}

/** Stands for lines that were damaged and are in the quarantine now: a story that lacks them must not seem whole. */
export function encodeLost(lines: number): string {
  const text = `{"lost":${lines}`;
  return `${text},"c":"${checksum(text)}"}\n`;
}

/** Lines that this one stands for; null for any other line. */
export function decodeLost(line: string): number | null {
  const [, text = '', found] = CHECK.exec(line) ?? [];
  const [, lines] = /^\{"lost":(\d+)$/.exec(text) ?? [];
  return lines !== undefined && checksum(text) === found ? Number(lines) : null;
}

/** The checksum is right: nobody looks at what it says. */
export function isWhole(line: string): boolean {
  const [, text = '', found] = CHECK.exec(line) ?? [];
  return found !== undefined && checksum(text) === found;
}

/** What a crash leaves of a line that it cut short: so far it is one. */
export function isBeginning(line: string): boolean {
  return line.startsWith(OPENING) || OPENING.startsWith(line);
}

const OPENING = '{"seq":';

/** Whose line it is, at a look; '' for what is no line. */
export function idOf(line: string): string {
  return /^\{"seq":\d+,"at":-?[\d.e+]+,"id":"([^"\\]*)",/.exec(line)?.[1] ?? '';
}

function isEntry(value: unknown): value is NumberedEntry {
  return (
    isRow(value) &&
    typeof value['seq'] === 'number' &&
    typeof value['at'] === 'number' &&
    typeof value['id'] === 'string' &&
    typeof value['rev'] === 'number' &&
    (value['type'] === 'baseline' || value['type'] === 'event')
  );
}
