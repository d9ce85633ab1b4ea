/**
 * The door to heavy parsing: a guide on disk becomes the few programmes that matter. In production it opens onto a
 * worker thread, so that captures never wait; in tests and simulation the parser runs inline. Both are the same parser.
 */
import type { GuideData } from '../domain/programme.js';

export interface GuideJob {
  /** File on disk: XML as it came, possibly gzipped, in any encoding. */
  readonly path: string;
  /** Programmes kept: stop > fromAt and start < toAt. */
  readonly fromAt: number;
  readonly toAt: number;
  /** Minutes east of UTC, or an IANA name, for times that carry no zone. */
  readonly timezone: string;
}

export interface Parse {
  /** Rejects with an error whose `code` is one of domain/errors (`guide_not_xmltv`, `guide_unreadable`, …). */
  guide(job: GuideJob): Promise<GuideData>;
  close(): Promise<void>;
}
