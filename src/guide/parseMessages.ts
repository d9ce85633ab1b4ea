/** What the parse worker and the thread that asks it say to each other. */

import type { ErrorCode } from '../domain/errors.js';
import type { GuideData, ListData } from '../domain/programme.js';
import type { GuideJob, ListJob } from '../io/parse.js';

export type Job =
  { readonly kind: 'guide'; readonly job: GuideJob } | { readonly kind: 'list'; readonly job: ListJob };

/** What comes in slices, so that taking it in never holds up the main thread, and what comes at the end. */
export interface Sliced {
  readonly guide: { readonly slice: GuideData['programmes']; readonly rest: Omit<GuideData, 'programmes'> };
  readonly list: { readonly slice: ListData['channels']; readonly rest: Omit<ListData, 'channels'> };
}

export type ToWorker =
  | Job
  /** The last slice is taken in; send the next. */
  | { readonly kind: 'more' };

export type FromWorker =
  | { readonly kind: 'slice'; readonly rows: readonly unknown[] }
  | { readonly kind: 'done'; readonly rest: Sliced['guide' | 'list']['rest'] }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly detail: string };
