/**
 * A state that was lost, put together again from what else is on disk: the event history, which tells every life of
 * late to its end, and the ledgers beside the media. What the state still knows is never touched; what nothing speaks
 * for is not made up (P4, P5). What comes back goes on by itself at the next start: spools grow on, half-done publishes
 * are completed, keep times run out.
 */

import { join } from 'node:path';
import type { Snapshot } from 'xstate';
import { recordingMachine } from '../../machines/recording.js';
import type { Config } from '../config/config.js';
import { CodedError } from '../domain/errors.js';
import type { Recording, RecordingDocument, Tombstone } from '../domain/recording.js';
import { exists } from '../io/disk.js';
import { readMarker } from '../io/rootMarker.js';
import { RECORDING_VERSION } from '../store/migrations.js';
import { openHistory } from '../store/history.js';
import { readHistory } from '../store/historyFiles.js';
import type { NumberedEntry } from '../store/historyLine.js';
import { takeLock } from '../store/lock.js';
import { openStore, type Store } from '../store/store.js';
import { CHART_VERSION, tombstoneOf } from './book.js';
import type { Doors } from './doors.js';
import { statePath } from './entries.js';
import { plain, type RecordingSnapshot } from './recover.js';
import { endOf } from './replay.js';
import { openRoots } from './roots.js';
import { tracesOf, type FoundLedger, type Traces } from './traces.js';

export interface Rebuilt {
  readonly id: string;
  readonly recording: Recording;
  readonly path: string;
  readonly from: 'ledger' | 'history';
}

export interface RebuildResult {
  /** What was wrong with the state, one sentence each; [] for one that is missing or whole. */
  readonly damage: readonly string[];
  readonly recordings: readonly Rebuilt[];
  readonly tombstones: readonly Tombstone[];
  /** Recordings that the state knew all along. */
  readonly known: number;
  /** Spools that nothing speaks for: `run` goes on with them or finishes them. */
  readonly spools: readonly string[];
  readonly problems: Traces['problems'];
}

/**
 * Throws CodedError: `state_locked` while a daemon runs, `state_newer`, `state_unreadable`, `mount_missing` for a root
 * that is not there, `state_readable` where a state that can be read lacks something and `force` was not given.
 */
export async function rebuild(config: Config, doors: Doors, force: boolean): Promise<RebuildResult> {
  const { clock, disk, log } = doors;
  const { outDir, stateFile } = config.places;
  const folder = join(outDir, '.catchupd');
  if (!force && !(await exists(disk, outDir).catch(() => false)))
    throw new CodedError('mount_missing', goneOr(outDir));
  const lock = await takeLock(doors, folder, doors.random.uuid());
  try {
    const there = await exists(disk, stateFile).catch(() => true);
    const opening = { disk, clock, log, statePath: stateFile, privateFolder: folder };
    const before = await openStore({ ...opening, readOnly: true });
    const { damage } = before.status();
    const found = await findAll(config, doors, folder, before);
    const lacks = found.recordings.length + found.tombstones.length;
    const result = { ...found, damage, known: before.recordings().size };
    const readable = there && damage.length === 0;
    if (readable && lacks === 0) return result;
    if (readable && !force)
      throw new CodedError(
        'state_readable',
        `${stateFile} lacks ${found.recordings.length} recordings and ${found.tombstones.length} tombstones`,
      );
    await checkRoots(config, doors, found.seen, force);
    const history = await openHistory({ disk, clock, log }, join(folder, 'history'));
    const store = await openStore({
      ...opening,
      beforeCommit: (line) => history.write(line),
      told: history.told,
    });
    try {
      await openRoots(config, doors, store);
      for (const { id, document } of found.documents) {
        store.put(document);
        const { rev, snapshot } = document;
        const beginning = { at: clock.now(), id, chart: CHART_VERSION, rev, snapshot: snapshot as never };
        history.append({ ...beginning, type: 'baseline' });
      }
      for (const tombstone of found.tombstones) store.set('tombstones', tombstone.id, tombstone);
      await store.flush();
    } finally {
      await store.close();
      await history.close();
    }
    return result;
  } finally {
    await lock.release();
  }
}

/**
 * A root that has neither its marker nor anything of ours is a mount point without its disk. P5. `force`: a person says
 * that what held the spools is gone for good.
 */
async function checkRoots(
  { places: { outDir, publishDir } }: Config,
  { disk }: Doors,
  seen: readonly string[],
  force: boolean,
): Promise<void> {
  const isThere = async (root: string) =>
    (await readMarker(disk, root).catch(() => null)) !== null ||
    seen.some((path) => path.startsWith(`${root}/`));
  if (!force && !(await isThere(outDir))) throw new CodedError('mount_missing', goneOr(outDir));
  if (publishDir !== null && !(await isThere(publishDir))) throw new CodedError('mount_missing', publishDir);
}

function goneOr(outDir: string): string {
  return `${outDir} (where it is gone for good, --force begins it anew)`;
}

interface Found extends Pick<RebuildResult, 'recordings' | 'tombstones' | 'spools' | 'problems'> {
  readonly documents: readonly { readonly id: string; readonly document: RecordingDocument }[];
  /** Paths of ours that were seen. */
  readonly seen: readonly string[];
}

