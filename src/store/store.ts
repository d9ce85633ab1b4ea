/**
 * The durable memory of the daemon: recordings, tombstones, the outbox and what was learned of hosts and accounts, on
 * lowdb with a journal below it (DESIGN §3). Reads are from memory; a change is durable when its promise says so.
 *
 * P5: damage is put aside and said, never thrown away. P7: opens after any crash with what was acknowledged.
 */
import { basename, dirname, join } from 'node:path';

import { Low } from 'lowdb';

import { CodedError } from '../domain/errors.js';
import type { RecordingDocument, Tombstone } from '../domain/recording.js';
import { pause, type Clock } from '../io/clock.js';
import { diskCode, exists, type Disk } from '../io/disk.js';
import { replaceFile } from '../io/replaceFile.js';
import {
  emptyState,
  sectionOf,
  type MapSection,
  type Section,
  type StateDocument,
  type StateValues,
} from './document.js';
import { createJournalAdapter, type JournalAdapter, type StoreLog } from './journalAdapter.js';
import { loadState, type Damage, type Loaded } from './load.js';
import { quarantineName, statePaths, type StatePaths } from './paths.js';
import { dropLeftovers } from './leftovers.js';
import { createReserve } from './reserve.js';
import type { Note, Recordings, Row } from './rows.js';
import { tunerrTombstones } from './tunerrState.js';

export interface StoreOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: StoreLog;
  /** Absolute path of recorder-state.json. */
  readonly statePath: string;
  /** `<out-dir>/.catchupd`; by default the one beside the state. */
  readonly privateFolder?: string;
  /** For `report`, `plan`, `why`, `replay`: nothing is cut, put aside or written; changes throw. */
  readonly readOnly?: boolean;
  /** Lets everything else that is due run, between slices of a long write. Default: so long on the clock. */
  readonly yieldTurn?: (restMs: number) => Promise<void>;
  readonly compactBytes?: number;
  /** Kept free on disk for the journal; 0 is none. */
  readonly reserveBytes?: number;
  /** Runs before each journal line is written (the event history), so that it is never behind the state. */
  readonly beforeCommit?: (line: number) => Promise<void>;
  /** The last line that the history speaks of: a state that ends long before it lacks what came after. */
  readonly told?: number;
  /** The state cannot be written from now on, for this reason of the disk; null when it can again. */
  readonly onProblem?: (code: string | null) => void;
  /** The time that old tombstones are judged by, or null while the clock is not to be trusted. */
  readonly trustedNow?: () => number | null;
  readonly note?: Note;
}

export interface StoreStatus {
  readonly writable: boolean;
  /** Error code of the disk while nothing can be written. */
  readonly problem: string | null;
  /** What was wrong when it was opened, one sentence each. */
  readonly damage: readonly string[];
}

export interface Store {
  recordings(): Recordings;
  tombstones(): ReadonlyMap<string, Tombstone>;
  /** Any section by key: outbox, hosts, autopilot, accounts, roots. */
  all<S extends MapSection>(section: S): ReadonlyMap<string, StateValues[S]>;
  put(document: RecordingDocument): Row;
  /** The document goes and its tombstone comes, in one step. */
  bury(id: string, tombstone: Tombstone): void;
  /** `null` takes the key away. */
  set<S extends MapSection>(section: S, key: string, value: StateValues[S] | null): void;
  /** Resolves when that revision of that document (or its end) is on disk; waits while the disk refuses. */
  durable(id: string, rev: number): Promise<void>;
  /**
   * Resolves when what is known of a key now (or that it is gone) is on disk; waits while the disk refuses. For what is
   * owed to the world outside: a row that is `set` in the same turn as the document it belongs to shares its journal
   * line, so that there is never one without the other; the call itself is made after `written('outbox', id)`.
   */
  written(section: Section, key: string): Promise<void>;
  /** Resolves when everything changed so far is on disk. */
  flush(): Promise<void>;
  /** Flushes and lets go of the files. Throws CodedError `state_unwritable` where the disk refuses to the end. */
  close(): Promise<void>;
  status(): StoreStatus;
}

const DAY_MS = 86_400_000;
const TOMBSTONE_DAYS = 30;
const EPISODE_TOMBSTONE_DAYS = 365;
const COMPACT_BYTES = 8 * 2 ** 20;
const RESERVE_BYTES = 16 * 2 ** 20;

