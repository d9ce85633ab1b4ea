/**
 * How a recording's facts change while it is captured: pieces become stretches, silence between them becomes gaps with
 * a cause, faults wear out an upstream. Pure; `machines/recording.ts` says when.
 *
 * P3: as long as the window lasts something is left to try. P4: every hole gets its cause here, when it is known.
 */

import { refKey, type UpstreamRef } from './channel.js';
import type { CaptureFault, CapturePiece } from './capture.js';
import type { SavedCursor } from './hlsCursor.js';
import { addTs, TOLD_GAP_MS, type Gap, type GapCause, type JoinKind, type Stretch } from './ledger.js';
import type { Recording, UpstreamHealth } from './recording.js';

/** Stream this long without a fault makes everything before it forgotten. */
export const GOOD_STREAM_MS = 30_000;
/** What gave this much did not fail in a row: the pauses begin anew (docs/decisions/0014). */
const STEADY_STREAM_MS = 5_000;
const TRIES_MAX = 3;
const OUTAGE_MS_MAX = 60_000;
const RETRY_AFTER_MS_MAX = 120_000;

const FRESH: UpstreamHealth = { tries: 0, outageSince: null, spent: false };

/** What a recording knows of what was captured. */
export type Facts = Pick<
  Recording,
  | 'stretches'
  | 'gaps'
  | 'joins'
  | 'ts'
  | 'tsBefore'
  | 'bytes'
  | 'lastFault'
  | 'faults'
  | 'health'
  | 'cursor'
  | 'spool'
>;

export function openAt(recording: Pick<Recording, 'window'>): number {
  return recording.window.startAt - recording.window.prePaddingMs;
}

/** A recording that opens later than this needs no actor yet. */
const LIVE_MS = 15 * 60_000;

/** Whether a recording that opens then can rest as a document until its deadline comes. */
export function isFar(opensAt: number, at: number): boolean {
  return opensAt - at > LIVE_MS;
}

/** When capture ends: stop and padding, or the longest capture allowed. */
export function closeAt(recording: Pick<Recording, 'window' | 'durationMsMax' | 'startedAt'>): number {
  const end = recording.window.stopAt + recording.window.postPaddingMs;
  if (recording.durationMsMax === 0 || recording.startedAt === null) return end;
  return Math.min(end, recording.startedAt + recording.durationMsMax);
}

/** Upstreams that may still be asked, best first; those of another container last, whatever recommends them. */
export function candidates(recording: Pick<Recording, 'upstreams' | 'health' | 'patience'>): UpstreamRef[] {
  const allowed = recording.patience.fallback ? recording.upstreams : recording.upstreams.slice(0, 1);
  const isUnfit = (ref: UpstreamRef) => Number(recording.health[refKey(ref)]?.unfit ?? false);
  return allowed
    .filter((ref) => !recording.health[refKey(ref)]?.spent)
    .toSorted((one, other) => isUnfit(one) - isUnfit(other));
}

export function isSpent(recording: Pick<Recording, 'health'>, ref: UpstreamRef): boolean {
  return recording.health[refKey(ref)]?.spent ?? false;
}

/** Where to go on in the HLS stream of an upstream: only what came last, from that one, says so. */
export function cursorFor(recording: Pick<Recording, 'cursor'>, ref: UpstreamRef): SavedCursor | null {
  const { cursor } = recording;
  return cursor && cursor.upstream === refKey(ref) ? cursor.saved : null;
}

/** All upstreams fresh again: the last resort when each was given up once. What does not fit the file is not forgotten. */
export function forgiveAll({ health }: Pick<Recording, 'health'>): Pick<Recording, 'health'> {
  const unfit = Object.entries(health).filter(([, each]) => each.unfit);
  return { health: Object.fromEntries(unfit.map(([ref]) => [ref, { ...FRESH, unfit: true as const }])) };
}

/**
 * Takes in what a connection wrote so far or in all. A piece that begins where the last stretch does replaces it; a
 * new one closes the hole before it. Bytes of an unreported end (a crash) belong to the stretch before.
 */
