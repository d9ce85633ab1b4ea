/**
 * One recording in the shape of PROTOCOLS §1.9, as the report has it and whatever else shows one. Sources are references,
 * never addresses.
 */
import type { Gap, Outcome } from './ledger.js';
import { resultOf } from './outcome.js';
import type { OutcomeReason } from './outcomeReasons.js';
import type { Recording, RecordingResult } from './recording.js';
import { gapOf, showRef, tsOf } from './sidecar.js';
import { rfc3339 } from './text.js';

export type MachineState =
  | 'scheduled'
  | 'spooling'
  | 'retrying'
  | 'failover'
  | 'finalizing'
  | 'published'
  | 'expired'
  | 'failed'
  | 'cancelled'
  | 'quarantined';

export interface ReportedRecording {
  readonly recording: Recording;
  readonly state: MachineState;
  /** Epoch milliseconds of its last change. */
  readonly updatedAt: number;
}

export type ListName = 'active' | 'completed' | 'failed';

/** Which list a state belongs to; null is none. */
export function listOf(state: MachineState): ListName | null {
  switch (state) {
    case 'scheduled':
    case 'spooling':
    case 'retrying':
    case 'failover':
    case 'finalizing':
      return 'active';
    case 'published':
      return 'completed';
    case 'failed':
    case 'cancelled':
    case 'quarantined':
      return 'failed';
    case 'expired':
      return null;
  }
}

export type ReportItem = ReturnType<typeof reportItem>;

/** Fields that are empty are left out. */
export function reportItem(reported: ReportedRecording) {
  const { recording, state } = reported;
  const { capsule } = recording;
  const result = resultSoFar(reported);
  const bytes = bytesOf(recording);
  const source = recording.current ?? recording.stretches.at(-1)?.source;
  return {
    id: recording.id,
    capsule_id: capsule.capsuleId,
    ...unlessEmpty('record_key', recording.keys.at(-1)),
    ...unlessEmpty('dna_id', capsule.dnaId),
    channel_id: capsule.channelId,
    ...unlessEmpty('guide_number', capsule.guideNumber),
    ...unlessEmpty('channel_name', capsule.channelName),
    title: capsule.title,
    ...unlessEmpty('sub_title', capsule.subTitle),
    lane: capsule.lane,
    state: capsuleState(reported),
    machine_state: state,
    status: statusOf(reported),
    start: rfc3339(recording.window.startAt),
    stop: rfc3339(recording.window.stopAt),
    expires_at: rfc3339(recording.expiresAt),
    priority: recording.priority,
    keep: recording.keep,
    ...unlessEmpty('reason', recording.reason),
    ...unlessEmpty('waiting', recording.waiting),
    ...unlessEmpty('source_url', source && showRef(source)),
    ...fileFields(reported),
    scheduled_for: rfc3339(recording.window.startAt - recording.window.prePaddingMs),
    ...timeIf('started_at', recording.startedAt),
    ...timeIf('stopped_at', recording.result?.finishedAt),
    ...timeIf('recovered_at', recording.recoveredAt),
    duration_mins: Math.trunc((recording.window.stopAt - recording.window.startAt) / 60_000),
    ...unlessZero('bytes_recorded', bytes),
    ...(result?.outcome === 'partial' && { partial_recording: true }),
    ...unlessZero('attempt', recording.attempts),
    ...unlessEmpty('recovery_reason', recording.recoveryReason),
    ...unlessEmpty('error', recording.failReason || recording.cancelReason),
    ...unlessEmpty('last_fault', recording.lastFault?.code),
    ...unlessEmpty('evicted_by', recording.evictedBy),
    ...unlessZero('capture_http_attempts', recording.attempts),
    ...unlessZero('capture_transient_retries', recording.transientRetries),
    ...unlessZero('capture_bytes_resumed', bytesResumed(recording)),
    ...unlessZero('capture_upstream_switches', recording.switches),
    ...outcomeFields(reported, result),
    ...gapFields(result?.gaps ?? gapsOfProgramme(recording)),
    ts_errors: errorsOf(recording),
    sources: [...new Set(recording.stretches.map((stretch) => showRef(stretch.source)))],
  };
}

