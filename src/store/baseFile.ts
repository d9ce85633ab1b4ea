/**
 * The base document: readable JSON, one value a line, with a checksum of everything before it as its last field. It is
 * written and read value by value in slices, so that no stream waits for a big state and no start needs it twice in
 * memory, and read back even when it is damaged.
 */
import { crc32 } from 'node:zlib';

import type { Clock } from '../io/clock.js';
import type { Disk, DiskFile } from '../io/disk.js';
import { isRow, LISTS, SECTIONS, setValue, STATE_VERSION, type StateDocument } from './document.js';
import { createSharing, type Sharing } from './sharing.js';
import type { Values } from './still.js';

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
const BEGINNING = '{\n  "version": ';
/** No value is as long: whatever this is, it is no line of ours. */
const LINE_BYTES_MAX = 64 * 2 ** 20;
/** More than one text can hold is not looked at as a whole. */
const WHOLE_BYTES_MAX = 2 ** 29;
/** What Node says of a file that it does not read at once. */
export const TOO_LARGE = 'ERR_FS_FILE_TOO_LARGE';

export type BaseContent =
  /** `sound`: its checksum is right, or a person or a tool wrote it. */
  | { readonly kind: 'state'; readonly state: StateDocument; readonly sound: boolean }
  | { readonly kind: 'newer'; readonly version: number }
  /** JSON of another program, or of none. */
  | { readonly kind: 'other'; readonly value: unknown }
  | { readonly kind: 'broken' };

/** A state with nothing in it yet. */
export type FreshState = () => StateDocument;

export interface SliceDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Lets everything else that is due run. */
  readonly yieldTurn: () => Promise<void>;
}

