/**
 * What happened to every recording, event by event, a file a day, kept as long as its recordings live (P10). `replay`
 * folds it through the charts. It is written before the state's own line, so that it is never behind the state.
 */
import { join } from 'node:path';

import { pause, type Clock } from '../io/clock.js';
import { diskCode, type Disk, type DiskFile } from '../io/disk.js';
import { clearFile, dayFile, dayFiles, lastNumber } from './historyFiles.js';
import { encodeEntry, type HistoryEntry, type NumberedEntry } from './historyLine.js';
import type { StoreLog } from './journalAdapter.js';

export interface History {
  /** Never waits and never fails; written by the next `write`. */
  append(entry: HistoryEntry): void;
  /** Hands everything appended so far to the system. Never rejects. */
  write(): Promise<void>;
  /** Clears the files of earlier days of what belongs to recordings that do not live any more. Never rejects. */
  prune(lives: (id: string) => boolean): Promise<void>;
  close(): Promise<void>;
}

/** More than this waiting for a disk that refuses is let go: captures and state come first. */
const WAITING_MAX = 20_000;
const SYNC_MS = 5000;

export interface HistoryDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: StoreLog;
}

/** `folder` is `<out-dir>/.catchupd/history`. Never rejects: recording goes on without a history, and that is said. */
export async function openHistory({ disk, clock, log }: HistoryDoors, folder: string): Promise<History> {
  let seq = await lastNumber(disk, folder);
  let refused = false;
  let waiting: NumberedEntry[] = [];
  let open: { readonly name: string; readonly file: DiskFile } | null = null;
  let writing: Promise<void> = Promise.resolve();
  let syncedAt = clock.mono();
  let lost = 0;

  async function fileOf(name: string): Promise<DiskFile> {
    if (open?.name === name) return open.file;
    await leave();
    await disk.mkdir(folder);
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
        await file.write([Buffer.from(batch.map(encodeEntry).join(''))]);
        waiting = waiting.slice(batch.length);
        if (refused) log.info({ path: folder }, 'the history is written again');
        refused = false;
        if (clock.mono() - syncedAt < SYNC_MS) continue;
        syncedAt = clock.mono();
        await file.datasync();
      } catch (error) {
        await open?.file.close().catch(() => undefined);
        open = null;
        if (!refused)
          log.warn({ path: join(folder, name), code: diskCode(error) }, 'the history cannot be written');
        refused = true;
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
    async prune(lives) {
      const today = dayFile(clock.now());
      for (const name of await dayFiles(disk, folder)) {
        if (name >= today || name === open?.name) continue;
        const path = join(folder, name);
        await clearFile(disk, path, lives, () => pause(clock, 0)).catch((error: unknown) =>
          log.warn({ path, code: diskCode(error) }, 'an old file of the history could not be cleared'),
        );
      }
    },
    async close() {
      await write();
      await leave().catch(() => undefined);
    },
  };
}
