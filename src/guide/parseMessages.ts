/** What the parse worker and the thread that asks it say to each other. */

import type { ErrorCode } from '../domain/errors.js';
import type { GuideData, Programme } from '../domain/programme.js';
import type { GuideJob } from '../io/parse.js';

export type ToWorker =
  | { readonly kind: 'guide'; readonly job: GuideJob }
  /** The last slice is taken in; send the next. */
  | { readonly kind: 'more' };

export type FromWorker =
  /** Programmes come in slices, so that taking them in never holds up the main thread. */
  | { readonly kind: 'slice'; readonly programmes: readonly Programme[] }
  | { readonly kind: 'done'; readonly rest: Omit<GuideData, 'programmes'> }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly detail: string };
