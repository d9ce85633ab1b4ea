/**
 * Whoever something is owed to: a media server, a webhook, the command after publishing. Each takes rows of the outbox
 * one at a time and says what became of them.
 */
import type { OwedRow } from '../domain/outbox.js';

export type Delivery =
  /** The row is out of the way; `next` takes its place. */
  | { readonly kind: 'done'; readonly next: readonly OwedRow[] }
  /** This row cannot be delivered now, others may. */
  | {
      readonly kind: 'later';
      readonly code: string;
      readonly detail: string;
      readonly retryAfterMs: number | null;
    }
  /** This row never can be. */
  | { readonly kind: 'dropped'; readonly code: string; readonly detail: string }
  /** The receiver is in trouble: everything waits. */
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly detail: string;
      readonly retryAfterMs: number | null;
    }
  /** The receiver does not take our token: nothing is asked any more. */
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string };

export const DONE: Delivery = { kind: 'done', next: [] };

export interface Receiver {
  readonly name: string;
  /** For people: the kind and the host, never a token. */
  readonly shown: string;
  /** Never rejects but for a bug. */
  deliver(row: OwedRow, signal: AbortSignal): Promise<Delivery>;
}
