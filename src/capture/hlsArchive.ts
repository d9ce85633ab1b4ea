/**
 * A programme that an archive gives as a playlist, segment by segment into a file: what a transport stream in one body would
 * have been. Beside it stands how far it is, so that the next connection goes on behind the last whole segment (P1).
 */
import type { Clock } from '../io/clock.js';
import type { Disk, DiskFile } from '../io/disk.js';
import { TransportFault, type TransportBody } from '../io/transport.js';
import { sizeOf, type FiniteDoors, type FiniteInput, type FiniteOutcome } from './finite.js';
import { PROGRESS, tagPath, writeTag, type ArchiveProgress } from './finiteTag.js';
import { frameReader, type HlsFrame } from './hlsFrames.js';
import { dropBlocks } from './lentBlocks.js';
import { ENDED, OTHER_CONTAINER, refusalOfFault, STALLED, type Refusal } from './refusal.js';

type ArchiveEnd =
  | { readonly kind: 'whole' }
  | { readonly kind: 'over'; readonly refusal: Refusal }
  /** It begins anew, or at a place that was not asked for: what is there is another thing. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'aborted' };

interface PourInput {
  readonly path: string;
  readonly progress: ArchiveProgress | null;
  readonly lengthMs: number;
  readonly mayLack: boolean;
  readonly stallTimeoutMs: number;
  readonly onProgress: (progress: ArchiveProgress) => Promise<void>;
}

const HELD_BYTES_MAX = 8 * 2 ** 20;

type Item =
  | { readonly frame: HlsFrame; readonly payload: readonly Buffer[] }
  | { readonly fault: TransportFault | 'end' };

interface SessionInput extends Pick<FiniteInput, 'path' | 'stallTimeoutMs' | 'hls'> {
  /** What is there already, and how far that is. */
  readonly have: number;
  readonly progress: ArchiveProgress | null;
}

/** A playlist, from where the last one was left. */
export async function fetchSession(
  body: TransportBody,
  { path, stallTimeoutMs, hls, have, progress }: SessionInput,
  doors: Pick<FiniteDoors, 'disk' | 'clock' | 'signal'>,
): Promise<FiniteOutcome> {
  const { disk } = doors;
  // What was not written whole is asked for again, and what was fetched as one body is no beginning of this.
  if (progress === null) await disk.unlink(path).catch(() => undefined);
  else if (progress.bytes < have) await cut(disk, path, progress.bytes);
  const onProgress = (now: ArchiveProgress) => writeTag(disk, path, `${PROGRESS}${JSON.stringify(now)}`);
  const { lengthMs = Infinity, mayLack = true } = hls ?? {};
  const end = await pourSession(
    body,
    { path, progress, lengthMs, mayLack, stallTimeoutMs, onProgress },
    doors,
  );
  const bytes = await sizeOf(disk, path);
  switch (end.kind) {
    case 'whole':
      return { kind: 'whole', bytes };
    case 'aborted':
      return { kind: 'aborted' };
    case 'over':
      return bytes === 0
        ? { kind: 'refused', refusal: end.refusal }
        : { kind: 'cut', bytes, refusal: end.refusal };
    case 'elsewhere':
      await disk.unlink(path).catch(() => undefined);
      await disk.unlink(tagPath(path)).catch(() => undefined);
      return { kind: 'cut', bytes: 0, refusal: ENDED };
  }
}

async function cut(disk: Disk, path: string, bytes: number): Promise<void> {
  const file = await disk.open(path, 'append');
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
}

/** Rejects with what the disk says. */
async function pourSession(
  body: TransportBody,
  { path, progress, lengthMs, mayLack, stallTimeoutMs, onProgress }: PourInput,
  { disk, clock, signal }: Pick<FiniteDoors, 'disk' | 'clock' | 'signal'>,
): Promise<ArchiveEnd> {
  const items = itemsOf(body, signal);
  let { bytes = 0, mediaMs = 0 } = progress ?? {};
  let file: DiskFile | null = null;
  let expected = progress ? progress.cursor.sequence + 1 : null;
  try {
    for (;;) {
      const item = await items.next(clock, stallTimeoutMs);
      if (item === null) return { kind: 'over', refusal: STALLED };
      if ('fault' in item) {
        if (item.fault === 'end') return { kind: 'over', refusal: ENDED };
        if (item.fault.kind === 'aborted') return { kind: 'aborted' };
        return { kind: 'over', refusal: refusalOfFault(item.fault) };
      }
      const { frame, payload } = item;
      switch (frame.kind) {
        case 'over':
          if (frame.refusal.code === ENDED.code && bytes > 0) return { kind: 'whole' };
          return { kind: 'over', refusal: frame.refusal };
        case 'lost':
          if (!mayLack) return { kind: 'over', refusal: ENDED };
          if (expected !== null) expected++;
          // The clock of the file will show what is missing.
          mediaMs += frame.durationMs;
          break;
        case 'segment': {
          if (frame.container !== 'ts') return { kind: 'over', refusal: OTHER_CONTAINER };
          if (expected !== null && frame.cursor.sequence !== expected) return { kind: 'elsewhere' };
          expected = null;
          file ??= await disk.open(path, 'append');
          await file.write(payload);
          dropBlocks(payload);
          bytes += frame.bytes;
          mediaMs += frame.durationMs;
          await onProgress({ bytes, mediaMs, cursor: frame.cursor });
          break;
        }
      }
      if (mediaMs >= lengthMs && bytes > 0) return { kind: 'whole' };
    }
  } finally {
    items.close();
    try {
      await file?.datasync();
    } finally {
      await file?.close();
    }
  }
}

/** What comes, one after the other; too much of it holds the session back. */
function itemsOf(body: TransportBody, signal: AbortSignal) {
  const items: Item[] = [];
  let heldBytes = 0;
  let wake: () => void = () => undefined;
  const add = (item: Item) => {
    items.push(item);
    wake();
  };
  const reader = frameReader((frame, payload) => {
    heldBytes += frame.bytes;
    if (heldBytes > HELD_BYTES_MAX) body.pause();
    add({ frame, payload });
  });
  const onAbort = () => {
    items.length = 0;
    add({ fault: new TransportFault('aborted', 'aborted') });
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  body.flow({
    onData: (chunk) => reader.push(chunk),
    onEnd: () => add({ fault: 'end' }),
    onFault: (fault) => add({ fault }),
  });
  return {
    /** Null where nothing came for so long. */
    async next(clock: Clock, waitMs: number): Promise<Item | null> {
      if (items.length === 0) {
        let timer = null as ReturnType<Clock['after']> | null;
        await new Promise<void>((resolve) => {
          wake = resolve;
          timer = clock.after(waitMs, resolve);
        });
        timer?.cancel();
      }
      const item = items.shift() ?? null;
      if (item && 'frame' in item) {
        const wasFull = heldBytes > HELD_BYTES_MAX;
        heldBytes -= item.frame.bytes;
        if (wasFull && heldBytes <= HELD_BYTES_MAX) body.resume();
      }
      return item;
    },
    close() {
      signal.removeEventListener('abort', onAbort);
      body.destroy();
    },
  };
}
