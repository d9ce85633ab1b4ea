/** A store on a disk in memory, and the documents the tests put into it. */
import type { RecordingDocument, Tombstone } from '../../src/domain/recording.js';
import type { StoreLog } from '../../src/store/journalAdapter.js';
import { RECORDING_VERSION } from '../../src/store/migrations.js';
import { openStore, type Store, type StoreOptions } from '../../src/store/store.js';
import { memoryDisk, type MemoryDisk } from '../sim/memoryDisk.js';
import { manualClock, type ManualClock } from './manualClock.js';

export const STATE = '/out/recorder-state.json';
export const JOURNAL = '/out/recorder-state.journal.ndjson';

export interface Bench {
  readonly disk: MemoryDisk;
  readonly clock: ManualClock;
  readonly said: string[];
  open(options?: Partial<StoreOptions>): Promise<Store>;
}

export function storeBench(disk = memoryDisk(), clock = manualClock()): Bench {
  const said: string[] = [];
  const note = (level: string) => (_facts: object, message: string) => void said.push(`${level} ${message}`);
  const log: StoreLog = { info: note('info'), warn: note('warn'), error: note('error') };
  return {
    disk,
    clock,
    said,
    open: (options) =>
      openStore({
        disk,
        clock,
        log,
        statePath: STATE,
        reserveBytes: 0,
        yieldTurn: () => Promise.resolve(),
        ...options,
      }),
  };
}

export function documentOf(id: string, rev: number, text = ''): RecordingDocument {
  return {
    v: RECORDING_VERSION,
    id,
    rev,
    updatedAt: rev,
    deadline: null,
    snapshot: { value: 'scheduled', text },
  };
}

export function tombstoneOf(id: string, stopAt: number, episode = ''): Tombstone {
  return {
    id,
    keys: [`${id}|key`],
    channel: 'c',
    startAt: stopAt - 1000,
    stopAt,
    normTitle: 't',
    episode,
    reason: 'expired',
    at: stopAt,
  };
}

/** Everything a reader can see of a store, to be compared. */
function sorted<T>(map: Iterable<readonly [string, T]>): Record<string, T> {
  return Object.fromEntries([...map].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function contentOf(store: Store): Record<string, unknown> {
  const sections = ['tombstones', 'outbox', 'hosts', 'autopilot', 'accounts', 'roots'] as const;
  return {
    recordings: sorted(store.recordings()),
    ...Object.fromEntries(sections.map((section) => [section, sorted(store.all(section))])),
  };
}
