/** The stages after capture, bound to this daemon's folders: finalize, seal, publish's manifests, remove. */

import { dirname, join } from 'node:path';
import { playsMs } from '../capture/clockMarks.js';
import { spoolName } from '../capture/container.js';
import type { Config } from '../config/config.js';
import type { Blocked, FinalizeOutcome, RemoveOutcome, SealOutcome } from '../domain/effects.js';
import type { SpoolTail } from '../domain/foundSpool.js';
import type { Recording } from '../domain/recording.js';
import { kindOfLane, laneNames } from '../domain/laneDefinition.js';
import { removeRecording } from '../expire/remove.js';
import { finalize, seal } from '../finalize/finalize.js';
import { pause } from '../io/clock.js';
import { diskCode, exists } from '../io/disk.js';
import { turns } from '../io/turns.js';
import { ensureLaneFolders, writeRecordedManifest } from '../publish/manifest.js';
import type { Book } from './book.js';
import type { Doors } from './doors.js';
import type { Roots } from './roots.js';

/** So many are finished or removed at once; who takes longer than this (a copy, a disk that hangs) holds up nobody. */
const SETTLED_AT_ONCE = 4;
const SETTLING_MS = 10_000;
const READ_A_TURN = 64;

export interface StagesInput {
  readonly config: Config;
  readonly doors: Doors;
  readonly roots: Roots;
  readonly book: () => Book;
  /** While the state cannot be written nothing is published or taken away. */
  readonly writable: () => boolean;
  readonly indexPath: (id: string) => string;
}

export interface Stages {
  /** Lane folders, so that a media server finds its libraries from the first day. */
  prepare(): Promise<void>;
  finalize(recording: Recording): Promise<FinalizeOutcome>;
  seal(recording: Recording): Promise<SealOutcome>;
  remove(recording: Recording): Promise<RemoveOutcome>;
  /** Something was published or removed: the manifest is written again, soon and once. */
  libraryChanged(): void;
  /** Whether the manifest on disk lists a recording; it is written again where it does not. */
  listed(id: string): Promise<boolean>;
  /** What the spool of a recording holds; null where that cannot be told. */
  spoolTail(recording: Recording): Promise<SpoolTail | null>;
  /** Of these, the ids of those that surely have none. Looks at each folder once. */
  withoutSpool(recordings: readonly Recording[]): Promise<ReadonlySet<string>>;
  settled(): Promise<void>;
}

