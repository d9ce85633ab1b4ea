/**
 * The base document: readable JSON, one value a line, with a checksum of everything before it as its last field. It is
 * written and read value by value in slices, so that no stream waits for a big state and no start needs it twice in
 * memory, and read back even when it is damaged.
 */
import { crc32 } from 'node:zlib';

import type { Clock } from '../io/clock.js';
import type { Disk, DiskFile } from '../io/disk.js';
import {
  emptyState,
  isRow,
  LISTS,
  SECTIONS,
  setValue,
  STATE_VERSION,
  type StateDocument,
} from './document.js';
import { createSharing, type Sharing } from './sharing.js';

const SLICE_MS = 5;
/** A slice is written from one buffer, over and over: a big state leaves no garbage as large as itself. */
const SLICE_BYTES = 32 * 1024;
/** Of UTF-8, in one UTF-16 unit. */
const UNIT_BYTES_MAX = 3;
const READ_BYTES = 256 * 1024;
const CHECK = '  "crc": "';
const DIGITS = 8;
const END = '"\n}\n';
const NEWLINE = 0x0a;

export type BaseContent =
  /** `sound`: its checksum is right, or a person or a tool wrote it. */
  | { readonly kind: 'state'; readonly state: StateDocument; readonly sound: boolean }
  | { readonly kind: 'newer'; readonly version: number }
  /** JSON of another program, or of none. */
  | { readonly kind: 'other'; readonly value: unknown }
  | { readonly kind: 'broken' };

export interface SliceDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Lets everything else that is due run. */
  readonly yieldTurn: () => Promise<void>;
}

/** Writes a whole new file and syncs it; rejects with the disk's error. Returns its size. */
export async function writeBase(doors: SliceDoors, path: string, state: StateDocument): Promise<number> {
  const file = await doors.disk.open(path, 'create', 0o644);
  try {
    const buffer = Buffer.allocUnsafe(SLICE_BYTES);
    let crc = 0;
    let bytes = 0;
    let filled = 0;
    let sliceAt = doors.clock.mono();
    async function put(slice: Buffer): Promise<void> {
      crc = crc32(slice, crc);
      bytes += slice.length;
      await file.write([slice]);
    }
    async function endSlice(): Promise<void> {
      await put(buffer.subarray(0, filled));
      filled = 0;
      await doors.yieldTurn();
      sliceAt = doors.clock.mono();
    }
    for (const piece of baseText(state)) {
      const room = piece.length * UNIT_BYTES_MAX;
      if (filled > 0 && (filled + room > SLICE_BYTES || doors.clock.mono() - sliceAt >= SLICE_MS))
        await endSlice();
      if (room <= SLICE_BYTES) filled += buffer.write(piece, filled);
      else await put(Buffer.from(piece));
    }
    await put(buffer.subarray(0, filled));
    await put(Buffer.from(checkLine(crc)));
    await file.datasync();
    return bytes;
  } finally {
    await file.close();
  }
}

function* baseText(state: StateDocument): Generator<string> {
  yield `{\n  "version": ${STATE_VERSION},\n  "rev": ${state.rev},\n`;
  for (const section of SECTIONS) {
    const list = LISTS.has(section);
    yield `  "${section}": ${list ? '[' : '{'}`;
    let separator = '\n';
    for (const [key, value] of state[section]) {
      yield `${separator}    ${list ? '' : `${JSON.stringify(key)}: `}${JSON.stringify(value)}`;
      separator = ',\n';
    }
    yield separator === '\n' ? (list ? '],\n' : '},\n') : list ? '\n  ],\n' : '\n  },\n';
  }
}

/** A base as the disk has it. Rejects with the disk's error. */
export async function loadBase(disk: Disk, path: string): Promise<BaseContent> {
  const file = await disk.open(path, 'read');
  try {
    return (await readLines(file)) ?? readBase(await disk.readFile(path));
  } finally {
    await file.close();
  }
}

/** What `writeBase` wrote, line by line; null for everything else, which has to be looked at as a whole. */
async function readLines(file: DiskFile): Promise<BaseContent | null> {
  const bytes = await file.bytes();
  const checkAt = bytes - CHECK.length - DIGITS - END.length;
  if (checkAt < 0) return null;
  const reader = lineReader(createSharing());
  let crc = 0;
  let rest: Buffer = Buffer.alloc(0);
  for (let at = 0; at < checkAt;) {
    const chunk = await file.read(at, Math.min(READ_BYTES, checkAt - at));
    if (chunk.length === 0) return null;
    crc = crc32(chunk, crc);
    at += chunk.length;
    const text = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let from = 0;
    for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, from)) {
      if (!reader.take(text.toString('utf8', from, end))) return null;
      from = end + 1;
    }
    rest = text.subarray(from);
  }
  if (rest.length > 0) return null;
  const check = (await file.read(checkAt, bytes - checkAt)).toString('latin1');
  return check === checkLine(crc) ? reader.content() : null;
}

