/** A programme, its two upstreams, and every event that can reach its recording: what the path tests walk with. */

import { createHash } from 'node:crypto';
import { __unsafe_getAllOwnEventDescriptors as ownEvents } from 'xstate';
import type { CaptureOutcome, CapturePiece } from '../../src/domain/capture.js';
import type { Capsule } from '../../src/domain/capsule.js';
import { candidates, closeAt } from '../../src/domain/capturing.js';
import type { FinalizeOutcome, RemoveOutcome, SealOutcome } from '../../src/domain/effects.js';
import { NO_TS } from '../../src/domain/ledger.js';
import type { Recording } from '../../src/domain/recording.js';
import { replayHelps, replayRef, type ReplayOutcome } from '../../src/domain/replay.js';
import type { RecordingEvent } from '../../machines/events.js';
import type { FreshRecording } from '../../machines/recordingContext.js';
import { named, type Move } from './walk.js';

export const T0 = Date.UTC(2026, 10, 23, 19, 30);
const MINUTE = 60_000;

export const FIRST = { source: 'catalog-1', channel: 'bbc1', index: 0 };
export const SECOND = { source: 'catalog-1', channel: 'bbc1', index: 1 };

export const CAPSULE: Capsule = {
  capsuleId: 'dna-6398cc29ed163b32:202611231930:news',
  recordKey: 'dna-6398cc29ed163b32|2026-11-23t19:30:00z|news',
  dnaId: 'dna-6398cc29ed163b32',
  channelId: 'bbc1',
  guideNumber: '101',
  channelName: 'BBC One',
  group: 'UK',
  title: 'News',
  subTitle: '',
  desc: 'The news.',
  categories: ['News'],
  episode: '',
  lane: 'general',
  startAt: T0,
  stopAt: T0 + 30 * MINUTE,
  upstreams: [FIRST, SECOND],
};

export function fresh(changes: Partial<FreshRecording> = {}): FreshRecording {
  return {
    id: createHash('sha1').update(CAPSULE.recordKey).digest('hex').slice(0, 8),
    keys: [CAPSULE.recordKey],
    capsule: CAPSULE,
    priority: 20,
    reason: 'scheduled',
    window: { startAt: T0, stopAt: CAPSULE.stopAt, prePaddingMs: 15_000, postPaddingMs: MINUTE },
    durationMsMax: 0,
    expiresAt: CAPSULE.stopAt + 24 * 60 * MINUTE,
    spool: '/rec/general/news.partial.ts',
    patience: { backoffMs: 250, backoffMsMax: 30_000, attemptsMax: 0, fallback: true },
    joinedInProgress: false,
    ...changes,
  };
}

/** A programme that its provider keeps for a while. */
export const ARCHIVED: Capsule = { ...CAPSULE, replayable: true };

/** What arrives at a path step: an event, or what an effect gives back. */
export type Step =
  RecordingEvent | { readonly type: `xstate.done.actor.${EffectName}`; readonly output: EffectOutcome };

export type EffectName = 'capture' | 'replay' | 'finalize' | 'seal' | 'remove';
export type EffectOutcome = CaptureOutcome | ReplayOutcome | FinalizeOutcome | SealOutcome | RemoveOutcome;

const DURING = T0 + 5 * MINUTE;

function piece(context: Recording, goodMs: number): CapturePiece {
  return {
    firstOffset: context.bytes,
    bytes: 188_000,
    fromAt: DURING - goodMs,
    toAt: DURING,
    goodMs,
    ts: { ...NO_TS, packets: 1000 },
  };
}

const RESULT = {
  outcome: 'complete',
  reason: '',
  coverage: 1,
  gaps: [],
  bytes: 188_000,
  finishedAt: CAPSULE.stopAt + MINUTE,
} as const;

const FILES = {
  folder: '/lib/general/news',
  media: '/lib/general/news/news.ts',
  nfo: '/lib/general/news/news.nfo',
  ledger: '/lib/general/news/news.catchupd.json',
  ownsFolder: true,
};

const MENDED = {
  spool: '/rec/general/news.mended.part',
  bytes: 376_000,
  stretches: [],
  gaps: [],
  joins: [],
  ts: NO_TS,
};

const BLOCKED = {
  kind: 'blocked',
  at: CAPSULE.stopAt + MINUTE,
  code: 'mount_missing',
  path: '/lib',
} as const;
const BUG = { kind: 'bug', at: CAPSULE.stopAt + MINUTE, error: 'boom' } as const;

