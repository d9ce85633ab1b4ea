/**
 * Launchers: a `.strm` and a `.nfo` a capsule, for media servers that play addresses (PROTOCOLS §1.6). P5: a folder that
 * holds a recording, or anything that the manifest does not know, is left as it is.
 */

import { join } from 'node:path';
import type { Capsule } from '../domain/capsule.js';
import { itemNames, sanitize } from '../domain/names.js';
import { exists, type Disk } from '../io/disk.js';
import { makeFolder } from '../io/makeFolder.js';
import { replaceFile } from '../io/replaceFile.js';

export interface Launcher {
  readonly capsule: Capsule;
  /** What the `.strm` holds: with its login, where it has one. */
  readonly url: string;
  readonly nfo: string;
}

export interface Launched {
  readonly capsule: Capsule;
  readonly directory: string;
  readonly streamPath: string;
  readonly nfoPath: string;
  readonly url: string;
}

export const LAUNCHERS_MANIFEST = 'publish-manifest.json';

/** Those that could be written, and the folders that are somebody else's. `ours` has the `.strm` of earlier times. */
export async function writeLaunchers(
  disk: Disk,
  root: string,
  launchers: readonly Launcher[],
  ours: ReadonlySet<string>,
  umask: number,
): Promise<{ readonly written: readonly Launched[]; readonly foreign: readonly string[] }> {
  const written: Launched[] = [];
  const foreign: string[] = [];
  const taken = new Set<string>();
  for (const { capsule, url, nfo } of launchers) {
    const folder = join(root, sanitize(capsule.lane));
    const name = itemNames(capsule, capsule.recordKey).find((each) => !taken.has(join(folder, each)));
    if (name === undefined) continue;
    const directory = join(folder, name);
    taken.add(directory);
    const streamPath = join(directory, `${name}.strm`);
    const nfoPath = join(directory, `${name}.nfo`);
    if (!ours.has(streamPath) && (await exists(disk, directory))) {
      foreign.push(directory);
      continue;
    }
    await makeFolder(disk, directory, 0o777 & ~umask);
    const mode = 0o666 & ~umask;
    await replaceFile(disk, nfoPath, nfo, { mode });
    await replaceFile(disk, streamPath, `${url}\n`, { mode });
    written.push({ capsule, directory, streamPath, nfoPath, url });
  }
  return { written, foreign };
}
