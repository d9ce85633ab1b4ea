/**
 * Finds the places inside one connection where a provider has put another stream behind the one before: its clock jumps,
 * its encoder began anew, its PIDs or codecs are others. What follows has to be joined like a new piece, or the clock
 * of the file would jump too. Everything else passes as it came, at the price of one look at each packet's header.
 *
 * One clock value that jumps may be damage. So what comes after it waits until a second one says the same, which mostly
 * is in the same packet; when the next ones go on as before, nothing has happened.
 */
import { shiftBehind, shiftOf, type Shift } from './clockShift.js';
import type { ElementaryStream } from './psi.js';
import { goesOn } from './sameStreams.js';
import {
  holeTicks,
  takePcr,
  ticksSince,
  unknownClocks,
  type Mark,
  type StreamClocks,
} from './streamClocks.js';
import { tableReader, type Tables } from './tables.js';
import { CLOCK_HZ, hasPayload, isScrambled, NULL_PID, PACKET_BYTES, pcrAt, pesTimesAt } from './tsPackets.js';
import { PID_COUNT, startsUnit, ticksBetween } from './tsPackets.js';

/** Where the stream lacks some of itself, though its clock went on. */
export interface Hole {
  /** Monotonic time of the first packet after it. */
  readonly mono: number;
  readonly seconds: number;
}

export interface SeamSink {
  /** Whole packets of the stream as it is, in their order. `mono`: when they came. Valid during the call only. */
  onPackets(buffer: Buffer, from: number, to: number, mono: number): void;
  /** Another stream begins with the next packets, so long after the last ones. */
  onSeam(silentMs: number): void;
  /** The same stream goes on with the next packets on another clock: so many ticks, 0 to 2^33, make it the one before. */
  onShift(ticks: number, mono: number): void;
  onHole(hole: Hole): void;
  /** A clock value or time stamp came: another one than the last, or the same again. */
  onClock(moved: boolean): void;
  /** A unit of sound or pictures begins in this packet. */
  onUnit(buffer: Buffer, at: number, stream: ElementaryStream, mono: number): void;
  /** A packet of sound or pictures came that nobody can read. */
  onScrambled?(stream: ElementaryStream, mono: number): void;
}

export interface SeamWatch {
  push(buffer: Buffer, from: number, to: number, mono: number): void;
  /** Nothing follows: what still waits is passed on. */
  end(): void;
}

/** So much may be missing, beside the time that passed: providers skip what their buffers cannot hold. */
const SKIPPED_TICKS_MAX = 8 * CLOCK_HZ;
/** The clock alone may have jumped where a stream that comes as it plays is all at once so much ahead of the time. */
const AHEAD_TICKS_MIN = CLOCK_HZ / 5;
/** So late may its packets be anyway. */
const LATE_TICKS_MAX = CLOCK_HZ / 2;
/** Units that come in the order in which they are shown step back a little all the time. */
const BACK_TICKS_MIN = CLOCK_HZ;
/** Clock values that must say so before a jump is believed. */
const VOTES_MIN = 2;
/** Where the counters go on and so little time has passed, nothing but the clock is another one. */
const SHIFT_SILENT_MS_MAX = 500;
/** A longer way from one unit to the next is no step. */
const STEP_TICKS_MAX = CLOCK_HZ / 2;
/** What waits for them at most. */
const HELD_BYTES_MAX = 1024 * 1024;
const HELD_MS_MAX = 1_000;

/** Tables wait no longer for what they are the tables of, nor what no table speaks of for one that does. */
const WAITING_BYTES_MAX = 1024 * 1024;
const WAITING_MS_MAX = 800;

const UNKNOWN = 0xff;
const IGNORED = 0;
/** PAT and PMT; other sections of the standards; what carries clocks. */
const TABLE = 1;
const SECTION = 2;
const TIMED = 3;
/** Of no interest, and not new. */
const SEEN = 4;

type Held = { readonly bytes: Buffer; readonly mono: number }[];

