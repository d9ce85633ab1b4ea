/**
 * How long a hole in a stream is to whoever watches it. What follows a hole refers to pictures that never came: up to
 * the next key frame nothing can be decoded that is worth it. All of it is kept, the sound is whole and some decoders
 * make something of the pictures (P1), and the ledger tells the hole as far as that key frame (P4).
 */
import type { Gap } from '../domain/ledger.js';
import { isKey } from './keyFrame.js';
import type { ElementaryStream } from './psi.js';
import { KEY_WAIT_MS } from './startPoint.js';
import { CLOCK_HZ, pesTimesAt, ticksBetween } from './tsPackets.js';

export interface PictureHoles {
  /** A unit of sound or pictures begins in this packet. */
  unit(buffer: Buffer, at: number, stream: ElementaryStream): void;
  /** So much is missing, by the clock of the stream; what is here of it was told before. */
  hole(gap: Gap): void;
  /** What follows is on another clock, or another stream. */
  end(): void;
  /** All holes, in their order; the last one may go on. */
  gaps(): readonly Gap[];
}

/** From here on a way from one picture to the next may be a hole, unless they come that rarely. */
const HOLE_TICKS_MIN = 0.15 * CLOCK_HZ;
const HOLE_STEPS_MIN = 3;
/** The clock tells a hole no later than so long behind the pictures. */
const TOLD_TICKS_MAX = CLOCK_HZ;
/** Streams without a key frame for longer repair themselves in other ways. */
const KEY_WAIT_TICKS_MAX = (KEY_WAIT_MS * CLOCK_HZ) / 1000;

/** Where a picture is missing, by the clock of the pictures. */
interface Break {
  /** The first picture that is missing. */
  readonly from: number;
  /** The first one behind it. */
  readonly since: number;
  /** The first one from there on that can be decoded by itself, or -1. */
  keyAt: number;
}

export function pictureHoles(): PictureHoles {
  const gaps: Gap[] = [];
  /** The picture that the last gap begins with. */
  let anchor = -1;
  let pid = -1;
  let last = -1;
  let step = 0;
  let hadKey = false;
  /** The last way from picture to picture that was too long; the one behind which a key frame is awaited. */
  let seen: Break | null = null;
  let open: Break | null = null;
  /** The clock told a hole that no picture has come behind. */
  let isTold = false;

  /** Makes the last gap reach to that picture, if it does not. */
  function reach(until: number): void {
    const gap = gaps.pop();
    if (!gap) return;
    const toAt = gap.fromAt + Math.round(ticksBetween(anchor, until) / (CLOCK_HZ / 1000));
    gaps.push({ ...gap, toAt: Math.max(gap.toAt, toAt) });
  }

  function take(dts: number, key: boolean): void {
    const way = last < 0 ? 0 : ticksBetween(last, dts);
    const isLong = way >= HOLE_TICKS_MIN && step > 0 && way > HOLE_STEPS_MIN * step;
    if (isLong || isTold) seen = { from: last + step, since: dts, keyAt: -1 };
    else if (way > 0) step = way;
    last = dts;
    hadKey ||= key;
    for (const one of [seen, open]) if (one && one.keyAt < 0 && key) one.keyAt = dts;
    if (isTold) waitForKey();
    follow();
  }

  /** The last gap goes on to the key frame behind what was seen. */
  function waitForKey(): void {
    isTold = false;
    if (!seen) return;
    if (anchor < 0) anchor = seen.from;
    open = seen;
    seen = null;
  }

  /** Tells the gap that goes on as far as it is known. */
  function follow(): void {
    if (!open) return;
    const { keyAt, since } = open;
    if (keyAt >= 0) reach(keyAt);
    else if (hadKey) reach(last + step);
    if (keyAt >= 0 || !hadKey || ticksBetween(since, last) > KEY_WAIT_TICKS_MAX) open = null;
  }

  return {
    unit(buffer, at, stream) {
      if (stream.kind !== 'video' || (pid >= 0 && pid !== stream.pid)) return;
      ({ pid } = stream);
      const dts = pesTimesAt(buffer, at)?.dts ?? -1;
      if (dts >= 0) take(dts, isKey(buffer, at, stream.type));
    },
    hole(gap) {
      const before = gaps.at(-1);
      if (before && before.toAt >= gap.fromAt)
        gaps.splice(-1, 1, { ...before, toAt: Math.max(before.toAt, gap.toAt) });
      else {
        gaps.push(gap);
        anchor = -1;
      }
      isTold = last >= 0;
      const isRecent = seen !== null && ticksBetween(seen.since, last) <= TOLD_TICKS_MAX;
      if (isRecent) waitForKey();
      follow();
    },
    end() {
      pid = last = -1;
      step = 0;
      seen = open = null;
      isTold = hadKey = false;
    },
    gaps: () => gaps,
  };
}
