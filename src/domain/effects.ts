/** Outcomes of the straight-line effects other than capture. A chart branches on `kind` and on nothing else. */

import type { Bug } from './capture.js';
import type { RecordingFiles, RecordingResult } from './recording.js';

/** Something outside must change first (a mount, space, permission); it is looked at again later. */
export interface Blocked {
  readonly kind: 'blocked';
  readonly at: number;
  readonly code: string;
  readonly path: string;
}

/** Of finalizing: the programme is in the library, or there was nothing to put there. */
export type FinalizeOutcome =
  | {
      readonly kind: 'published';
      readonly at: number;
      readonly files: RecordingFiles;
      readonly result: RecordingResult;
    }
  | { readonly kind: 'empty'; readonly at: number; readonly result: RecordingResult }
  | Blocked
  | Bug;

/** Of sealing what a cancelled or failed recording left; `files` is null where nothing was captured. */
export type SealOutcome =
  | {
      readonly kind: 'sealed';
      readonly at: number;
      readonly files: RecordingFiles | null;
      readonly result: RecordingResult;
    }
  | Blocked
  | Bug;

export type RemoveOutcome = { readonly kind: 'removed'; readonly at: number } | Blocked | Bug;