function fileFields({ recording: { files, spool }, state }: ReportedRecording) {
  if (files === null) return spool === '' ? {} : { output_path: spool };
  const published = state === 'published' && (files.ownsFolder || files.series !== undefined);
  return {
    output_path: files.media,
    ...(published && { published_dir: files.folder, published_path: files.media }),
    nfo_path: files.nfo,
  };
}

/** One that was cancelled while it lasts is sealed only later, and judged by what there is until then. */
function resultSoFar({ recording, state }: ReportedRecording): RecordingResult | null {
  const isUnsealed = state === 'cancelled' && recording.attempts > 0;
  if (recording.result || !isUnsealed) return recording.result;
  return resultOf(recording, recording.bytes, recording.window.stopAt);
}

/** Absent while it is under way. What ended without a result never was tried. */
function outcomeFields(
  { recording: { waiting, failReason }, state }: ReportedRecording,
  result: RecordingResult | null,
) {
  if (result) {
    const { outcome, reason, coverage } = result;
    return { outcome, ...unlessEmpty('outcome_reason', reason), coverage };
  }
  if (listOf(state) !== 'failed' || state === 'quarantined') return {};
  const outcome: Outcome = 'missed';
  return {
    outcome,
    outcome_reason: waiting ?? (failReason === 'missed' ? 'not_started' : state),
    coverage: 0,
  };
}

/** Padding is never a gap. */
function gapsOfProgramme({ gaps, window: { startAt, stopAt } }: Recording): Gap[] {
  return gaps
    .map((gap) => ({ ...gap, fromAt: Math.max(gap.fromAt, startAt), toAt: Math.min(gap.toAt, stopAt) }))
    .filter(({ fromAt, toAt }) => toAt > fromAt);
}

function gapFields(gaps: readonly Gap[]) {
  const seconds = gaps.map((gap) => (gap.toAt - gap.fromAt) / 1000);
  return {
    gap_seconds: round(seconds.reduce((sum, one) => sum + one, 0)),
    gap_count: gaps.length,
    longest_gap_seconds: Math.max(0, ...seconds),
    gaps: gaps.map(gapOf),
  };
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

function errorsOf({ ts }: Recording) {
  const { packets: _packets, ...errors } = tsOf(ts);
  return errors;
}

/** iptv-tunerr's word for where a programme is in time. */
function capsuleState({ recording: { window, startedAt }, state }: ReportedRecording) {
  if (listOf(state) !== 'active') return 'ready';
  return startedAt !== null && startedAt >= window.startAt ? 'in_progress' : startedState(state);
}

function startedState(state: MachineState): 'starting_soon' | 'in_progress' {
  return state === 'scheduled' ? 'starting_soon' : 'in_progress';
}

/** iptv-tunerr's word for what has become of a recording. */
function statusOf(reported: ReportedRecording) {
  switch (listOf(reported.state)) {
    case 'active':
      return reported.state === 'scheduled' ? 'scheduled' : 'recording';
    case 'completed':
      return 'completed';
    case 'failed':
    case null:
      return isInterrupted(reported) ? 'interrupted' : 'failed';
  }
}

function isInterrupted({ recording }: ReportedRecording): boolean {
  const reason: OutcomeReason = 'interrupted';
  return recording.result?.reason === reason;
}

function bytesOf(recording: Recording): number {
  return recording.result?.bytes ?? recording.bytes;
}

/** Bytes that came after the first connection ended. */
function bytesResumed({ stretches }: Recording): number {
  return stretches.slice(1).reduce((sum, stretch) => sum + stretch.bytes, 0);
}

function unlessEmpty<K extends string>(name: K, text: string | null | undefined) {
  return field(name, text === null || text === undefined || text === '' ? [] : [text]);
}

export function unlessZero<K extends string>(name: K, value: number) {
  return field(name, value === 0 ? [] : [value]);
}

function timeIf<K extends string>(name: K, at: number | null | undefined) {
  return field(name, at === null || at === undefined ? [] : [rfc3339(at)]);
}

/** An object with this field, or without it where there is no value. */
function field<K extends string, V>(name: K, value: readonly [V] | readonly V[]): { readonly [P in K]?: V } {
  const entries: { [P in K]?: V } = {};
  for (const one of value) entries[name] = one;
  return entries;
}
