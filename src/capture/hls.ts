/**
 * Captures an HLS session into a spool. Segments that follow each other are one piece; where they do not (a discontinuity,
 * time that is lost) the piece is ended, its numbers are told, and the next one is put behind it by the same joint that a
 * reconnect uses (P1, P2, P4).
 */
import type { CaptureOutcome, CapturePiece } from '../domain/capture.js';
import { cursorBefore } from '../domain/hlsCursor.js';
import type { GapCause } from '../domain/ledger.js';
import type { TimerHandle } from '../io/clock.js';
import { hlsInbox, type InboxItem } from './hlsInbox.js';
import type { SegmentFrame } from './hlsFrames.js';
import { mp4Run } from './hlsMp4Run.js';
import { dropBlocks } from './lentBlocks.js';
import { tsRun } from './hlsTsRun.js';
import type { CaptureDoors, CaptureInput } from './protocol.js';
import { ENDED, OTHER_CONTAINER, type Refusal } from './refusal.js';
import type { LiveBody } from './upstream.js';
import { waitPool } from './waitPool.js';

/** Segments on their way into the file, as one piece of it. */
export interface Run {
  /** Whether a segment with this section in front can go into the file; always, where it does not say. */
  fits?(payload: readonly Buffer[], initBytes: number): boolean;
  /** Resolves when more may be given. */
  feed(payload: readonly Buffer[], initBytes: number): Promise<void>;
  /** Nothing follows: all that came is written. */
  end(): void;
  /** How it ended; by itself where the disk failed or the capture was told to stop. */
  readonly over: Promise<CaptureOutcome>;
}

export interface RunTerms {
  /** Stream time that is missing before it; null where the spool is empty or nobody knows. */
  readonly gapMs: number | null;
  /** It follows in the same session: nothing of it can be there already. */
  readonly isNew: boolean;
}

/** A jump of the stream's times by less than this is none. */
const SAME_TIME_MS = 1_000;
/** As long as content that is worth nothing. */
const LEFT_OUT_MS_MAX = 20_000;

export async function captureHls(
  body: LiveBody,
  input: CaptureInput,
  doors: CaptureDoors,
): Promise<CaptureOutcome> {
  const { clock } = doors;
  const inbox = hlsInbox(body, clock, doors.signal, input.firstByteTimeoutMs, doors.pool ?? waitPool());
  const story = storyOf(input, doors);
  let run: Run | null = null;
  let enoughAt = Number.POSITIVE_INFINITY;
  let late: TimerHandle | null = null;
  /** What needs another decoder than the file has, one after the other. */
  let leftOutMs = 0;
  doors.onEnding?.((lateMs) => inbox.add({ kind: 'enough', at: clock.now(), lateMs }));

  function follow(begun: Run): void {
    run = begun;
    void begun.over.then((outcome) => inbox.add({ kind: 'ended', run: begun, outcome }));
  }

  async function close(): Promise<CaptureOutcome> {
    const ended = run;
    run = null;
    if (!ended) return { kind: 'stopped', at: clock.now(), piece: null };
    ended.end();
    return story.told(await ended.over);
  }

  /** Nothing more is wanted: all that came is written, and that is no fault. */
  async function stop(): Promise<CaptureOutcome> {
    const outcome = await close();
    const isWell = outcome.kind === 'fault' && outcome.code === ENDED.code;
    return isWell ? { kind: 'stopped', at: outcome.at, piece: outcome.piece } : outcome;
  }

  /** Puts a segment where it goes; what it gives back is the end. */
  async function take(item: InboxItem & { kind: 'segment' }): Promise<CaptureOutcome | null> {
    const { frame, payload } = item;
    if (run && !fits(run, item)) return leaveOut(item);
    if (run && story.breaksAt(frame)) {
      const outcome = await close();
      if (outcome.kind !== 'fault' || outcome.code !== ENDED.code) return outcome;
      if (outcome.piece) doors.onCheckpoint(outcome.piece);
    }
    if (!run) {
      const begun = await story.begin(frame);
      if ('bug' in begun) return { kind: 'bug', at: clock.now(), error: begun.bug };
      if ('cause' in begun) return { kind: 'fault', at: clock.now(), piece: null, ...begun };
      follow(begun);
      if (!fits(begun, item)) return leaveOut(item);
    }
    story.take(frame);
    leftOutMs = 0;
    await run?.feed(payload, frame.initBytes);
    dropBlocks(payload);
    story.fed();
    return null;
  }

  function fits({ fits: asks }: Run, { frame, payload }: InboxItem & { kind: 'segment' }): boolean {
    return !asks || frame.container !== 'mp4' || asks(payload, frame.initBytes);
  }

  /** It is lost time of its length; the stream may come back to what it was. Where another is at hand, it is waited for so long. */
  async function leaveOut({
    frame,
    payload,
  }: InboxItem & { kind: 'segment' }): Promise<CaptureOutcome | null> {
    dropBlocks(payload);
    leftOutMs += frame.durationMs;
    story.lose({ at: frame.at, cause: 'not_media' });
    if (leftOutMs < LEFT_OUT_MS_MAX || !input.hasOthers) return null;
    const outcome = await close();
    if (outcome.kind === 'bug' || (outcome.kind === 'fault' && outcome.code !== ENDED.code)) return outcome;
    return { kind: 'fault', at: clock.now(), piece: outcome.piece, ...OTHER_CONTAINER };
  }

  try {
    for (;;) {
      const item = await inbox.next();
      switch (item.kind) {
        case 'ended':
          if (item.run === run) return story.told(item.outcome);
          break;
        case 'stop':
          return await stop();
        case 'enough':
          enoughAt = item.at;
          late = clock.after(item.lateMs, () => inbox.add({ kind: 'stop' }));
          if (story.endAt() >= enoughAt) return await stop();
          break;
        case 'over': {
          if (enoughAt < Number.POSITIVE_INFINITY) return await stop();
          const outcome = await close();
          // What the run ended of comes before why nothing follows.
          const isOwn = outcome.kind === 'fault' && outcome.code !== ENDED.code;
          if (isOwn || outcome.kind === 'bug') return outcome;
          return { kind: 'fault', at: clock.now(), piece: outcome.piece, ...item.refusal };
        }
        case 'lost':
          story.lose(item.frame);
          break;
        case 'segment': {
          const end = await take(item);
          if (end) return end;
          if (enoughAt < Number.POSITIVE_INFINITY && story.endAt() >= enoughAt) return await stop();
          break;
        }
      }
    }
  } finally {
    late?.cancel();
    inbox.close();
  }
}

