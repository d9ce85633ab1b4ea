/** A capsule: one programme on one channel, with everything that deciding about it needs (PROTOCOLS §1.3). */

import type { UpstreamRef } from './channel.js';

export type CapsuleState = 'in_progress' | 'starting_soon' | 'ready';

export interface Capsule {
  readonly capsuleId: string;
  /** Never recorded twice while equal: lower(`(dna||channel)|start|normTitle`). */
  readonly recordKey: string;
  readonly dnaId: string;
  readonly channelId: string;
  readonly guideNumber: string;
  /** The XMLTV id its row claims, where it claims one. */
  readonly tvgId?: string;
  readonly channelName: string;
  readonly group: string;
  readonly title: string;
  readonly subTitle: string;
  readonly desc: string;
  readonly categories: readonly string[];
  readonly episode: string;
  readonly lane: string;
  readonly startAt: number;
  readonly stopAt: number;
  /** Candidates in catalog order, the relay first where there is one. References only, never URLs. */
  readonly upstreams: readonly UpstreamRef[];
  /** Where the guide has a picture of it; absent where it has none, or where its address carries a login. */
  readonly icon?: string;
  /** The provider keeps what was on for a while; absent where it is not known to. */
  readonly replayable?: boolean;
}
