/** How decisions are shown (CONTRACT §1), and what `why` finds: for the command line and the HTTP door alike (P10). */

import { isRecorded, type Conflict } from '../domain/forecast.js';
import { isMeant } from '../domain/gist.js';
import { ToldLater } from '../domain/json.js';
import type { Decision } from '../domain/plan.js';
import type { Tombstone } from '../domain/recording.js';
import { listOf, reportItem, type MachineState } from '../domain/reportItem.js';
import { timeMs } from '../domain/sidecar.js';
import { rfc3339 } from '../domain/text.js';
import { gist, type Entry } from './entries.js';
import { rankingView } from './rankingView.js';
import type { Upstreams } from './upstreams.js';

/** A move or a new stop is still a recording. `conflict` is what of it will be lost to others, as far as is known now. */
export function shownDecision(decision: Decision, conflict: Conflict | undefined) {
  const { capsule, priority, expiresAt } = decision;
  return {
    capsule_id: capsule.capsuleId,
    record_key: capsule.recordKey,
    title: capsule.title,
    channel_id: capsule.channelId,
    channel_name: capsule.channelName,
    lane: capsule.lane,
    start: rfc3339(capsule.startAt),
    stop: rfc3339(capsule.stopAt),
    action: shownAction(decision),
    reason: decision.reason,
    priority,
    expires_at: rfc3339(expiresAt),
    ...(conflict && { conflict: shownConflict(conflict) }),
  };
}

export function shownConflict({ lostMs, firstAt, reason, winners, again }: Conflict) {
  return {
    reason,
    from: rfc3339(firstAt),
    lost_seconds: Math.round(lostMs / 1_000),
    loses_to: winners.map(({ capsuleId, title, channelName }) => ({
      capsule_id: capsuleId,
      title,
      channel_name: channelName,
    })),
    again: again && {
      capsule_id: again.capsuleId,
      channel_name: again.channelName,
      start: rfc3339(again.startAt),
    },
  };
}

export function shownAction(decision: Decision): 'record' | 'skip' {
  return isRecorded(decision) ? 'record' : 'skip';
}

/** Rows beyond the horizon are looked at only so that a programme that moved there is seen to have moved. */
export function withinHorizon(decisions: readonly Decision[]): readonly Decision[] {
  return decisions.filter(({ reason }) => reason !== 'beyond_horizon');
}

/**
 * The plan, and before it what of earlier ones is over: as it was decided last, but for those whose recording has come
 * to its end since.
 */
export function withPast(
  decisions: readonly Decision[],
  past: readonly Decision[],
  entries: Iterable<Pick<Entry, 'id' | 'path'>>,
): readonly Decision[] {
  const keys = new Set(decisions.map(({ capsule }) => capsule.recordKey));
  const underWay = [...entries].filter(({ path }) => listOf(stateOf(path)) === 'active');
  const running = new Set(underWay.map(({ id }) => id));
  const over = past
    .filter(({ capsule }) => !keys.has(capsule.recordKey))
    .map((decision): Decision => {
      const { recordingId = '' } = decision;
      const ended = recordingId !== '' && isRecorded(decision) && !running.has(recordingId);
      return ended ? { ...decision, action: 'skip', reason: 'already_recorded' } : decision;
    });
  return [...over.toSorted((a, b) => a.capsule.startAt - b.capsule.startAt), ...decisions];
}

/** What of a plan the connections that are known will not allow. */
export type Conflicts = ReadonlyMap<Decision, Conflict>;

export interface Known {
  readonly decisions: readonly Decision[];
  readonly entries: Iterable<Entry>;
  readonly tombstones: Iterable<Tombstone>;
}

export interface Found {
  readonly decisions: readonly Decision[];
  readonly entries: readonly Entry[];
  readonly gone: readonly Tombstone[];
}

/** By id, title or channel, in the guide, among the recordings and among what is remembered. */
export function findWhy(text: string, known: Known): Found {
  const query = text.trim().toLowerCase();
  if (query === '') return { decisions: [], entries: [], gone: [] };
  return {
    decisions: known.decisions.filter(({ capsule, recordingId = '' }) =>
      matches(query, recordingId, capsule),
    ),
    entries: [...known.entries].filter((entry) => {
      const meant = entry.id.startsWith(query) ? 'yes' : isMeant(query, gist(entry));
      return meant === 'perhaps' ? matches(query, entry.id, entry.recording.capsule) : meant === 'yes';
    }),
    gone: [...known.tombstones].filter(
      ({ id, normTitle }) => id.startsWith(query) || normTitle.includes(query),
    ),
  };
}

/** `query` in lower case. */
export function matches(query: string, id: string, capsule: Decision['capsule']): boolean {
  return (
    (id !== '' && id.startsWith(query)) ||
    capsule.capsuleId.toLowerCase() === query ||
    [capsule.title, capsule.channelName].some((text) => text.toLowerCase().includes(query)) ||
    [capsule.channelId, capsule.guideNumber, capsule.dnaId].some((text) => text.toLowerCase() === query)
  );
}

/** `upstreams`: what is known of them now. */
export function shownWhy(
  { decisions, entries, gone }: Found,
  at: number,
  upstreams: Upstreams,
  conflicts: Conflicts,
) {
  return {
    generated_at: rfc3339(at),
    decisions: new ToldLater(decisions, (decision) => ({
      ...shownDecision(decision, conflicts.get(decision)),
      upstreams: rankingView(upstreams, decision.capsule),
    })),
    recordings: new ToldLater(entries, (entry) => shownEntry(entry, upstreams)),
    removed: new ToldLater(gone, ({ id, normTitle, reason, at: removedAt }) => ({
      id,
      title: normTitle,
      reason,
      at: rfc3339(removedAt),
    })),
  };
}

function shownEntry({ recording, path, updatedAt }: Entry, upstreams: Upstreams) {
  const { reason, lastFault, cancelReason } = recording;
  return {
    ...reportItem({ recording, state: stateOf(path), updatedAt }),
    decided_by: reason,
    fault: lastFault && { cause: lastFault.cause, code: lastFault.code, at: timeMs(lastFault.at) },
    cancel_reason: cancelReason,
    upstreams: rankingView(upstreams, recording.capsule, recording),
  };
}

function stateOf(path: string): MachineState {
  return path.split('.')[0] as MachineState;
}
