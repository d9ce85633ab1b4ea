/**
 * The ledger as it lies beside the media (CONTRACT §4): what is there, what is missing and why, and enough about the
 * programme to rebuild a lost state from it. P4, P10. No addresses, only references.
 */

import type { UpstreamRef } from './channel.js';
import type { Gap, Join, Stretch, TsCounts } from './ledger.js';
import type { Recording, RecordingResult } from './recording.js';

export const LEDGER_VERSION = 1;

/** RFC 3339, UTC, with milliseconds. */
export function timeMs(at: number): string {
  return new Date(at).toISOString();
}

/** How an upstream is shown: `m3u-1a2b3c4d/bbc1#0`. */
export function showRef(ref: UpstreamRef): string {
  return `${ref.source}/${ref.channel}#${ref.index}`;
}

export function ledgerOf(recording: Recording, result: RecordingResult, media: string) {
  const { window } = recording;
  return {
    version: LEDGER_VERSION,
    recording_id: recording.id,
    record_keys: recording.keys,
    media,
    bytes: result.bytes,
    capsule: capsuleOf(recording),
    window: {
      start: timeMs(window.startAt),
      stop: timeMs(window.stopAt),
      pre_padding_s: window.prePaddingMs / 1000,
      post_padding_s: window.postPaddingMs / 1000,
    },
    outcome: result.outcome,
    outcome_reason: result.reason,
    coverage: result.coverage,
    stretches: recording.stretches.map(stretchOf),
    gaps: result.gaps.map(gapOf),
    ts: tsOf(recording.ts),
    joins: recording.joins.map(joinOf),
    reason: recording.reason,
    priority: recording.priority,
    expires_at: timeMs(recording.expiresAt),
    keep: recording.keep,
    finished_at: timeMs(result.finishedAt),
  };
}

function capsuleOf({ capsule }: Recording) {
  return {
    capsule_id: capsule.capsuleId,
    dna_id: capsule.dnaId,
    channel_id: capsule.channelId,
    guide_number: capsule.guideNumber,
    channel_name: capsule.channelName,
    group: capsule.group,
    title: capsule.title,
    sub_title: capsule.subTitle,
    desc: capsule.desc,
    categories: capsule.categories,
    episode: capsule.episode,
    lane: capsule.lane,
    start: timeMs(capsule.startAt),
    stop: timeMs(capsule.stopAt),
  };
}

function stretchOf(stretch: Stretch) {
  return {
    source: showRef(stretch.source),
    from: timeMs(stretch.fromAt),
    to: timeMs(stretch.toAt),
    bytes: stretch.bytes,
    first_offset: stretch.firstOffset,
  };
}

export function gapOf(gap: Gap) {
  return {
    from: timeMs(gap.fromAt),
    to: timeMs(gap.toAt),
    seconds: (gap.toAt - gap.fromAt) / 1000,
    cause: gap.cause,
  };
}

function joinOf(join: Join) {
  return {
    at: timeMs(join.at),
    kind: join.kind,
    removed_overlap_s: join.removedOverlapS,
    approximate: join.approximate,
  };
}

export function tsOf(ts: TsCounts) {
  return {
    packets: ts.packets,
    continuity_errors: ts.continuityErrors,
    transport_errors: ts.transportErrors,
    scrambled: ts.scrambled,
    sync_losses: ts.syncLosses,
    skipped_bytes: ts.skippedBytes,
    clock_jumps: ts.clockJumps,
    trimmed_bytes: ts.trimmedBytes,
  };
}
