/**
 * Captures one MPEG-TS stream over HTTP into a spool: upstream → packets → start point → spool, and where the spool has
 * something already the joiner in between. It ends when it is told to, or with the reason why the stream did; either way
 * every byte that came is in the file first (P1).
 */
import type { CaptureOutcome, CapturePiece } from '../domain/capture.js';
import type { Clock } from '../io/clock.js';
import { diskCode, type Disk } from '../io/disk.js';
import { spoolOf } from './container.js';
import type { CaptureDoors, CaptureInput } from './protocol.js';
import { DEAD, ENDED, refusalOfFault, STALLED, type Refusal } from './refusal.js';
import { sections, type SectionsInput } from './sections.js';
import { isTrouble, type DiskTrouble } from './spool.js';
import { packetAligner } from './packetAligner.js';
import type { LiveBody } from './upstream.js';
import { openWritten } from './writtenSpool.js';

/** Less than this says nothing. */
const CLIP_MS_MIN = 2_000;

/** Why the stream is over. */
type Ending =
  | { readonly kind: 'stop' }
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  | { readonly kind: 'trouble'; readonly trouble: DiskTrouble }
  | { readonly kind: 'bug'; readonly error: string };

export async function captureMpegTs(
  body: LiveBody,
  input: CaptureInput,
  doors: CaptureDoors,
): Promise<CaptureOutcome> {
  const { clock } = doors;
  const ready = await openTsSpool(input, doors.disk, clock).catch((error: unknown) => {
    body.destroy();
    return { bug: String(error) };
  });
  if ('bug' in ready) return { kind: 'bug', at: clock.now(), error: ready.bug };
  if ('cause' in ready) {
    body.destroy();
    return { kind: 'fault', at: clock.now(), piece: null, ...ready };
  }
  return recordPiece(body, ready, { ...input, isLive: true }, doors);
}

/** Opens the spool for what came first just now. Rejects for a bug only. */
export async function openTsSpool(
  { spoolPath: named, indexPath, lastMediaAt, movedTicks }: CaptureInput,
  disk: Disk,
  clock: Clock,
): Promise<SectionsInput | Refusal> {
  const cameAt = clock.now();
  const cameMono = clock.mono();
  const spoolPath = await spoolOf(disk, named, 'ts');
  if (typeof spoolPath !== 'string') return spoolPath;
  const lastAt = lastMediaAt ?? (await writtenAt(disk, spoolPath));
  const place = { spoolPath, ...(indexPath !== undefined && { indexPath }), startedAt: cameAt };
  const written = await openWritten({ disk, clock }, place);
  if (isTrouble(written)) return refusalOfTrouble(written);
  const silentMs = lastAt === null ? null : Math.max(0, cameAt - lastAt);
  return { place, written, cameMono, silentMs, ...(movedTicks !== undefined && { movedTicks }) };
}

/** When the spool was written last; nobody else writes in it. */
async function writtenAt(disk: Disk, path: string): Promise<number | null> {
  try {
    return (await disk.stat(path)).mtimeMs;
  } catch (error) {
    if (diskCode(error) === 'UNKNOWN') throw error;
    // No spool is no trouble; anything else is the same when it is opened, and told then.
    return null;
  }
}

export interface PieceTerms extends Pick<CaptureInput, 'stallTimeoutMs' | 'hasOthers'> {
  /** It is what a channel answers with, and not a part of something. */
  readonly isLive?: boolean;
}

