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
  /** Of one that is done: it has no good copy of the programme. */
  readonly failed?: boolean;
  /** By which it gets its slot; where it is left out, the plan does not change it. */
  readonly priority?: number;
}

/** Record keys of a load, to be asked. */
export type RowKeys = Pick<ReadonlySet<string>, 'has'>;

/** Whom a row belongs to. */
export type Claim =
  | { readonly kind: 'known'; readonly known: KnownRecording }
  | { readonly kind: 'tombstone'; readonly tombstone: Tombstone };

export interface IdentityInput {
  /** Of `rowsByChannel`. */
  readonly rows: ReadonlyMap<string, readonly Capsule[]>;
  readonly known: readonly KnownRecording[];
  readonly tombstones: readonly Tombstone[];
  /** Record keys of the last load that was used; null where there was none. */
  readonly previousRowKeys: RowKeys | null;
  readonly now: number;
  /** Longer rows are fillers; 0 is no limit. */
  readonly programmeMsMax: number;
}

/** Starts at most this far apart, or an overlap, can be one programme that was moved. */
const MOVE_MS_MAX = 30 * 60_000;

/** What a known programme is recognised by. Title and the like are asked of its claim only where they are needed. */
interface Entity {
  readonly claim: Claim;
  readonly id: string;
  /** Running before scheduled before finished before gone. */
  readonly rank: number;
  readonly keys: readonly string[];
  readonly startAt: number;
  readonly stopAt: number;
}

const FINISHED_RANK = 2;

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
  const claims = new Map<Capsule, Claim>();
  const entities = [...input.known.map(fromKnown), ...input.tombstones.map(fromTombstone)];
  if (entities.length === 0) return claims;
  entities.sort((a, b) => a.startAt - b.startAt || a.rank - b.rank || compareText(a.id, b.id));
  const byKey = keyIndex(entities);
  const byChannel = new Map<string, Entity[]>();
  for (const entity of entities) push(byChannel, channelOf(entity.claim), entity);
  for (const [channel, rows] of input.rows) {
    matchChannel(rows, byChannel.get(channel) ?? [], byKey, input, claims);
  }
  return claims;
}

type KeyIndex = (key: string) => readonly Entity[];

/** Nearly every key has one owner, so only the others cost a list. */
function keyIndex(entities: readonly Entity[]): KeyIndex {
  const first = new Map<string, Entity>();
  const shared = new Map<string, Entity[]>();
  for (const entity of entities) {
    for (const key of entity.keys) {
      const other = first.get(key);
      if (other === undefined) first.set(key, entity);
      else if (other !== entity) push(shared, key, entity);
    }
  }
  for (const [key, others] of shared) {
    const owner = first.get(key);
    if (owner !== undefined) others.push(owner);
    others.sort((a, b) => a.rank - b.rank || a.startAt - b.startAt || compareText(a.id, b.id));
  }
  return (key) => {
    const owner = first.get(key);
    return owner === undefined ? [] : (shared.get(key) ?? [owner]);
  };
}

function matchChannel(
  rows: readonly Capsule[],
  entities: readonly Entity[],
  byKey: KeyIndex,
  input: IdentityInput,
  claims: Map<Capsule, Claim>,
): void {
  const taken = new Set<Entity>();
  const take = (row: Capsule, entity: Entity) => {
    if (taken.has(entity) || claims.has(row)) return;
    taken.add(entity);
    claims.set(row, entity.claim);
  };
  for (const row of rows) {
    for (const entity of byKey(row.recordKey)) if (entity.startAt === row.startAt) take(row, entity);
  }
  for (const row of rows) {
    if (claims.has(row)) continue;
    for (let i = firstFrom(entities, row.startAt); entities[i]?.startAt === row.startAt; i++) {
      take(row, entities[i] as Entity);
    }
  }
  for (const row of rows) if (!claims.has(row)) for (const entity of byKey(row.recordKey)) take(row, entity);

  const starts = new Set(rows.map(({ startAt }) => startAt));
  const keys = new Set(rows.map(({ recordKey }) => recordKey));
  const gone = entities.filter(
    (entity) =>
      !taken.has(entity) && !starts.has(entity.startAt) && !entity.keys.some((key) => keys.has(key)),
  );
  const free = rows.filter((row) => !claims.has(row));
  if (gone.length === 0 || free.length === 0) return;
  const longest = free.reduce((most, { startAt, stopAt }) => Math.max(most, stopAt - startAt), 0);
  const settle = (wordOfRow: (row: Capsule) => string, wordOfEntity: (entity: Entity) => string) => {
    for (const [entity, row] of pairs(gone, free, longest, wordOfRow, wordOfEntity)) {
      if (isMove(entity, row, input)) take(row, entity);
    }
  };
  settle(
    (row) => row.episode,
    ({ claim }) => episodeOf(claim),
  );
  settle(
    (row) => normTitle(row.title),
    ({ claim }) => titleOf(claim),
  );
}

