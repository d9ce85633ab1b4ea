/** The lanes that are recorded, and what a media server takes each for. */

import type { Config } from '../config/config.js';
import { kindOfLane, laneNames } from '../domain/laneDefinition.js';
import type { LibraryKind } from '../domain/libraryKind.js';

export interface RecordedLane {
  readonly name: string;
  readonly kind: LibraryKind;
}

export function recordedLanes({ what }: Config): readonly RecordedLane[] {
  return laneNames(what.laneDefinitions)
    .filter((name) => what.lanes.length === 0 || what.lanes.includes(name))
    .filter((name) => !what.excludeLanes.includes(name))
    .map((name) => ({ name, kind: kindOfLane(name, what.laneDefinitions) }));
}
