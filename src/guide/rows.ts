/**
 * What the rows of every kind of list have in common: which are not for recording, how good their picture is, and an
 * id for each that is unique in its list, stable from load to load, and shows no login.
 */

import type { Channel } from '../domain/channel.js';
import { dnaId } from '../domain/dna.js';
import { sha1hex } from '../domain/sha1.js';

export interface ListOptions {
  /** Id of the list (`SourceRef.id`). */
  readonly source: string;
  readonly includeAdult: boolean;
}

/** A row before it has its ids. */
export type Row = Omit<Channel, 'channelId' | 'dnaId'> & {
  /** What the list itself calls it, or ''. */
  readonly ownId: string;
  readonly ownDna: string;
};

/** Counts the rows given up, by reason. */
export interface Tally {
  count(reason: string): void;
  readonly counts: Readonly<Record<string, number>>;
}

export function createTally(): Tally {
  const counts: Record<string, number> = {};
  return {
    counts,
    count: (reason) => {
      counts[reason] = (counts[reason] ?? 0) + 1;
    },
  };
}

const ADULT = /(?:^|[^\p{L}\p{N}])(?:xxx|adults?(?!\s*swim)|porno?|18\s?\+|\+\s?18)(?=$|[^\p{L}\p{N}])/iu;
const VOD_PATH = /\/(?:movies?|series)\/|\.(?:mp4|mkv|avi)$/i;

/** By its name or group, the only signs that lists give. */
export function isAdult(row: Pick<Channel, 'guideName' | 'group'>): boolean {
  return ADULT.test(row.guideName) || ADULT.test(row.group);
}

/** A film or an episode on demand, not a channel. */
export function isVod(url: string): boolean {
  return VOD_PATH.test(pathOf(url));
}

export function isStreamUrl(url: string): boolean {
  return /^https?:\/\/[^/\s]/i.test(url) && URL.canParse(url);
}

/** 2 UHD, 1 HD, 0 SD, -1 unknown, by what the name says. */
export function qualityOf(name: string): number {
  if (/\b(?:4k|uhd|2160p?)\b/i.test(name)) return 2;
  if (/\b(?:f?hd|1080[pi]?|720p?)\b/i.test(name)) return 1;
  return /\b(?:sd|576[pi]|480[pi])\b/i.test(name) ? 0 : -1;
}

/**
 * Rows as channels. An id is the list's own where no other row has it, else a slug of the name; rows that still share
 * one get a short hash of where their stream is, so that the order of the list does not matter.
 */
export function withIds(rows: readonly Row[]): readonly Channel[] {
  const own = countBy(rows.map(({ ownId }) => ownId.toLowerCase()));
  const wished = rows.map((row) =>
    row.ownId !== '' && own.get(row.ownId.toLowerCase()) === 1 ? row.ownId : slug(row.guideName),
  );
  const shared = countBy(wished.map((id) => id.toLowerCase()));
  const taken = new Set<string>();
  return rows.map((row, i) => {
    const wish = wished[i] ?? '';
    const alone = shared.get(wish.toLowerCase()) === 1 || wish === row.ownId;
    const channelId = free(wish !== '' && alone ? wish : `${wish || 'channel'}-${placeHash(row)}`, taken);
    const { ownDna, ownId, ...rest } = row;
    const identity = { ...rest, channelId: ownId || channelId };
    return { ...rest, channelId, dnaId: dnaId({ ...identity, dnaId: ownDna }) };
  });
}

function free(id: string, taken: Set<string>): string {
  let name = id;
  for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${id}-${n}`;
  taken.add(name.toLowerCase());
  return name;
}

/** The last part of the path alone: what comes before it may be a login, and changes with it. */
function placeHash({ urls: [url = ''] }: Row): string {
  return sha1hex(pathOf(url).split('/').at(-1) ?? '').slice(0, 6);
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : '';
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
}

function countBy(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
