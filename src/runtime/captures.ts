/**
 * Who holds a connection: the running captures, keyed by recording, outside the charts. Opening awaits the end of an
 * earlier one of the same recording, so that two never write to one spool (P2); whatever a chart forgot can be found
 * here and closed.
 */

import { dirname } from 'node:path';
import type { CaptureInput as Asked } from '../../machines/ports.js';
import type { CaptureFault, CaptureOutcome, CapturePiece } from '../domain/capture.js';
import { refKey, type UpstreamRef } from '../domain/channel.js';
import type { QualityWish } from '../domain/hlsVariant.js';
import { capture } from '../capture/protocols.js';
import { within, type Clock } from '../io/clock.js';
import { diskCode, type Disk } from '../io/disk.js';
import type { Feeds } from '../capture/feeds.js';
import type { WaitPool } from '../capture/waitPool.js';

/** An upstream as it is asked: address and headers. Secret. */
export interface Address {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface CaptureSettings {
  readonly firstByteTimeoutMs: number;
  readonly stallTimeoutMs: number;
}

export interface CapturesDoors {
  readonly clock: Clock;
  /** The clock that a recording lives by. */
  readonly clockOf: (id: string) => Clock;
  readonly disk: Disk;
  readonly feeds: Feeds;
  /** What all of them may let wait for disks together. */
  readonly pool: WaitPool;
  readonly settings: () => CaptureSettings;
  readonly quality: () => QualityWish;
  /** Whether an account behind this upstream counts connections. */
  readonly isLimited: (ref: UpstreamRef) => boolean;
  /** Null where no list has it. */
  readonly resolve: (ref: UpstreamRef) => Address | null;
  /** Resolves when the list that has it is there, or is known not to come. */
  readonly known: (ref: UpstreamRef, signal: AbortSignal) => Promise<void>;
  /** Whether the folder that spools go to is there (P5). */
  readonly rootReady: () => Promise<boolean>;
  /** Where the index of a recording's spool is kept. */
  readonly indexPath: (id: string) => string;
  /** The connection that was granted is not there (any more). */
  readonly onClosed: (feed: string) => void;
  /** How each capture ended, before its chart is told. */
  readonly onEnd: (id: string, upstream: UpstreamRef, outcome: CaptureOutcome) => void;
  readonly onCheckpoint: (id: string, upstream: UpstreamRef, piece: CapturePiece, at: number) => void;
}

export interface Captures {
  /** Runs until told to stop or until the upstream fails; `signal` is the chart leaving the state. */
  run(asked: Asked, signal: AbortSignal): Promise<CaptureOutcome>;
  /**
   * Tells one to flush and end; its outcome follows from `run`. `lateMs`: how long it may wait for what is on air now and
   * comes later.
   */
  stop(id: string, lateMs?: number): void;
  /** Tells all; resolves when they have ended, or after `withinMs`. */
  stopAll(withinMs: number): Promise<void>;
  open(): readonly string[];
}

interface Holder {
  readonly abort: AbortController;
  /** Ends it by and by, where it knows what to do with some more time. */
  readonly endLate: (lateMs: number) => void;
  readonly ended: Promise<unknown>;
}

/** An earlier capture is given this long to let go; then its connection is gone all the same. */
const HANDOVER_MS_MAX = 5_000;

export function createCaptures(doors: CapturesDoors): Captures {
  const holders = new Map<string, Holder>();

  async function run(asked: Asked, signal: AbortSignal): Promise<CaptureOutcome> {
    const earlier = holders.get(asked.id);
    if (earlier) {
      earlier.abort.abort();
      await within(doors.clock, HANDOVER_MS_MAX, earlier.ended);
      // A write that hangs could land behind the new data: the spool has one writer or none (P2).
      if (holders.get(asked.id) === earlier)
        return faultAt(doors.clockOf(asked.id))('disk_error', 'disk_error', 'disk');
    }
    const abort = new AbortController();
    const onLeave = () => abort.abort();
    signal.addEventListener('abort', onLeave, { once: true });
    if (signal.aborted) abort.abort();
    let onEnding: Holder['endLate'] = () => abort.abort();
    const outcome = record(asked, abort.signal, (listen) => (onEnding = listen));
    const done = outcome.catch(() => undefined);
    const holder: Holder = { abort, ended: done, endLate: (lateMs) => onEnding(lateMs) };
    holders.set(asked.id, holder);
    try {
      const ended = await outcome;
      settle(asked, ended);
      return ended;
    } finally {
      signal.removeEventListener('abort', onLeave);
      if (holders.get(asked.id) === holder) holders.delete(asked.id);
    }
  }

  async function record(
    asked: Asked,
    signal: AbortSignal,
    onEnding: (listen: (lateMs: number) => void) => void,
  ): Promise<CaptureOutcome> {
    await doors.known(asked.upstream, signal);
    const clock = doors.clockOf(asked.id);
    const fault = faultAt(clock);
    if (signal.aborted) return { kind: 'stopped', at: clock.now(), piece: null };
    const address = doors.resolve(asked.upstream);
    if (address === null) return fault('connect', 'upstream_gone', 'spent');
    if (!(await doors.rootReady())) return fault('disk_error', 'mount_missing', 'disk');
    try {
      await doors.disk.mkdir(dirname(asked.spool));
    } catch (error) {
      const full = diskCode(error) === 'ENOSPC';
      return full ? fault('disk_full', 'disk_full', 'disk') : fault('disk_error', 'disk_error', 'disk');
    }
    return capture(
      {
        ...address,
        ...doors.settings(),
        spoolPath: asked.spool,
        indexPath: doors.indexPath(asked.id),
        hasOthers: asked.hasOthers,
        hls: {
          from: asked.from,
          cursor: asked.cursor,
          quality: doors.quality(),
          oneAtATime: doors.isLimited(asked.upstream),
        },
        ...(asked.lastMediaAt !== null && { lastMediaAt: asked.lastMediaAt }),
        ...(asked.movedTicks !== null && { movedTicks: asked.movedTicks }),
      },
      {
        transport: {
          open: (url, request) => doors.feeds.open(refKey(asked.upstream), url, request),
          close: () => Promise.resolve(),
        },
        disk: doors.disk,
        clock,
        signal,
        onEnding,
        onCheckpoint: (piece) => doors.onCheckpoint(asked.id, asked.upstream, piece, doors.clock.now()),
      },
    );
  }

  /** A connection that failed is of no use to others either; the slot goes by what is really open. */
  function settle({ id, upstream }: Asked, outcome: CaptureOutcome): void {
    const feed = refKey(upstream);
    if (outcome.kind === 'fault' && outcome.remedy !== 'disk') doors.feeds.condemn(feed);
    if (!doors.feeds.keys().includes(feed)) doors.onClosed(feed);
    doors.onEnd(id, upstream, outcome);
  }

  return {
    run,
    stop(id, lateMs = 0) {
      const holder = holders.get(id);
      if (lateMs > 0) holder?.endLate(lateMs);
      else holder?.abort.abort();
    },
    async stopAll(withinMs) {
      const all = [...holders.values()];
      for (const holder of all) holder.abort.abort();
      if (all.length === 0) return;
      await within(doors.clock, withinMs, Promise.all(all.map((holder) => holder.ended)));
    },
    open: () => [...holders.keys()],
  };
}

function faultAt(clock: Clock) {
  return (cause: CaptureFault['cause'], code: string, remedy: CaptureFault['remedy']): CaptureFault => {
    const at = clock.now();
    return { kind: 'fault', at, cause, code, remedy, piece: null, retryAfterMs: null, limit: null };
  };
}
