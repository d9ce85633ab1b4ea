/**
 * How long a hole in a stream is to whoever watches it. What follows a hole refers to pictures that never came: up to
 * the next key frame nothing can be decoded that is worth it. All of it is kept, the sound is whole and some decoders
 * make something of the pictures (P1), and the ledger tells the hole as far as that key frame (P4). Pictures that are
 * scrambled are kept and told in the same way: whoever has no key sees nothing of them. And pictures that do not come for
 * a while are missing though the sound and the clock go on, where they had come as evenly as those of a programme do. A
 * picture alone proves nothing: one bit of its time may have flipped.
 */
import { TOLD_GAP_MS, type Gap } from '../domain/ledger.js';
import { isKey } from './keyFrame.js';
import type { ElementaryStream } from './psi.js';
import { KEY_WAIT_MS } from './startPoint.js';
import { CLOCK_HZ, isScrambled, pesDtsAt, ticksBetween } from './tsPackets.js';

export interface PictureHoles {
  /** A unit of sound or pictures begins in this packet. */
  unit(buffer: Buffer, at: number, stream: ElementaryStream, mono: number): void;
  /** A packet of it came that nobody can read. */
  scrambled(stream: ElementaryStream, mono: number): void;
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
const TICKS_PER_MS = CLOCK_HZ / 1000;
/** Streams without a key frame for longer repair themselves in other ways. */
const KEY_WAIT_TICKS_MAX = KEY_WAIT_MS * TICKS_PER_MS;

/** Pictures come evenly: so long at a time, so many a second at least. Those of a radio or a slide show do not. */
const EVEN_TICKS_MIN = 5 * CLOCK_HZ;
const EVEN_STEP_TICKS_MAX = CLOCK_HZ / 8;
/** Encoders leave a picture out that is like the one before, but not for so long. */
const DARK_TICKS_MIN = CLOCK_HZ;

/** Where a picture is missing, by the clock of the pictures. */
interface Break {
  /** The first picture that is missing. */
  readonly from: number;
  /** The first one behind it. */
  readonly since: number;
  /** The first one from there on that can be decoded by itself, or -1. */
  keyAt: number;
}

/** `wallOf`: of a monotonic time. */
export function pictureHoles(wallOf: (mono: number) => number): PictureHoles {
  const gaps: Gap[] = [];
  /** The picture that the last gap begins with. */
  let anchor = -1;
  let pid = -1;
  let last = -1;
  let step = 0;
  /** How long pictures have come evenly. */
  let even = 0;
  let hadKey = false;
  /** The last way from picture to picture that was too long; the one behind which a key frame is awaited. */
  let seen: Break | null = null;
  let open: Break | null = null;
  /** The clock told a hole that no picture has come behind. */
  let isTold = false;
  /** The sound that goes on beside them: its time now, and at the last picture; -1 where there is none. */
  let soundPid = -1;
  let sounded = -1;
  let soundedThen = -1;
  /** When the last picture came. */
  let lastMono = 0;
  /** When scrambled packets came since the last picture that can be read: the first and the last; -1 where none did. */
  let hiddenMono = -1;
  let stillHiddenMono = -1;

  /** Makes the last gap reach to that picture, if it does not. */
  function reach(until: number): void {
    const gap = gaps.pop();
    if (!gap) return;
    const toAt = gap.fromAt + Math.round(ticksBetween(anchor, until) / TICKS_PER_MS);
    gaps.push({ ...gap, toAt: Math.max(gap.toAt, toAt) });
  }

  /** What is missing before that picture, in ticks, and whether pictures had come evenly until then. */
  function take(dts: number, key: boolean): { readonly missing: number; readonly wasEven: boolean } {
    const way = last < 0 ? 0 : ticksBetween(last, dts);
    const isLong = way >= HOLE_TICKS_MIN && step > 0 && way > HOLE_STEPS_MIN * step;
    if (isLong || isTold) seen = { from: last + step, since: dts, keyAt: -1 };
    else if (way > 0) step = way;
    const wasEven = even >= EVEN_TICKS_MIN && step <= EVEN_STEP_TICKS_MAX;
    even = isLong || way < 0 ? 0 : even + way;
    last = dts;
    hadKey ||= key;
    for (const one of [seen, open]) if (one && one.keyAt < 0 && key) one.keyAt = dts;
    if (isTold) waitForKey();
    follow();
    return { missing: isLong ? way - step : 0, wasEven };
  }

  /** Whether the sound went on meanwhile, or the time where it did not come either. A segment comes at once. */
  function hasPassed(missing: number, mono: number): boolean {
    const heard = soundedThen < 0 ? 0 : ticksBetween(soundedThen, sounded);
    return Math.max(heard, (mono - lastMono) * TICKS_PER_MS) >= missing / 2;
  }

  function listen(buffer: Buffer, at: number, stream: ElementaryStream): void {
    if (stream.kind !== 'audio' || (soundPid >= 0 && soundPid !== stream.pid)) return;
    soundPid = stream.pid;
    const dts = pesDtsAt(buffer, at);
    if (dts >= 0) sounded = dts;
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

  function tell(gap: Gap): void {
    const before = gaps.at(-1);
    if (before && before.toAt >= gap.fromAt)
      gaps.splice(-1, 1, { ...before, toAt: Math.max(before.toAt, gap.toAt) });
    else {
      gaps.push(gap);
      anchor = -1;
    }
  }

  /** The first picture that can be seen behind what could not: of those before it `missing` ticks are known, or none. */
  function uncover(missing: number, isFirst: boolean, mono: number, key: boolean): void {
    const toAt = wallOf(mono);
    const fromAt = isFirst ? wallOf(hiddenMono) : toAt - Math.round(missing / TICKS_PER_MS);
    if (toAt - fromAt < TOLD_GAP_MS) return;
    tell({ fromAt, toAt, cause: 'dead' });
    seen ??= { from: last - (toAt - fromAt) * TICKS_PER_MS, since: last, keyAt: key ? last : -1 };
    hadKey = true;
    waitForKey();
    follow();
  }

  /** What is hidden now. */
  function hiddenGap(): Gap[] {
    if (hiddenMono < 0 || stillHiddenMono - hiddenMono < TOLD_GAP_MS) return [];
    return [{ fromAt: wallOf(hiddenMono), toAt: wallOf(stillHiddenMono), cause: 'dead' }];
  }

  return {
    unit(buffer, at, stream, mono) {
      if (isScrambled(buffer, at)) return;
      listen(buffer, at, stream);
      if (stream.kind !== 'video' || (pid >= 0 && pid !== stream.pid)) return;
      ({ pid } = stream);
      const dts = pesDtsAt(buffer, at);
      if (dts < 0) return;
      const isFirst = last < 0;
      const key = isKey(buffer, at, stream.type);
      const { missing, wasEven } = take(dts, key);
      const isDark = wasEven && missing >= DARK_TICKS_MIN && hasPassed(missing, mono);
      if (hiddenMono >= 0 || isDark) uncover(missing, isFirst, mono, key);
      hiddenMono = -1;
      soundedThen = sounded;
      lastMono = mono;
    },
    scrambled(stream, mono) {
      if (stream.kind !== 'video' || (pid >= 0 && pid !== stream.pid)) return;
      ({ pid } = stream);
      if (hiddenMono < 0) hiddenMono = mono;
      stillHiddenMono = mono;
    },
    hole(gap) {
      tell(gap);
      isTold = last >= 0;
      const isRecent = seen !== null && ticksBetween(seen.since, last) <= TOLD_TICKS_MAX;
      if (isRecent) waitForKey();
      follow();
    },
    end() {
      for (const gap of hiddenGap()) tell(gap);
      pid = last = hiddenMono = soundPid = sounded = soundedThen = -1;
      step = even = 0;
      seen = open = null;
      isTold = hadKey = false;
    },
    gaps: () => [...gaps, ...hiddenGap()],
  };
}
