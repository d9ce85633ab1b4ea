/**
 * The last good channel lists, in the one file that may hold addresses with credentials: 0600, and never shown. With it
 * a start while the provider is down still knows what every reference points at.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { z } from 'zod';

import type { ListData } from '../domain/programme.js';
import { diskCode, type Disk } from '../io/disk.js';
import { replaceFile } from '../io/replaceFile.js';

const MODE = 0o600;
const CHANNELS_A_PIECE = 100;
const HEAD = '{"version": 1, "lists": {';
/** Ends the file with a checksum of everything before it. */
const END = /^\}, "crc": "([0-9a-f]{8})"\}$/;
const NEWLINE = 0x0a;

const channel = z.object({
  source: z.string(),
  channelId: z.string(),
  dnaId: z.string(),
  guideNumber: z.string(),
  guideName: z.string(),
  tvgId: z.string(),
  group: z.string(),
  quality: z.number(),
  userAgent: z.string(),
  referrer: z.string(),
  urls: z.array(z.string()),
  archive: z
    .object({
      mode: z.enum(['default', 'append', 'shift', 'flussonic', 'flussonic-ts', 'xc', 'vod']),
      days: z.number(),
      source: z.string(),
    })
    .exactOptional(),
  guideShiftMs: z.number().exactOptional(),
});
const list = z.object({
  channels: z.array(channel),
  guideUrls: z.array(z.string()),
  skipped: z.record(z.string(), z.number()),
  panel: z
    .object({
      connectionsMax: z.number(),
      connectionsOpen: z.number().nullable(),
      zoneMinutes: z.number(),
      timezone: z.string(),
      formats: z.array(z.string()),
      expiresAt: z.number().nullable(),
    })
    .exactOptional(),
});

const file = z.looseObject({ version: z.literal(1), lists: z.record(z.string(), z.unknown()) });

/** `privateFolder` is `<out-dir>/.catchupd`. */
export function secretsPath(privateFolder: string): string {
  return join(privateFolder, 'sources.json');
}

export interface FoundSecrets {
  /** By source id. What is missing or cannot be read is not in it: sources are fetched again. */
  readonly lists: Record<string, ListData>;
  /** The whole file as it was found where it is not what was written; else null. */
  readonly damaged: Buffer | null;
}

/**
 * What is readable, whatever became of the file. Others get their turn with `yieldTurn`, every hundred channels: a start
 * may find captures of before under way again. Rejects with the disk's error where it cannot be read at all.
 */
export async function readSecrets(
  disk: Disk,
  privateFolder: string,
  yieldTurn: () => Promise<void> = () => Promise.resolve(),
): Promise<FoundSecrets> {
  let bytes: Buffer;
  try {
    bytes = await disk.readFile(secretsPath(privateFolder));
  } catch (error) {
    if (diskCode(error) === 'ENOENT') return { lists: {}, damaged: null };
    throw error;
  }
  const found = await readLines(bytes, yieldTurn);
  if (found.sound) return { lists: found.lists, damaged: null };
  const whole = readWhole(bytes);
  if (whole.sound) return { lists: whole.lists, damaged: null };
  return { lists: { ...whole.lists, ...found.lists }, damaged: bytes };
}

interface Read {
  readonly lists: Record<string, ListData>;
  /** It is all that was written. */
  readonly sound: boolean;
}

/** As a person or a tool may have laid it out. A checksum cannot be that of other bytes. */
function readWhole(bytes: Buffer): Read {
  const parsed = file.safeParse(parseOrNull(bytes.toString('utf8')));
  const lists: Record<string, ListData> = {};
  let sound = parsed.success && Object.keys(parsed.data).length === 2;
  for (const [id, value] of Object.entries(parsed.data?.lists ?? {})) {
    const one = list.safeParse(value);
    if (one.success) lists[id] = one.data;
    else sound = false;
  }
  return { lists, sound };
}

