/**
 * lowdb's adapter of the state: changed values go to the journal, one line and one fdatasync for all changes that come
 * together, and now and then the whole state becomes a new base (DESIGN §3).
 *
 * P7: what `write` resolved for survives a kill and a power cut. P8: a full or broken disk delays, it never throws into
 * a recording: changes wait in memory and are tried again every second.
 */
import type { Adapter } from 'lowdb';

import { CodedError } from '../domain/errors.js';
import { pause, type Clock } from '../io/clock.js';
import { diskCode, exists, type Disk, type DiskFile } from '../io/disk.js';
import { writeNew, temporaryName } from '../io/replaceFile.js';
import { writeBase } from './baseFile.js';
import { commitText, takenDown, type Changes } from './commitText.js';
import type { Section, StateDocument } from './document.js';
import { encodeLine } from './journalLine.js';
import type { StatePaths } from './paths.js';
import { createStill, type Still, type Values } from './still.js';

export interface StoreLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface JournalDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: StoreLog;
  readonly paths: StatePaths;
  /** Lets everything else run that is due within so many milliseconds. */
  readonly yieldTurn: (restMs: number) => Promise<void>;
  /** Journal size from which the base is written anew. */
  readonly compactBytes: number;
  /** Runs before each line is written, with its number; its failure does not stop the line. */
  readonly beforeCommit: (line: number) => Promise<void>;
  /** Runs on the live state before it becomes a base. */
  readonly beforeCompact: (state: StateDocument) => void;
  /** Which revision of which document is on disk now; Infinity where it is gone. */
  readonly onDurable: (id: string, rev: number) => void;
  /** Why nothing can be written from now on; null when it can again. */
  readonly onProblem: (code: string | null) => void;
  /** Gives up the space that is held back; false where there is none. */
  readonly giveUpReserve: () => Promise<boolean>;
}

export interface JournalAdapter extends Adapter<StateDocument> {
  /** Says that a value is about to change: a base that is being written may still want the one before. */
  keep(section: Section, key: string): void;
  /** Says that a value changed; the next `write` makes it durable. */
  touch(section: Section, key: string): void;
  /** True while a change of it is not on disk. */
  isDirty(section: Section, key: string): boolean;
  /** Resolves when the last change of it is on disk; rejects where that ended without. */
  pending(section: Section, key: string): Promise<void>;
  /** Why nothing can be written, or null. */
  problem(): string | null;
  /** Opens the journal, cutting what follows its good end. Rejects with the disk's error. For the start. */
  open(): Promise<void>;
  /** Writes a new base of everything; one that is damaged makes way instead of becoming the previous. For the start. */
  rewrite(dropBase: boolean): Promise<void>;
  /** Writes what is left and closes the file. Throws CodedError `state_unwritable` where that cannot be done. */
  close(): Promise<void>;
}