/** Writes a whole new file and syncs it; rejects with the disk's error. Returns its size. */
export async function writeBase(doors: SliceDoors, path: string, state: Values): Promise<number> {
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

function* baseText(state: Values): Generator<string> {
  yield `{\n  "version": ${STATE_VERSION},\n  "rev": ${state.rev},\n`;
  for (const section of SECTIONS) {
    const list = LISTS.has(section);
    yield `  "${section}": ${list ? '[' : '{'}`;
    let separator = '\n';
    for (const [key, value] of state.entries(section)) {
      yield `${separator}    ${list ? '' : `${JSON.stringify(key)}: `}${JSON.stringify(value)}`;
      separator = ',\n';
    }
    yield separator === '\n' ? (list ? '],\n' : '},\n') : list ? '\n  ],\n' : '\n  },\n';
  }
}

/** A base as the disk has it. Rejects with the disk's error. */
export async function loadBase(disk: Disk, path: string, fresh: FreshState): Promise<BaseContent> {
  const file = await disk.open(path, 'read');
  try {
    const content = await readLines(file, fresh);
    if (content) return content;
    if ((await file.bytes()) >= WHOLE_BYTES_MAX)
      throw Object.assign(new Error('no state is as large'), { code: TOO_LARGE });
    return readBase(await disk.readFile(path), fresh);
  } finally {
    await file.close();
  }
}

/** What `writeBase` wrote, line by line; null for everything else, which has to be looked at as a whole. */
async function readLines(file: DiskFile, fresh: FreshState): Promise<BaseContent | null> {
  const bytes = await file.bytes();
  const checkAt = bytes - CHECK.length - DIGITS - END.length;
  if (checkAt < 0) return null;
  const reader = lineReader(createSharing(), fresh());
  let crc = 0;
  // One buffer for the whole file: what of a line was read already lies at its beginning.
  let buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  let filled = 0;
  for (let at = 0; at < checkAt;) {
    if (filled > LINE_BYTES_MAX) return null;
    if (filled > buffer.length / 2) buffer = Buffer.concat([buffer.subarray(0, filled)], buffer.length * 2);
    const room = buffer.subarray(filled);
    const chunk = await file.read(at, Math.min(room.length, checkAt - at), room);
    if (chunk.length === 0) return null;
    if (at === 0 && chunk.toString('latin1', 0, BEGINNING.length) !== BEGINNING) return null;
    if (chunk.buffer !== buffer.buffer) chunk.copy(room);
    crc = crc32(chunk, crc);
    at += chunk.length;
    const text = buffer.subarray(0, filled + chunk.length);
    let from = 0;
    for (let end = text.indexOf(NEWLINE, filled); end >= 0; end = text.indexOf(NEWLINE, from)) {
      if (!reader.take(text.toString('utf8', from, end))) return null;
      from = end + 1;
    }
    buffer.copyWithin(0, from, text.length);
    filled = text.length - from;
  }
  if (filled > 0) return null;
  const check = (await file.read(checkAt, bytes - checkAt)).toString('latin1');
  return check === checkLine(crc) ? reader.content() : null;
}

function lineReader(sharing: Sharing, state: StateDocument) {
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
          fill(state, section, shared(LISTS.has(section) ? [value] : value, section, sharing));
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
export function readBase(bytes: Buffer, fresh: FreshState): BaseContent {
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
  const state = fresh();
  state.rev = value['rev'];
  const sharing = createSharing();
  for (const section of SECTIONS) fill(state, section, shared(value[section], section, sharing));
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

/** Recordings are packed as they come, which shares more. */
function shared(value: unknown, section: (typeof SECTIONS)[number], sharing: Sharing): unknown {
  return section === 'recordings' ? value : sharing.share(value);
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

const MEMBER = /^ {4}("(?:[^"\\]|\\.)*"): (.*)$/;
/** What a section begins with, also one whose name is damaged. */
const OPENS = /^(?! {4}).{2,}[[{](?:[\]}],)?$/;

/** The last resort for a damaged base: what it says as a whole, if it does, and every line that still is one value. */
export function salvageBase(bytes: Buffer, whole: StateDocument | null, fresh: FreshState): StateDocument {
  const state = linesOf(bytes, fresh());
  if (whole === null) return state;
  // The name of a section may be what is damaged.
  for (const section of SECTIONS)
    for (const [key, value] of state[section])
      if (!whole[section].has(key)) setValue(whole, section, key, value);
  return whole;
}

function linesOf(bytes: Buffer, state: StateDocument): StateDocument {
  /** Sections come in their order, which tells one whose name cannot be read. */
  let place = -1;
  for (const line of linesIn(bytes)) {
    const rev = /^ {2}"rev": (\d{1,15}),$/.exec(line);
    if (rev) state.rev = Number(rev[1]);
    const named = SECTIONS.findIndex((name) => opens(line, name));
    if (named >= 0) place = named;
    else if (OPENS.test(line)) place += 1;
    const section = SECTIONS[place];
    if (!section || take(section, line)) continue;
    // A line break that rotted away glues two together.
    for (const part of line.split(/(?= {4}["{])/)) if (!take(section, part)) take(section, part.slice(0, -1));
  }
  return state;

  function take(section: (typeof SECTIONS)[number], line: string): boolean {
    const text = line.endsWith(',') ? line.slice(0, -1) : line;
    try {
      const member = LISTS.has(section) ? null : MEMBER.exec(text);
      const item: unknown = JSON.parse(member?.[2] ?? text);
      const key: unknown = member ? JSON.parse(member[1] ?? '""') : isRow(item) ? item['id'] : undefined;
      return typeof key === 'string' && setValue(state, section, key, item);
    } catch {
      // This line is what was lost.
      return false;
    }
  }
}

function opens(line: string, name: string): boolean {
  if (line.startsWith('    ')) return false;
  return line.startsWith(`  "${name}"`) || (OPENS.test(line) && line.includes(`"${name}": `));
}

function* linesIn(bytes: Buffer): Generator<string> {
  for (let from = 0; from < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline < 0 ? bytes.length : newline;
    if (end - from <= LINE_BYTES_MAX) yield bytes.toString('utf8', from, end);
    from = end + 1;
  }
}