function captureOutcomes(context: Recording): CaptureOutcome[] {
  const fault = (changes: Partial<Extract<CaptureOutcome, { kind: 'fault' }>>): CaptureOutcome => ({
    kind: 'fault',
    at: DURING,
    piece: piece(context, 5_000),
    cause: 'reset',
    code: 'upstream_reset',
    remedy: 'retry',
    retryAfterMs: null,
    limit: null,
    ...changes,
  });
  return [
    { kind: 'stopped', at: DURING, piece: piece(context, 60_000) },
    { kind: 'stopped', at: closeAt(context), piece: piece(context, 60_000) },
    fault({}),
    fault({
      piece: null,
      cause: 'http_503',
      code: 'upstream_failing',
      remedy: 'backoff',
      retryAfterMs: 90_000,
    }),
    fault({ piece: null, cause: 'http_404', code: 'upstream_refused', remedy: 'spent' }),
    fault({ piece: null, cause: 'limit', code: 'upstream_limit', remedy: 'no_slot', limit: 1 }),
    fault({ cause: 'disk_full', code: 'disk_full', remedy: 'disk' }),
    fault({ at: closeAt(context), cause: 'eof', code: 'upstream_ended' }),
    fault({
      at: closeAt(context) - 1000,
      piece: null,
      cause: 'http_503',
      remedy: 'backoff',
      retryAfterMs: 90_000,
    }),
    { kind: 'bug', at: DURING, error: 'boom' },
  ];
}

export type NamedStep = Step & Move;

/** Everything that may happen in this state, with times that fit it. */
export function steps(state: { readonly context: Recording; readonly value: unknown }): NamedStep[] {
  return named(possible(state));
}

function possible(state: { readonly context: Recording; readonly value: unknown }): Step[] {
  const { context } = state;
  const at = DURING;
  const later = { ...CAPSULE, stopAt: CAPSULE.stopAt + 10 * MINUTE, recordKey: `${CAPSULE.recordKey}+` };
  const events: Step[] = [
    { type: 'QUEUED', at, reason: 'slots_full' },
    { type: 'PREEMPTED', at },
    { type: 'YIELD', at },
    { type: 'CHECKPOINT', at, upstream: FIRST, piece: piece(context, 40_000) },
    {
      type: 'RESCHEDULED',
      at,
      capsule: later,
      expiresAt: context.expiresAt + 10 * MINUTE,
      reason: 'stop_later',
    },
    { type: 'CANCEL', at, reason: 'by_person' },
    { type: 'RETRY', at },
    { type: 'KNOWN_AS', at, recordKey: 'another|key' },
    { type: 'KEEP', at },
    { type: 'UNKEEP', at },
    { type: 'DELETE', at },
    { type: 'EVICT', at, rule: 'retain-completed' },
    { type: 'MEDIA_GONE', at },
    { type: 'WOKEN', at },
    { type: 'RESTARTED', at, downFrom: at - MINUTE, reason: 'restart', spool: null, patience: null },
  ];
  const isArchive = JSON.stringify(state.value).includes('archive');
  const [upstream] = isArchive ? [replayRef(context.id)] : candidates(context);
  if (upstream) events.push({ type: 'GRANTED', at, upstream });
  const { deadline } = context;
  if (deadline) {
    events.push({ type: 'DEADLINE', kind: deadline.kind, dueAt: deadline.at, at: deadline.at });
    events.push({ type: 'DEADLINE', kind: deadline.kind, dueAt: deadline.at - 1, at: deadline.at });
  }
  const effects: Record<EffectName, EffectOutcome[]> = {
    capture: captureOutcomes(context),
    replay: [
      { kind: 'mended', at: BLOCKED.at, mended: MENDED },
      { kind: 'again', at: BLOCKED.at, code: 'upstream_reset' },
      { kind: 'none', at: BLOCKED.at, code: 'replay_no_better' },
      BUG,
    ],
    finalize: [
      { kind: 'published', at: BLOCKED.at, files: FILES, result: RESULT },
      {
        kind: 'empty',
        at: BLOCKED.at,
        result: { ...RESULT, outcome: 'empty', reason: 'nothing_came', bytes: 0 },
      },
      BLOCKED,
      BUG,
    ],
    seal: [
      { kind: 'sealed', at: BLOCKED.at, files: FILES, result: { ...RESULT, outcome: 'partial' } },
      BLOCKED,
      BUG,
    ],
    remove: [{ kind: 'removed', at: BLOCKED.at }, BLOCKED, BUG],
  };
  const known: ReadonlySet<string> = new Set(ownEvents(state as never).map(String));
  for (const name of Object.keys(effects) as EffectName[])
    if (known.has(`xstate.done.actor.${name}`))
      for (const output of effects[name]) events.push({ type: `xstate.done.actor.${name}`, output });
  return events;
}

/** A finite view of a recording: what its chart can tell apart. */
export function view(state: { readonly context: Recording; readonly value: unknown }): string {
  const { context, value } = state;
  return JSON.stringify([
    value,
    context.closing,
    context.current === null,
    context.keep,
    context.evictedBy === '',
    candidates(context).length,
    context.deadline?.kind ?? null,
    context.startedAt === null,
    replayHelps(context),
  ]);
}
