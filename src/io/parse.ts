/**
 * The door to heavy parsing: a guide on disk becomes the few programmes that matter, a list its channels. In production it opens onto a
 * worker thread, so that captures never wait; in tests and simulation the parser runs inline. Both are the same parser.
 */
import type { PanelFacts, PanelLogin } from '../domain/panel.js';
import type { GuideData, ListData } from '../domain/programme.js';

export interface GuideJob {
  /** File on disk: XML as it came, possibly gzipped, in any encoding. */
  readonly path: string;
  /** Programmes kept: stop > fromAt and start < toAt. */
  readonly fromAt: number;
  readonly toAt: number;
  /** Minutes east of UTC, or an IANA name, for times that carry no zone. */
  readonly timezone: string;
}

interface ListFile {
  /** File on disk, as it came. */
  readonly path: string;
  /** Id of the list (`SourceRef.id`). */
  readonly source: string;
  readonly includeAdult: boolean;
}

/** Secret where it is a panel's. */
export type ListJob =
  | (ListFile & { readonly kind: 'catalog' | 'm3u' })
  | (ListFile & {
      readonly kind: 'xtream';
      readonly login: PanelLogin;
      readonly facts: PanelFacts;
      /** Names by id. */
      readonly categories: ReadonlyMap<string, string>;
    });

export interface Parse {
  /** Rejects with an error whose `code` is one of domain/errors (`guide_not_xmltv`, `guide_unreadable`, …). */
  guide(job: GuideJob): Promise<GuideData>;
  /** Rejects likewise (`list_not_catalog`, `list_not_m3u`, `list_not_xtream`, `list_unreadable`). */
  list(job: ListJob): Promise<ListData>;
  close(): Promise<void>;
}
