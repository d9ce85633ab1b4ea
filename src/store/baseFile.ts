/**
 * The base document: readable JSON, one value a line, with a checksum of everything before it as its last field. It is
 * written value by value in slices, so that no stream waits for a big state, and read back even when it is damaged.
 */
import { crc32 } from 'node:zlib';

import type { Clock } from '../io/clock.js';
import type { Disk } from '../io/disk.js';
import {
  emptyState,
  isRow,
  LISTS,
  SECTIONS,
  setValue,
  STATE_VERSION,
  type StateDocument,
} from './document.js';

const SLICE_MS = 5;
const SLICE_CHARS = 256 * 1024;
const CHECK = '  "crc": "';
const DIGITS = 8;
const END = '"\n}\n';

export type BaseContent =
  /** `sound`: its checksum is right. */
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
    let crc = 0;
    let bytes = 0;
    let text = '';
    let sliceAt = doors.clock.mono();
    for (const piece of baseText(state)) {
      text += piece;
      if (text.length < SLICE_CHARS && doors.clock.mono() - sliceAt < SLICE_MS) continue;
      const slice = Buffer.from(text);
      crc = crc32(slice, crc);
      bytes += slice.length;
      text = '';
      await file.write([slice]);
      await doors.yieldTurn();
      sliceAt = doors.clock.mono();
    }
    const last = Buffer.from(text);
    crc = crc32(last, crc);
    const check = Buffer.from(CHECK + crc.toString(16).padStart(DIGITS, '0') + END);
    await file.write([last, check]);
    await file.datasync();
    return bytes + last.length + check.length;
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
  for (const section of SECTIONS) fill(state, section, value[section]);
  return { kind: 'state', state, sound };
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
  const crc = crc32(bytes.subarray(0, end)).toString(16).padStart(DIGITS, '0');
  return bytes.subarray(end).toString('latin1') === CHECK + crc + END;
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