interface Batch {
  readonly changes: Changes;
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const RETRY_MS = 1000;
/** Between the slices of a base that nobody waits for: a change that comes meanwhile should hardly meet one. */
const REST_MS = 4;
/** The end does not wait longer for a disk that does not even answer. */
const CLOSE_MS_MAX = 1500;
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

function newBatch(): Batch {
  let resolve = () => {};
  let reject: (error: Error) => void = () => {};
  const done = new Promise<void>((onDone, onFail) => {
    resolve = onDone;
    reject = onFail;
  });
  // Nobody may be waiting; the loss is logged where it happens.
  done.catch(() => undefined);
  return { changes: new Map(), done, resolve, reject };
}

/** `state` is the one that `Low` holds; `goodBytes` is where the journal's last valid line ends. */
export function createJournalAdapter(
  doors: JournalDoors,
  state: StateDocument,
  goodBytes: number,
): JournalAdapter {
  const { disk, clock, log, paths } = doors;
  /** For a base that is waited for. */
  const atOnce = { ...doors, yieldTurn: () => doors.yieldTurn(0) };
  let next = newBatch();
  let current: Batch | null = null;
  let pump: Promise<void> | null = null;
  let file: DiskFile | null = null;
  /** The name of the file that is appended to; for a moment of a compaction it is the previous one's. */
  let filePath = paths.journal;
  let fileBytes = goodBytes;
  let compactAtBytes = doors.compactBytes;
  let compacting: { readonly since: Buffer[]; readonly done: Promise<void> } | null = null;
  let ready: (() => Promise<void>) | null = null;
  /** A new journal is in place, and its name may not be on disk yet. */
  let namesDue = false;
  let problem: string | null = null;
  const closing = new AbortController();
  /** The end has come, and waits no longer for a base that is being written. */
  let leaving = false;
  /** What the bases that are being written are made of. */
  const stills = new Set<Still>();

  function start(): void {
    pump ??= run();
  }

  async function run(): Promise<void> {
    // Everything that changes in this turn shares the line.
    await Promise.resolve();
    while (next.changes.size > 0 || ready) {
      if (ready) {
        const finish = ready;
        ready = null;
        await finish();
        continue;
      }
      current = next;
      next = newBatch();
      await commit(current);
      current = null;
    }
    pump = null;
  }

  async function commit(batch: Batch): Promise<void> {
    // Taken down before anything is awaited: what changes later belongs to the next line as a whole.
    const members = takenDown(state, batch.changes, log);
    const revs = [...(batch.changes.get('recordings') ?? [])].map(
      (id) => [id, state.recordings.row(id)?.rev ?? Infinity] as const,
    );
    await doors
      .beforeCommit(state.rev + 1)
      .catch((error: unknown) => log.error({ error: String(error) }, 'the history could not be written'));
    const line = encodeLine(state.rev + 1, await commitText(members, () => doors.yieldTurn(0)));
    try {
      await appendUntilDone(line);
    } catch (error) {
      batch.reject(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    state.rev += 1;
    compacting?.since.push(line);
    // Whoever is told now may ask at once whether it is there: it is.
    current = null;
    for (const [id, rev] of revs) doors.onDurable(id, rev);
    batch.resolve();
    if (fileBytes >= compactAtBytes && !compacting) startCompaction();
  }

  async function appendUntilDone(line: Buffer): Promise<void> {
    for (;;) {
      try {
        file ??= await reopen();
        await file.write([line]);
        await file.datasync(true);
        if (namesDue) await syncNames();
        fileBytes += line.length;
        if (problem === null) return;
        log.info({ path: paths.journal }, 'the state is written again');
        problem = null;
        doors.onProblem(null);
        return;
      } catch (error) {
        await file?.close().catch(() => undefined);
        file = null;
        const code = diskCode(error);
        if (FULL.has(code) && (await doors.giveUpReserve())) continue;
        const isNew = problem === null;
        if (isNew) log.error({ path: filePath, code }, 'the state cannot be written; trying every second');
        problem = code;
        if (isNew) doors.onProblem(code);
        if (closing.signal.aborted) throw new CodedError('state_unwritable', `${filePath} (${code})`);
      }
      await pause(clock, RETRY_MS, closing.signal);
    }
  }

  /** Opens the journal where its last good line ends; what a failed write left behind it is cut. */
  async function reopen(): Promise<DiskFile> {
    if (problem !== null && !(await exists(disk, paths.base)) && !(await exists(disk, paths.basePrev)))
      throw Object.assign(new Error('the state is not there; is its disk mounted?'), { code: 'ENOENT' });
    const opened = await disk.open(filePath, 'append');
    try {
      const bytes = await opened.bytes();
      if (bytes > fileBytes) await opened.truncate(fileBytes);
      if (bytes === 0) await disk.syncFolder(paths.folder);
      if (bytes >= fileBytes) return opened;
    } catch (error) {
      await opened.close().catch(() => undefined);
      throw error;
    }
    // Somebody took the journal away: memory still knows everything.
    await opened.close();
    log.warn({ path: filePath }, 'the journal is shorter than it was; the state is written anew');
    const target = temporaryName(disk, paths.base);
    await inStill((still) => writeBase(atOnce, target, still));
    await install(target, []);
    if (!file) throw new Error('the journal did not open');
    return file;
  }

  function startCompaction(): void {
    doors.beforeCompact(state);
    const since: Buffer[] = [];
    const beganBytes = fileBytes;
    /** What comes meanwhile is kept in memory: where that is much, it is no time to rest. */
    const sinceBytes = () => fileBytes - beganBytes;
    const target = temporaryName(disk, paths.base);
    const yieldTurn = async () => {
      await doors.yieldTurn(sinceBytes() > doors.compactBytes ? 0 : REST_MS);
      if (leaving) throw new Error('the program ends');
    };
    const done = inStill((still) => writeBase({ ...doors, yieldTurn }, target, still))
      .then(() => {
        const before = ready;
        ready = async () => {
          await before?.();
          // A rewrite came in between: this base is older than the one in place.
          if (leaving || compacting?.since !== since) await disk.unlink(target).catch(() => undefined);
          else await install(target, since).catch((error: unknown) => postpone(target, since, error));
        };
        start();
      })
      .catch((error: unknown) => postpone(target, since, error));
    compacting = { since, done };
  }

  async function inStill(write: (values: Values) => Promise<unknown>): Promise<void> {
    const still = createStill(state);
    stills.add(still);
    try {
      await write(still);
    } finally {
      stills.delete(still);
    }
  }

  async function postpone(target: string, since: readonly Buffer[], error: unknown): Promise<void> {
    if (!leaving)
      log.warn(
        { path: target, code: diskCode(error) },
        'the state could not be written anew; the journal grows on',
      );
    await disk.unlink(target).catch(() => undefined);
    // Another one may be under way by now.
    if (compacting?.since !== since) return;
    compacting = null;
    compactAtBytes = fileBytes + doors.compactBytes;
  }

  /**
   * Puts a new base in place and begins a new journal with the lines that are not in it. After any of these steps the
   * four files, read as `load.ts` reads them, give the same state; only the last one needs those before it on disk.
   * Without a `target` the base is in place already.
   */
  async function install(target: string | null, since: readonly Buffer[]): Promise<void> {
    if (target !== null) {
      await moveOver(paths.base, paths.basePrev);
      await disk.rename(target, paths.base);
    }
    await moveOver(paths.journal, paths.journalPrev);
    if (file) filePath = paths.journalPrev;
    await disk.syncFolder(paths.folder);
    const fresh = temporaryName(disk, paths.journal);
    await writeNew(disk, fresh, since, { mode: 0o644, sync: true });
    await disk.rename(fresh, paths.journal);
    // From here on lines are looked for in this file and nowhere else, whatever fails next.
    const former = file;
    file = null;
    filePath = paths.journal;
    fileBytes = since.reduce((sum, line) => sum + line.length, 0);
    compactAtBytes = doors.compactBytes;
    compacting = null;
    namesDue = true;
    await former?.close().catch(() => undefined);
    file = await disk.open(paths.journal, 'append');
    await syncNames();
  }

  async function syncNames(): Promise<void> {
    await disk.syncFolder(paths.folder);
    namesDue = false;
  }

  async function moveOver(from: string, to: string): Promise<void> {
    await disk.rename(from, to).catch((error: unknown) => {
      if (diskCode(error) !== 'ENOENT') throw error;
    });
  }

  return {
    read: () => Promise.resolve(state),
    write() {
      if (next.changes.size === 0) return current?.done ?? Promise.resolve();
      start();
      return next.done;
    },
    keep(section, key) {
      for (const still of stills) still.keep(section, key);
    },
    touch(section, key) {
      const keys = next.changes.get(section);
      if (keys) keys.add(key);
      else next.changes.set(section, new Set([key]));
    },
    isDirty: (section, key) =>
      Boolean(next.changes.get(section)?.has(key) || current?.changes.get(section)?.has(key)),
    pending(section, key) {
      if (next.changes.get(section)?.has(key)) return next.done;
      if (current?.changes.get(section)?.has(key)) return current.done;
      return Promise.resolve();
    },
    problem: () => problem,
    async open() {
      file ??= await reopen();
    },
    async rewrite(dropBase) {
      const target = temporaryName(disk, paths.base);
      await inStill((still) => writeBase(atOnce, target, still));
      if (dropBase) await disk.rename(target, paths.base);
      await install(dropBase ? null : target, []);
    },
    async close() {
      closing.abort();
      try {
        await answered(saved());
        // Everything is in the journal by now: a big base that takes longer is left for the next time.
        if (await isWithin(clock, CLOSE_MS_MAX, settled())) return;
        leaving = true;
        await answered(settled());
      } finally {
        const closed = file?.close().catch(() => undefined);
        file = null;
        await isWithin(clock, CLOSE_MS_MAX, closed ?? Promise.resolve());
      }
    },
  };

  async function answered(task: Promise<void>): Promise<void> {
    if (!(await isWithin(clock, CLOSE_MS_MAX, task)))
      throw new CodedError('state_unwritable', `${filePath} (the disk does not answer)`);
  }

  async function saved(): Promise<void> {
    const last = next.changes.size > 0 ? next.done : current?.done;
    if (next.changes.size > 0) start();
    await last;
  }

  async function settled(): Promise<void> {
    await compacting?.done;
    await pump;
  }
}

/** False where it takes longer; then whatever comes of it is nobody's business any more. */
async function isWithin(clock: Clock, ms: number, task: Promise<void>): Promise<boolean> {
  const ended = new AbortController();
  const late = pause(clock, ms, ended.signal).then(() => false);
  try {
    return await Promise.race([task.then(() => true), late]);
  } finally {
    ended.abort();
    task.catch(() => undefined);
  }
}
