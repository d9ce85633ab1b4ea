/**
 * How the context of a recording changes, apart from when: the pure half of `machines/recording.ts`.
 */

import type { CaptureFault, CaptureOutcome } from '../src/domain/capture.js';
import { backoffMs, closeAt, openAt, withFault, withPiece } from '../src/domain/capturing.js';
import { refKey } from '../src/domain/channel.js';
import type { FinalizeOutcome, SealOutcome } from '../src/domain/effects.js';
import { withinSpool, withSpoolTail } from '../src/domain/foundSpool.js';
import { NO_TS } from '../src/domain/ledger.js';
import type { Deadline, Recording } from '../src/domain/recording.js';
import type { RecordingEvent } from './events.js';

/** An outage this long costs the place. */
const PLACE_MS_MAX = 60_000;

/** What the plan knows when it decides to record. */
export type FreshRecording = Pick<
  Recording,
  | 'id'
  | 'keys'
  | 'capsule'
  | 'priority'
  | 'reason'
  | 'window'
  | 'durationMsMax'
  | 'expiresAt'
  | 'spool'
  | 'patience'
  | 'joinedInProgress'
>;

export function freshRecording(input: FreshRecording): Recording {
  return {
    ...input,
    keep: false,
    deadline: null,
    upstreams: input.capsule.upstreams,
    health: {},
    current: null,
    waiting: null,
    closing: null,
    lastFault: null,
    faults: 0,
    startedAt: null,
    stretches: [],
    joins: [],
    gaps: [],
    ts: NO_TS,
    tsBefore: NO_TS,
    bytes: 0,
    attempts: 0,
    transientRetries: 0,
    switches: 0,
    recoveredAt: null,
    recoveryReason: '',
    cancelReason: '',
    failReason: '',
    files: null,
    result: null,
    evictedBy: '',
  };
}

/** Done events of effects have no `at` of their own; their outcome has. */
export type Happened = RecordingEvent | { readonly output: { readonly at: number } };

export function atOf(event: Happened): number {
  return 'output' in event ? event.output.at : event.at;
}

/** The earlier of the next try and the window's end. */
export function nextTry(context: Recording, outcome: CaptureOutcome): Deadline {
  const { retryAfterMs, piece } = outcome.kind === 'fault' ? outcome : { retryAfterMs: null, piece: null };
  const retryAt = outcome.at + backoffMs(context, { retryAfterMs, goodMs: piece?.goodMs ?? 0 });
  const end = closeAt(context);
  return retryAt < end ? { kind: 'retry', at: retryAt } : { kind: 'stop', at: end };
}

/** What a bug in an effect counts as: one more try of the same upstream. */
function asFault(outcome: Exclude<CaptureOutcome, { kind: 'stopped' }>): CaptureFault {
  if (outcome.kind === 'fault') return outcome;
  const unknown = { retryAfterMs: null, limit: null, piece: null };
  return { kind: 'fault', at: outcome.at, cause: 'reset', code: 'bug', remedy: 'retry', ...unknown };
}

/** Takes in how a capture ended: its piece first, so that no byte goes uncounted, then the reason. */
export function withOutcome(context: Recording, outcome: CaptureOutcome): Recording {
  const source = context.current;
  if (source === null) return context;
  const piece = outcome.kind === 'bug' ? null : outcome.piece;
  const known = { ...context, ...(piece && withPiece(context, source, piece)) };
  if (outcome.kind !== 'stopped') return { ...known, ...withFault(known, source, asFault(outcome)) };
  const cause = context.closing === 'preempted' ? 'preempted' : 'restart';
  const ended = context.closing !== null && context.closing !== 'preempted';
  return ended ? known : { ...known, lastFault: { cause, code: cause, at: outcome.at } };
}

export function withKey(keys: readonly string[], key: string): readonly string[] {
  return keys.includes(key) ? keys : [...keys, key];
}

/**
 * A place among the connections is kept through a short outage of what was running. One that was refused for want of
 * places, that has nothing yet, or that has been silent for a minute must not keep others from recording.
 */
export function losesPlace(context: Recording, outcome: CaptureOutcome): boolean {
  if (outcome.kind === 'fault' && outcome.remedy === 'no_slot') return true;
  const known = withOutcome(context, outcome);
  const outageSince = context.current && known.health[refKey(context.current)]?.outageSince;
  return known.bytes === 0 || outcome.at - (outageSince ?? outcome.at) >= PLACE_MS_MAX;
}

/** A new row of the guide for the same programme: the id, the spool and a running connection stay what they were. */
export function rescheduled(context: Recording, event: Extract<RecordingEvent, { type: 'RESCHEDULED' }>) {
  const { recordKey, startAt, stopAt, upstreams } = event.capsule;
  return {
    capsule: { ...event.capsule, capsuleId: context.capsule.capsuleId },
    upstreams: upstreams.length > 0 ? upstreams : context.upstreams,
    keys: withKey(context.keys, recordKey),
    priority: event.priority ?? context.priority,
    window: { ...context.window, startAt, stopAt },
    expiresAt: event.expiresAt,
  };
}

/** The same for one that was capturing: the spool, where it can be seen, says how much of what is known is true. */
export function recaptured(
  context: Recording,
  event: Extract<RecordingEvent, { type: 'RESTARTED' }>,
): Partial<Recording> {
  const found = { ...context, ...(event.spool && withinSpool(context, event.spool.bytes)) };
  return { ...found, ...restarted(found, event) };
}

/** What a past life leaves to the next: bytes and their place in the ledger, but no connection, no slot, no wish. */
export function restarted(context: Recording, event: Extract<RecordingEvent, { type: 'RESTARTED' }>) {
  const found = event.spool ? withSpoolTail(context, event.spool) : {};
  // What was wrong before bytes that nobody heard of is over: behind them it was we who were not there.
  const { lastFault } = { ...context, ...found };
  const missed = lastFault === null && event.at > openAt(context);
  return {
    ...found,
    ...(event.patience && { patience: event.patience }),
    ...(missed && { lastFault: { cause: 'restart' as const, code: 'restart', at: event.downFrom } }),
    recoveredAt: event.at,
    recoveryReason: event.reason,
    current: null,
    waiting: null,
    closing: null,
  };
}

/** A stop that the guide moved also moves what is awaited: the window's end, or a retry that would come after it. */
export function withinWindow(context: Recording): Pick<Recording, 'deadline'> {
  const end = closeAt(context);
  const { deadline } = context;
  return deadline === null || (deadline.kind === 'retry' && deadline.at < end)
    ? { deadline }
    : { deadline: { kind: 'stop', at: end } };
}

/** A slot was taken away: what follows is a gap with that cause. */
export function interrupted(at: number): Pick<Recording, 'lastFault'> {
  return { lastFault: { cause: 'preempted', code: 'preempted', at } };
}

/** What finalizing or sealing made of it. */
export function finished(outcome: FinalizeOutcome | SealOutcome): Partial<Recording> {
  switch (outcome.kind) {
    case 'published':
    case 'sealed':
      return { files: outcome.files, result: outcome.result, waiting: null };
    case 'empty':
      return { result: outcome.result, waiting: null };
    case 'blocked':
      return { waiting: outcome.code };
    case 'bug':
      return { waiting: 'bug' };
  }
}

/** A second chance while the programme lasts: same spool, every upstream fresh. */
export function revived(): Partial<Recording> {
  return {
    health: {},
    faults: 0,
    failReason: '',
    cancelReason: '',
    closing: null,
    waiting: null,
    result: null,
  };
}
