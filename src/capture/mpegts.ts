/**
 * Captures one MPEG-TS stream over HTTP into a spool: upstream → packets → start point → spool. It ends when it is told
 * to, or with the reason why the stream did; either way every byte that came is in the file first (P1).
 */
import type { CaptureOutcome } from '../domain/capture.js';
import type { Clock } from '../io/clock.js';
import { pieceWriter } from './pieceWriter.js';
import type { CaptureDoors, CaptureInput } from './protocol.js';
import { ENDED, refusalOfFault, STALLED, type Refusal } from './refusal.js';
import { isTrouble, openSpool, type DiskTrouble, type Spool } from './spool.js';
import { startPoint } from './startPoint.js';
import { tsHealth } from './tsHealth.js';
import { packetAligner } from './tsPackets.js';
import { openUpstream, type LiveBody } from './upstream.js';

/** How long a piece may look for a point to begin at (PROTOCOLS §6.2). */
const START_WAIT_MS = 5_000;

/** Why the stream is over. */
type Ending =
  | { readonly kind: 'stop' }
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  | { readonly kind: 'trouble'; readonly trouble: DiskTrouble }
  | { readonly kind: 'bug'; readonly error: string };

export async function captureMpegTs(input: CaptureInput, doors: CaptureDoors): Promise<CaptureOutcome> {
  const { clock, signal } = doors;
  const opened = await openUpstream(input, doors.transport, clock, signal);
  switch (opened.kind) {
    case 'aborted':
      return { kind: 'stopped', at: clock.now(), piece: null };
    case 'refused':
      return { kind: 'fault', at: clock.now(), piece: null, ...opened.refusal };
    case 'live':
      break;
  }
  const spool = await openSpool(doors.disk, input.spoolPath);
  if (isTrouble(spool)) {
    opened.body.destroy();
    return { kind: 'fault', at: clock.now(), piece: null, ...refusalOfTrouble(spool) };
  }
  return record(opened.body, spool, input.stallTimeoutMs, doors);
}

async function record(
  body: LiveBody,
  spool: Spool,
  stallTimeoutMs: number,
  doors: CaptureDoors,
): Promise<CaptureOutcome> {
  const { clock, signal } = doors;
  const health = tsHealth();
  let end: (ending: Ending) => void = () => undefined;
  const onBug = (error: unknown) => end({ kind: 'bug', error: String(error) });
  const ended = new Promise<Ending>((resolve) => (end = resolve));
  let paused = false;
  const stall = stallWatch(clock, stallTimeoutMs, () => {
    if (!paused) end({ kind: 'refusal', refusal: STALLED });
    return paused;
  });

  const writer = pieceWriter({
    spool,
    health: {
      count: (buffer, from, to) => health.count(buffer, from, to),
      counts: () => ({
        ...health.counts(),
        syncLosses: aligner.syncLosses(),
        skippedBytes: aligner.skippedBytes() + start.heldBackBytes(),
      }),
    },
    clock,
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
  });
  let mono = clock.mono();
  const start = startPoint(START_WAIT_MS, (buffer, from, to) => writer.push(buffer, from, to, mono));
  const aligner = packetAligner((buffer, from, to) => {
    stall.touch(mono);
    start.push(buffer, from, to, mono);
  });
  /** A throw in here would end as an unexplained broken connection: it is a bug of ours and is called one (P8). */
  function take(chunk: Buffer): void {
    try {
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
    onEnd: () => end({ kind: 'refusal', refusal: ENDED }),
    onFault: (fault) =>
      end(signal.aborted ? { kind: 'stop' } : { kind: 'refusal', refusal: refusalOfFault(fault) }),
  });

  const ending = await ended;
  signal.removeEventListener('abort', onAbort);
  stall.cancel();
  body.destroy();
  aligner.end();
  const trouble = await writer.finish();
  const at = clock.now();
  const piece = writer.piece();
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
function refusalOfTrouble(trouble: DiskTrouble): Refusal {
  return { cause: trouble.code, code: trouble.code, remedy: 'disk', retryAfterMs: null, limit: null };
}
