/** What the thread of the guides and the one that asks it say to each other. */

import type { Config } from '../config/config.js';
import type { Channel } from '../domain/channel.js';
import type { ErrorCode } from '../domain/errors.js';
import type { Aliases } from '../domain/match.js';
import type { Override } from '../domain/override.js';
import type { GuideCounts, ListData } from '../domain/programme.js';
import type { Tombstone } from '../domain/recording.js';
import type { RuleBook } from '../domain/rules.js';
import type { GuideJob } from '../io/parse.js';
import type { GuideWish } from './guideView.js';
import type { PlanWish } from './planFacts.js';
import type { Shadow } from './shadow.js';

/** What `known` is, once its JSON is read. */
export type KnownRows = readonly (readonly [string, Shadow])[];

/** Some of a collection is another, or gone. */
interface Rows<K extends string, T> {
  readonly part: K;
  readonly set: readonly (readonly [string, T])[];
  readonly gone: readonly string[];
}

/** What became another since it was told. */
export type Change =
  | { readonly part: 'config'; readonly config: Config }
  | { readonly part: 'aliases'; readonly aliases: Aliases | undefined }
  | { readonly part: 'rules'; readonly rules: RuleBook | undefined }
  | {
      readonly part: 'table';
      readonly sources: readonly string[];
      readonly guides: readonly number[];
      readonly accounts: ReadonlyMap<string, unknown>;
    }
  /** A list without its channels, which follow; null where a source has none. */
  | { readonly part: 'list'; readonly source: string; readonly list: Omit<ListData, 'channels'> | null }
  | { readonly part: 'channels'; readonly source: string; readonly channels: readonly Channel[] }
  /** Rows as JSON: a text is copied as it is, objects one by one with the names of all their members. */
  | { readonly part: 'known'; readonly set: string; readonly gone: readonly string[] }
  | Rows<'tombstones', Tombstone>
  | Rows<'overrides', Override>;

export type Question =
  | {
      readonly kind: 'read';
      readonly number: number;
      readonly job: GuideJob;
      readonly beside: number | null;
    }
  | { readonly kind: 'plan'; readonly wish: PlanWish }
  | { readonly kind: 'planPage'; readonly now: number }
  | { readonly kind: 'guidePage'; readonly wish: GuideWish; readonly now: number }
  | { readonly kind: 'found'; readonly query: string }
  | { readonly kind: 'capsule'; readonly capsuleId: string; readonly now: number };

export type ToThread =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'release'; readonly number: number }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  /** The last slice is taken in; send the next. */
  | { readonly kind: 'more'; readonly id: number };

/** Rows come a few at a time, so that taking them in holds up nobody. */
export type FromThread =
  | { readonly kind: 'slice'; readonly id: number; readonly rows: readonly unknown[] }
  | { readonly kind: 'done'; readonly id: number; readonly rest: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly code: ErrorCode; readonly detail: string };

/** What a guide that was read has beside its programmes. */
export interface ReadGuide {
  readonly counts: GuideCounts;
  readonly shiftMs: number;
}