/** Records one body into the spool that was opened, to the end of the one or the fault of the other. */
export async function recordPiece(
  body: LiveBody,
  ready: SectionsInput,
  { stallTimeoutMs, hasOthers, isLive = false }: PieceTerms,
  doors: CaptureDoors,
): Promise<CaptureOutcome> {
  const { clock, signal } = doors;
  let end: (ending: Ending) => void = () => undefined;
  const onBug = (error: unknown) => end({ kind: 'bug', error: String(error) });
  const ended = new Promise<Ending>((resolve) => (end = resolve));
  let paused = false;
  const stall = stallWatch(clock, stallTimeoutMs, () => {
    if (!paused) end({ kind: 'refusal', refusal: STALLED });
    return paused;
  });

  let mono = clock.mono();
  const begunMono = mono;
  /** When the chunk before it came. */
  let beforeMono = mono;
  const writing = sections(ready, {
    disk: doors.disk,
    clock,
    ...(doors.pool && { pool: doors.pool }),
    outside: () => ({ syncLosses: aligner.syncLosses(), skippedBytes: aligner.skippedBytes() }),
    onCheckpoint: doors.onCheckpoint,
    onPressure(full) {
      paused = full;
      if (full) body.pause();
      else {
        stall.touch(clock.mono());
        body.resume();
      }
    },
    onTrouble: (trouble) => end({ kind: 'trouble', trouble }),
    onBug,
    onDead() {
      // Where nothing else is to be had, it is kept and noted: even this may be the programme.
      if (hasOthers) end({ kind: 'refusal', refusal: DEAD });
    },
  });
  const aligner = packetAligner((buffer, from, to, isEarlier = false) => {
    stall.touch(mono);
    // What was held back tells the time of before: a silence may lie between.
    writing.push(buffer, from, to, isEarlier ? beforeMono : mono);
  });
  /** A throw in here would end as an unexplained broken connection: it is a bug of ours and is called one (P8). */
  function take(chunk: Buffer): void {
    try {
      beforeMono = mono;
      mono = clock.mono();
      aligner.push(chunk);
    } catch (error) {
      onBug(error);
    }
  }

  const onAbort = () => end({ kind: 'stop' });
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  take(body.first);
  body.flow({
    onData: take,
    onWhole: () => writing.whole(),
    onEnd: () => end({ kind: 'refusal', refusal: ENDED }),
    onFault: (fault) =>
      end(signal.aborted ? { kind: 'stop' } : { kind: 'refusal', refusal: refusalOfFault(fault) }),
  });

  const ending = await ended;
  signal.removeEventListener('abort', onAbort);
  stall.cancel();
  body.destroy();
  let trouble: DiskTrouble | null;
  try {
    aligner.end();
    trouble = await writing.finish();
  } catch (error) {
    return { kind: 'bug', at: clock.now(), error: String(error) };
  }
  const at = clock.now();
  const isWhole = isLive && ending.kind === 'refusal' && ending.refusal.code === ENDED.code;
  const came = { aheadMs: writing.aheadMs(), tookMs: mono - begunMono };
  const own = writing.piece();
  const piece = own && isWhole && isClip(own, came) ? asClip(own, came.aheadMs) : own;
  if (trouble !== null) return { kind: 'fault', at, piece, ...refusalOfTrouble(trouble) };
  switch (ending.kind) {
    case 'stop':
      return { kind: 'stopped', at, piece };
    case 'refusal':
      return { kind: 'fault', at, piece, ...ending.refusal };
    case 'trouble':
      return { kind: 'fault', at, piece, ...refusalOfTrouble(ending.trouble) };
    case 'bug':
      return { kind: 'bug', at, error: ending.error };
  }
}

/**
 * What a provider gives in place of a channel ("too many connections") is a file: all of it is sent at once and is over
 * then, and it has nothing to do with what is written. A live stream is over in the middle of what it sends as it plays.
 */
function isClip(
  { join, splices }: CapturePiece,
  { aheadMs, tookMs }: { readonly aheadMs: number; readonly tookMs: number },
): boolean {
  return join?.approximate === true && !splices && aheadMs >= CLIP_MS_MIN && tookMs <= aheadMs / 4;
}

/** It is kept, for nobody can be sure, and told as missing. */
function asClip(piece: CapturePiece, aheadMs: number): CapturePiece {
  const gap = { fromAt: piece.fromAt - Math.round(aheadMs), toAt: piece.toAt, cause: 'dead' as const };
  return { ...piece, goodMs: 0, gaps: [gap] };
}

/** Calls `onStall` once nothing was touched for `limitMs`; it answers true to be asked again. No timer a touch. */
function stallWatch(clock: Clock, limitMs: number, onStall: () => boolean) {
  let touched = clock.mono();
  function check(): void {
    const leftMs = limitMs - (clock.mono() - touched);
    if (leftMs <= 0 && !onStall()) return;
    timer = clock.after(leftMs > 0 ? leftMs : limitMs, check);
  }
  let timer = clock.after(limitMs, check);
  return {
    touch(mono: number) {
      touched = mono;
    },
    cancel: () => timer.cancel(),
  };
}

/** The upstream is not to blame for the disk. */
export function refusalOfTrouble(trouble: DiskTrouble): Refusal {
  return { cause: trouble.code, code: trouble.code, remedy: 'disk', retryAfterMs: null, limit: null };
}
