/** What retention is asked: the limits of the configuration, and what is there. `run` and `plan --deletions` ask the same. */

import type { Config } from '../config/config.js';
import type { Kept, RetentionPolicy } from '../domain/retention.js';
import { isResting, type Entry } from './book.js';

export function retentionOf({ keep }: Config): RetentionPolicy {
  return {
    retainCompleted: keep.completedMax,
    retainFailed: keep.failedMax,
    retainCompletedPerLane: keep.completedMaxPerLane,
    retainFailedPerLane: keep.failedMaxPerLane,
    completedAgeMsMax: keep.completedAgeMsMax,
    completedAgeMsMaxPerLane: keep.completedAgeMsMaxPerLane,
    budgetBytesPerLane: keep.bytesMaxPerLane,
    budgetBytes: keep.bytesMax,
    diskShort: {},
  };
}

/** Null for what is on its way out. `diskUnder` names the disk that a path lies on. */
export function retainedItem(
  { id, recording, path }: Entry,
  diskUnder: (path: string) => string = () => '',
): Kept | null {
  if (path.startsWith('expired')) return null;
  return {
    id,
    lane: recording.capsule.lane,
    kind: path === 'published' ? 'completed' : isResting(path) ? 'failed' : 'active',
    priority: recording.priority,
    stopAt: recording.window.stopAt,
    expiresAt: recording.expiresAt,
    bytes: recording.result?.bytes ?? recording.bytes,
    keep: recording.keep,
    disk: diskUnder(recording.files?.media ?? recording.spool),
  };
}