function lineReader(sharing: Sharing) {
  const state = emptyState();
  let version = 0;
  let section: (typeof SECTIONS)[number] | undefined;
  return {
    /** False for a line that `writeBase` does not write. */
    take(line: string): boolean {
      if (line.startsWith('    ')) {
        if (!section) return false;
        const text = line.endsWith(',') ? line.slice(0, -1) : line;
        try {
          const value: unknown = JSON.parse(LISTS.has(section) ? text : `{${text}}`);
          fill(state, section, sharing.share(LISTS.has(section) ? [value] : value));
          return true;
        } catch {
          return false;
        }
      }
      const number = /^ {2}"(version|rev)": (\d{1,15}),$/.exec(line);
      if (number?.[1] === 'version') version = Number(number[2]);
      if (number?.[1] === 'rev') state.rev = Number(number[2]);
      const opened = /^ {2}"(\w+)": [[{](?:[\]}],)?$/.exec(line);
      if (opened) section = SECTIONS.find((name) => name === opened[1]);
      return (
        number !== null || (opened !== null && section !== undefined) || /^(?:\{| {2}[\]}],)$/.test(line)
      );
    },
    content: (): BaseContent | null =>
      version === STATE_VERSION ? { kind: 'state', state, sound: true } : null,
  };
}

/** A whole base, in whatever form and state. */
export function readBase(bytes: Buffer): BaseContent {
  const sound = isSound(bytes);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return { kind: 'broken' };
  }
  if (!isRow(value)) return { kind: 'other', value };
  const version = value['version'];
  const checked = typeof value['crc'] === 'string';
  if (typeof version === 'number' && version > STATE_VERSION && (sound || !checked))
    return { kind: 'newer', version };
  if (version !== STATE_VERSION || typeof value['rev'] !== 'number')
    return checked ? { kind: 'broken' } : { kind: 'other', value };
  const state = emptyState();
  state.rev = value['rev'];
  const sharing = createSharing();
  for (const section of SECTIONS) fill(state, section, sharing.share(value[section]));
  return { kind: 'state', state, sound: sound || !checked || isRewritten(bytes, state) };
}

const LINES_OFF_MIN = 8;

/**
 * A tool that reads JSON and writes it again lays it out in its own way and does not know the checksum. Bytes that
 * rotted leave the lines as they were.
 */
function isRewritten(bytes: Buffer, state: StateDocument): boolean {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  const ours = SECTIONS.reduce(
    (sum, section) => sum + (state[section].size > 0 ? state[section].size + 2 : 1),
    5,
  );
  return Math.abs(lines - ours) > LINES_OFF_MIN;
}

function fill(state: StateDocument, section: (typeof SECTIONS)[number], content: unknown): void {
  if (Array.isArray(content)) {
    for (const item of content) {
      const key: unknown = isRow(item) ? item['id'] : undefined;
      if (typeof key === 'string') setValue(state, section, key, item);
    }
  } else if (isRow(content)) {
    for (const [key, item] of Object.entries(content)) setValue(state, section, key, item);
  }
}

function isSound(bytes: Buffer): boolean {
  const end = bytes.length - CHECK.length - DIGITS - END.length;
  if (end < 0) return false;
  return bytes.subarray(end).toString('latin1') === checkLine(crc32(bytes.subarray(0, end)));
}

function checkLine(crc: number): string {
  return CHECK + crc.toString(16).padStart(DIGITS, '0') + END;
}

const MEMBER = /^ {4}("(?:[^"\\]|\\.)*"): (.*?),?$/;

/** The last resort for a base that is no JSON any more: every line of it that still is one value. */
export function salvageBase(bytes: Buffer): StateDocument {
  const state = emptyState();
  let section: (typeof SECTIONS)[number] | undefined;
  for (const line of bytes.toString('utf8').split('\n')) {
    const rev = /^ {2}"rev": (\d{1,15}),$/.exec(line);
    if (rev) state.rev = Number(rev[1]);
    const opened = SECTIONS.find((name) => line.startsWith(`  "${name}": `));
    if (opened) section = opened;
    if (!section || !line.startsWith('    ')) continue;
    try {
      const member = LISTS.has(section) ? null : MEMBER.exec(line);
      const item: unknown = JSON.parse(member?.[2] ?? line.trim().replace(/,$/, ''));
      const key: unknown = member ? JSON.parse(member[1] ?? '""') : isRow(item) ? item['id'] : undefined;
      if (typeof key === 'string') setValue(state, section, key, item);
    } catch {
      // This line is what was lost.
    }
  }
  return state;
}