/** Entities and rows that say the same word and lie near each other, the nearest first. */
function pairs(
  gone: readonly Entity[],
  free: readonly Capsule[],
  longest: number,
  wordOfRow: (row: Capsule) => string,
  wordOfEntity: (entity: Entity) => string,
): readonly (readonly [Entity, Capsule])[] {
  const byWord = new Map<string, Capsule[]>();
  for (const row of free) push(byWord, wordOfRow(row), row);
  const found: (readonly [Entity, Capsule])[] = [];
  for (const entity of gone) {
    const word = wordOfEntity(entity);
    const rows = word === '' ? undefined : byWord.get(word);
    if (rows === undefined) continue;
    const until = Math.max(entity.stopAt, entity.startAt + MOVE_MS_MAX);
    const from = firstFrom(rows, entity.startAt - Math.max(longest, MOVE_MS_MAX));
    for (let i = from; i < rows.length; i++) {
      const row = rows[i];
      if (row === undefined || row.startAt > until) break;
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
  const { claim, startAt, stopAt } = entity;
  const episode = episodeOf(claim);
  if (episode !== '' && row.episode !== '' && episode !== row.episode) return false;
  if (
    isFiller(row, programmeMsMax) &&
    !(claim.kind === 'known' && isFiller(claim.known.capsule, programmeMsMax))
  ) {
    return false;
  }
  const overlap = Math.min(stopAt, row.stopAt) - Math.max(startAt, row.startAt);
  const near = overlap > 0 || Math.abs(startAt - row.startAt) <= MOVE_MS_MAX;
  const isNew = previousRowKeys === null || !previousRowKeys.has(row.recordKey);
  if (entity.rank < FINISHED_RANK) return near && isNew;
  // A load does not show what is over, so that a finished programme's row is gone proves nothing by itself: the next
  // episode of the same title would pass for it. Lying mostly upon it does prove it.
  const shorter = Math.min(stopAt - startAt, row.stopAt - row.startAt);
  if (overlap > 0 && overlap * 2 >= shorter) return true;
  return near && isNew && previousRowKeys !== null && stopAt > now;
}

function fromKnown(known: KnownRecording): Entity {
  const { id, keys, startAt, stopAt, state } = known;
  return { claim: { kind: 'known', known }, id, rank: RANKS[state], keys, startAt, stopAt };
}

const RANKS = { running: 0, scheduled: 1, done: FINISHED_RANK } as const;

function fromTombstone(tombstone: Tombstone): Entity {
  const { id, keys, startAt, stopAt } = tombstone;
  return { claim: { kind: 'tombstone', tombstone }, id, rank: FINISHED_RANK + 1, keys, startAt, stopAt };
}

function titleOf(claim: Claim): string {
  return claim.kind === 'known' ? normTitle(claim.known.capsule.title) : claim.tombstone.normTitle;
}

function episodeOf(claim: Claim): string {
  return claim.kind === 'known' ? claim.known.capsule.episode : claim.tombstone.episode;
}

function channelOf(claim: Claim): string {
  return claim.kind === 'known' ? channelKeyOf(claim.known.capsule) : claim.tombstone.channel.toLowerCase();
}

/** Index of the first row that starts at `at` or later; rows are in the order of start. */
function firstFrom(rows: readonly { readonly startAt: number }[], at: number): number {
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
