/**
 * Which guide channel speaks of which channel row (PROTOCOLS §1.2 and §1.3). Pure; an ambiguous name matches nothing,
 * because recording the wrong channel is worse than recording none.
 */

import type { Channel } from './channel.js';
import { normalizeName } from './dna.js';
import type { GuideChannel } from './programme.js';

/** Surest first. */
export const MATCH_METHODS = ['tvg_id_exact', 'alias_exact', 'name_exact', 'guide_number'] as const;
export type MatchMethod = (typeof MATCH_METHODS)[number];

/** Normalised channel name → XMLTV id (`src/guide/aliases.ts` reads the file). */
export type Aliases = ReadonlyMap<string, string>;

export interface ChannelMatch {
  readonly channel: Channel;
  /** The id as the guide spells it, and how it was found; null where the guide does not know the channel. */
  readonly guide: { readonly id: string; readonly method: MatchMethod } | null;
}

/** One answer a channel, in the order of `channels`. */
export function matchChannels(
  channels: readonly Channel[],
  guideChannels: readonly GuideChannel[],
  aliases: Aliases = new Map(),
): readonly ChannelMatch[] {
  const index = indexOf(guideChannels);
  return channels.map((channel) => ({ channel, guide: matchOne(channel, index, aliases) }));
}

interface GuideIndex {
  readonly byId: ReadonlyMap<string, string>;
  /** Normalised name → id, or null where several channels share it. */
  readonly byName: ReadonlyMap<string, string | null>;
}

function indexOf(guideChannels: readonly GuideChannel[]): GuideIndex {
  const byId = new Map<string, string>();
  const byName = new Map<string, string | null>();
  for (const { id, names } of guideChannels) {
    const key = id.trim().toLowerCase();
    if (!byId.has(key)) byId.set(key, id);
    for (const name of new Set([id, ...names].map(normalizeName))) {
      if (name === '') continue;
      const owner = byName.get(name);
      byName.set(name, owner === undefined || owner === id ? id : null);
    }
  }
  return { byId, byName };
}

function matchOne(channel: Channel, index: GuideIndex, aliases: Aliases): ChannelMatch['guide'] {
  const named = (id: string | null | undefined, method: MatchMethod) =>
    id === undefined || id === null ? null : { id, method };
  const byId = (id: string) => (id.trim() === '' ? undefined : index.byId.get(id.trim().toLowerCase()));
  const norm = normalizeName(channel.guideName);
  return (
    named(byId(channel.tvgId), 'tvg_id_exact') ??
    named(norm === '' ? undefined : byId(aliases.get(norm) ?? ''), 'alias_exact') ??
    named(norm === '' ? undefined : index.byName.get(norm), 'name_exact') ??
    named(byId(channel.guideNumber), 'guide_number')
  );
}
