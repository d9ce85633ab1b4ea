/**
 * Identity under drift (P2): which row of this guide load is which programme we already know. Neither the start nor
 * the title is identity, for guides change both; rows and known programmes are matched one to one, channel by channel:
 * the same start first, then a key it once had, then as a move.
 */

import type { Capsule } from './capsule.js';
import { normTitle } from './capsules.js';
import type { Tombstone } from './recording.js';
import { isFiller } from './station.js';
import { compareText } from './text.js';

/** A recording of the store, as far as deciding needs it. */
export interface KnownRecording {
  readonly id: string;
  /** Every record key it has had, oldest first. */
  readonly keys: readonly string[];
  /** As last planned. */
  readonly capsule: Capsule;
  /**
   * `done` is published, failed or cancelled by a person. One that the plan itself dropped is no longer known: it must
   * be left out, or a programme that comes back would never be recorded.
   */
  readonly state: 'scheduled' | 'running' | 'done';
  /** The programme's, without padding. */
  readonly startAt: number;
  readonly stopAt: number;
  /** A person asked for it: no policy drops it. */
  readonly wanted?: boolean;
}

/** Whom a row belongs to. */
export type Claim =
  | { readonly kind: 'known'; readonly known: KnownRecording }
  | { readonly kind: 'tombstone'; readonly tombstone: Tombstone };

export interface IdentityInput {
  readonly capsules: readonly Capsule[];
  readonly known: readonly KnownRecording[];
  readonly tombstones: readonly Tombstone[];
  /** Record keys of the last load that was used; null where there was none. */
  readonly previousRowKeys: ReadonlySet<string> | null;
  readonly now: number;
  /** Longer rows are fillers; 0 is no limit. */
  readonly programmeMsMax: number;
}

/** Starts at most this far apart, or an overlap, can be one programme that was moved. */
const MOVE_MS_MAX = 30 * 60_000;

/** What a known programme is recognised by. */
interface Entity {
  readonly claim: Claim;
  readonly id: string;
  /** Running before scheduled before finished before gone. */
  readonly rank: number;
  readonly finished: boolean;
  readonly keys: readonly string[];
  readonly startAt: number;
  readonly stopAt: number;
  readonly title: string;
  readonly episode: string;
  /** Its own row was one already. */
  readonly filler: boolean;
}

/** What rows and recordings of one channel share: its dna, else its id, in lower case. */
export function channelKeyOf(capsule: Pick<Capsule, 'dnaId' | 'channelId'>): string {
  return (capsule.dnaId || capsule.channelId).toLowerCase();
}

/** Capsules by channel, each in the order of start and then key, whatever the order of the input. */
export function rowsByChannel(capsules: readonly Capsule[]): ReadonlyMap<string, readonly Capsule[]> {
  const channels = new Map<string, Capsule[]>();
  for (const capsule of capsules) push(channels, channelKeyOf(capsule), capsule);
  for (const rows of channels.values()) {
    rows.sort((a, b) => a.startAt - b.startAt || compareText(a.recordKey, b.recordKey));
  }
  return channels;
}

/** The claim on each row that has one. No row has two, no known programme has two rows. */
export function identify(input: IdentityInput): ReadonlyMap<Capsule, Claim> {
  const entities = [
    ...input.known.map((known) => fromKnown(known, input.programmeMsMax)),
    ...input.tombstones.map(fromTombstone),
  ];
  if (entities.length === 0) return new Map();
  entities.sort((a, b) => a.rank - b.rank || a.startAt - b.startAt || compareText(a.id, b.id));
  const byKey = new Map<string, Entity[]>();
  const byChannel = new Map<string, Entity[]>();
  for (const entity of entities) {
    for (const key of entity.keys) push(byKey, key, entity);
    push(byChannel, channelOf(entity.claim), entity);
  }
  const claims = new Map<Capsule, Claim>();
  for (const [channel, rows] of rowsByChannel(input.capsules)) {
    matchChannel(rows, byChannel.get(channel) ?? [], byKey, input, claims);
  }
  return claims;
}