export function withPiece(recording: Recording, source: UpstreamRef, piece: CapturePiece): Partial<Facts> {
  const last = recording.stretches.at(-1);
  const known = last !== undefined && last.firstOffset === piece.firstOffset && recording.lastFault === null;
  const silentSince = unaccountedSince(recording);
  const fromAt = known ? knownFrom(recording, last, piece) : heardFrom(piece, silentSince);
  const stretch: Stretch = {
    source,
    fromAt,
    toAt: piece.toAt,
    bytes: piece.bytes,
    firstOffset: piece.firstOffset,
    ...(piece.movedTicks !== undefined && { movedTicks: piece.movedTicks }),
  };
  const tsBefore = known ? recording.tsBefore : recording.ts;
  const facts = {
    tsBefore,
    ts: addTs(tsBefore, piece.ts),
    bytes: piece.firstOffset + piece.bytes,
    ...(piece.spool !== undefined && { spool: piece.spool }),
    ...((piece.cursor || recording.cursor) && {
      cursor: piece.cursor ? { upstream: refKey(source), saved: piece.cursor } : null,
    }),
    ...(piece.goodMs >= STEADY_STREAM_MS && { faults: 0 }),
    ...(piece.goodMs >= GOOD_STREAM_MS && { health: { ...recording.health, [refKey(source)]: FRESH } }),
  };
  const inside = insidePiece(piece, fromAt);
  if (known) {
    // What was known of its inside is part of what is known now.
    const joins = recording.joins.filter(({ at, kind }) => kind !== 'discontinuity' || at < fromAt);
    const [before, within] = split(recording.gaps, last.fromAt);
    const gaps = [...until(before, fromAt), ...(inside.gaps.length > 0 ? inside.gaps : within)];
    return {
      ...facts,
      stretches: [...recording.stretches.slice(0, -1), stretch],
      ...(inside.joins.length > 0 && { joins: [...joins, ...inside.joins] }),
      ...(gaps.length + recording.gaps.length > 0 && { gaps }),
    };
  }

  const heardTo = heardUntil(piece, fromAt, silentSince, last);
  const before = last && {
    ...last,
    toAt: Math.min(last.toAt, heardTo),
    bytes: piece.firstOffset - last.firstOffset,
  };
  const cause = piece.after?.cause ?? recording.lastFault?.cause ?? 'late_start';
  return {
    ...facts,
    lastFault: null,
    stretches: [...recording.stretches.slice(0, -1), ...(before ? [before] : []), stretch],
    gaps: [...recording.gaps, ...hole(recording, heardTo, fromAt, cause), ...inside.gaps],
    joins: last
      ? [
          ...recording.joins,
          {
            at: piece.fromAt,
            kind: piece.after?.kind ?? joinKind(last.source, source, recording.lastFault?.cause),
            removedOverlapS: piece.join?.removedOverlapS ?? 0,
            approximate: piece.join?.approximate ?? false,
          },
          ...inside.joins,
        ]
      : [...recording.joins, ...inside.joins],
  };
}

/** A hole, nothing where it has no length. Before anybody was asked, nothing but the late start is to blame. */
export function hole(
  { startedAt, stretches }: Recording,
  fromAt: number,
  toAt: number,
  cause: GapCause,
): Gap[] {
  if (toAt <= fromAt) return [];
  const askedAt = Math.min(toAt, stretches.length === 0 && startedAt !== null ? startedAt : fromAt);
  if (cause === 'late_start' || askedAt - fromAt < TOLD_GAP_MS) return [{ fromAt, toAt, cause }];
  return [
    { fromAt, toAt: askedAt, cause: 'late_start' },
    ...(toAt > askedAt ? [{ fromAt: askedAt, toAt, cause }] : []),
  ];
}

/** Joints that the provider made within one connection, and what is missing within it. */
function insidePiece(
  { splices = [], gaps = [] }: CapturePiece,
  fromAt: number,
): Pick<Facts, 'joins' | 'gaps'> {
  const silences = splices.map(({ at, gapS }) => ({
    fromAt: at - Math.round(gapS * 1000),
    toAt: at,
    cause: 'stall' as const,
  }));
  return {
    joins: splices.map(({ at, removedOverlapS, approximate }) => ({
      at,
      kind: 'discontinuity',
      removedOverlapS,
      approximate,
    })),
    gaps: [...silences, ...gaps]
      .map((gap) => ({ ...gap, fromAt: Math.max(gap.fromAt, fromAt) }))
      .filter((gap) => gap.toAt - gap.fromAt >= TOLD_GAP_MS)
      .toSorted((a, b) => a.fromAt - b.fromAt),
  };
}

/**
 * From when the media of a new piece is there: what the provider sent again, or at once, fills the silence before it
 * by as much as the joint says.
 */
function heardFrom(piece: CapturePiece, silentSince: number): number {
  if (!piece.join) return piece.fromAt;
  return Math.min(piece.fromAt, silentSince + Math.round(piece.join.gapS * 1000));
}

/** From when the first piece of all is there: how much of it was sent in advance is seen while it comes. */
function knownFrom({ stretches }: Recording, { fromAt }: Stretch, piece: CapturePiece): number {
  return piece.join || stretches.length > 1 ? fromAt : Math.min(fromAt, piece.fromAt);
}

function split(gaps: readonly Gap[], at: number): [before: readonly Gap[], after: readonly Gap[]] {
  return [gaps.filter(({ fromAt }) => fromAt < at), gaps.filter(({ fromAt }) => fromAt >= at)];
}

