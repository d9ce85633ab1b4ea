/**
 * What a guide load means for programmes that are known already: moved, retitled, longer, shorter, gone (P2). What
 * runs is never dropped (P3), and what a guide merely fails to say changes nothing (P5): a filler row, a lost category
 * or an empty channel is no news.
 */

import type { Capsule } from './capsule.js';
import { normTitle } from './capsules.js';
import { channelKeyOf, type Claim, type KnownRecording } from './identity.js';
import type { PlanReason } from './reasons.js';
import { isFiller } from './station.js';

/**
 * `record` make a new recording; `skip` nothing; `move` a scheduled one has another start, title or details; `extend`
 * the stop of a scheduled or running one changes, or a running one gets another name; `drop` a scheduled one goes.
 */
export interface Decision {
  readonly action: 'record' | 'skip' | 'move' | 'extend' | 'drop';
  readonly reason: PlanReason;
  /** The row; for `move` and `extend` as the recording shall have it from now on. */
  readonly capsule: Capsule;
  readonly priority: number;
  readonly expiresAt: number;
  /** Which recording or tombstone the row belongs to. */
  readonly recordingId?: string;
  /** A finished recording or tombstone was recognised by more than its keys: add the row's record key to them. */
  readonly addKey?: true;
}

/** A decision without what follows from its capsule, and without the capsule where it is the row itself. */
export type Word = Pick<Decision, 'action' | 'reason'> &
  Partial<Pick<Decision, 'recordingId' | 'addKey' | 'capsule'>>;

export interface Upkeep {
  /** Every row of this load by channel, in the order of start. */
  readonly rows: ReadonlyMap<string, readonly Capsule[]>;
  /** Why the policy leaves a capsule out, or null. */
  readonly excluded: (capsule: Capsule) => PlanReason | null;
  /** 0 is no limit. */
  readonly programmeMsMax: number;
}

export function claimedWord(row: Capsule, claim: Claim, upkeep: Upkeep): Word {
  if (claim.kind === 'tombstone') {
    const { id, keys, reason } = claim.tombstone;
    return finishedWord(row, id, keys, tombstoneReason(reason));
  }
  const { known } = claim;
  switch (known.state) {
    case 'done':
      return finishedWord(row, known.id, known.keys, 'already_recorded');
    case 'running':
      return isNoNews(row, known, upkeep) ? unchanged(known) : told(row, known, upkeep, runningWord);
    case 'scheduled':
      return isNoNews(row, known, upkeep) ? unchanged(known) : told(row, known, upkeep, scheduledWord);
  }
}

/**
 * The number of an episode that a guide only left out is no news: without it, another airing would be recorded beside
 * this one.
 */
function told(
  row: Capsule,
  known: KnownRecording,
  upkeep: Upkeep,
  wordOf: (row: Capsule, known: KnownRecording, upkeep: Upkeep) => Word,
): Word {
  const { episode, title } = known.capsule;
  if (row.episode !== '' || episode === '' || normTitle(row.title) !== normTitle(title))
    return wordOf(row, known, upkeep);
  const kept = { ...row, episode };
  const word = wordOf(kept, known, upkeep);
  return word.action === 'extend' || word.action === 'move' ? { capsule: kept, ...word } : word;
}

function tombstoneReason(reason: string): PlanReason {
  if (reason === 'skip') return 'skipped';
  return reason.startsWith('removed') ? 'removed' : 'already_recorded';
}

/** Whether other programmes of its channel fill at least half of its time. Nothing there proves nothing. */
export function isReplaced(known: KnownRecording, upkeep: Upkeep): boolean {
  let covered = 0;
  let until = known.startAt;
  for (const row of upkeep.rows.get(channelKeyOf(known.capsule)) ?? []) {
    const from = Math.max(row.startAt, until);
    const to = Math.min(row.stopAt, known.stopAt);
    if (to <= from || isFiller(row, upkeep.programmeMsMax)) continue;
    covered += to - from;
    until = to;
  }
  return covered * 2 >= known.stopAt - known.startAt;
}

function isNoNews(row: Capsule, known: KnownRecording, { programmeMsMax }: Upkeep): boolean {
  return isFiller(row, programmeMsMax) && !isFiller(known.capsule, programmeMsMax);
}

function finishedWord(row: Capsule, recordingId: string, keys: readonly string[], reason: PlanReason): Word {
  const word = { action: 'skip', reason, recordingId } as const;
  return keys.includes(row.recordKey) ? word : { ...word, addKey: true };
}

function unchanged(known: KnownRecording): Word {
  const reason = known.state === 'running' ? 'already_recording' : 'already_scheduled';
  return { action: 'skip', reason, recordingId: known.id };
}

function scheduledWord(told: Capsule, known: KnownRecording, { excluded }: Upkeep): Word {
  const refusal = known.wanted ? null : excluded(told);
  const other = normTitle(told.title) !== normTitle(known.capsule.title);
  if (refusal !== null && (other || excluded(known.capsule) !== null)) {
    return { action: 'drop', reason: refusal, recordingId: known.id };
  }
  // The same programme that only lost a category or a group is still what it was.
  const row = refusal === null ? told : keepingKind(told, known.capsule);
  const word = (action: Decision['action'], reason: PlanReason) => ({
    action,
    reason,
    recordingId: known.id,
    capsule: row,
  });
  if (row.startAt !== known.startAt) return word('move', 'moved');
  if (!known.keys.includes(row.recordKey)) return word('move', 'retitled');
  if (row.stopAt !== known.stopAt)
    return word('extend', row.stopAt > known.stopAt ? 'stop_later' : 'stop_earlier');
  return sameDetails(row, known.capsule) ? unchanged(known) : word('move', 'details_changed');
}

function keepingKind(row: Capsule, { lane, categories, group, channelName, channelId }: Capsule): Capsule {
  return { ...row, lane, categories, group, channelName, channelId };
}

/** What runs ends later as soon as the guide says so, and earlier only where the next programme confirms it. */
function runningWord(row: Capsule, known: KnownRecording, { rows }: Upkeep): Word {
  const { id: recordingId, stopAt } = known;
  if (row.stopAt > stopAt) return { action: 'extend', reason: 'stop_later', recordingId };
  if (row.stopAt < stopAt && rows.get(channelKeyOf(row))?.some(({ startAt }) => startAt === row.stopAt)) {
    return { action: 'extend', reason: 'stop_earlier', recordingId };
  }
  if (known.keys.includes(row.recordKey)) return unchanged(known);
  const reason = row.startAt === known.startAt ? 'retitled' : 'moved';
  return { action: 'extend', reason, recordingId, capsule: { ...row, stopAt } };
}

/** Upstreams are the recording's own business from its first plan on. */
function sameDetails(a: Capsule, b: Capsule): boolean {
  return (
    a.title === b.title &&
    a.subTitle === b.subTitle &&
    a.desc === b.desc &&
    a.episode === b.episode &&
    a.lane === b.lane &&
    a.categories.join('\n') === b.categories.join('\n')
  );
}