export function createStages({ config, doors, roots, book, writable, indexPath }: StagesInput): Stages {
  const { clock, disk, log } = doors;
  const { umask } = config.places;
  let manifest: Promise<void> = Promise.resolve();
  let due = false;
  let listed: ReadonlySet<string> = new Set();

  const input = (recording: Recording) => ({
    recording,
    outDir: roots.out,
    publishDir: roots.publish,
    kind: kindOfLane(recording.capsule.lane, config.what.laneDefinitions),
    umask,
  });

  /** At the full hour hundreds end together, and captures want the loop between two of their steps. */
  const settling = turns(clock, SETTLED_AT_ONCE, SETTLING_MS);
  /** Why a recording was last said to wait, by id. */
  const said = new Map<string, string>();

  async function saying<O extends { readonly kind: string }>(
    { id, capsule }: Recording,
    task: Promise<O | Blocked>,
  ): Promise<O | Blocked> {
    const outcome = await task;
    if (!isBlocked(outcome)) said.delete(id);
    else if (said.get(id) !== outcome.code) {
      const { code, path } = outcome;
      said.set(id, code);
      log.warn(
        { id, title: capsule.title, code, path },
        'a recording waits; what was captured stays where it is',
      );
    }
    return outcome;
  }

  /** What others see or nobody can take back begins when the state that wants it is on disk. */
  async function onceDurable<O>({ id }: Recording, act: () => Promise<O>): Promise<O | Blocked> {
    const path = config.places.stateFile;
    // An effect begins inside the transition that asks for it; what that leads to is in the book only after it.
    await Promise.resolve();
    if (!writable()) return { kind: 'blocked', at: clock.now(), code: 'state_unwritable', path };
    await book().durable(id);
    return settling(act);
  }

  /** A few at a time: there may be thousands, and captures want their turn (P1). */
  async function* published(told: Set<string>): AsyncGenerator<Recording> {
    for (const [n, { id }] of [...book().all()].entries()) {
      if (n % READ_A_TURN === READ_A_TURN - 1) await pause(clock, 0);
      const entry = book().get(id);
      if (entry?.path !== 'published') continue;
      told.add(id);
      yield entry.recording;
    }
  }

  async function writeManifest(): Promise<void> {
    due = false;
    if (roots.publish === null) return;
    const told = new Set<string>();
    try {
      await writeRecordedManifest({ disk, clock }, roots.publish.path, published(told), umask);
      listed = told;
    } catch (error) {
      log.error({ path: roots.publish.path, code: diskCode(error) }, 'the manifest could not be written');
    }
  }

  return {
    async prepare() {
      if (roots.publish === null || !(await roots.ready(roots.publish.path))) return;
      const lanes = laneNames(config.what.laneDefinitions);
      await ensureLaneFolders(disk, roots.publish.path, lanes, umask).catch((error: unknown) => {
        log.error({ path: roots.publish?.path, code: diskCode(error) }, 'the lane folders could not be made');
      });
    },
    finalize: (recording) =>
      saying(
        recording,
        onceDurable(recording, () => finalize(input(recording), doors)),
      ),
    seal: (recording) =>
      saying(
        recording,
        onceDurable(recording, () => seal(input(recording), doors)),
      ),
    remove: (recording) =>
      saying(
        recording,
        onceDurable(recording, () =>
          removeRecording(
            { recording, index: indexPath(recording.id), roots: roots.known() },
            { disk, clock, durable: () => book().durable(recording.id) },
          ),
        ),
      ),
    libraryChanged() {
      if (due) return;
      due = true;
      manifest = manifest.then(writeManifest);
    },
    async listed(id) {
      await manifest;
      if (listed.has(id)) return true;
      this.libraryChanged();
      await manifest;
      return listed.has(id);
    },
    async spoolTail(recording) {
      const { spool } = recording;
      try {
        // What it is made of may have been found out too late to be written down.
        const other = spoolName(spool, 'mp4');
        const path = !(await exists(disk, spool)) && (await exists(disk, other)) ? other : spool;
        const { bytes, mtimeMs } = await disk.stat(path);
        // The disk goes by a wall clock that may be ahead of what is believed.
        const writtenAt = Math.min(Math.round(mtimeMs), clock.now());
        const unheardMs = path === spool ? await unheardIn(recording, bytes) : null;
        return {
          bytes,
          writtenAt,
          ...(path !== spool && { path }),
          ...(unheardMs !== null && { unheardMs }),
        };
      } catch (error) {
        // Nothing there is only known where its root is (P5).
        const isGone = diskCode(error) === 'ENOENT' && (await roots.ready(roots.out.path));
        return isGone ? { bytes: 0, writtenAt: 0 } : null;
      }
    },
    async withoutSpool(recordings) {
      const there = new Set<string>();
      try {
        for (const folder of new Set(recordings.map(({ spool }) => dirname(spool))))
          for (const name of await namesIn(folder)) there.add(join(folder, name));
      } catch {
        return new Set();
      }
      // Nothing there is only known where its root is (P5).
      if (!(await roots.ready(roots.out.path))) return new Set();
      const without = recordings.filter(
        ({ spool }) => !there.has(spool) && !there.has(spoolName(spool, 'mp4')),
      );
      return new Set(without.map(({ id }) => id));
    },
    settled: () => manifest,
  };

  /** Of a piece that began and was never told of; null where it is none, or no clock says how long it is. */
  async function unheardIn(recording: Recording, bytes: number): Promise<number | null> {
    const { spool, bytes: heard, stretches, lastFault } = recording;
    const isOther = stretches.length === 0 || lastFault !== null;
    if (!isOther || bytes <= heard || spool !== spoolName(spool, 'ts')) return null;
    const plays = await playsMs(disk, spool, heard, bytes);
    return plays === null ? null : Math.round(plays);
  }

  async function namesIn(folder: string): Promise<readonly string[]> {
    try {
      return await disk.readdir(folder);
    } catch (error) {
      if (diskCode(error) === 'ENOENT') return [];
      throw error;
    }
  }
}

function isBlocked(outcome: { readonly kind: string }): outcome is Blocked {
  return outcome.kind === 'blocked';
}
