/**
 * Which packets of a new piece go on after what is written: of each PID those from the first unit on that is later than
 * the last one in the file. So an overlap is cut stream by stream, however sound and picture are interleaved, and no
 * picture and no sound comes twice.
 */
import { leadingStream } from './psi.js';
import type { StreamScan } from './streamScan.js';
import type { Tables } from './tables.js';
import { CLOCK_WRAP, hasPayload, pesTimesAt, PID_COUNT, startsUnit } from './tsPackets.js';
import { ticksBetween } from './tsPackets.js';
import { unitTimes, type UnitTimes } from './unitTimes.js';

export interface JoinGates {
  /** The tables of the piece, whenever they change. */
  know(tables: Tables): void;
  /** `offset`: what is added to the clock of the piece; `out`: the PID in the file. */
  passes(buffer: Buffer, at: number, pid: number, out: number, offset: number): boolean;
  /** Whether the leading stream goes on. */
  leadOpen(): boolean;
  /**
   * Whether a table or another section with this counter goes on: it has no time to tell by, but it comes with the last
   * written picture, or after it, and counts on.
   */
  followsOn(counter: number, out: number): boolean;
  /** Whether the first section after the overlap is still in it: written after a picture that was cut as unfinished. */
  isWritten(counter: number, out: number): boolean;
  /** Nothing needs to be asked any more. */
  allOpen(): boolean;
}

/** Stamps that went through another container are rounded to a millisecond, on either side. */
const SLACK_TICKS = 180;
/** Streams that never say when they begin are let through after so many packets. */
const GATED_PACKETS_MAX = 1 << 15;

/**
 * `leadPid`: what the piece is told by. `exact`: it goes on without a break; of the pictures of one that comes after a gap
 * those are dropped that are shown before the first key frame.
 */
export function joinGates(written: StreamScan, leadPid: () => number, exact: boolean): JoinGates {
  const opened = new Uint8Array(PID_COUNT);
  const lead = { pid: -1, written: written.lead()?.pid ?? -1, open: false, atEnd: false };
  let waitsFor: readonly number[] = [];
  let packets = 0;
  let allOpen = false;
  /** Of PIDs that do not pass yet. */
  const times = new Map<number, UnitTimes>();
  /** PTS of the first key frame, until a later picture came; whether a leading picture is being dropped. */
  let keyPts = -1;
  let dropping = false;

  function open(pid: number): true {
    opened[pid] = 1;
    if (pid === lead.pid) lead.open = true;
    return true;
  }

  /** Open GOPs: pictures after the key frame that are shown before it refer to what was never received. */
  function isLeadingPicture(pts: number): boolean {
    if (keyPts < 0 || pts < 0) return false;
    if (ticksBetween(keyPts, pts) < 0) return true;
    if (pts !== keyPts) keyPts = -1;
    return false;
  }

  function later(dts: number, out: number): boolean {
    const own = written.pids.get(out);
    const state = own && own.dts >= 0 ? own : written.pids.get(lead.written);
    if (!state || state.dts < 0) return true;
    const ahead = ticksBetween(state.dts, dts);
    return state.lengthTicks > 0 ? ahead >= state.lengthTicks - SLACK_TICKS : ahead > SLACK_TICKS;
  }

  /** Whether a unit is the last one that is written. */
  function isLast(dts: number, out: number): boolean {
    const last = written.pids.get(out)?.dts ?? -1;
    return exact && last >= 0 && Math.abs(ticksBetween(last, dts)) <= SLACK_TICKS;
  }

  function followsOn(counter: number, out: number): boolean {
    return lead.atEnd && counter === ((written.pids.get(out)?.counter ?? -2) + 1) % 16;
  }

  function isWritten(counter: number, out: number): boolean {
    return exact && counter === written.pids.get(out)?.counter;
  }

  /** When a unit is decoded, though it may not say. */
  function timeOf(pid: number, dts: number): number {
    const known = times.get(pid) ?? unitTimes();
    times.set(pid, known);
    return known.take(dts);
  }

  function passesNow(buffer: Buffer, at: number, pid: number, out: number, offset: number): boolean {
    const starts = startsUnit(buffer, at);
    if (!hasPayload(buffer, at)) return opened[pid] === 1 || (lead.open && !waitsFor.includes(pid));
    if (opened[pid] === 1) {
      if (pid !== lead.pid || keyPts < 0) return true;
      if (starts) dropping = isLeadingPicture(pesTimesAt(buffer, at)?.pts ?? -1);
      return !dropping;
    }
    if (!starts) return false;
    const said = pesTimesAt(buffer, at);
    const dts = said ? timeOf(pid, said.dts) : -1;
    if (said && dts >= 0) {
      if (pid === lead.pid) lead.atEnd = isLast((dts + offset) % CLOCK_WRAP, out);
      const first = pid === lead.pid && !exact;
      if (first) keyPts = said.pts;
      return (first || later((dts + offset) % CLOCK_WRAP, out)) && open(pid);
    }
    const counter = (buffer[at + 3] ?? 0) & 15;
    return (followsOn(counter, out) || (lead.open && !isWritten(counter, out))) && open(pid);
  }

  return {
    know({ map }) {
      const begunWith = leadPid();
      const leading = map.streams.find(({ pid }) => pid === begunWith) ?? leadingStream(map.streams);
      if (leading && leading.pid !== lead.pid) {
        lead.pid = leading.pid;
        lead.open ||= opened[leading.pid] === 1;
      }
      // What began with sound has no pictures.
      const own = map.streams.filter(({ kind }) => kind !== 'video' || leading?.kind === 'video');
      waitsFor = own.map((stream) => stream.pid);
    },
    passes(buffer, at, pid, out, offset) {
      const pass = passesNow(buffer, at, pid, out, offset);
      packets++;
      if (packets > GATED_PACKETS_MAX) {
        allOpen = true;
        lead.open = true;
      } else if (keyPts < 0 && lead.open && packets % 64 === 0)
        allOpen = waitsFor.every((one) => opened[one] === 1);
      return pass;
    },
    leadOpen: () => lead.open,
    followsOn,
    isWritten,
    allOpen: () => allOpen,
  };
}
