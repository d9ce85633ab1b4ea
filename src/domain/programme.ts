/** What a guide says, after parsing. All times are epoch milliseconds, UTC. */

import type { Channel } from './channel.js';
import type { PanelFacts } from './panel.js';

export interface Programme {
  /** XMLTV channel id, trimmed. */
  readonly channel: string;
  readonly startAt: number;
  /** Exclusive; filled from the next start (at most 6 h) where the guide gives none. */
  readonly stopAt: number;
  readonly title: string;
  readonly subTitle: string;
  readonly desc: string;
  readonly categories: readonly string[];
  /** One comparable string where the guide numbers episodes: `s2e12`, `dd:EP012345`, or ''. */
  readonly episode: string;
  readonly icon: string;
  readonly isNew: boolean;
}

export interface GuideChannel {
  readonly id: string;
  readonly names: readonly string[];
}

/** What the sanity gate compares: totals of the whole file, not of the window kept. */
export interface GuideCounts {
  readonly channels: number;
  readonly programmes: number;
  /** Latest stop in the whole file, or 0. */
  readonly lastStopAt: number;
  /** Earliest start in the whole file; absent where it has none. */
  readonly firstStartAt?: number;
  /** Rows given up, by reason code (`bad_time`, `no_channel`, `zero_length`, …). */
  readonly skipped: Readonly<Record<string, number>>;
  /** The document ended early or broke off. */
  readonly partial: boolean;
}

export interface GuideData {
  readonly channels: readonly GuideChannel[];
  /** Only those inside the window that was asked for. Ordered by channel, then start. */
  readonly programmes: readonly Programme[];
  readonly counts: GuideCounts;
}

/** What a parsed channel list holds. */
export interface ListData {
  readonly channels: readonly Channel[];
  /** Guide addresses that the list itself names (`x-tvg-url`). */
  readonly guideUrls: readonly string[];
  readonly skipped: Readonly<Record<string, number>>;
  /** What the panel behind it says of the account; absent where there is none, or where it was not to be had. */
  readonly panel?: PanelFacts;
}
