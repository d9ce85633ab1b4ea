/** What a plan is made of beside the programmes of the guides, and what comes of it. */

import type { Config } from '../config/config.js';
import type { ListData } from '../domain/programme.js';
import type { Aliases } from '../domain/match.js';
import type { Override } from '../domain/override.js';
import type { Conflict } from '../domain/forecast.js';
import type { Decision } from '../domain/plan.js';
import type { Tombstone } from '../domain/recording.js';
import type { RuleBook } from '../domain/rules.js';
import type { Entry } from './entries.js';
import type { Shadow } from './shadow.js';

/** `Known` is how recordings are told of: the book's own entries, and their shadows behind the planner's door. */
export interface PlanFacts<Known = Entry> {
  readonly config: Config;
  /** Lists in use, by source, in the order of their sources. */
  readonly lists: ReadonlyMap<string, { readonly list: ListData | null }>;
  readonly aliases: Aliases | undefined;
  /** The guides in use, by the numbers that the planner keeps them under, in order. */
  readonly guides: readonly number[];
  /** By id, with those that were put aside. */
  readonly known: ReadonlyMap<string, Known>;
  readonly tombstones: ReadonlyMap<string, Tombstone>;
  readonly overrides: ReadonlyMap<string, Override>;
  /** Undefined where there is no rules file. */
  readonly rules: RuleBook | undefined;
  /** What was learned of accounts (`AccountRecord`). */
  readonly accounts: ReadonlyMap<string, unknown>;
}

export type ShadowFacts = PlanFacts<Shadow>;

export interface PlanWish {
  readonly at: number;
  /** What recordings take, measured or usual. */
  readonly bytesPerMs: number;
}

/** A plan has a decision for each of many thousands of programmes; this is what of it has to be known to act on it. */
export interface PlanNews {
  /** Those that change something, in the order of the plan. */
  readonly decisions: readonly Decision[];
  readonly rest: {
    /** When the next of those skipped for want of connections is tried all the same, or null. */
    readonly nextTryAt: number | null;
    /** Where the space that recordings take levels off, in bytes, or null. */
    readonly levelBytes: number | null;
  };
  /** What of the plan before this one is over, to be kept. */
  readonly over: readonly PastLines[];
}

export interface PastLines {
  /** `2026-11-23`, of the programme's start. */
  readonly day: string;
  readonly text: string;
}

/** A decision, and what of it the connections that are known will not allow. */
export interface FoundDecision {
  readonly decision: Decision;
  readonly conflict: Conflict | null;
}

/** JSON in UTF-8, and between its parts the ids of recordings, each to be told as its `recording`. */
export type PageParts = readonly (Uint8Array | string)[];
