/**
 * Repeats of an episode, on whatever channel, where the guide numbers episodes: one airing is enough (P2). It is known
 * by its number and title, and only while a good recording of it is there, on its way, or remembered: when the first
 * airing failed, the next one is taken.
 */

import type { Capsule } from './capsule.js';
import { normTitle } from './capsules.js';
import type { KnownRecording } from './identity.js';
import type { Tombstone } from './recording.js';
import { compareText } from './text.js';

/** '' where the guide does not number it. Programme ids of a data provider name the episode by themselves. */
export function episodeKey(title: string, episode: string): string {
  if (episode.startsWith('dd:')) return episode;
  // A number without its season comes again every season.
  return /^s\d/.test(episode) ? `${title}|${episode}` : '';
}

const keys = new WeakMap<Capsule, string>();

/** The same of a programme, worked out once. */
export function episodeKeyOf(capsule: Capsule): string {
  if (capsule.episode === '') return '';
  let key = keys.get(capsule);
  if (key === undefined) keys.set(capsule, (key = episodeKey(normTitle(capsule.title), capsule.episode)));
  return key;
}

/** Episodes that need no further airing; `known` as the plan leaves them. */
export function episodesHeld(
  known: readonly KnownRecording[],
  tombstones: readonly Tombstone[],
): ReadonlySet<string> {
  const held = known.filter(({ state, failed }) => state !== 'done' || failed !== true);
  const gone = tombstones.filter(({ failed }) => failed !== true);
  const all = [
    ...held.map(({ capsule }) => episodeKeyOf(capsule)),
    ...gone.map((tombstone) => episodeKey(tombstone.normTitle, tombstone.episode)),
  ];
  return new Set(all.filter((key) => key !== ''));
}

/** Those whose episode has a number, the airing that is taken first before the others. */
export function airingsAmong(capsules: readonly Capsule[]): readonly Capsule[] {
  return capsules.filter((capsule) => episodeKeyOf(capsule) !== '').sort(byAiring);
}

/**
 * Of airings (`airingsAmong`) that nobody knows yet, those whose episode is held or comes before among them; what is
 * `losing` is no airing.
 */
export function repeatsAmong(
  airings: readonly Capsule[],
  held: ReadonlySet<string>,
  losing: ReadonlySet<string>,
): ReadonlySet<Capsule> {
  const seen = new Set(held);
  const repeats = new Set<Capsule>();
  for (const capsule of airings) {
    if (losing.has(capsule.recordKey)) continue;
    const key = episodeKeyOf(capsule);
    if (seen.has(key)) repeats.add(capsule);
    else seen.add(key);
  }
  return repeats;
}

function byAiring(a: Capsule, b: Capsule): number {
  return (
    a.startAt - b.startAt ||
    b.upstreams.length - a.upstreams.length ||
    compareText(a.channelName, b.channelName) ||
    compareText(a.recordKey, b.recordKey)
  );
}
