/**
 * Lanes: the shelves programmes are sorted onto, as data. The built-in three behave as iptv-tunerr's (PROTOCOLS §1.3);
 * lanes of a configuration are put in front of them and win.
 */

import type { Capsule } from './capsule.js';

/** What a lane may look at. */
export interface LaneFacts {
  readonly title: string;
  readonly categories: readonly string[];
  readonly group: string;
  readonly channelName: string;
  /** Everything else that the channel can be named by. */
  readonly channelNames?: readonly string[];
}

/** How long it is recorded before or after the programme: so long, or a share of the programme up to so long. */
export type PaddingLength =
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'share'; readonly share: number; readonly msMax: number };

/** Null is as long as everywhere (`--pre-padding`, `--post-padding`). */
export interface Padding {
  readonly before: PaddingLength | null;
  readonly after: PaddingLength | null;
}

export interface Lane {
  readonly name: string;
  readonly matches: (facts: LaneFacts) => boolean;
  readonly priority: number;
  readonly priorityIsGiven?: boolean;
  /** How long a recording is kept after its stop. 0 is for ever. */
  readonly keepMs: number;
  readonly padding?: Padding;
}

/** Stands for "never" in `expiresAt`: the last second that RFC 3339 can write. */
export const NEVER = 253_402_300_799_000;

const HOUR_MS = 3_600_000;
/** Padding by a share of the programme is never longer, where nothing else is said. */
export const SHARE_MS_MAX = 30 * 60_000;
const NEWS_PRIORITY = 20;
const SPORT_WORDS = [' vs ', ' at ', 'football', 'hockey', 'baseball', 'basketball', 'soccer'];

const sports: Lane = {
  name: 'sports',
  matches: ({ title, categories }) => {
    if (anyContains(categories, 'sport')) return true;
    const lower = title.toLowerCase();
    return SPORT_WORDS.some((word) => lower.includes(word));
  },
  priority: 30,
  keepMs: 12 * HOUR_MS,
  // Overtime is the rule; it yields to whatever needs the connection.
  padding: { before: null, after: { kind: 'share', share: 0.2, msMax: SHARE_MS_MAX } },
};

const movies: Lane = {
  name: 'movies',
  matches: ({ categories }) => anyContains(categories, 'movie') || anyContains(categories, 'film'),
  priority: 10,
  keepMs: 72 * HOUR_MS,
};

const general: Lane = { name: 'general', matches: () => true, priority: 10, keepMs: 24 * HOUR_MS };

/** In the order in which they are tried; the last takes everything. */
export const BUILT_IN_LANES: readonly Lane[] = [sports, movies, general];

export function laneOf(facts: LaneFacts, lanes: readonly Lane[] = BUILT_IN_LANES): Lane {
  return lanes.find((lane) => lane.matches(facts)) ?? general;
}

/** Higher is recorded first: the lane's own; where nobody gave it one, raised to 20 for news. */
export function priorityOf(capsule: Capsule, lanes: readonly Lane[] = BUILT_IN_LANES): number {
  const { priority, priorityIsGiven } = laneNamed(capsule.lane, lanes);
  const isNews = !priorityIsGiven && anyContains(capsule.categories, 'news');
  return isNews ? Math.max(priority, NEWS_PRIORITY) : priority;
}

/** When a recording of this capsule goes; `keepMs` holds what the configuration says by lane and may lack lanes. */
export function expiryOf(
  capsule: Capsule,
  keepMs: Readonly<Record<string, number>> = {},
  lanes: readonly Lane[] = BUILT_IN_LANES,
): number {
  const keep = keepMs[capsule.lane] ?? laneNamed(capsule.lane, lanes).keepMs;
  return keep === 0 ? NEVER : capsule.stopAt + keep;
}

/** How long a programme of this lane is recorded before and after; `ms` is for lanes that do not say. */
export function paddingOf(
  { lane, startAt, stopAt }: Capsule,
  ms: { readonly beforeMs: number; readonly afterMs: number },
  lanes: readonly Lane[] = BUILT_IN_LANES,
): { readonly beforeMs: number; readonly afterMs: number } {
  const { before, after } = laneNamed(lane, lanes).padding ?? { before: null, after: null };
  const long = (length: PaddingLength | null, other: number) => {
    if (length === null) return other;
    if (length.kind === 'time') return length.ms;
    return Math.round(Math.min(length.share * (stopAt - startAt), length.msMax));
  };
  return { beforeMs: long(before, ms.beforeMs), afterMs: long(after, ms.afterMs) };
}

function laneNamed(name: string, lanes: readonly Lane[]): Lane {
  return lanes.find((lane) => lane.name === name) ?? general;
}

function anyContains(texts: readonly string[], part: string): boolean {
  return texts.some((text) => text.toLowerCase().includes(part));
}
