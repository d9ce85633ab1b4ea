/**
 * Captures one MPEG-TS stream over HTTP into a spool: upstream → packets → start point → spool, and where the spool has
 * something already the joiner in between. It ends when it is told to, or with the reason why the stream did; either way
 * every byte that came is in the file first (P1).
 */
import type { CaptureOutcome } from '../domain/capture.js';
import type { Clock } from '../io/clock.js';
import { diskCode, type Disk } from '../io/disk.js';
import { joiner } from './joiner.js';
import { pieceWriter } from './pieceWriter.js';
import type { CaptureDoors, CaptureInput } from './protocol.js';
import { ENDED, refusalOfFault, STALLED, type Refusal } from './refusal.js';
import { isTrouble, openSpool, troubleOf, type DiskTrouble, type Spool } from './spool.js';
import { openSpoolIndex, type SpoolIndex } from './spoolIndex.js';
import { readTail, type SpoolTail } from './spoolTail.js';
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
  const cameAt = clock.now();
  const ready = await openWritten(input, doors.disk, cameAt).catch((error: unknown) => {
    opened.body.destroy();
    return { bug: String(error) };
  });
  if ('bug' in ready) return { kind: 'bug', at: clock.now(), error: ready.bug };
  if (isTrouble(ready)) {
    opened.body.destroy();
    return { kind: 'fault', at: clock.now(), piece: null, ...refusalOfTrouble(ready) };
  }
  const silentMs = ready.lastAt === null ? null : Math.max(0, cameAt - ready.lastAt);
  return record(opened.body, { ...ready, silentMs }, input.stallTimeoutMs, doors);
}

/** The spool, what its end says where it has one, and when the last byte of that came. */
interface Written {
  readonly spool: Spool;
  readonly tail: SpoolTail | null;
  readonly index: SpoolIndex | null;
  readonly lastAt: number | null;
}

async function openWritten(input: CaptureInput, disk: Disk, cameAt: number): Promise<Written | DiskTrouble> {
  const lastAt = input.lastMediaAt ?? (await writtenAt(disk, input.spoolPath));
  const spool = await openSpool(disk, input.spoolPath);
  if (isTrouble(spool)) return spool;
  const { firstOffset } = spool;
  try {
    const tail = firstOffset === 0 ? null : await readTail(spool.read, firstOffset);
    const index = await openIndex(input, disk, spool, cameAt);
    return { spool, tail, index, lastAt };
  } catch (error) {
    await spool.close();
    if (diskCode(error) === 'UNKNOWN') throw error;
    return troubleOf(error);
  }
}

async function openIndex(
  { indexPath }: CaptureInput,
  disk: Disk,
  spool: Spool,
  startedAt: number,
): Promise<SpoolIndex | null> {
  if (indexPath === undefined) return null;
  const { firstOffset: spoolBytes, trimmedBytes, read } = spool;
  return openSpoolIndex(disk, { path: indexPath, spoolBytes, trimmed: trimmedBytes > 0, startedAt, read });
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

/** Where packets go first: to the start point, or by the joiner. */
interface Entrance {
  push(buffer: Buffer, from: number, to: number, mono: number): void;
  heldBackBytes(): number;
}

async function record(
  body: LiveBody,
  { spool, tail, index, silentMs }: Omit<Written, 'lastAt'> & { readonly silentMs: number | null },
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
    index,
    health: {
      count: (buffer, from, to) => health.count(buffer, from, to),
      counts: () => ({
        ...health.counts(),
        syncLosses: aligner.syncLosses(),
        skippedBytes: aligner.skippedBytes() + entrance.heldBackBytes(),
      }),
    },
    clock,
    join: () => joint?.join() ?? null,
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
  const joint = tail && joiner({ tail, silentMs, startWaitMs: START_WAIT_MS }, writer.push);
  const entrance: Entrance =
    joint ?? startPoint(START_WAIT_MS, (buffer, from, to) => writer.push(buffer, from, to, mono));
  const aligner = packetAligner((buffer, from, to) => {
    stall.touch(mono);
    entrance.push(buffer, from, to, mono);
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
  let bug: string | null = null;
  try {
    aligner.end();
    joint?.end();
  } catch (error) {
    bug = String(error);
  }
  const trouble = await writer.finish();
  const at = clock.now();
  const piece = writer.piece();
  if (bug !== null) return { kind: 'bug', at, error: bug };
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
