/**
 * An HLS session as one body: whole segments, lost time and the reason of the end, each a frame of a short text and what
 * belongs to it. So everything that holds for a connection (sharing, lingering, slots, being held back) holds for a
 * session of many, and whoever joins it late begins with the next frame.
 */
import type { SavedCursor } from '../domain/hlsCursor.js';
import type { GapCause } from '../domain/ledger.js';
import { keepBlock } from './lentBlocks.js';
import type { Refusal } from './refusal.js';

export type Container = 'ts' | 'mp4';

export interface SegmentFrame {
  readonly kind: 'segment';
  readonly container: Container;
  /** Wall clock at which it was on air. */
  readonly at: number;
  readonly durationMs: number;
  /** Clocks, tracks and codecs may be others from here on. */
  readonly discontinuity: boolean;
  /** Where to go on after it. */
  readonly cursor: SavedCursor;
  /** The payload begins with that many bytes of initialization section. */
  readonly initBytes: number;
  readonly bytes: number;
}

export type HlsFrame =
  | SegmentFrame
  | {
      readonly kind: 'lost';
      readonly at: number;
      readonly durationMs: number;
      readonly cause: GapCause;
      readonly bytes: 0;
    }
  /** Nothing follows. */
  | { readonly kind: 'over'; readonly refusal: Refusal; readonly bytes: 0 };

/** What no media begins with. */
const MAGIC = Buffer.from('\u0000catchupd-hls\u0001\n\u0000\u0000', 'latin1');
const HEAD_BYTES = MAGIC.length + 4;

/** What goes before the payload; the payload follows as it is. */
export function frameHead(frame: HlsFrame): Buffer {
  const text = Buffer.from(JSON.stringify(frame));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([MAGIC, length, text]);
}

/**
 * Takes a body in chunks of any size, each valid during the call only, and gives out whole frames. Whoever has read a
 * payload drops it (`lentBlocks.ts`). What comes before the first head is passed over.
 */
export function frameReader(onFrame: (frame: HlsFrame, payload: readonly Buffer[]) => void) {
  let held: Buffer = Buffer.alloc(0);
  let frame: HlsFrame | null = null;
  let payload: Buffer[] = [];
  let missing = 0;

  /** Takes a head off the front of what is held; false while it is not whole. */
  function readHead(): boolean {
    const start = held.indexOf(MAGIC);
    if (start < 0) {
      held = held.subarray(Math.max(0, held.length - MAGIC.length + 1));
      return false;
    }
    held = held.subarray(start);
    if (held.length < HEAD_BYTES) return false;
    const end = HEAD_BYTES + held.readUInt32BE(MAGIC.length);
    if (held.length < end) return false;
    frame = JSON.parse(held.subarray(HEAD_BYTES, end).toString()) as HlsFrame;
    missing = frame.bytes;
    held = held.subarray(end);
    return true;
  }

  function finish(): void {
    if (!frame) return;
    const [whole, parts] = [frame, payload];
    frame = null;
    payload = [];
    onFrame(whole, parts);
  }

  return {
    push(chunk: Buffer): void {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      for (;;) {
        if (!frame && !readHead()) break;
        const part = held.subarray(0, missing);
        if (part.length > 0) {
          keepBlock(part);
          payload.push(part);
        }
        missing -= part.length;
        held = held.subarray(part.length);
        if (missing > 0) break;
        finish();
      }
      if (held.length > 0) held = Buffer.from(held);
    },
  };
}
