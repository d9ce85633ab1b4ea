/** The files of the history, a day each: read whatever became of them, and cleared of what nobody lives to tell. */
import { dirname, join } from 'node:path';

import { diskCode, type Disk } from '../io/disk.js';
import { temporaryName } from '../io/replaceFile.js';
import { decodeEntry, idOf, type NumberedEntry } from './historyLine.js';

const DAY_FILE = /^\d{4}-\d{2}-\d{2}\.ndjson$/;
const PIECE_BYTES = 64 * 1024;
/** Added to the last number where a file cannot be read. */
const UNREAD_MAX = 1_000_000;
const NEWLINE = 0x0a;

/** Lines of one file that say nothing any more. */
export interface HistoryDamage {
  readonly path: string;
  readonly what: string;
  readonly bytes: number;
}

export interface HistoryContent {
  /** In the order in which they happened. */
  readonly entries: readonly NumberedEntry[];
  readonly damage: readonly HistoryDamage[];
}

export function dayFile(at: number): string {
  return `${new Date(at).toISOString().slice(0, 10)}.ndjson`;
}

/** Names of the files, oldest first. What cannot even be listed is none. */
export async function dayFiles(disk: Disk, folder: string): Promise<readonly string[]> {
  const names = await disk.readdir(folder).catch(() => []);
  return names.filter((name) => DAY_FILE.test(name)).toSorted();
}

interface Lines {
  /** Ended by a line break each. */
  readonly whole: readonly string[];
  /** What follows the last line break of the file; only with the last of them. */
  readonly rest: string;
}

/** A file piece by piece, so that nobody waits for a long one. */
async function* linesOf(disk: Disk, path: string): AsyncGenerator<Lines> {
  const file = await disk.open(path, 'read');
  try {
    let carried: Buffer[] = [];
    for (let at = 0; ;) {
      const chunk = await file.read(at, PIECE_BYTES);
      at += chunk.length;
      const cut = chunk.lastIndexOf(NEWLINE);
      if (chunk.length === 0) {
        yield { whole: [], rest: Buffer.concat(carried).toString('utf8') };
        return;
      }
      if (cut < 0) {
        carried.push(chunk);
        continue;
      }
      const text = Buffer.concat([...carried, chunk.subarray(0, cut)]).toString('utf8');
      carried = [chunk.subarray(cut + 1)];
      yield { whole: text.split('\n'), rest: '' };
    }
  } finally {
    await file.close();
  }
}

/** All that is readable; of one recording where `id` is given. Takes no lock and changes nothing. Never rejects. */
export async function readHistory(disk: Disk, folder: string, id?: string): Promise<HistoryContent> {
  const found = new Map<number, NumberedEntry>();
  const damage: HistoryDamage[] = [];
  for (const name of await dayFiles(disk, folder)) {
    const path = join(folder, name);
    let bad = 0;
    let bytes = 0;
    try {
      for await (const { whole, rest } of linesOf(disk, path)) {
        for (const line of whole) {
          if (line === '' || take(line)) continue;
          bad += 1;
          bytes += Buffer.byteLength(line);
        }
        if (rest !== '' && !take(rest))
          damage.push({ path, what: 'its last line is not whole', bytes: Buffer.byteLength(rest) });
      }
    } catch (error) {
      damage.push({ path, what: `it cannot be read (${diskCode(error)})`, bytes: 0 });
    }
    if (bad > 0) damage.push({ path, what: `${bad} damaged ${bad === 1 ? 'line' : 'lines'}`, bytes });
  }
  return { entries: [...found.values()].toSorted((a, b) => a.seq - b.seq), damage };

  /** False for what is no entry. A write that a full disk broke off was repeated whole: each number counts once. */
  function take(line: string): boolean {
    const other = idOf(line);
    if (id !== undefined && other !== '' && other !== id && !line.includes('{"seq":', 1)) return true;
    const entry = decodeEntry(line);
    for (const one of entry ? [entry] : unglued(line))
      if (id === undefined || one.id === id) found.set(one.seq, one);
    return entry !== null;
  }
}

/** A line break that rotted away glues two lines together, or one to the rest of another: each may still be whole. */
function unglued(line: string): readonly NumberedEntry[] {
  const parts = line.split(/(?=\{"seq":)/);
  return parts.flatMap((part) => decodeEntry(part) ?? decodeEntry(part.slice(0, -1)) ?? []);
}

/** The highest number given so far, from the ends of the files; a file that cannot be read may have had more. */
export async function lastNumber(disk: Disk, folder: string): Promise<number> {
  let last = 0;
  let unread = 0;
  for (const name of await dayFiles(disk, folder)) {
    try {
      const lines = (await tailOf(disk, join(folder, name))).split('\n');
      for (const line of lines) last = Math.max(last, decodeEntry(line)?.seq ?? 0);
    } catch {
      unread = UNREAD_MAX;
    }
  }
  return last + unread;
}

async function tailOf(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, 'read');
  try {
    const bytes = await file.bytes();
    return (await file.read(Math.max(0, bytes - PIECE_BYTES), PIECE_BYTES)).toString('utf8');
  } finally {
    await file.close();
  }
}

/**
 * Takes out of a file what belongs to recordings that are gone: the file where it is all of it, the lines where that
 * halves it. Rejects with the disk's error; the file is whole then.
 */
export async function clearFile(
  disk: Disk,
  path: string,
  lives: (id: string) => boolean,
  yieldTurn: () => Promise<void>,
): Promise<void> {
  let bytes = 0;
  let keptBytes = 0;
  for await (const { whole } of linesOf(disk, path)) {
    for (const line of whole) {
      bytes += line.length;
      if (lives(idOf(line))) keptBytes += line.length;
    }
    await yieldTurn();
  }
  if (keptBytes === 0) return disk.unlink(path);
  if (keptBytes >= bytes / 2) return undefined;
  const temporary = temporaryName(disk, path);
  try {
    const file = await disk.open(temporary, 'create', 0o644);
    try {
      for await (const { whole } of linesOf(disk, path)) {
        const kept = whole.filter((line) => lives(idOf(line)));
        await file.write([Buffer.from(kept.map((line) => `${line}\n`).join(''))]);
        await yieldTurn();
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    await disk.rename(temporary, path);
  } catch (error) {
    await disk.unlink(temporary).catch(() => undefined);
    throw error;
  }
  return disk.syncFolder(dirname(path));
}
