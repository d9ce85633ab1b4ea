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

const list = z.object({
  channels: z.array(
    z.object({
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
    }),
  ),
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

/** Lists by source id. What is missing, unreadable or of another shape is not in it: sources are fetched again. */
export async function readSecrets(disk: Disk, privateFolder: string): Promise<Record<string, ListData>> {
  let text: string;
  try {
    text = (await disk.readFile(secretsPath(privateFolder))).toString('utf8');
  } catch (error) {
    if (diskCode(error) === 'ENOENT') return {};
    throw error;
  }
  const parsed = file.safeParse(parseOrNull(text));
  if (!parsed.success) return {};
  const lists: Record<string, ListData> = {};
  for (const [id, value] of Object.entries(parsed.data.lists)) {
    const one = list.safeParse(value);
    if (one.success) lists[id] = one.data;
  }
  return lists;
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
  yield '{"version": 1, "lists": {';
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
  yield '\n}}\n';
}
