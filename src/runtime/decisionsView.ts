/** How decisions are shown (CONTRACT §1), and what `why` finds: for the command line and the HTTP door alike (P10). */

import type { Decision } from '../domain/plan.js';
import type { Tombstone } from '../domain/recording.js';
import { rfc3339 } from '../domain/text.js';
import type { Entry } from './book.js';
import { rankingView } from './rankingView.js';
import type { Upstreams } from './upstreams.js';

/** A move or a new stop is still a recording. */
export function shownDecision(decision: Decision) {
  const { capsule, priority, expiresAt, reason } = decision;
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
    reason,
    priority,
    expires_at: rfc3339(expiresAt),
  };
}

const PLANNED_ALREADY: ReadonlySet<string> = new Set(['already_scheduled', 'already_recording']);

export function shownAction({ action, reason }: Decision): 'record' | 'skip' {
  if (action === 'skip') return PLANNED_ALREADY.has(reason) ? 'record' : 'skip';
  return action === 'drop' ? 'skip' : 'record';
}

/** Rows beyond the horizon are looked at only so that a programme that moved there is seen to have moved. */
export function withinHorizon(decisions: readonly Decision[]): readonly Decision[] {
  return decisions.filter(({ reason }) => reason !== 'beyond_horizon');
}

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
    entries: [...known.entries].filter(({ id, recording }) => matches(query, id, recording.capsule)),
    gone: [...known.tombstones].filter(
      ({ id, normTitle }) => id.startsWith(query) || normTitle.includes(query),
    ),
  };
}

function matches(query: string, id: string, capsule: Decision['capsule']): boolean {
  return (
    (id !== '' && id.startsWith(query)) ||
    capsule.capsuleId.toLowerCase() === query ||
    [capsule.title, capsule.channelName].some((text) => text.toLowerCase().includes(query)) ||
    [capsule.channelId, capsule.guideNumber, capsule.dnaId].some((text) => text.toLowerCase() === query)
  );
}

/** `upstreams`: what is known of them now. */
export function shownWhy({ decisions, entries, gone }: Found, at: number, upstreams: Upstreams) {
  return {
    generated_at: rfc3339(at),
    decisions: decisions.map((decision) => ({
      ...shownDecision(decision),
      upstreams: rankingView(upstreams, decision.capsule),
    })),
    recordings: entries.map((entry) => ({
      ...shownEntry(entry),
      upstreams: rankingView(upstreams, entry.recording.capsule, entry.recording),
    })),
    removed: gone.map(({ id, normTitle, reason, at: removedAt }) => ({
      id,
      title: normTitle,
      reason,
      at: rfc3339(removedAt),
    })),
  };
}

function shownEntry({ id, recording, path }: Entry) {
  const { capsule, result } = recording;
  return {
    id,
    title: capsule.title,
    channel_name: capsule.channelName,
    start: rfc3339(recording.window.startAt),
    stop: rfc3339(recording.window.stopAt),
    machine_state: path.split('.')[0],
    decided_by: recording.reason,
    waiting: recording.waiting,
    last_fault: recording.lastFault,
    outcome: result?.outcome ?? null,
    outcome_reason: result?.reason ?? null,
    cancel_reason: recording.cancelReason,
    evicted_by: recording.evictedBy,
  };
}