/** What this capture has come through: pieces are told in the times of the stream, not of the network. */
function storyOf(input: CaptureInput, doors: CaptureDoors) {
  const { clock } = doors;
  const saved = input.hls?.cursor ?? null;
  const begunMono = clock.mono();
  /** Wall clock at which the media in the file ends; null where there is none, or nobody knows. */
  let endAt: number | null = input.lastMediaAt ?? null;
  let after: CapturePiece['after'] | null = null;
  let cause: GapCause | null = null;
  let isFirst = true;
  let first: SegmentFrame | null = null;
  let floorAt = Number.NEGATIVE_INFINITY;
  let last: SegmentFrame | null = null;
  let before: SegmentFrame | null = null;
  let isFed = false;
  let hasTaken = false;

  /** `isWritten`: all that was given is in the file; before that the last segment may be on its way. */
  function shown(piece: CapturePiece, isWritten: boolean): CapturePiece {
    const known = (isWritten && isFed ? last : before)?.cursor;
    const cursor = known ?? (first && cursorBefore(first.cursor, first.at));
    const toAt = last === null ? piece.toAt : isFed ? last.at + last.durationMs : last.at;
    return {
      ...piece,
      fromAt: Math.max(floorAt, first?.at ?? piece.fromAt),
      toAt: Math.max(toAt, floorAt),
      goodMs: Math.round(clock.mono() - begunMono),
      ...(after && { after }),
      ...(cursor && { cursor }),
    };
  }

  /** The first thing that is heard says whether it goes on where the file ends by the saved place. */
  function hear(at: number): void {
    if (!isFirst) return;
    isFirst = false;
    if (saved && Math.abs(at - saved.endAt) <= SAME_TIME_MS) endAt = saved.endAt;
  }

  return {
    lose(frame: { readonly at: number; readonly cause: GapCause }): void {
      hear(frame.at);
      ({ cause } = frame);
    },
    breaksAt: (frame: SegmentFrame) =>
      cause !== null || frame.discontinuity || frame.container !== first?.container,
    async begin(frame: SegmentFrame): Promise<Run | Refusal | { readonly bug: string }> {
      hear(frame.at);
      const isNew = hasTaken;
      if (isNew) after = { cause: cause ?? 'hls_missing', kind: 'discontinuity' };
      const gapMs = endAt === null ? null : Math.max(0, frame.at - endAt);
      floorAt = endAt ?? floorAt;
      cause = null;
      first = frame;
      last = null;
      before = null;
      const onCheckpoint = (piece: CapturePiece) => doors.onCheckpoint(shown(piece, false));
      try {
        const begin = frame.container === 'mp4' ? mp4Run : tsRun;
        return await begin(input, { gapMs, isNew }, { ...doors, onCheckpoint });
      } catch (error) {
        return { bug: String(error) };
      }
    },
    /** Up to when media is in the file; before there is any nothing is waited for. */
    endAt: () => (last === null ? Number.POSITIVE_INFINITY : (endAt ?? Number.POSITIVE_INFINITY)),
    take(frame: SegmentFrame): void {
      before = last;
      last = frame;
      hasTaken = true;
      isFed = false;
      endAt = frame.at + frame.durationMs;
    },
    fed(): void {
      isFed = true;
    },
    told(outcome: CaptureOutcome): CaptureOutcome {
      if (outcome.kind === 'bug' || outcome.piece === null) return outcome;
      return { ...outcome, piece: shown(outcome.piece, true) };
    },
  };
}