/** As `textOf` wrote it, a channel a line. What is no such line is passed over, and then it is not `sound`. */
async function readLines(bytes: Buffer, yieldTurn: () => Promise<void>): Promise<Read> {
  const lists: Record<string, ListData> = {};
  let id: string | null = null;
  let channels: ListData['channels'][number][] = [];
  let crc = 0;
  let sound = true;
  let count = 0;
  for (const { line, raw } of linesIn(bytes)) {
    count += 1;
    if (count % CHANNELS_A_PIECE === 0) await yieldTurn();
    const [, sum] = END.exec(line) ?? [];
    if (sum !== undefined) sound &&= sum === hex(crc) && bytes.at(-1) === NEWLINE && id === null;
    crc = crc32(raw, crc);
    if (sum !== undefined) return { lists, sound };
    if (count === 1 && line === HEAD) continue;
    const head = idIn(line);
    const row = head === null ? channelIn(line) : null;
    const rest = head === null && row === null ? restIn(line) : null;
    if (head !== null) [id, channels] = [head, []];
    else if (row) {
      // Every channel tells whose it is, where the lines that end the list before and begin this one do not.
      if (id === null || (!sound && channels[0]?.source !== row.source)) [id, channels] = [row.source, []];
      channels.push(row);
    } else if (rest && id !== null) {
      lists[id] = { ...rest, channels };
      [id, channels] = [null, []];
    } else if (line !== '') sound = false;
  }
  return { lists, sound: false };
}

function idIn(line: string): string | null {
  const id = parseOrNull(/^(".*"): \{"channels": \[$/.exec(line)?.[1] ?? '');
  return typeof id === 'string' ? id : null;
}

function channelIn(line: string): ListData['channels'][number] | null {
  const row = channel.safeParse(parseOrNull(line.replace(/,$/, '')));
  return row.success ? row.data : null;
}

/** What follows the channels of a list. With it goes the whole list: what the panel allows was in it (P6). */
function restIn(line: string): ListData | null {
  if (!line.startsWith('], ')) return null;
  const rest = list.safeParse(parseOrNull(`{"channels": [], ${line.slice(3).replace(/,$/, '')}`));
  return rest.success ? rest.data : null;
}

/** Each line, and its bytes with the line break. */
function* linesIn(bytes: Buffer): Generator<{ readonly line: string; readonly raw: Buffer }> {
  for (let from = 0; from < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline < 0 ? bytes.length : newline;
    yield { line: bytes.toString('utf8', from, end), raw: bytes.subarray(from, end + 1) };
    from = end + 1;
  }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Replaces the whole file, a few channels at a time: a list of tens of thousands is written while others are captured.
 * Rejects with the disk's error.
 */
export async function writeSecrets(
  disk: Disk,
  privateFolder: string,
  lists: Readonly<Record<string, ListData>>,
): Promise<void> {
  await disk.mkdir(privateFolder);
  await replaceFile(disk, secretsPath(privateFolder), textOf(lists), { mode: MODE });
}

function* textOf(lists: Readonly<Record<string, ListData>>): Generator<string> {
  let crc = 0;
  for (const piece of piecesOf(lists)) {
    crc = crc32(piece, crc);
    yield piece;
  }
  yield `}, "crc": "${hex(crc)}"}\n`;
}

function* piecesOf(lists: Readonly<Record<string, ListData>>): Generator<string> {
  yield HEAD;
  let before = '\n';
  for (const [id, { channels, ...rest }] of Object.entries(lists)) {
    yield `${before}${JSON.stringify(id)}: {"channels": [\n`;
    for (let from = 0; from < channels.length; from += CHANNELS_A_PIECE) {
      const rows = channels.slice(from, from + CHANNELS_A_PIECE).map((channel) => JSON.stringify(channel));
      yield `${from === 0 ? '' : ',\n'}${rows.join(',\n')}`;
    }
    yield `\n], ${JSON.stringify(rest).slice(1)}`;
    before = ',\n';
  }
  yield '\n';
}
