/** Where the clock of a transport stream file stands: a mark every half second, and how long it plays. */
import type { Disk } from '../io/disk.js';
import { CLOCK_HZ, PACKET_BYTES, pcrAt, pidAt, ticksBetween } from './tsPackets.js';

export interface ClockMark {
  readonly offset: number;
  /** PCR base, 90 kHz. */
  readonly ticks: number;
}

export interface ClockMarks {
  readonly marks: readonly ClockMark[];
  /** From the first to the last picture, by all that goes forward; other jumps count as nothing. */
  readonly playsMs: number;
  /** What is missing in between: so far from the beginning, and so long. */
  readonly holes: readonly { readonly afterMs: number; readonly ms: number }[];
}

const READ_BYTES = 5_000 * PACKET_BYTES;
const MARK_TICKS = CLOCK_HZ / 2;
/** A step that is longer is a hole (a PCR comes every 0.1 s), and from here on a jump. */
const HOLE_TICKS_MIN = CLOCK_HZ / 2;
const STEP_TICKS_MAX = 60 * CLOCK_HZ;

/** Of the bytes `from` to `to`, in whole packets. Rejects with what the disk says. */
export async function readClockMarks(disk: Disk, path: string, from = 0, to = Infinity): Promise<ClockMarks> {
  const file = await disk.open(path, 'read');
  const marks: ClockMark[] = [];
  let pcrPid = -1;
  let last = -1;
  let plays = 0;
  const holes: { readonly afterMs: number; readonly ms: number }[] = [];
  try {
    for (let at = from; at < to;) {
      const chunk = await file.read(at, Math.min(READ_BYTES, to - at));
      const whole = chunk.length - (chunk.length % PACKET_BYTES);
      if (whole === 0) break;
      for (let packet = 0; packet < whole; packet += PACKET_BYTES) {
        const ticks = pcrAt(chunk, packet);
        if (ticks < 0) continue;
        const pid = pidAt(chunk, packet);
        if (pcrPid < 0) pcrPid = pid;
        if (pid !== pcrPid) continue;
        const step = last < 0 ? 0 : ticksBetween(last, ticks);
        if (step > HOLE_TICKS_MIN && step <= STEP_TICKS_MAX) holes.push({ afterMs: ms(plays), ms: ms(step) });
        if (step > 0 && step <= STEP_TICKS_MAX) plays += step;
        last = ticks;
        const before = marks.at(-1);
        if (!before || Math.abs(ticksBetween(before.ticks, ticks)) >= MARK_TICKS)
          marks.push({ offset: at + packet, ticks });
      }
      at += whole;
    }
  } finally {
    await file.close();
  }
  return { marks, playsMs: ms(plays), holes };
}

/** Enough to find a clock at an end. */
const END_BYTES = 2 * READ_BYTES;

/** How long the bytes `from` to `to` play by the clock at their ends; null where none is told. Rejects as `readClockMarks`. */
export async function playsMs(disk: Disk, path: string, from: number, to: number): Promise<number | null> {
  const [first] = (await readClockMarks(disk, path, from, Math.min(to, from + END_BYTES))).marks;
  const back = Math.floor((to - from) / PACKET_BYTES) - END_BYTES / PACKET_BYTES;
  const last = (await readClockMarks(disk, path, from + Math.max(0, back) * PACKET_BYTES, to)).marks.at(-1);
  if (!first || !last) return null;
  return Math.max(0, ms(ticksBetween(first.ticks, last.ticks)));
}

function ms(ticks: number): number {
  return ticks / (CLOCK_HZ / 1000);
}

/** Where this time is, to a mark: the last one before it; null where the clock does not come by. */
export function markBefore(marks: readonly ClockMark[], ticks: number): ClockMark | null {
  let found: ClockMark | null = null;
  for (const mark of marks) {
    const ahead = ticksBetween(mark.ticks, ticks);
    if (ahead >= 0 && ahead <= 2 * MARK_TICKS) found = mark;
  }
  return found;
}
