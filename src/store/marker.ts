/** When a root's marker is made, and when its absence means that a disk is missing (DESIGN §3, last line). P5. */
import type { Disk } from '../io/disk.js';
import { diskCode } from '../io/disk.js';
import { markerPath, readMarker } from '../io/rootMarker.js';
import { replaceFile } from '../io/replaceFile.js';

export type RootCheck =
  | { readonly kind: 'ready' | 'made'; readonly uuid: string }
  /** Known, but its marker is not there or cannot be read: a disk is not mounted. */
  | { readonly kind: 'missing'; readonly code: string }
  | { readonly kind: 'foreign'; readonly uuid: string }
  /** A new root that cannot be made. */
  | { readonly kind: 'unwritable'; readonly code: string };

/**
 * `knownUuid` is what the state remembers of this root; `hasRecordings` whether it knows any recording under it. A
 * marker is made only where it knows none; where it knows none, a marker of another state is taken over as it is. So is
 * one of ours that lost a character on the disk.
 */
export async function checkRoot(
  disk: Disk,
  path: string,
  knownUuid: string | null,
  hasRecordings: boolean,
  newUuid: () => string,
): Promise<RootCheck> {
  let uuid: string | null;
  try {
    uuid = await readMarker(disk, path);
  } catch (error) {
    return { kind: hasRecordings ? 'missing' : 'unwritable', code: diskCode(error) };
  }
  if (uuid !== null) {
    const trusted = knownUuid === null || isSame(knownUuid, uuid) || !hasRecordings;
    return { kind: trusted ? 'ready' : 'foreign', uuid };
  }
  if (hasRecordings) return { kind: 'missing', code: 'ENOENT' };
  const made = knownUuid ?? newUuid();
  try {
    await disk.mkdir(path);
    await replaceFile(disk, markerPath(path), `${JSON.stringify({ uuid: made })}\n`);
    return { kind: 'made', uuid: made };
  } catch (error) {
    return { kind: 'unwritable', code: diskCode(error) };
  }
}

const LENGTH_MIN = 16;

/** No two that were drawn by chance are as alike. */
function isSame(known: string, found: string): boolean {
  if (known === found) return true;
  if (known.length !== found.length || known.length < LENGTH_MIN) return false;
  return [...known].filter((letter, index) => letter !== found[index]).length === 1;
}
