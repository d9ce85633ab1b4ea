/**
 * What happened to every recording, event by event, a file a day, kept as long as its recordings live (P10). `replay`
 * folds it through the charts. It is written before the state's own line, so that it is never behind the state.
 */
import { dirname, join } from 'node:path';

import { pause, type Clock } from '../io/clock.js';
import { diskCode, type Disk, type DiskFile } from '../io/disk.js';
import {
  damagedLines,
  dayFile,
  dayFiles,
  endLines,
  lastNumbers,
  tidyFile,
  type TidyDoors,
} from './historyFiles.js';
import { encodeEntry, type HistoryEntry, type NumberedEntry } from './historyLine.js';
import type { StoreLog } from './journalAdapter.js';

export interface History {
  /** Never waits and never fails; written by the next `write`. */
  append(entry: HistoryEntry): void;
  /** Hands everything appended so far to the system. `line`: of the state's journal, about to be written. Never rejects. */
  write(line?: number): Promise<void>;
  /** The line that was about to be written when the last life ended; 0 where that is not known. */
  readonly told: number;
  /**
   * Clears the files of earlier days of what belongs to recordings that do not live any more, puts those that are
   * damaged aside, and says it. Today's is written to: what is damaged there is said now and put aside tomorrow. Never
   * rejects.
   */
  tidy(lives: (id: string) => boolean): Promise<void>;
  close(): Promise<void>;
}

/** More than this waiting for a disk that refuses is let go: captures and state come first. */
const WAITING_MAX = 20_000;
const SYNC_MS = 5000;
const DAMAGED = 'lines of the history are damaged: stories lack what they told';

export interface HistoryDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: StoreLog;
}

/** `folder` is `<out-dir>/.catchupd/history`. Never rejects: recording goes on without a history, and that is said. */
export async function openHistory({ disk, clock, log }: HistoryDoors, folder: string): Promise<History> {
  const last = await lastNumbers(disk, folder);
  let { seq, line } = last;
  let refused = false;
  let waiting: NumberedEntry[] = [];
  let open: { readonly name: string; readonly file: DiskFile } | null = null;
  let writing: Promise<void> = Promise.resolve();
  let syncedAt = clock.mono();
  let lost = 0;
  /** Files whose damage is said. */
  const told = new Set<string>();

  async function fileOf(name: string): Promise<DiskFile> {
    if (open?.name === name) return open.file;
    await leave();
    await disk.mkdir(folder);
    const file = await disk.open(join(folder, name), 'append');
    try {
      const isNew = (await file.bytes()) === 0;
      await endLines(file);
      if (isNew) await disk.syncFolder(folder);
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
        await file.write([Buffer.from(batch.map(numbered).join(''))]);
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

  function numbered(entry: NumberedEntry): string {
    return encodeEntry(line > 0 ? { ...entry, line } : entry);
  }

  async function putRight(doors: TidyDoors, path: string): Promise<void> {
    const found = await tidyFile(doors, path);
    if (found) log.error({ path, lines: found.damaged, quarantine: found.quarantine }, DAMAGED);
  }

  async function lookAt(path: string, yieldTurn: () => Promise<void>): Promise<void> {
    const lines = await damagedLines(disk, path, yieldTurn);
    if (lines === 0 || told.has(path)) return;
    told.add(path);
    log.error({ path, lines }, DAMAGED);
  }

  function write(next = line): Promise<void> {
    line = next;
    writing = writing.then(drain);
    return writing;
  }

  return {
    append(entry) {
      seq += 1;
      waiting.push({ seq, ...entry });
    },
    write,
    told: last.line,
    async tidy(lives) {
      const today = dayFile(clock.now());
      const yieldTurn = () => pause(clock, 0);
      const doors = { disk, privateFolder: dirname(folder), at: clock.now(), lives, yieldTurn };
      for (const name of await dayFiles(disk, folder)) {
        const path = join(folder, name);
        const isOld = name < today && name !== open?.name;
        await (isOld ? putRight(doors, path) : lookAt(path, yieldTurn)).catch((error: unknown) =>
          log.warn({ path, code: diskCode(error) }, 'a file of the history could not be looked through'),
        );
      }
    },
    async close() {
      await write();
      await leave().catch(() => undefined);
    },
  };
}
