/**
 * `.catchupd-root`: the proof that a root folder is the one the state knows and not the bare mount point below it.
 * P5: nothing is written to, deleted from or forgotten on a root whose marker cannot be read.
 */
import { join } from 'node:path';

import { diskCode, type Disk } from './disk.js';

/** A root folder, and the uuid of the marker that it must have. */
export interface Root {
  readonly path: string;
  readonly uuid: string;
}

export function markerPath(root: string): string {
  return join(root, '.catchupd-root');
}

/** The uuid in a root's marker; null where there is no marker or it makes no sense. Rejects with other disk errors. */
export async function readMarker(disk: Disk, root: string): Promise<string | null> {
  try {
    const text = (await disk.readFile(markerPath(root))).toString('utf8');
    const value: unknown = JSON.parse(text);
    const uuid: unknown = typeof value === 'object' && value !== null && 'uuid' in value ? value.uuid : null;
    return typeof uuid === 'string' && uuid !== '' ? uuid : null;
  } catch (error) {
    if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR'].includes(diskCode(error))) return null;
    throw error;
  }
}

/** Why nothing may be touched below a root, as a code of the error table, or null when it is the right one. */
export async function rootProblem(disk: Disk, root: Root): Promise<'mount_missing' | 'root_foreign' | null> {
  const uuid = await readMarker(disk, root.path).catch(() => null);
  if (uuid === null) return 'mount_missing';
  return uuid === root.uuid ? null : 'root_foreign';
}
