/**
 * Finds the place of a recording's files and takes it. A place belongs to the recording whose id its ledger names; a
 * place that is anybody else's is never entered, written to or cleared (P2, P5).
 */
import { basename, dirname, join } from 'node:path';

import { NAME_BYTES_MAX, fitName, itemNames, LONGEST_SUFFIX, sanitize } from '../domain/names.js';
import type { Recording, RecordingFiles } from '../domain/recording.js';
import { sha1hex } from '../domain/sha1.js';
import { diskCode, exists, type Disk } from '../io/disk.js';
import { ledgerOwner } from '../io/ledgerOwner.js';
import { temporaryName, writeNew } from '../io/replaceFile.js';

/** Where encrypted home folders stop. */
export const SHORT_NAME_BYTES_MAX = 143;
const VARIANTS_MAX = 20;
const SPOOL_SUFFIX = /\.partial(\.[a-z0-9]+)$/;
/** What `temporaryName` gives. */
const LEFTOVER = /^\..*\.\d+-\d+\.tmp$/;

export type Holder = 'free' | 'mine' | 'taken';

/** Best first. `root` null is beside the spool, one name for all three files; else a folder of its own below `root`. */
export function placesOf(
  recording: Recording,
  root: string | null,
  bytesMax: number = NAME_BYTES_MAX,
): readonly RecordingFiles[] {
  const { capsule, id, spool } = recording;
  const extension = SPOOL_SUFFIX.exec(spool)?.[1] ?? '.ts';
  const hash = sha1hex(id).slice(0, 6);
  const base = basename(spool).replace(SPOOL_SUFFIX, '');
  const first = root === null ? [base, `${base}-${hash}`] : itemNames(capsule, id, bytesMax);
  const last = first.at(-1) ?? base;
  const more = Array.from({ length: VARIANTS_MAX }, (_, index) => `${last}-${index + 2}`);
  const names = [...first, ...more].map((name) => fitName(name, bytesMax, LONGEST_SUFFIX));
  return [...new Set(names)].map((name) => {
    const folder = root === null ? dirname(spool) : join(root, sanitize(capsule.lane), name);
    return {
      folder,
      media: join(folder, `${name}${extension}`),
      nfo: join(folder, `${name}.nfo`),
      ledger: join(folder, `${name}${LONGEST_SUFFIX}`),
      ownsFolder: root !== null,
    };
  });
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
    return names.every((name) => LEFTOVER.test(name)) ? 'free' : 'taken';
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
export async function claim(disk: Disk, path: string, ledger: string, mode: number): Promise<boolean> {
  const running = claiming.get(disk) ?? new Map<string, Promise<boolean>>();
  claiming.set(disk, running);
  const key = path.normalize('NFC').toLowerCase();
  const before = running.get(key) ?? Promise.resolve(true);
  const own = before.catch(() => true).then(() => claimNow(disk, path, ledger, mode));
  running.set(key, own);
  try {
    return await own;
  } finally {
    if (running.get(key) === own) running.delete(key);
  }
}

async function claimNow(disk: Disk, path: string, ledger: string, mode: number): Promise<boolean> {
  const temporary = temporaryName(disk, path);
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

/** Takes away half-written copies that a crash left in a folder of our own, or whoever came too late for it. */
export async function clearLeftovers(disk: Disk, place: RecordingFiles): Promise<void> {
  if (!place.ownsFolder) return;
  for (const name of await disk.readdir(place.folder))
    if (LEFTOVER.test(name)) await dropIfThere(disk, join(place.folder, name));
}

async function dropIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.unlink(path);
  } catch (error) {
    if (diskCode(error) !== 'ENOENT') throw error;
  }
}