/** What waits since a clock value jumped; `votes`: how many more have said so than have not. */
interface Suspicion {
  readonly since: number;
  readonly silentMs: number;
  readonly held: Held;
  /** It jumped no further ahead than a hole may be long. */
  readonly isSmall: boolean;
  votes: number;
  /** By how much the last value that went on as before did; where it may be a hole, by how much the first PCR did. */
  step: number;
  /** No counter of sound or pictures jumped with it. */
  inOrder: boolean;
  /** Of each PID, what would put its next unit right behind the one before. */
  readonly shifts: Map<number, Shift>;
  /** Where the clocks stand if it is right, or wrong. */
  readonly clocks: StreamClocks;
}

/** `wanted`: number of the programme to watch, where there are several. */
export function seamWatch(sink: SeamSink, wanted: number | null = null): SeamWatch {
  const watched = new Uint8Array(PID_COUNT).fill(SECTION, 0, 0x20);
  watched[0] = TABLE;
  const reader = tableReader(wanted);
  let tables: Tables | null = null;
  let streams: ReadonlyMap<number, ElementaryStream> = new Map();
  let pcrPid = -1;
  let clocks = unknownClocks();
  let suspicion: Suspicion | null = null;
  let lastMono = Number.NaN;
  /** Of each PID of sound and pictures; whether the last packet that was looked at counts on. */
  const counters = new Uint8Array(PID_COUNT).fill(UNKNOWN);
  let inOrder = false;
  /** Tables, and PIDs that are new, until it is seen what they belong to. */
  const waiting: Held = [];
  let waitingBytes = 0;
  /** What is looked at was before: its tables are in force, and those of the stream before may be among them. */
  let isAgain = false;

  /** Takes tables in force; true where what follows is another stream by them. */
  function know(next: Tables): boolean {
    const before = tables;
    tables = next;
    watched.fill(IGNORED).fill(SECTION, 0, 0x20);
    watched[NULL_PID] = SEEN;
    streams = new Map(next.map.streams.map((stream) => [stream.pid, stream]));
    for (const { pid, kind } of next.map.streams) if (kind !== 'other') watched[pid] = TIMED;
    if (next.map.pcrPid !== NULL_PID) watched[next.map.pcrPid] = TIMED;
    watched[0] = TABLE;
    watched[next.pmtPid] = TABLE;
    if (pcrPid !== next.map.pcrPid) clocks.pcr = null;
    ({ pcrPid } = next.map);
    return before !== null && !goesOn(before, next);
  }

  /** Takes a clock value in; `backMin` is how far it may go back. */
  function take(ticks: number, before: Mark | null | undefined, mono: number, backMin: number): boolean {
    if (!before) return true;
    const step = ticksBetween(before.ticks, ticks);
    const aheadMax = suspicion?.isSmall ? AHEAD_TICKS_MIN : SKIPPED_TICKS_MAX;
    const fits = step >= -backMin && step <= ticksSince(before, mono) + aheadMax;
    if (suspicion) {
      suspicion.votes += fits ? -1 : 1;
      if (fits && !suspicion.isSmall) suspicion.step = step;
    } else if (!fits) suspect(mono, false);
    return fits;
  }

  /** `isSmall`: it may as well be a hole. */
  function suspect(mono: number, isSmall: boolean, step = 0): void {
    const silentMs = Number.isNaN(lastMono) ? 0 : mono - lastMono;
    const now = { ...clocks, stamps: new Map(clocks.stamps) };
    const doubts = { held: [], votes: 1, inOrder, shifts: new Map() };
    suspicion = { since: mono, silentMs, clocks: now, isSmall, step, ...doubts };
  }

  /** Whether a hole would be one that the time does not explain, in a stream that comes as it plays. */
  function isAhead(missing: number, before: Mark, mono: number): boolean {
    const ahead = missing - ticksSince(before, mono);
    return clocks.isPaced && ahead >= AHEAD_TICKS_MIN && ahead >= missing - LATE_TICKS_MAX;
  }

  function pcrCame(pcr: number, mono: number): void {
    const { pcr: before } = clocks;
    sink.onClock(before?.ticks !== pcr);
    let fits = take(pcr, before, mono, 0);
    const ahead = before ? ticksBetween(before.ticks, pcr) : 0;
    const step = fits ? ahead : 0;
    if (suspicion?.isSmall && suspicion.step === 0) suspicion.step = ahead;
    if (before && !suspicion) {
      const missing = holeTicks(clocks, step);
      fits = !isAhead(missing, before, mono);
      if (!fits) suspect(mono, true, step);
      else if (missing > 0) sink.onHole({ mono, seconds: missing / CLOCK_HZ });
    }
    takePcr(suspicion?.clocks ?? clocks, pcr, fits ? step : 0, mono);
  }

  function time(buffer: Buffer, at: number, pid: number, mono: number): void {
    const pcr = pid === pcrPid ? pcrAt(buffer, at) : -1;
    if (pcr >= 0) pcrCame(pcr, mono);
    if (!startsUnit(buffer, at)) return;
    const stream = streams.get(pid);
    if (stream) sink.onUnit(buffer, at, stream, mono);
    const dts = pesTimesAt(buffer, at)?.dts ?? -1;
    if (dts < 0) return;
    const before = clocks.stamps.get(pid);
    sink.onClock(before?.ticks !== dts);
    let fits = take(dts, before, mono, suspicion ? 0 : BACK_TICKS_MIN);
    if (before && before.step > 0 && !suspicion) {
      fits = !isAhead(ticksBetween(before.ticks, dts) - before.step, before, mono);
      if (!fits) suspect(mono, true);
    }
    if (!fits && before && stream && suspicion && !suspicion.shifts.has(pid)) {
      const shifted = shiftBehind(before, dts, stream.kind);
      if (shifted) suspicion.shifts.set(pid, shifted);
    }
    const now = suspicion?.clocks ?? clocks;
    const step = before && fits ? ticksBetween(before.ticks, dts) : 0;
    const isStep = step > 0 && step < STEP_TICKS_MAX;
    now.stamps.set(pid, {
      ticks: dts,
      due: mono - now.behind,
      step: isStep ? step : (before?.step ?? 0),
    });
  }

  /** Takes a packet of a table in; true where it says that another stream begins. */
  function table(buffer: Buffer, at: number, pid: number): boolean {
    const read = reader.push(buffer, at, pid);
    const pmtPid = reader.pmtPid();
    if (pmtPid >= 0) watched[pmtPid] = TABLE;
    const next = read === 'changed' ? reader.tables() : null;
    return next !== null && know(next);
  }

  /** What one packet says: it goes on, its clock is in doubt, or another stream begins. */
  function look(buffer: Buffer, at: number, mono: number): 'on' | 'doubt' | 'seam' {
    const b1 = buffer[at + 1] ?? 0;
    if ((b1 & 0x80) !== 0) return 'on';
    const pid = ((b1 & 0x1f) << 8) | (buffer[at + 2] ?? 0);
    const kind = watched[pid];
    if (kind === TABLE && !isAgain) return table(buffer, at, pid) ? 'seam' : 'on';
    if (kind === TIMED) time(buffer, at, pid, mono);
    return suspicion ? 'doubt' : 'on';
  }

  /** Another stream begins; what of it is here is looked at as its beginning. */
  function begin(silentMs: number, held: Held): void {
    suspicion = null;
    clocks = unknownClocks();
    sink.onSeam(silentMs);
    const wasAgain = isAgain;
    isAgain = true;
    for (const { bytes, mono } of held) scan(bytes, 0, bytes.length, mono);
    isAgain = wasAgain;
  }

  /** Nothing but the clock is another one: no picture is missing, and none has to be waited for. */
  function shift({ held, clocks: now, since }: Suspicion, ticks: number): void {
    suspicion = null;
    // What has not come since the jump is still on the clock of before.
    if (now.pcr === clocks.pcr) now.pcr = null;
    for (const [pid, mark] of clocks.stamps) if (now.stamps.get(pid) === mark) now.stamps.delete(pid);
    clocks = now;
    sink.onShift(ticks, since);
    pass(held);
  }

  function clear({ held, clocks: now, step, since }: Suspicion): void {
    suspicion = null;
    const missing = holeTicks(clocks, step);
    if (missing > 0) sink.onHole({ mono: since, seconds: missing / CLOCK_HZ });
    clocks = now;
    pass(held);
  }

  function pass(held: Held): void {
    for (const { bytes, mono } of held) sink.onPackets(bytes, 0, bytes.length, mono);
  }

  /** One more packet waits; whether that is enough to decide. */
  function doubt(doubted: Suspicion, packet: Held[number], said: string): void {
    const { held, since, silentMs } = doubted;
    held.push(packet);
    doubted.inOrder &&= inOrder;
    const waited = held.length * PACKET_BYTES >= HELD_BYTES_MAX || packet.mono - since >= HELD_MS_MAX;
    const isEnough = said === 'seam' || waited || doubted.votes >= VOTES_MIN;
    const mayBeSame = said !== 'seam' && doubted.inOrder && silentMs < SHIFT_SILENT_MS_MAX;
    const ticks = mayBeSame && isEnough ? shiftOf(doubted.shifts, clocks.stamps.size) : null;
    if (ticks === 'unknown' && !waited) return;
    if (typeof ticks === 'number') shift(doubted, ticks);
    else if (isEnough && (said === 'seam' || !doubted.isSmall)) begin(silentMs, held);
    else if (isEnough || doubted.votes <= 0) clear(doubted);
  }

  function hide(pid: number, mono: number): void {
    const stream = streams.get(pid);
    if (stream) sink.onScrambled?.(stream, mono);
  }

  function emit(buffer: Buffer, from: number, to: number, mono: number): void {
    if (to <= from) return;
    pass(waiting.splice(0));
    sink.onPackets(buffer, from, to, mono);
  }

  function wait(bytes: Buffer, mono: number): void {
    waiting.push({ bytes, mono });
    waitingBytes = (waiting.length === 1 ? 0 : waitingBytes) + bytes.length;
    if (waitingBytes > WAITING_BYTES_MAX || mono - (waiting[0]?.mono ?? mono) > WAITING_MS_MAX)
      pass(waiting.splice(0));
  }

  function scan(buffer: Buffer, from: number, to: number, mono: number): void {
    let run = from;
    /** Where the tables right before this packet begin: they belong to what comes after them. -1: there are none. */
    let lead = waiting.length > 0 ? from : -1;
    for (let at = from; at < to; at += PACKET_BYTES) {
      const b1 = buffer[at + 1] ?? 0;
      const pid = ((b1 & 0x1f) << 8) | (buffer[at + 2] ?? 0);
      const kind = watched[pid];
      const tells = (b1 & 0x40) !== 0 || ((buffer[at + 3] ?? 0) & 0x20) !== 0;
      const before = suspicion;
      if (kind === TIMED && hasPayload(buffer, at)) {
        const counter = (buffer[at + 3] ?? 0) & 15;
        inOrder = ((counters[pid] ?? UNKNOWN) + 1) % 16 === counter;
        counters[pid] = counter;
        if (isScrambled(buffer, at)) hide(pid, mono);
      } else inOrder = true;
      const asks = before !== null || kind === TABLE || (kind === TIMED && tells);
      const said = asks ? look(buffer, at, mono) : 'on';
      if (before === null && said === 'on') {
        if (kind === TIMED) lead = -1;
        else if (kind !== SEEN && lead < 0 && tables !== null) lead = at;
        if (kind === IGNORED && tables !== null) watched[pid] = SEEN;
        continue;
      }
      const packet = { bytes: Buffer.from(buffer.subarray(at, at + PACKET_BYTES)), mono };
      const first = lead < 0 ? at : lead;
      if (before === null) {
        emit(buffer, run, first, mono);
        const held = waiting.splice(0);
        if (at > first) held.push({ bytes: Buffer.from(buffer.subarray(first, at)), mono });
        const now: Suspicion | null = suspicion;
        if (now === null) begin(mono - lastMono || 0, [...held, packet]);
        else {
          now.held.push(...held);
          doubt(now, packet, said);
        }
      } else doubt(before, packet, said);
      run = at + PACKET_BYTES;
      lead = -1;
    }
    const until = lead < 0 ? to : lead;
    emit(buffer, run, until, mono);
    if (to > until) wait(Buffer.from(buffer.subarray(until, to)), mono);
  }

  return {
    push(buffer, from, to, mono) {
      scan(buffer, from, to, mono);
      lastMono = mono;
    },
    end() {
      if (suspicion) clear(suspicion);
      pass(waiting.splice(0));
    },
  };
}
