/** The files of the history, a day each: read whatever became of them, and cleared of what nobody lives to tell. */
import { dirname, join } from 'node:path';

import { diskCode, type Disk, type DiskFile } from '../io/disk.js';
import { temporaryName } from '../io/replaceFile.js';
import {
  decodeEntry,
  decodeLost,
  encodeEntry,
  encodeLost,
  idOf,
  isBeginning,
  isWhole,
  type NumberedEntry,
} from './historyLine.js';
import { putInPlace } from './putAside.js';

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
  /** Lines that an earlier start put aside. */
  readonly aside: number;
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
  let aside = 0;
  const names = await dayFiles(disk, folder);
  for (const name of names) {
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
        const isUnderWay = name === names.at(-1) && isBeginning(rest);
        if (rest !== '' && !take(rest) && !isUnderWay)
          damage.push({ path, what: 'its last line is not whole', bytes: Buffer.byteLength(rest) });
      }
    } catch (error) {
      damage.push({ path, what: `it cannot be read (${diskCode(error)})`, bytes: 0 });
    }
    if (bad > 0) damage.push({ path, what: `${bad} damaged ${bad === 1 ? 'line' : 'lines'}`, bytes });
  }
  return { entries: [...found.values()].toSorted((a, b) => a.seq - b.seq), damage, aside };

  /** False for what is no entry. A write that a full disk broke off was repeated whole: each number counts once. */
  function take(line: string): boolean {
    const other = idOf(line);
    if (id !== undefined && other !== '' && other !== id && !line.includes('{"seq":', 1)) return true;
    const lost = other === '' ? decodeLost(line) : null;
    aside += lost ?? 0;
    if (lost !== null) return true;
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

export interface LastNumbers {
  /** Of an entry. */
  readonly seq: number;
  /** Of a line of the state's journal; 0 where none is told. */
  readonly line: number;
}

/** The highest numbers given so far, from the ends of the files; a file that cannot be read may have had more. */
export async function lastNumbers(disk: Disk, folder: string): Promise<LastNumbers> {
  let last = 0;
  let line = 0;
  let unread = 0;
  for (const name of await dayFiles(disk, folder)) {
    try {
      for (const text of (await tailOf(disk, join(folder, name))).split('\n')) {
        const entry = decodeEntry(text);
        last = Math.max(last, entry?.seq ?? 0);
        line = Math.max(line, entry?.line ?? 0);
      }
    } catch {
      unread = UNREAD_MAX;
    }
  }
  return { seq: last + unread, line };
}

async function tailOf(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, 'read');
  try {
    return (await lastPiece(file)).toString('utf8');
  } finally {
    await file.close();
  }
}

async function lastPiece(file: DiskFile): Promise<Buffer> {
  const bytes = await file.bytes();
  return file.read(Math.max(0, bytes - PIECE_BYTES), PIECE_BYTES);
}

/**
 * Ends a file that does not end with a line: a line that a crash cut short is taken out, because what it told of is in
 * no state; whatever else it is gets a line of its own. Rejects with the disk's error.
 */
export async function endLines(file: DiskFile): Promise<void> {
  const tail = await lastPiece(file);
  if (tail.length === 0 || tail.at(-1) === NEWLINE) return;
  const end = tail.subarray(tail.lastIndexOf(NEWLINE) + 1);
  const text = end.toString('utf8');
  const isCut = end.length < PIECE_BYTES && isBeginning(text) && unglued(text).length === 0;
  if (isCut) await file.truncate((await file.bytes()) - end.length);
  else await file.write([Buffer.from('\n')]);
}

/** Damaged lines in a file that is still written to: those before its end. Rejects with the disk's error. */
export async function damagedLines(
  disk: Disk,
  path: string,
  yieldTurn: () => Promise<void>,
): Promise<number> {
  let bad = 0;
  for await (const { whole } of linesOf(disk, path)) {
    for (const line of whole) if (line !== '' && !isWhole(line)) bad += 1;
    await yieldTurn();
  }
  return bad;
}

export interface TidyDoors {
  readonly disk: Disk;
  /** `<out-dir>/.catchupd`, where the quarantine is. */
  readonly privateFolder: string;
  readonly at: number;
  readonly lives: (id: string) => boolean;
  readonly yieldTurn: () => Promise<void>;
}

export interface Tidied {
  /** Lines that say nothing any more. */
  readonly damaged: number;
  /** Where the file with them is now. */
  readonly quarantine: string;
}

/**
 * Takes out of a file that nobody writes to what belongs to recordings that are gone: the file where it is all of it,
 * the lines where that halves it. One with damaged lines is put aside as it is, and what is whole of it takes its
 * place; else null. Rejects with the disk's error; the file is whole then.
 */
export async function tidyFile(doors: TidyDoors, path: string): Promise<Tidied | null> {
  const { disk, lives, yieldTurn } = doors;
  let bytes = 0;
  let keptBytes = 0;
  let damaged = 0;
  for await (const { whole, rest } of linesOf(disk, path)) {
    for (const line of [...whole, rest]) {
      bytes += line.length;
      if (isWhole(line)) keptBytes += lives(idOf(line)) ? line.length : 0;
      else if (line !== '') damaged += 1;
    }
    await yieldTurn();
  }
  if (damaged === 0 && keptBytes === 0) {
    await disk.unlink(path);
    return null;
  }
  if (damaged === 0 && keptBytes >= bytes / 2) return null;
  const fresh = temporaryName(disk, path);
  try {
    await writeTidy(doors, path, fresh, damaged);
    if (damaged > 0) {
      const quarantine = await putInPlace(disk, doors.privateFolder, doors.at, path, fresh);
      return { damaged, quarantine };
    }
    await disk.rename(fresh, path);
  } catch (error) {
    await disk.unlink(fresh).catch(() => undefined);
    throw error;
  }
  await disk.syncFolder(dirname(path));
  return null;
}

async function writeTidy(
  { disk, lives, yieldTurn }: TidyDoors,
  path: string,
  fresh: string,
  damaged: number,
): Promise<void> {
  const file = await disk.open(fresh, 'create', 0o644);
  try {
    for await (const { whole, rest } of linesOf(disk, path)) {
      const kept = [...whole, rest].flatMap((line) => {
        if (!isWhole(line))
          return unglued(line)
            .filter(({ id }) => lives(id))
            .map(encodeEntry);
        return lives(idOf(line)) || decodeLost(line) !== null ? `${line}\n` : [];
      });
      await file.write([Buffer.from(kept.join(''))]);
      await yieldTurn();
    }
    if (damaged > 0) await file.write([Buffer.from(encodeLost(damaged))]);
    await file.datasync();
  } finally {
    await file.close();
  }
}