/** Everything that `known` does not know of. */
export async function findAll(config: Config, doors: Doors, folder: string, known: Store): Promise<Found> {
  const { clock, disk } = doors;
  const now = clock.now();
  const traces = await tracesOf(disk, config, now);
  const problems = [...traces.problems];
  const { entries, damage } = await readHistory(disk, join(folder, 'history'));
  problems.push(...damage);
  const lives = new Map<string, NumberedEntry[]>();
  for (const entry of entries) lives.set(entry.id, [...(lives.get(entry.id) ?? []), entry]);
  const isKnown = (id: string) => known.recordings().has(id) || known.tombstones().has(id);

  const ledgers = new Map<string, FoundLedger>();
  for (const ledger of traces.ledgers) {
    const { id, files } = ledger.recording;
    const other = ledgers.get(id);
    if (other && (other.mediaBytes !== null || ledger.mediaBytes === null))
      problems.push({ path: files?.ledger ?? '', what: `${id} has another ledger; this one is left alone` });
    else ledgers.set(id, ledger);
  }

  const found: { life: Life; from: Rebuilt['from'] }[] = [];
  const tombstones: Tombstone[] = [];
  const spools = new Set(traces.spools);
  for (const document of known.recordings().values()) spools.delete(spoolOf(document));
  for (const id of new Set([...ledgers.keys(), ...lives.keys()])) {
    if (isKnown(id)) continue;
    const told = lifeOf(lives.get(id) ?? []);
    const ledger = ledgers.get(id);
    const life = ledger ? withLedger(ledger, told, spools) : told && (await withoutLedger(told));
    if (life === null) continue;
    if (life === 'gone') {
      if (told) tombstones.push(tombstoneOf(buried(told.recording), now));
      continue;
    }
    spools.delete(life.recording.spool);
    found.push({ life, from: life === told ? 'history' : 'ledger' });
  }
  return {
    documents: found.map(({ life: { recording, snapshot, rev } }) => ({
      id: recording.id,
      document: {
        v: RECORDING_VERSION,
        id: recording.id,
        rev,
        updatedAt: now,
        deadline: recording.deadline,
        snapshot,
      },
    })),
    recordings: found.map(({ life: { recording, path }, from }) => ({
      id: recording.id,
      recording,
      path,
      from,
    })),
    tombstones,
    spools: [...spools].toSorted(),
    problems,
    seen: [...traces.spools, ...traces.ledgers.map(({ recording }) => recording.files?.ledger ?? '')],
  };

  /** What has no ledger has no finished media: it is under way, was in vain, or is gone. */
  async function withoutLedger(told: Life): Promise<Life | 'gone' | null> {
    const { path, recording } = told;
    if (path.startsWith('expired')) return 'gone';
    if (path === 'published') {
      const root = recording.files && rootOf(config, recording.files.media);
      const marked = root ? await readMarker(disk, root).catch(() => null) : null;
      // Removed by a person; or not to be seen now, which is judged by who can see it.
      return marked === null ? told : 'gone';
    }
    if (path.startsWith('scheduled')) return null;
    const hasSpool = spools.has(recording.spool);
    const ended = path.startsWith('failed') || path.startsWith('cancelled');
    return hasSpool || ended ? told : null;
  }
}

function rootOf({ places: { outDir, publishDir } }: Config, path: string): string | null {
  return [publishDir, outDir].find((root) => root !== null && path.startsWith(`${root}/`)) ?? null;
}

interface Life {
  readonly recording: Recording;
  readonly path: string;
  readonly snapshot: Snapshot<unknown>;
  readonly rev: number;
}

function lifeOf(entries: readonly NumberedEntry[]): Life | null {
  const end = endOf(entries);
  return end && lifeIn(end.state, end.rev);
}

function lifeIn(state: RecordingSnapshot, rev: number): Life {
  const snapshot = plain(recordingMachine.getPersistedSnapshot(state));
  return { recording: state.context, path: statePath(state.value), snapshot, rev };
}

/** The history, where it tells of the same media; else what the ledger says. */
function withLedger(
  { recording, mediaBytes }: FoundLedger,
  told: Life | null,
  spools: ReadonlySet<string>,
): Life {
  const rev = (told?.rev ?? 0) + 1;
  if (mediaBytes === null && told && spools.has(told.recording.spool)) return told;
  // A publish that was cut off before its media appeared is completed.
  if (mediaBytes === null && spools.has(recording.spool))
    return lifeIn(
      recordingMachine.resolveState({ value: { finalizing: 'working' }, context: unfinished(recording) }),
      rev,
    );
  if (told && told.recording.files?.media === recording.files?.media && told.recording.result !== null)
    return told;
  if (recording.cancelReason !== '' && recording.files?.ownsFolder === false && !recording.files.series)
    return lifeIn(
      recordingMachine.resolveState({ value: { cancelled: 'resting' }, context: recording }),
      rev,
    );
  const deadline = recording.keep ? null : ({ kind: 'expire', at: recording.expiresAt } as const);
  return lifeIn(
    recordingMachine.resolveState({ value: 'published', context: { ...recording, deadline } }),
    rev,
  );
}

function buried(recording: Recording): Recording {
  return { ...recording, evictedBy: recording.evictedBy || 'removed_by_user' };
}

function unfinished(recording: Recording): Recording {
  return { ...recording, files: null, result: null };
}

export function spoolOf(document: RecordingDocument): string {
  const { context } = Object(document.snapshot) as { context?: Partial<Recording> };
  return context?.spool ?? '';
}