/** Throws CodedError `state_newer`, `state_unreadable`, `state_unwritable`; anything less is repaired and said. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { disk, clock, log, readOnly = false } = options;
  const paths = statePaths(options.statePath, options.privateFolder);
  const fresh = () => emptyState(options.note);
  const loaded = await loadState({ disk, fresh }, paths, readOnly);
  const found = upTo(recognise(loaded, paths, clock.now(), fresh), options.told ?? 0);
  const waiting = new Map<string, { readonly rev: number; readonly resolve: () => void }[]>();

  const reserve = createReserve(
    { disk, clock, log },
    paths.reserve,
    readOnly ? 0 : (options.reserveBytes ?? RESERVE_BYTES),
  );
  const adapter = createJournalAdapter(
    {
      disk,
      clock,
      log,
      paths,
      yieldTurn: options.yieldTurn ?? ((restMs) => pause(clock, restMs)),
      compactBytes: options.compactBytes ?? COMPACT_BYTES,
      beforeCommit: options.beforeCommit ?? (() => Promise.resolve()),
      beforeCompact: (state) =>
        pruneTombstones(state, options.trustedNow ? options.trustedNow() : clock.now()),
      onProblem: options.onProblem ?? (() => undefined),
      giveUpReserve: () => reserve.giveUp(),
      onDurable(id, rev) {
        reserve.look();
        const left = (waiting.get(id) ?? []).filter((waiter) => waiter.rev > rev);
        for (const waiter of waiting.get(id) ?? []) if (waiter.rev <= rev) waiter.resolve();
        if (left.length > 0) waiting.set(id, left);
        else waiting.delete(id);
      },
    },
    found.state,
    loaded.kind === 'state' ? loaded.journal.goodBytes : 0,
  );
  const db = new Low<StateDocument>(adapter, found.state);
  await db.read();
  if (!readOnly) {
    await repair(options, paths, adapter, found);
    void reserve.keep();
  }

  function change<T>(section: Section, key: string, apply: () => T): T {
    if (readOnly) throw new Error('a store that is only read was asked to change');
    adapter.keep(section, key);
    const result = apply();
    adapter.touch(section, key);
    void db.write().catch(() => undefined);
    return result;
  }

  return {
    recordings: () => db.data.recordings,
    tombstones: () => db.data.tombstones,
    all: (section) => sectionOf(db.data, section),
    put(document) {
      return change('recordings', document.id, () => db.data.recordings.set(document.id, document));
    },
    bury(id, tombstone) {
      change('recordings', id, () => db.data.recordings.delete(id));
      change('tombstones', tombstone.id, () => db.data.tombstones.set(tombstone.id, tombstone));
    },
    set(section, key, value) {
      change(section, key, () => {
        if (value === null) db.data[section].delete(key);
        else sectionOf(db.data, section).set(key, value);
      });
    },
    durable(id, rev) {
      const known = db.data.recordings.row(id);
      const settled = known ? known.rev >= rev : db.data.tombstones.has(id);
      if (settled && !adapter.isDirty('recordings', id)) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.set(id, [...(waiting.get(id) ?? []), { rev, resolve }]);
      });
    },
    written: (section, key) =>
      new Promise((resolve) => {
        // What is lost at the end of a disk that refuses was never written: nobody may act on it.
        void adapter.pending(section, key).then(resolve, () => undefined);
      }),
    flush: () => (readOnly ? Promise.resolve() : db.write()),
    async close() {
      if (readOnly) return;
      await adapter.close();
    },
    status: () => ({
      writable: !readOnly && adapter.problem() === null,
      problem: adapter.problem(),
      damage: [
        ...found.damage.map((damage) => `${damage.path}: ${damage.what}`),
        ...(found.lacks > 0 ? [`${paths.base}: ${lacking(found.lacks)}`] : []),
      ],
    }),
  };
}

interface Found {
  readonly state: StateDocument;
  readonly damage: readonly Damage[];
  readonly rebuild: boolean;
  /** The base is another program's, to be kept under another name. */
  readonly foreign: boolean;
  /** So many changes were written once and are in none of the files, at least. */
  readonly lacks: number;
}

/**
 * A state that was put back, whose journal was taken away, or that is gone goes on from what it says. What is missing
 * is told, and its lines get numbers that were never given. The line that was under way at a crash is nobody's loss.
 */
function upTo(found: Found, told: number): Found {
  const lacks = told - 1 - found.state.rev;
  if (lacks <= 0) return found;
  found.state.rev = told;
  return { ...found, lacks, rebuild: true };
}

const lacking = (changes: number) =>
  `the last ${changes} changes that were written are missing: an older state was put back, or a file of it is gone`;

