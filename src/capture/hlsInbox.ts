/** Frames of a session, one after the other, for whoever takes their time: what is not taken yet holds the session back. */
import type { CaptureOutcome } from '../domain/capture.js';
import type { Run } from './hls.js';
import type { CaptureDoors } from './protocol.js';
import { frameReader, type HlsFrame, type SegmentFrame } from './hlsFrames.js';
import { ENDED, refusalOfFault, STALLED, type Refusal } from './refusal.js';
import type { LiveBody } from './upstream.js';
import type { WaitPool } from './waitPool.js';

const HELD_BYTES_MAX = 16 * 1024 * 1024;

export type InboxItem =
  | { readonly kind: 'segment'; readonly frame: SegmentFrame; readonly payload: readonly Buffer[] }
  | { readonly kind: 'lost'; readonly frame: Extract<HlsFrame, { kind: 'lost' }> }
  | { readonly kind: 'over'; readonly refusal: Refusal }
  /** A run ended by itself. */
  | { readonly kind: 'ended'; readonly run: Run; readonly outcome: CaptureOutcome }
  /** The window is over: media up to now is wanted, and waited for so long. */
  | { readonly kind: 'enough'; readonly at: number; readonly lateMs: number }
  | { readonly kind: 'stop' };

export interface Inbox {
  next(): Promise<InboxItem>;
  add(item: InboxItem): void;
  close(): void;
}

/** `firstMs`: how long the first segment may take. */
export function hlsInbox(
  body: LiveBody,
  clock: CaptureDoors['clock'],
  signal: AbortSignal,
  firstMs: number,
  pool: WaitPool,
): Inbox {
  const items: InboxItem[] = [];
  const own = pool.join();
  let heldBytes = 0;
  let isFull = false;
  let waiting: ((item: InboxItem) => void) | null = null;
  let ended = false;

  const reader = frameReader((frame, payload) => {
    switch (frame.kind) {
      case 'segment':
        timer.cancel();
        hold(frame.bytes);
        return add({ kind: 'segment', frame, payload });
      case 'lost':
        return add({ kind: 'lost', frame });
      case 'over':
        return end(frame.refusal);
    }
  });

  /** What waits counts with what waits for disks elsewhere; who has too much of it is held back. */
  function hold(bytes: number): void {
    heldBytes += bytes;
    own.hold(heldBytes);
    const wasFull = isFull;
    isFull = heldBytes > 0 && own.isOver(HELD_BYTES_MAX);
    if (isFull && !wasFull) body.pause();
    if (!isFull && wasFull) body.resume();
  }
  function add(item: InboxItem): void {
    if (waiting) give(item);
    else items.push(item);
  }
  function give(item: InboxItem): void {
    const to = waiting;
    waiting = null;
    if (item.kind === 'segment') hold(-item.frame.bytes);
    to?.(item);
  }
  function end(refusal: Refusal): void {
    if (ended) return;
    ended = true;
    timer.cancel();
    add({ kind: 'over', refusal });
  }
  const onAbort = () => {
    // What was received whole is written by the run itself; what waits here would come too late.
    items.length = 0;
    ended = true;
    add({ kind: 'stop' });
  };
  const timer = clock.after(firstMs, () => end(STALLED));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  else
    body.flow({
      onData: (chunk) => reader.push(chunk),
      onEnd: () => end(ENDED),
      onFault: (fault) => end(refusalOfFault(fault)),
    });

  return {
    add,
    next: () =>
      new Promise((resolve) => {
        waiting = resolve;
        const item = items.shift();
        if (item) give(item);
      }),
    close() {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      body.destroy();
      own.leave();
    },
  };
}