function matchChannel(
  rows: readonly Capsule[],
  entities: readonly Entity[],
  byKey: ReadonlyMap<string, readonly Entity[]>,
  input: IdentityInput,
  claims: Map<Capsule, Claim>,
): void {
  const taken = new Set<Entity>();
  const byStart = new Map<number, Entity[]>();
  for (const entity of entities) push(byStart, entity.startAt, entity);
  const claim = (
    row: Capsule,
    candidates: readonly Entity[] | undefined,
    fits: (entity: Entity) => boolean,
  ) => {
    if (candidates === undefined || claims.has(row)) return;
    const entity = candidates.find((candidate) => !taken.has(candidate) && fits(candidate));
    if (entity === undefined) return;
    taken.add(entity);
    claims.set(row, entity.claim);
  };
  for (const row of rows) claim(row, byKey.get(row.recordKey), ({ startAt }) => startAt === row.startAt);
  for (const row of rows) claim(row, byStart.get(row.startAt), () => true);
  for (const row of rows) claim(row, byKey.get(row.recordKey), () => true);
  if (taken.size === entities.length) return;

  const starts = new Set(rows.map(({ startAt }) => startAt));
  const keys = new Set(rows.map(({ recordKey }) => recordKey));
  const gone = entities.filter(
    (entity) =>
      !taken.has(entity) &&
      !starts.has(entity.startAt) &&
      !entity.keys.some((recordKey) => keys.has(recordKey)),
  );
  const free = rows.filter((row) => !claims.has(row));
  if (gone.length === 0 || free.length === 0) return;
  const longest = Math.max(...free.map(({ startAt, stopAt }) => stopAt - startAt));
  const settle = (wordOf: (row: Capsule) => string, wordsOf: (entity: Entity) => string) => {
    for (const [entity, row] of pairs(gone, free, longest, wordOf, wordsOf)) {
      if (isMove(entity, row, input)) claim(row, [entity], () => true);
    }
  };
  settle(
    (row) => row.episode,
    (entity) => entity.episode,
  );
  settle(
    (row) => normTitle(row.title),
    (entity) => entity.title,
  );
}

/** Entities and rows that say the same word and lie near each other, the nearest first. */
function pairs(
  gone: readonly Entity[],
  free: readonly Capsule[],
  longest: number,
  wordOf: (row: Capsule) => string,
  wordsOf: (entity: Entity) => string,
): readonly (readonly [Entity, Capsule])[] {
  const byWord = new Map<string, Capsule[]>();
  for (const row of free) push(byWord, wordOf(row), row);
  const found: (readonly [Entity, Capsule])[] = [];
  for (const entity of gone) {
    const word = wordsOf(entity);
    const rows = word === '' ? undefined : byWord.get(word);
    if (rows === undefined) continue;
    const until = Math.max(entity.stopAt, entity.startAt + MOVE_MS_MAX);
    const from = firstFrom(rows, entity.startAt - Math.max(longest, MOVE_MS_MAX));
    for (const row of rows.slice(from)) {
      if (row.startAt > until) break;
      found.push([entity, row]);
    }
  }
  const apart = ([entity, row]: readonly [Entity, Capsule]) => Math.abs(entity.startAt - row.startAt);
  return found.sort(
    (a, b) =>
      apart(a) - apart(b) ||
      a[0].rank - b[0].rank ||
      a[0].startAt - b[0].startAt ||
      compareText(a[0].id, b[0].id) ||
      a[1].startAt - b[1].startAt,
  );
}

function isMove(
  entity: Entity,
  row: Capsule,
  { previousRowKeys, now, programmeMsMax }: IdentityInput,
): boolean {
  if (isFiller(row, programmeMsMax) && !entity.filler) return false;
  if (entity.episode !== '' && row.episode !== '' && entity.episode !== row.episode) return false;
  const overlap = Math.min(entity.stopAt, row.stopAt) - Math.max(entity.startAt, row.startAt);
  const near = overlap > 0 || Math.abs(entity.startAt - row.startAt) <= MOVE_MS_MAX;
  const isNew = previousRowKeys === null || !previousRowKeys.has(row.recordKey);
  if (!entity.finished) return near && isNew;
  // A load does not show what is over, so that a finished programme's row is gone proves nothing by itself: the next
  // episode of the same title would pass for it. Lying mostly upon it does prove it.
  const shorter = Math.min(entity.stopAt - entity.startAt, row.stopAt - row.startAt);
  if (overlap > 0 && overlap * 2 >= shorter) return true;
  return near && isNew && previousRowKeys !== null && entity.stopAt > now;
}

function fromKnown(known: KnownRecording, programmeMsMax: number): Entity {
  return {
    claim: { kind: 'known', known },
    id: known.id,
    rank: { running: 0, scheduled: 1, done: 2 }[known.state],
    finished: known.state === 'done',
    keys: known.keys,
    startAt: known.startAt,
    stopAt: known.stopAt,
    title: normTitle(known.capsule.title),
    episode: known.capsule.episode,
    filler: isFiller(known.capsule, programmeMsMax),
  };
}

function fromTombstone(tombstone: Tombstone): Entity {
  const { id, keys, startAt, stopAt, normTitle: title, episode } = tombstone;
  return {
    claim: { kind: 'tombstone', tombstone },
    id,
    rank: 3,
    finished: true,
    keys,
    startAt,
    stopAt,
    title,
    episode,
    filler: false,
  };
}

function channelOf(claim: Claim): string {
  return claim.kind === 'known' ? channelKeyOf(claim.known.capsule) : claim.tombstone.channel.toLowerCase();
}

/** Index of the first row that starts at `at` or later; rows are in the order of start. */
function firstFrom(rows: readonly Capsule[], at: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.startAt ?? at) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