function recognise(loaded: Loaded, paths: StatePaths, now: number, fresh: () => StateDocument): Found {
  if (loaded.kind === 'state') {
    const { state, damage, rebuild, fresh } = loaded;
    return { state, damage, rebuild: rebuild || fresh, foreign: false, lacks: 0 };
  }
  const state = fresh();
  const tombstones = tunerrTombstones(loaded.value, now);
  for (const tombstone of tombstones ?? []) state.tombstones.set(tombstone.id, tombstone);
  const what = 'this JSON is not a state of catchupd';
  const damage = tombstones
    ? []
    : [{ path: paths.base, what, bytes: Buffer.from(JSON.stringify(loaded.value)) }];
  return { state, damage, rebuild: true, foreign: tombstones !== null, lacks: 0 };
}

/** Puts damage aside, makes the files whole again and opens the journal. */
async function repair(
  { disk, clock, log }: StoreOptions,
  paths: StatePaths,
  adapter: JournalAdapter,
  found: Found,
): Promise<void> {
  try {
    await disk.mkdir(paths.folder);
    await disk.mkdir(paths.quarantine);
    await dropLeftovers(disk, paths);
    if (found.foreign) {
      const kept = await keepForeign(disk, paths);
      const tombstones = found.state.tombstones.size;
      log.info(
        { path: kept, tombstones },
        'a state of iptv-tunerr was found; what it recorded is not recorded again',
      );
    }
    let number = 0;
    for (const { path, what, bytes } of [...found.damage, ...(await inTheWay(disk, paths, found.damage))]) {
      const aside = join(paths.quarantine, quarantineName(clock.now(), path, (number += 1)));
      if (bytes === null) await moveAside(disk, path, aside);
      else if (bytes.length > 0) await replaceFile(disk, aside, bytes, { mode: 0o600 });
      log.error({ path, quarantine: aside }, what);
    }
    if (found.lacks > 0) log.error({ path: paths.base, changes: found.lacks }, lacking(found.lacks));
    const makesWay = found.foreign || found.damage.some(({ path }) => path === paths.base);
    if (found.rebuild) await adapter.rewrite(makesWay);
    // Twice, so that the previous pair is whole again too.
    if (found.damage.length > 0 || found.lacks > 0) await adapter.rewrite(false);
    await adapter.open();
  } catch (error) {
    throw new CodedError('state_unwritable', `${paths.base} (${diskCode(error)})`);
  }
}

/** What has the name of a spare file and is none would stop every new base. */
async function inTheWay(
  disk: Disk,
  { basePrev, journalPrev }: StatePaths,
  known: readonly Damage[],
): Promise<readonly Damage[]> {
  const found: Damage[] = [];
  for (const path of [basePrev, journalPrev]) {
    if (known.some((damage) => damage.path === path)) continue;
    const kind = await disk.stat(path).then(
      (stat) => stat.kind,
      () => 'file',
    );
    if (kind !== 'file') found.push({ path, what: `a ${kind} where a file should be`, bytes: null });
  }
  return found;
}

/** The quarantine may be on another disk than a state that is no file; then it stays beside it, under that name. */
async function moveAside(disk: Disk, path: string, aside: string): Promise<void> {
  await disk.rename(path, aside).catch(async (error: unknown) => {
    if (diskCode(error) !== 'EXDEV') throw error;
    await disk.rename(path, join(dirname(path), basename(aside)));
  });
}

/**
 * Another name for the state of another program, which keeps its own until ours takes its place in one step: a crash in
 * between would forget what it recorded. Returns the name.
 */
async function keepForeign(disk: Disk, { base, folder }: StatePaths): Promise<string> {
  const stem = base.replace(/(\.json)?$/, '.iptv-tunerr');
  const { inode } = await disk.stat(base);
  let path = `${stem}.json`;
  for (let number = 2; await exists(disk, path); number += 1) {
    // A start that was killed has been here.
    if ((await disk.stat(path)).inode === inode) return path;
    path = `${stem}-${number}.json`;
  }
  // Shares without links get a copy.
  await disk.link(base, path).catch(async () => replaceFile(disk, path, await disk.readFile(base)));
  await disk.syncFolder(folder);
  return path;
}

function pruneTombstones(state: StateDocument, now: number | null): void {
  if (now === null) return;
  for (const [id, { stopAt, episode }] of state.tombstones) {
    const days = episode === '' ? TOMBSTONE_DAYS : EPISODE_TOMBSTONE_DAYS;
    if (stopAt + days * DAY_MS < now) state.tombstones.delete(id);
  }
}
