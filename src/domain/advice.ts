/** What a person may want to do about lists and guides: narrow a huge list, name channels that the guide calls otherwise. */

import type { Channel } from './channel.js';
import { normalizeName } from './dna.js';
import type { FilterPolicy } from './filters.js';
import { matchChannels, type Aliases } from './match.js';
import type { GuideChannel } from './programme.js';
import { compareText } from './text.js';

/** More channels than this without any choice are most likely not meant. */
export const UNFILTERED_MAX = 1_000;
const GROUPS_SHOWN = 10;
const ALIASES_SHOWN = 10;
/** Names less alike than this are no suggestion. */
const LIKENESS_MIN = 0.5;

export interface GroupSize {
  readonly group: string;
  readonly channels: number;
}

/** The largest groups of a list that is huge and not narrowed by anybody; null where there is no need. */
export function wideOpen(
  channels: readonly Channel[],
  policy: Pick<FilterPolicy, 'channels' | 'groups' | 'excludeGroups' | 'excludeChannels'>,
): readonly GroupSize[] | null {
  const narrowed = [policy.channels, policy.groups, policy.excludeGroups, policy.excludeChannels];
  if (channels.length <= UNFILTERED_MAX || narrowed.some((list) => list.length > 0)) return null;
  const sizes = new Map<string, number>();
  for (const { group } of channels) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return [...sizes]
    .map(([group, count]) => ({ group, channels: count }))
    .toSorted((a, b) => b.channels - a.channels || compareText(a.group, b.group))
    .slice(0, GROUPS_SHOWN);
}

/** A group as one entry of `--groups`, where a comma, a leading `@` and `${` mean something else: `*` fits them all. */
export function groupPattern(group: string): string {
  return group.trim().replace(/^@|,|\$\{/g, '*');
}

/** As one word of a POSIX shell. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

export interface AliasAdvice {
  /** Channels that no guide knows. */
  readonly unmatched: number;
  /** Of the first of them: its name, and the guide channel whose name is most like it. */
  readonly pairs: readonly { readonly name: string; readonly guideId: string }[];
}

export function aliasAdvice(
  channels: readonly Channel[],
  guideChannels: readonly GuideChannel[],
  aliases?: Aliases,
): AliasAdvice {
  const unmatched = matchChannels(channels, guideChannels, aliases).filter(({ guide }) => guide === null);
  const named = guideChannels.flatMap(({ id, names }) =>
    [...names, id].map((name) => ({ id, pieces: piecesOf(normalizeName(name)) })),
  );
  const names = new Set(unmatched.map(({ channel }) => channel.guideName).filter((name) => name !== ''));
  const pairs = [...names].slice(0, ALIASES_SHOWN).flatMap((name) => {
    const guideId = mostLike(piecesOf(normalizeName(name)), named);
    return guideId === null ? [] : [{ name, guideId }];
  });
  return { unmatched: unmatched.length, pairs };
}

type Pieces = ReadonlySet<string>;

/** Pairs of neighbouring letters. */
function piecesOf(name: string): Pieces {
  const padded = ` ${name} `;
  return new Set(Array.from({ length: padded.length - 1 }, (_, i) => padded.slice(i, i + 2)));
}

function mostLike(
  wanted: Pieces,
  named: readonly { readonly id: string; readonly pieces: Pieces }[],
): string | null {
  let best: string | null = null;
  let bestLikeness = LIKENESS_MIN;
  for (const { id, pieces } of named) {
    let shared = 0;
    for (const piece of wanted) if (pieces.has(piece)) shared += 1;
    const likeness = (2 * shared) / (wanted.size + pieces.size);
    if (likeness > bestLikeness) {
      best = id;
      bestLikeness = likeness;
    }
  }
  return best;
}
