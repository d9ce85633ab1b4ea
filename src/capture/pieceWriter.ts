/**
 * One piece of media on its way into the spool: batches of 256 KiB to 1 MiB, or what half a second brought, never a
 * write a chunk; synced every few seconds (P7); counted as it passes (P4). One write runs at a time, and beside it one
 * sync: a disk that takes seconds over that holds nothing back that a kill would take. When the disk is slow the stream
 * is held back rather than thrown away (P1).
 */
import type { CapturePiece, PieceJoin } from '../domain/capture.js';
import type { Clock, TimerHandle } from '../io/clock.js';
import { packetQueue } from './packetQueue.js';
import type { DiskTrouble, Spool } from './spool.js';
import type { SpoolIndex } from './spoolIndex.js';
import { PACKET_BYTES } from './tsPackets.js';
import type { TsHealth } from './tsHealth.js';
import { waitPool, type WaitPool } from './waitPool.js';

const BATCH_BYTES_MIN = 256 * 1024;
const BATCH_BYTES_MAX = Math.floor((1024 * 1024) / PACKET_BYTES) * PACKET_BYTES;
/** With what is held back for a moment, what a kill costs stays under a second. */
const FLUSH_MS = 400;
/** With the flush before it, what a power cut costs stays under five seconds. */
const SYNC_MS = 4_000;
const CHECKPOINT_MS = 10_000;
/** The stream is paused above the first, and goes on below the second. */
const PRESSURE_BYTES_HIGH = 8 * 1024 * 1024;
const PRESSURE_BYTES_LOW = 4 * 1024 * 1024;

export interface PieceWriterDoors {
  readonly spool: Spool;
  readonly health: TsHealth;
  /** Null where none can be kept. */
  readonly index?: SpoolIndex | null;
  readonly clock: Clock;
  /** What all captures may let wait together; its own where it is left out. */
  readonly pool?: WaitPool;
  /** How the piece was joined to what the spool held, null where it held nothing. */
  readonly join?: () => PieceJoin | null;
  /** How long before they came its first packets were on; 0 where it is left out. */
  readonly aheadMs?: () => number;
  readonly onCheckpoint: (piece: CapturePiece) => void;
  /** True: hold the stream back. False: let it go on. */
  readonly onPressure: (full: boolean) => void;
  /** The disk failed; nothing is written any more. */
  readonly onTrouble: (trouble: DiskTrouble) => void;
  /** Something threw that should not have. */
  readonly onBug: (error: unknown) => void;
}

export interface PieceWriter {
  /** Takes whole packets that may be written. */
  push(buffer: Buffer, from: number, to: number, mono: number): void;
  /** Writes and syncs all that came, drops what is unfinished at its end, closes the spool. */
  finish(): Promise<DiskTrouble | null>;
  /** What is in the file now, or null while that is nothing. */
  piece(): CapturePiece | null;
}

