/**
 * Judges a recording by its facts. P4: every second from start to stop is in a stretch or in a gap with a cause, and
 * `complete` means complete. Padding is never a gap. The words and their thresholds are those of CONTRACT §3.
 */

import { GAP_MS, type Gap, type GapCause, type Outcome, type Stretch } from './ledger.js';
import type { OutcomeReason } from './outcomeReasons.js';
import type { Recording, RecordingResult } from './recording.js';

/** Media may begin this much after the start, or end this much before the stop, and the ends still count as there. */
export const EDGE_MS = 3000;

/** Why capture did not go on to the end of the window. */
export type EarlyEnd = 'cancelled' | 'interrupted' | 'gave_up' | 'max_duration';

export interface OutcomeFacts {
  /** The programme itself, without padding. */
  readonly startAt: number;
  readonly stopAt: number;
  readonly stretches: readonly Pick<Stretch, 'fromAt' | 'toAt'>[];
  /** Known holes; where one lies in a stretch, the hole is believed. */
  readonly gaps: readonly Gap[];
  /** Media bytes on disk. */
  readonly bytes: number;
  /** Captures begun. */
  readonly attempts: number;
  readonly joinedInProgress: boolean;
  readonly earlyEnd: EarlyEnd | null;
  /** What was wrong last, for a hole at the end whose cause nobody noted. */
  readonly lastCause: GapCause | null;
  /** Why it never began, or '' where nobody knows. */
  readonly missedReason: string;
}

export interface Judgement {
  readonly outcome: Outcome;
  /** '' for `complete`. */
  readonly reason: string;
  readonly coverage: number;
  /** All of start..stop that is missing, in order, without overlap. */
  readonly gaps: readonly Gap[];
}

export function judgeOutcome(facts: OutcomeFacts): Judgement {
  const captured = facts.bytes > 0 && facts.stretches.length > 0;
  const gaps = missingParts(captured ? facts : { ...facts, stretches: [] });
  const length = Math.max(0, facts.stopAt - facts.startAt);
  const missing = gaps.reduce((sum, gap) => sum + gap.toAt - gap.fromAt, 0);
  const coverage = length === 0 ? 0 : (length - missing) / length;
  return { ...judge(facts, gaps, captured), coverage, gaps };
}

function judge(
  facts: OutcomeFacts,
  gaps: readonly Gap[],
  captured: boolean,
): { outcome: Outcome; reason: string } {
  if (!captured && facts.attempts === 0) {
    const reason = facts.earlyEnd === 'cancelled' ? 'cancelled' : facts.missedReason || 'not_started';
    return { outcome: 'missed', reason };
  }
  if (!captured) return { outcome: 'empty', reason: facts.missedReason || 'nothing_came' };
  const partial = partialReason(facts, gaps);
  if (partial) return { outcome: 'partial', reason: partial };
  if (gaps.some((gap) => gap.toAt - gap.fromAt >= GAP_MS))
    return { outcome: 'complete_with_gaps', reason: 'gaps' };
  return { outcome: 'complete', reason: '' };
}

/** A missing end weighs more than a missing head: the head says why only where the end is there. */
function partialReason(facts: OutcomeFacts, gaps: readonly Gap[]): OutcomeReason | null {
  const { startAt, stopAt } = facts;
  const tail = touchingGap(
    gaps.toReversed(),
    (gap, edge) => gap.toAt === edge,
    (gap) => gap.fromAt,
    stopAt,
  );
  if (stopAt - tail > EDGE_MS) {
    if (facts.earlyEnd) return facts.earlyEnd;
    return gaps.at(-1)?.cause === 'restart' ? 'interrupted' : 'ended_early';
  }
  const head = touchingGap(
    gaps,
    (gap, edge) => gap.fromAt === edge,
    (gap) => gap.toAt,
    startAt,
  );
  if (head - startAt > EDGE_MS) return facts.joinedInProgress ? 'joined_in_progress' : 'started_late';
  return null;
}

/** Follows gaps that touch each other from an edge of the programme to the first media. */
function touchingGap(
  gaps: readonly Gap[],
  touches: (gap: Gap, edge: number) => boolean,
  far: (gap: Gap) => number,
  from: number,
): number {
  let edge = from;
  for (const gap of gaps) {
    if (!touches(gap, edge)) break;
    edge = far(gap);
  }
  return edge;
}

function missingParts(facts: OutcomeFacts): Gap[] {
  const { startAt, stopAt, stretches, gaps } = facts;
  const inside = (at: number) => Math.min(stopAt, Math.max(startAt, at));
  const edges = [...stretches, ...gaps].flatMap(({ fromAt, toAt }) => [inside(fromAt), inside(toAt)]);
  const cuts = [...new Set([startAt, ...edges, stopAt])].toSorted((a, b) => a - b);
  const firstAt = Math.min(...stretches.map((stretch) => stretch.fromAt));
  const lastAt = Math.max(...stretches.map((stretch) => stretch.toAt));
  const parts: Gap[] = [];
  for (const [index, fromAt] of cuts.entries()) {
    const toAt = cuts[index + 1];
    if (toAt === undefined || toAt <= fromAt) continue;
    const within = (span: { fromAt: number; toAt: number }) => span.fromAt <= fromAt && span.toAt >= toAt;
    const known = gaps.find(within);
    if (!known && stretches.some(within)) continue;
    const cause = known?.cause ?? presumedCause(facts, fromAt < firstAt, fromAt >= lastAt);
    const last = parts.at(-1);
    if (last && last.toAt === fromAt && last.cause === cause) parts[parts.length - 1] = { ...last, toAt };
    else parts.push({ fromAt, toAt, cause });
  }
  return parts;
}

/** For a hole that nobody noted: the head was late, the middle was lost by a stop of ours, the end by what came last. */
function presumedCause(facts: OutcomeFacts, beforeAll: boolean, afterAll: boolean): GapCause {
  if (beforeAll && !afterAll) return 'late_start';
  if (!afterAll) return 'restart';
  if (facts.lastCause) return facts.lastCause;
  switch (facts.earlyEnd) {
    case 'cancelled':
    case 'max_duration':
      return 'preempted';
    case 'interrupted':
      return 'restart';
    case 'gave_up':
    case null:
      return facts.stretches.length > 0 ? 'eof' : 'late_start';
  }
}

/** Judges a recording as it stands at `at`, with the media bytes that really are on disk. */
export function resultOf(recording: Recording, bytes: number, at: number): RecordingResult {
  const { window, stretches, gaps, attempts, joinedInProgress, lastFault } = recording;
  const judged = judgeOutcome({
    startAt: window.startAt,
    stopAt: window.stopAt,
    stretches,
    gaps,
    bytes,
    attempts,
    joinedInProgress,
    earlyEnd: earlyEndOf(recording),
    lastCause: lastFault?.cause ?? null,
    missedReason: attempts === 0 ? (recording.waiting ?? '') : (lastFault?.code ?? ''),
  });
  return { ...judged, bytes, finishedAt: at };
}

function earlyEndOf(recording: Recording): EarlyEnd | null {
  const { cancelReason, failReason, durationMsMax, startedAt, window } = recording;
  if (cancelReason !== '') return 'cancelled';
  if (failReason === 'interrupted' || failReason === 'gave_up') return failReason;
  const limited = durationMsMax > 0 && startedAt !== null && startedAt + durationMsMax < window.stopAt;
  return limited ? 'max_duration' : null;
}
