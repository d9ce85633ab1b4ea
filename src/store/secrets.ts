/**
 * The last good channel lists, in the one file that may hold addresses with credentials: 0600, and never shown. With it
 * a start while the provider is down still knows what every reference points at.
 */
import { join } from 'node:path';

import { z } from 'zod';

import type { ListData } from '../domain/programme.js';
import { diskCode, type Disk } from '../io/disk.js';
import { replaceFile } from '../io/replaceFile.js';

const MODE = 0o600;
const CHANNELS_A_PIECE = 100;
const HEAD = '{"version": 1, "lists": {';
const END = '}}';
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

const file = z.object({ version: z.literal(1), lists: z.record(z.string(), z.unknown()) });

/** `privateFolder` is `<out-dir>/.catchupd`. */
function secretsPath(privateFolder: string): string {
  return join(privateFolder, 'sources.json');
}

/**
 * Lists by source id. What is missing, unreadable or of another shape is not in it: sources are fetched again. Others
 * get their turn with `yieldTurn`, every hundred channels: a start may find captures of before under way again.
 */
export async function readSecrets(
  disk: Disk,
  privateFolder: string,
  yieldTurn: () => Promise<void> = () => Promise.resolve(),
): Promise<Record<string, ListData>> {
  let bytes: Buffer;
  try {
    bytes = await disk.readFile(secretsPath(privateFolder));
  } catch (error) {
    if (diskCode(error) === 'ENOENT') return {};
    throw error;
  }
  return (await readLines(bytes, yieldTurn)) ?? readWhole(bytes);
}

/** As a person or a tool may have written it. */
function readWhole(bytes: Buffer): Record<string, ListData> {
  const parsed = file.safeParse(parseOrNull(bytes.toString('utf8')));
  if (!parsed.success) return {};
  const lists: Record<string, ListData> = {};
  for (const [id, value] of Object.entries(parsed.data.lists)) {
    const one = list.safeParse(value);
    if (one.success) lists[id] = one.data;
  }
  return lists;
}

/** As `textOf` wrote it, a channel a line; null for anything else. */
async function readLines(
  bytes: Buffer,
  yieldTurn: () => Promise<void>,
): Promise<Record<string, ListData> | null> {
  const lists: Record<string, ListData> = {};
  let open: { readonly id: string; readonly channels: ListData['channels'][number][] } | null = null;
  let count = 0;
  for (const line of linesIn(bytes)) {
    count += 1;
    if (count % CHANNELS_A_PIECE === 0) await yieldTurn();
    if (count === 1) {
      if (line !== HEAD) return null;
    } else if (open === null) {
      if (line === END) return lists;
      const id = parseOrNull(/^(".*"): \{"channels": \[$/.exec(line)?.[1] ?? '');
      if (typeof id !== 'string') return null;
      open = { id, channels: [] };
    } else if (line.startsWith('], ')) {
      const rest = list.safeParse(parseOrNull(`{"channels": [], ${line.slice(3).replace(/,$/, '')}`));
      if (!rest.success) return null;
      lists[open.id] = { ...rest.data, channels: open.channels };
      open = null;
    } else if (line !== '') {
      const row = channel.safeParse(parseOrNull(line.replace(/,$/, '')));
      if (!row.success) return null;
      open.channels.push(row.data);
    }
  }
  return null;
}

function* linesIn(bytes: Buffer): Generator<string> {
  for (let from = 0; from < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline < 0 ? bytes.length : newline;
    yield bytes.toString('utf8', from, end);
    from = end + 1;
  }
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
  yield `\n${END}\n`;
}
