/**
 * The folders that media lives under: known by their markers, made where nothing is known under them, and never
 * touched while the marker cannot be read (a disk that is not mounted must not look like an empty one). P5.
 */

import type { Config } from '../config/config.js';
import { CodedError } from '../domain/errors.js';
import type { Recording } from '../domain/recording.js';
import { isMounted } from '../io/mounts.js';
import { rootProblem, type Root } from '../io/rootMarker.js';
import { checkRoot } from '../store/marker.js';
import type { Store } from '../store/store.js';
import type { Doors } from './doors.js';

export interface Roots {
  readonly out: Root;
  readonly publish: Root | null;
  all(): readonly Root[];
  /** Also those that are no longer configured. */
  known(): readonly Root[];
  /** Whether the marker of this root can be read and is the known one. */
  ready(path: string): Promise<boolean>;
}

/**
 * Throws CodedError `folder_unwritable` for a new root that cannot be made, `root_foreign` for one of another state. A
 * known root whose marker is missing is no reason not to start: what needs it waits.
 */
export async function openRoots(config: Config, doors: Doors, store: Store): Promise<Roots> {
  const { outDir, publishDir } = config.places;
  const out = await open(outDir);
  const publish = publishDir === null ? null : await open(publishDir);
  const all = publish === null ? [out] : [out, publish];
  return {
    out,
    publish,
    all: () => all,
    known: () => [...store.all('roots')].map(([path, uuid]) => ({ path, uuid })),
    async ready(path) {
      const root = all.find((candidate) => candidate.path === path);
      if (root === undefined || (await rootProblem(doors.disk, root)) !== null) return false;
      return !config.places.requireMount || (await isMounted(doors.disk, path).catch(() => false));
    },
  };

  async function open(path: string): Promise<Root> {
    // The marker must not be made on the disk under an absent mount.
    if (config.places.requireMount && !(await isMounted(doors.disk, path).catch(() => false)))
      throw new CodedError('mount_missing', path);
    const known = store.all('roots').get(path) ?? null;
    const check = await checkRoot(doors.disk, path, known, hasRecordings(store, path), doors.random.uuid);
    switch (check.kind) {
      case 'ready':
      case 'made':
        if (check.uuid !== known) store.set('roots', path, check.uuid);
        return { path, uuid: check.uuid };
      case 'missing':
        doors.log.error({ path, code: 'mount_missing' }, 'a known folder is not there: what needs it waits');
        return { path, uuid: known ?? '' };
      case 'foreign':
        throw new CodedError('root_foreign', path);
      case 'unwritable':
        throw new CodedError('folder_unwritable', `${path} (${check.code})`);
    }
  }
}

/** Whether the state knows files of a recording under this folder. Nobody has judged its documents yet. */
function hasRecordings(store: Store, path: string): boolean {
  const under = (file: unknown) => typeof file === 'string' && file.startsWith(`${path}/`);
  for (const { snapshot } of store.recordings().values()) {
    const { context } = Object(snapshot) as { readonly context?: unknown };
    const { files, bytes, spool } = Object(context) as Partial<Recording>;
    const { media } = Object(files) as Partial<NonNullable<Recording['files']>>;
    if (under(media) || (Number(bytes) > 0 && under(spool))) return true;
  }
  return false;
}