export function pieceWriter(doors: PieceWriterDoors): PieceWriter {
  const { spool, health, clock } = doors;
  const queue = packetQueue();
  const waiting = (doors.pool ?? waitPool()).join();
  let trimmedBytes = spool.trimmedBytes;
  /** The write that is under way, and the sync. */
  let busy: Promise<void> | null = null;
  let syncing: Promise<void> | null = null;
  let trouble: DiskTrouble | null = null;
  let isTold = false;
  let finishing = false;
  let pressed = false;
  let timer: TimerHandle | null = null;
  let first: { readonly at: number; readonly mono: number } | null = null;
  let last = { at: 0, mono: 0 };
  /** The last packet that is in the file came then. */
  let written = last;
  let syncedMono = clock.mono();
  let unsynced = false;
  let checkpointMono = Number.NEGATIVE_INFINITY;

  function piece(): CapturePiece | null {
    const bytes = spool.bytesWritten();
    if (!first || bytes === 0) return null;
    const join = doors.join?.() ?? null;
    return {
      firstOffset: spool.firstOffset,
      bytes,
      fromAt: first.at - Math.round(doors.aheadMs?.() ?? 0),
      toAt: written.at,
      goodMs: Math.round(written.mono - first.mono),
      ts: { ...health.counts(), trimmedBytes },
      ...(join && { join }),
    };
  }

  async function writeOut(bytes: number): Promise<void> {
    const came = last;
    const before = spool.bytesWritten();
    const packets = queue.peek(bytes);
    const failed = await spool.write(packets);
    trouble ??= failed;
    if (failed === null) doors.index?.push(packets);
    queue.release(bytes);
    waiting.hold(queue.pendingBytes());
    if (spool.bytesWritten() > before) written = came;
    unsynced = true;
  }

  async function syncNow(): Promise<void> {
    syncedMono = clock.mono();
    // What is written meanwhile is left to the next one.
    unsynced = false;
    const failed = await spool.sync();
    trouble ??= failed;
    await doors.index?.flush();
  }

  /** Beside the writes, and again where it took so long that what came meanwhile has waited enough. */
  function syncBeside(): void {
    if (syncing || trouble) return;
    syncing = syncNow()
      .then(() => {
        syncing = null;
        if (finishing) return;
        tellTrouble();
        if (unsynced && isSyncDue()) syncBeside();
      })
      .catch((error: unknown) => {
        syncing = null;
        doors.onBug(error);
      });
  }

  /** Once, whichever of the two it was. */
  function tellTrouble(): void {
    if (trouble === null || isTold) return;
    isTold = true;
    doors.onTrouble(trouble);
  }

  const isSyncDue = () => clock.mono() - syncedMono >= SYNC_MS;

  async function work(bytes: number): Promise<void> {
    await writeOut(bytes);
    busy = null;
    if (trouble !== null) return tellTrouble();
    if (isSyncDue()) syncBeside();
    const mono = clock.mono();
    if (mono - checkpointMono >= CHECKPOINT_MS) {
      const now = piece();
      checkpointMono = mono;
      if (now) doors.onCheckpoint(now);
    }
    if (finishing) return;
    if (pressed && !waiting.isOver(PRESSURE_BYTES_LOW)) {
      pressed = false;
      doors.onPressure(false);
    }
    pump(false);
  }

  /** Starts the next write when there is enough, or when `due`; else sees to it that it comes due. */
  function pump(due: boolean): void {
    if (busy || trouble || finishing) return;
    const ready = queue.readyBytes(clock.mono());
    if (ready >= BATCH_BYTES_MIN || (due && ready > 0)) {
      timer?.cancel();
      timer = null;
      busy = work(Math.min(ready, BATCH_BYTES_MAX)).catch((error: unknown) => {
        busy = null;
        doors.onBug(error);
      });
      return;
    }
    if (queue.pendingBytes() === 0 || timer) return;
    timer = clock.after(FLUSH_MS, () => {
      timer = null;
      try {
        pump(true);
      } catch (error) {
        doors.onBug(error);
      }
    });
  }

  if (spool.isLoose) syncBeside();

  return {
    push(buffer, from, to, mono) {
      if (trouble || finishing) return;
      // At a joint packets are held back for a moment; they came when they came.
      last = { at: Math.round(clock.now() - Math.max(0, clock.mono() - mono)), mono };
      first ??= last;
      health.count(buffer, from, to);
      queue.append(buffer, from, to, mono);
      waiting.hold(queue.pendingBytes());
      if (!pressed && waiting.isOver(PRESSURE_BYTES_HIGH)) {
        pressed = true;
        doors.onPressure(true);
      }
      if (!busy && (timer === null || queue.pendingBytes() >= BATCH_BYTES_MIN)) pump(false);
    },
    async finish() {
      finishing = true;
      timer?.cancel();
      await busy;
      if (trouble === null) trimmedBytes += queue.seal();
      while (trouble === null && queue.pendingBytes() > 0) {
        await writeOut(Math.min(queue.pendingBytes(), BATCH_BYTES_MAX));
      }
      await syncing;
      if (trouble === null && unsynced) await syncNow();
      await doors.index?.close();
      await spool.close();
      waiting.leave();
      return trouble;
    },
    piece,
  };
}
