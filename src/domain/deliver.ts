/** What became of a delivery to a receiver; its chart branches on `kind`. */

import type { Bug } from './capture.js';

export type DeliverOutcome =
  /** The receiver answers: the first row is out of the way, delivered or put off for a reason of its own. */
  | { readonly kind: 'delivered'; readonly at: number; readonly nextAt: number | null }
  /** The receiver does not answer as it should; everything waits. */
  | {
      readonly kind: 'failed';
      readonly at: number;
      readonly code: string;
      readonly detail: string;
      readonly retryAfterMs: number | null;
    }
  /** It does not take our token. */
  | { readonly kind: 'refused'; readonly at: number; readonly code: string; readonly detail: string }
  | Bug;
