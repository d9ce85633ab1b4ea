/**
 * Finds the place of a recording's files and takes it. A place belongs to the recording whose id its ledger names; a
 * place that is anybody else's is never entered, written to or cleared (P2, P5).
 */
import { basename, dirname, join } from 'node:path';

import type { LibraryKind } from '../domain/libraryKind.js';
import { NAME_BYTES_MAX, fitName, itemNames, LONGEST_SUFFIX, sanitize } from '../domain/names.js';
import type { Recording, RecordingFiles } from '../domain/recording.js';
import { sha1hex } from '../domain/sha1.js';
import { episodeNames } from '../domain/showNames.js';
import { SHOW_NFO } from '../domain/showNfo.js';
import { diskCode, exists, type Disk } from '../io/disk.js';
import { ledgerOwner } from '../io/ledgerOwner.js';
import { isTemporary, temporaryName, writeNew } from '../io/replaceFile.js';

/** Where encrypted home folders stop. */
export const SHORT_NAME_BYTES_MAX = 143;
const VARIANTS_MAX = 20;
const SPOOL_SUFFIX = /\.partial(\.[a-z0-9]+)$/;

export type Holder = 'free' | 'mine' | 'taken';

/** Best first. `root` null is beside the spool, one name for all three files; else below `root`, by the lane's kind. */
export function placesOf(
  recording: Recording,
  root: string | null,
  kind: LibraryKind,
  bytesMax: number = NAME_BYTES_MAX,
): readonly RecordingFiles[] {
  const { capsule, id, spool } = recording;
  const extension = SPOOL_SUFFIX.exec(spool)?.[1] ?? '.ts';
  const files = (folder: string, name: string) => ({
    folder,
    media: join(folder, `${name}${extension}`),
    nfo: join(folder, `${name}.nfo`),
    ledger: join(folder, `${name}${LONGEST_SUFFIX}`),
  });
  if (root === null) {
    const base = basename(spool).replace(SPOOL_SUFFIX, '');
    const names = withMore([base, `${base}-${sha1hex(id).slice(0, 6)}`], bytesMax);
    return names.map((name) => ({ ...files(dirname(spool), name), ownsFolder: false }));
  }
  const lane = join(root, sanitize(capsule.lane));
  if (kind === 'movies')
    return withMore(itemNames(capsule, id, bytesMax), bytesMax).map((name) => ({
      ...files(join(lane, name), name),
      ownsFolder: true,
    }));
  const { show, season, names } = episodeNames(capsule, id, bytesMax);
  const folder = join(lane, show);
  const series = { folder, nfo: join(folder, SHOW_NFO) };
  return withMore(names, bytesMax).map((name) => ({
    ...files(join(folder, season), name),
    ownsFolder: false,
    series,
  }));
}

function withMore(names: readonly string[], bytesMax: number): readonly string[] {
  const last = names.at(-1) ?? '';
  const more = Array.from({ length: VARIANTS_MAX }, (_, index) => `${last}-${index + 2}`);
  return [...new Set([...names, ...more].map((name) => fitName(name, bytesMax, LONGEST_SUFFIX)))];
}

/** Whose a place is. Rejects with disk errors other than "not there". */
export async function holderOf(disk: Disk, place: RecordingFiles, id: string): Promise<Holder> {
  const owner = await ledgerOwner(disk, place.ledger);
  if (owner !== null) return owner === id ? 'mine' : 'taken';
  if (!place.ownsFolder) {
    const taken = (await exists(disk, place.media)) || (await exists(disk, place.nfo));
    return taken ? 'taken' : 'free';
  }
  try {
    const names = await disk.readdir(place.folder);
    return names.every((name) => isTemporary(name)) ? 'free' : 'taken';
  } catch (error) {
    if (diskCode(error) === 'ENOENT') return 'free';
    if (diskCode(error) === 'ENOTDIR') return 'taken';
    throw error;
  }
}

/** Ledgers that are being put in place now, by disk and path: what has no links has nothing else to tell who was first. */
const claiming = new WeakMap<Disk, Map<string, Promise<boolean>>>();

/**
 * Puts the first ledger there, whole; false where another recording was quicker. Its folder is there already. One after
 * the other for each place, whatever the case of its letters: a look and a rename are two steps.
 */
export async function claim(
  disk: Disk,
  path: string,
  ledger: string,
  { mode, owner }: { readonly mode: number; readonly owner: string },
): Promise<boolean> {
  const running = claiming.get(disk) ?? new Map<string, Promise<boolean>>();
  claiming.set(disk, running);
  const key = path.normalize('NFC').toLowerCase();
  const before = running.get(key) ?? Promise.resolve(true);
  const own = before.catch(() => true).then(() => claimNow(disk, path, ledger, mode, owner));
  running.set(key, own);
  try {
    return await own;
  } finally {
    if (running.get(key) === own) running.delete(key);
  }
}

async function claimNow(
  disk: Disk,
  path: string,
  ledger: string,
  mode: number,
  owner: string,
): Promise<boolean> {
  const temporary = temporaryName(disk, path, owner);
  await writeNew(disk, temporary, ledger, { mode, sync: true });
  try {
    await disk.link(temporary, path);
  } catch (error) {
    if (diskCode(error) === 'EEXIST') return false;
    if (await exists(disk, path)) return false;
    await disk.rename(temporary, path);
  } finally {
    await disk.unlink(temporary).catch(() => undefined);
  }
  await disk.syncFolder(dirname(path));
  return true;
}

/** Takes away half-written copies that a crash left; where others lie too, only those of this recording. */
export async function clearLeftovers(disk: Disk, place: RecordingFiles, id: string): Promise<void> {
  const owner = place.ownsFolder ? '' : id;
  for (const folder of place.series ? [place.folder, place.series.folder] : [place.folder])
    for (const name of await disk.readdir(folder))
      if (isTemporary(name, owner)) await dropIfThere(disk, join(folder, name));
}

async function dropIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.unlink(path);
  } catch (error) {
    if (diskCode(error) !== 'ENOENT') throw error;
  }
}
