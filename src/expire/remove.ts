/**
 * Takes a recording's files away. P5: only recorded paths, one by one, then the folder if it was made for this recording
 * and is empty; only on a root whose marker can be read; never what a ledger says belongs to another recording.
 */
import { basename, dirname, sep } from 'node:path';

import type { RemoveOutcome } from '../domain/effects.js';
import type { Recording, RecordingFiles } from '../domain/recording.js';
import { leftBehind } from '../domain/replay.js';
import { isOurShowNfo } from '../domain/showNfo.js';
import type { Clock } from '../io/clock.js';
import { diskCode, diskProblem, type Disk } from '../io/disk.js';
import { ledgerOwner } from '../io/ledgerOwner.js';
import { rootProblem, type Root } from '../io/rootMarker.js';

export interface RemoveInput {
  readonly recording: Pick<Recording, 'id' | 'files' | 'spool' | 'superseded'>;
  /** The index of its media. */
  readonly index: string;
  /** Every root that the state knows, also those no longer configured. */
  readonly roots: readonly Root[];
}

export interface RemoveDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Resolves when the decision to remove is on disk; nothing is unlinked before. */
  readonly durable: () => Promise<void>;
}

/** Idempotent: what is gone already is fine. Throws only on a bug. */
export async function removeRecording(input: RemoveInput, doors: RemoveDoors): Promise<RemoveOutcome> {
  const { disk, clock } = doors;
  const { id, files, spool } = input.recording;
  await doors.durable();
  let path = spool;
  try {
    const mine = files !== null && (await isMine(disk, files, id)) ? files : null;
    // The ledger goes last: while anything is left it says whose it is.
    const paths = [
      spool,
      ...leftBehind(input.recording),
      input.index,
      ...(mine
        ? [mine.media, ...(mine.picture === undefined ? [] : [mine.picture]), mine.nfo, mine.ledger]
        : []),
    ];
    for (const root of new Set(paths.map((each) => rootOf(each, input.roots)))) {
      const code = root ? await rootProblem(disk, root) : 'mount_missing';
      if (code) return { kind: 'blocked', at: clock.now(), code, path: root?.path ?? dirname(spool) };
    }
    for (path of paths) await unlinkIfThere(disk, path);
    if (mine?.ownsFolder || mine?.series) await removeIfEmpty(disk, mine.folder);
    if (mine?.series) await removeSeries(disk, mine.series);
    return { kind: 'removed', at: clock.now() };
  } catch (error) {
    if (diskCode(error) === 'UNKNOWN') throw error;
    return { kind: 'blocked', at: clock.now(), code: diskProblem(error), path };
  }
}

/** The innermost root that holds a path. */
function rootOf(path: string, roots: readonly Root[]): Root | null {
  const holding = roots.filter((root) =>
    path.startsWith(root.path.endsWith(sep) ? root.path : root.path + sep),
  );
  return holding.toSorted((a, b) => b.path.length - a.path.length)[0] ?? null;
}

/** A ledger that is gone or broken proves nothing against us: the paths are ours by record. */
async function isMine(disk: Disk, files: RecordingFiles, id: string): Promise<boolean> {
  const owner = await ledgerOwner(disk, files.ledger);
  return owner === null || owner === '' || owner === id;
}

async function unlinkIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.unlink(path);
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(diskCode(error))) throw error;
    return;
  }
  await disk.syncFolder(dirname(path));
}

/** The last episode takes with it what all of them shared, as long as it is as it was written here (P5). */
async function removeSeries(
  disk: Disk,
  { folder, nfo }: NonNullable<RecordingFiles['series']>,
): Promise<void> {
  const names = await disk.readdir(folder).catch(() => []);
  if (names.length === 1 && names[0] === basename(nfo)) {
    const content = (await disk.readFile(nfo)).toString('utf8');
    if (!isOurShowNfo(content, basename(folder), basename(dirname(folder)))) return;
    await unlinkIfThere(disk, nfo);
  }
  await removeIfEmpty(disk, folder);
}

/** A link (ENOTDIR) or mount point (EBUSY) in its place is somebody's own, and stays as what lies beside our files. */
async function removeIfEmpty(disk: Disk, folder: string): Promise<void> {
  try {
    await disk.rmdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EBUSY'].includes(diskCode(error))) return;
    throw error;
  }
  await disk.syncFolder(dirname(folder));
}
