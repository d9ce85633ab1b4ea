/**
 * How much of what is taken first is older than that. A provider sends what its buffer holds at once, and while a spool
 * is opened, on a disk or a machine that is busy, a stream comes already and waits in the sockets: taken all at once it
 * looks as if it had begun only then. How much of it there is its clock says (P4): whatever was sent until now plays no
 * longer than until now.
 */
import { CLOCK_HZ, PACKET_BYTES, pcrAt, pidAt, ticksBetween } from './tsPackets.js';

/** What was sent in advance, or waited, is taken well within this. */
const LOOK_MS = 4_000;
/** No provider buffers more. */
const AHEAD_MS_MAX = 60_000;
/** A clock reference comes every 0.1 s, at the latest; further apart they say nothing of what lies between. */
const STEP_TICKS_MAX = CLOCK_HZ / 2;

export interface HeadStart {
  /** Whole packets that are kept, as they were taken. */
  push(buffer: Buffer, from: number, to: number, mono: number): void;
  /** How long before it was taken the first of them was on, in milliseconds. */
  aheadMs(): number;
}

export function headStart(): HeadStart {
  let firstMono: number | null = null;
  let clockPid = -1;
  let lastPcr = -1;
  let spanTicks = 0;
  let aheadMs = 0;
  let isOver = false;

  return {
    push(buffer, from, to, mono) {
      firstMono ??= mono;
      isOver ||= mono - firstMono > LOOK_MS;
      for (let at = from; at < to && !isOver; at += PACKET_BYTES) {
        const pcr = pcrAt(buffer, at);
        if (pcr < 0 || (clockPid >= 0 && pidAt(buffer, at) !== clockPid)) continue;
        clockPid = pidAt(buffer, at);
        const step = lastPcr < 0 ? 0 : ticksBetween(lastPcr, pcr);
        isOver = step < 0 || step > STEP_TICKS_MAX;
        if (isOver) return;
        lastPcr = pcr;
        spanTicks += step;
        aheadMs = Math.max(aheadMs, (spanTicks * 1000) / CLOCK_HZ - (mono - firstMono));
      }
    },
    aheadMs: () => Math.min(aheadMs, AHEAD_MS_MAX),
  };
}
