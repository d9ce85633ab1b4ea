/**
 * A person's word on one programme, above the policy: record it, or do not. It is kept by more than its id, so that it
 * holds when the guide moves or retitles the programme (P2), and it says so where it decides (P10).
 */

import type { Capsule } from './capsule.js';
import { normTitle } from './capsules.js';
import type { Tombstone } from './recording.js';

export type OverrideWord = 'want' | 'skip';

export interface Override {
  readonly word: OverrideWord;
  readonly capsuleId: string;
  /** Every record key the programme has had since, oldest first. */
  readonly keys: readonly string[];
  /** Lower-case dna, else channel id. */
  readonly channel: string;
  readonly startAt: number;
  readonly stopAt: number;
  readonly normTitle: string;
  readonly episode: string;
  /** When it was said. */
  readonly at: number;
}

/** What a person asks for comes before everything that a policy does. */
export const WANTED_PRIORITY = 100;

/** Remembered this long past the stop: a guide may show a programme again, and `why` is asked later. */
const REMEMBERED_MS = 30 * 86_400_000;

export function overrideOf(capsule: Capsule, word: OverrideWord, at: number): Override {
  const { capsuleId, recordKey, dnaId, channelId, startAt, stopAt, title, episode } = capsule;
  return {
    word,
    capsuleId,
    keys: [recordKey],
    channel: (dnaId || channelId).toLowerCase(),
    startAt,
    stopAt,
    normTitle: normTitle(title),
    episode,
    at,
  };
}

export function isForgotten({ stopAt }: Override, now: number): boolean {
  return stopAt + REMEMBERED_MS < now;
}

/**
 * A programme that a person spoke of is recognised as a removed one is, wherever the guide moves it: by its mark. Its
 * id is none of a recording.
 */
export function markOf({ word, capsuleId, ...override }: Override): Tombstone {
  const { keys, channel, startAt, stopAt, normTitle: title, episode, at } = override;
  const id = `${MARK}${capsuleId}`;
  return { id, keys, channel, startAt, stopAt, normTitle: title, episode, reason: word, at };
}

/** The capsule id that a mark stands for, or null. */
export function markedCapsule(id: string): string | null {
  return id.startsWith(MARK) ? id.slice(MARK.length) : null;
}

const MARK = 'override ';

/** As the guide tells it now. */
export function retold(override: Override, capsule: Capsule): Override {
  const { startAt, stopAt, title, episode, recordKey } = capsule;
  const keys = override.keys.includes(recordKey) ? override.keys : [...override.keys, recordKey];
  return { ...override, keys, startAt, stopAt, normTitle: normTitle(title), episode };
}

/**
 * What stands for programmes that no recording stands for: the removed ones, and those that a person spoke of. Of a
 * mark and a tombstone of one programme the later one counts, so that what was removed can be wanted again, once.
 */
export function marksAmong(
  overrides: readonly Override[],
  tombstones: readonly Tombstone[],
  knownKeys: ReadonlySet<string>,
): readonly Tombstone[] {
  const open = overrides.filter(({ keys }) => !keys.some((key) => knownKeys.has(key)));
  if (open.length === 0) return tombstones;
  const graves = new Map(tombstones.flatMap((grave) => grave.keys.map((key) => [key, grave] as const)));
  const said = latestWord(open);
  const late = open.filter(({ keys, at }) => !keys.some((key) => (graves.get(key)?.at ?? -1) > at));
  return [...tombstones.filter(({ keys, at }) => (said(keys)?.at ?? -1) < at), ...late.map(markOf)];
}

/** The latest word about any of some record keys. */
export type LatestWord = (keys: readonly string[]) => Override | null;

export function latestWord(overrides: readonly Override[]): LatestWord {
  const byKey = new Map<string, Override>();
  for (const override of overrides.toSorted((a, b) => a.at - b.at))
    for (const key of override.keys) byKey.set(key, override);
  return (keys) => {
    const words = keys.flatMap((key) => byKey.get(key) ?? []);
    return words.reduce<Override | null>((last, each) => (last && last.at >= each.at ? last : each), null);
  };
}
