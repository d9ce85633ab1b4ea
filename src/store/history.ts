/**
 * What happened to every recording, event by event, a file a day, kept as long as its recordings live (P10). `replay`
 * folds it through the charts. It is written before the state's own line, so that it is never behind the state.
 */
import { join } from 'node:path';

import type { Clock } from '../io/clock.js';
import { diskCode, type Disk, type DiskFile } from '../io/disk.js';
import { isRow, type Json } from './document.js';
import type { StoreLog } from './journalAdapter.js';

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
}

export interface NumberedEntry extends HistoryEntry {
  readonly seq: number;
}

export interface History {
  /** Never waits and never fails; written by the next `write`. */
  append(entry: HistoryEntry): void;
  /** Hands everything appended so far to the system. Never rejects. */
  write(): Promise<void>;
  /** Deletes the files of days before that of `oldestAt`, the beginning of the oldest living recording. */
  prune(oldestAt: number): Promise<void>;
  close(): Promise<void>;
}

const DAY_FILE = /^\d{4}-\d{2}-\d{2}\.ndjson$/;
/** More than this waiting for a disk that refuses is let go: captures and state come first. */
const WAITING_MAX = 20_000;
const SYNC_MS = 5000;

export interface HistoryDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: StoreLog;
}

function dayFile(at: number): string {
  return `${new Date(at).toISOString().slice(0, 10)}.ndjson`;
}

/** `folder` is `<out-dir>/.catchupd/history`. Rejects with the disk's error where it cannot be made or read. */
export async function openHistory({ disk, clock, log }: HistoryDoors, folder: string): Promise<History> {
  await disk.mkdir(folder);
  let seq = await lastSeq(disk, folder);
  let waiting: NumberedEntry[] = [];
  let open: { readonly name: string; readonly file: DiskFile } | null = null;
  let writing: Promise<void> = Promise.resolve();
  let syncedAt = clock.mono();
  let lost = 0;

  async function fileOf(name: string): Promise<DiskFile> {
    if (open?.name === name) return open.file;
    await leave();
    const file = await disk.open(join(folder, name), 'append');
    try {
      // A line that a crash cut short is ended, so that the next one stands alone.
      const bytes = await file.bytes();
      if (bytes > 0 && (await file.read(bytes - 1, 1))[0] !== 0x0a) await file.write([Buffer.from('\n')]);
      if (bytes === 0) await disk.syncFolder(folder);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    open = { name, file };
    return file;
  }
  async function leave(): Promise<void> {
    const last = open?.file;
    open = null;
    await last?.datasync();
    await last?.close();
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const name = dayFile(waiting[0]?.at ?? 0);
      const count = waiting.findIndex((entry) => dayFile(entry.at) !== name);
      const batch = count < 0 ? [...waiting] : waiting.slice(0, count);
      try {
        const file = await fileOf(name);
        await file.write([Buffer.from(batch.map((entry) => `${JSON.stringify(entry)}\n`).join(''))]);
        waiting = waiting.slice(batch.length);
        if (clock.mono() - syncedAt < SYNC_MS) continue;
        syncedAt = clock.mono();
        await file.datasync();
      } catch (error) {
        await open?.file.close().catch(() => undefined);
        open = null;
        if (waiting.length <= WAITING_MAX) return;
        lost += waiting.length - WAITING_MAX;
        waiting = waiting.slice(-WAITING_MAX);
        log.error({ path: join(folder, name), code: diskCode(error), lost }, 'history entries were let go');
        return;
      }
    }
  }

  function write(): Promise<void> {
    writing = writing.then(drain);
    return writing;
  }

  return {
    append(entry) {
      seq += 1;
      waiting.push({ seq, ...entry });
    },
    write,
    async prune(oldestAt) {
      const first = dayFile(oldestAt);
      const names = await disk.readdir(folder).catch(() => []);
      for (const name of names) {
        if (DAY_FILE.test(name) && name < first && name !== open?.name)
          await disk.unlink(join(folder, name)).catch(() => undefined);
      }
    },
    async close() {
      await write();
      await leave().catch(() => undefined);
    },
  };
}

/** Every readable entry, in order; of one recording where `id` is given. Takes no lock and changes nothing. */
export async function readHistory(disk: Disk, folder: string, id?: string): Promise<NumberedEntry[]> {
  const entries: NumberedEntry[] = [];
  for (const name of await dayFiles(disk, folder)) {
    const text = (await disk.readFile(join(folder, name))).toString('utf8');
    for (const line of text.split('\n')) {
      if (id !== undefined && !line.includes(JSON.stringify(id))) continue;
      const entry = parseEntry(line);
      if (entry && (id === undefined || entry.id === id)) entries.push(entry);
    }
  }
  // A write that a full disk broke off was repeated whole.
  const ordered = entries.toSorted((a, b) => a.seq - b.seq);
  return ordered.filter((entry, index) => entry.seq !== ordered[index - 1]?.seq);
}

async function dayFiles(disk: Disk, folder: string): Promise<string[]> {
  try {
    return (await disk.readdir(folder)).filter((name) => DAY_FILE.test(name)).toSorted();
  } catch (error) {
    if (diskCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function lastSeq(disk: Disk, folder: string): Promise<number> {
  for (const name of (await dayFiles(disk, folder)).toReversed()) {
    const lines = (await disk.readFile(join(folder, name))).toString('utf8').split('\n');
    const seqs = lines.slice(-100).map((line) => parseEntry(line)?.seq ?? 0);
    const last = Math.max(0, ...seqs);
    if (last > 0) return last;
  }
  return 0;
}

function parseEntry(line: string): NumberedEntry | null {
  try {
    const value: unknown = JSON.parse(line);
    return isEntry(value) ? value : null;
  } catch {
    return null;
  }
}

function isEntry(value: unknown): value is NumberedEntry {
  return (
    isRow(value) &&
    typeof value['seq'] === 'number' &&
    typeof value['at'] === 'number' &&
    typeof value['id'] === 'string' &&
    (value['type'] === 'baseline' || value['type'] === 'event')
  );
}
