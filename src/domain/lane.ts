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
}

export interface Lane {
  readonly name: string;
  readonly matches: (facts: LaneFacts) => boolean;
  readonly priority: number;
  /** How long a recording is kept after its stop. 0 is for ever. */
  readonly keepMs: number;
}

/** Stands for "never" in `expiresAt`: the last second that RFC 3339 can write. */
export const NEVER = 253_402_300_799_000;

const HOUR_MS = 3_600_000;
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

/** Higher is recorded first: the lane's own, raised to 20 for news. */
export function priorityOf(capsule: Capsule, lanes: readonly Lane[] = BUILT_IN_LANES): number {
  const own = laneNamed(capsule.lane, lanes).priority;
  return anyContains(capsule.categories, 'news') ? Math.max(own, NEWS_PRIORITY) : own;
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

function laneNamed(name: string, lanes: readonly Lane[]): Lane {
  return lanes.find((lane) => lane.name === name) ?? general;
}

function anyContains(texts: readonly string[], part: string): boolean {
  return texts.some((text) => text.toLowerCase().includes(part));
}