/** What is left of gaps where media begins at `at`. */
function until(gaps: readonly Gap[], at: number): Gap[] {
  return gaps.filter(({ fromAt }) => fromAt < at).map((gap) => ({ ...gap, toAt: Math.min(gap.toAt, at) }));
}

/**
 * Until when the media before a new piece is there: what came slower than it plays was behind the time at which it came,
 * by as much as the clock that went on says that more is missing than there was silence.
 */
function heardUntil(piece: CapturePiece, fromAt: number, silentSince: number, last?: Stretch): number {
  if (!last || last.toAt !== silentSince || !piece.join || piece.join.approximate) return silentSince;
  const behindMs = Math.round(piece.join.gapS * 1000) - (fromAt - silentSince);
  return Math.max(last.fromAt, silentSince - Math.max(0, behindMs));
}

/** Up to here every moment is in a stretch or in a gap. */
export function unaccountedSince(recording: Recording): number {
  const heard = recording.stretches.at(-1)?.toAt ?? openAt(recording);
  return Math.max(heard, recording.gaps.at(-1)?.toAt ?? heard);
}

function joinKind(before: UpstreamRef, after: UpstreamRef, cause: GapCause | undefined): JoinKind {
  if (cause === 'restart' || cause === 'preempted') return cause;
  return refKey(before) === refKey(after) ? 'reconnect' : 'failover';
}

/**
 * Charges a fault to its upstream (DESIGN §3): `spent` at once; `retry` after three tries without 30 s of good stream
 * or 60 s of outage; a refusal for want of slots, a plea for patience and the disk cost it nothing.
 */
export function withFault(
  recording: Recording,
  source: UpstreamRef,
  fault: Pick<CaptureFault, 'at' | 'cause' | 'code' | 'remedy' | 'piece'>,
): Pick<Recording, 'health' | 'faults' | 'lastFault' | 'transientRetries'> {
  const goodMs = fault.piece?.goodMs ?? 0;
  const before = goodMs >= GOOD_STREAM_MS ? FRESH : (recording.health[refKey(source)] ?? FRESH);
  const blamed = fault.remedy === 'retry' || fault.remedy === 'spent';
  const tries = before.tries + (blamed ? 1 : 0);
  const outageSince = before.outageSince ?? fault.at;
  const wornOut = fault.remedy === 'retry' && (tries >= TRIES_MAX || fault.at - outageSince >= OUTAGE_MS_MAX);
  return {
    lastFault: { cause: fault.cause, code: fault.code, at: fault.at },
    faults: (goodMs >= STEADY_STREAM_MS ? 0 : recording.faults) + 1,
    transientRetries: recording.transientRetries + (fault.remedy === 'spent' ? 0 : 1),
    health: {
      ...recording.health,
      [refKey(source)]: {
        tries,
        outageSince,
        spent: fault.remedy === 'spent' || wornOut,
        ...((fault.code === 'container_mismatch' || (before.unfit && !fault.piece)) && {
          unfit: true as const,
        }),
        ...(blamed && { cause: fault.cause }),
      },
    },
  };
}

/** Worn out by retries alone it is only left while another is there; `spent` outright it is left in any case. */
export function shouldLeave(
  recording: Recording,
  source: UpstreamRef,
  remedy: CaptureFault['remedy'],
): boolean {
  if (remedy === 'spent') return true;
  if (!isSpent(recording, source)) return false;
  return candidates(recording).length > 0;
}

/**
 * Milliseconds until the next try: doubling from the first, never past the cap, no longer than the connection that
 * failed had lasted if it gave anything (`goodMs`), longer where the provider asks.
 */
export function backoffMs(
  recording: Pick<Recording, 'faults' | 'patience'>,
  { retryAfterMs, goodMs }: { readonly retryAfterMs: number | null; readonly goodMs: number },
): number {
  const { backoffMs: first, backoffMsMax } = recording.patience;
  const doubled = Math.min(backoffMsMax, first * 2 ** Math.min(30, Math.max(0, recording.faults - 1)));
  const fair = goodMs > 0 ? Math.min(doubled, Math.max(first, goodMs)) : doubled;
  return Math.max(fair, Math.min(retryAfterMs ?? 0, RETRY_AFTER_MS_MAX));
}

/** The hole that lasts, closed at `at`: for a recording that ends while nothing comes. */
export function withLastGap(recording: Recording, at: number): Partial<Facts> {
  const silentSince = unaccountedSince(recording);
  if (recording.lastFault === null || at <= silentSince) return {};
  return {
    gaps: [...recording.gaps, ...hole(recording, silentSince, at, recording.lastFault.cause)],
  };
}
