/**
 * Where a piece begins: nothing passes until a decoder could start. Then come PAT and PMT, the first video packet that
 * opens a random access point, and all that follows; packets of any other PID only from its next unit on, so that the
 * piece decodes without an error from its first packet. Until then all of it waits: a key frame may come before the
 * tables that tell it, and what began too late to be read belongs to the piece as well. Pictures before the first key
 * frame, and what comes with them, are let go when that comes, and counted: no decoder could use them (P1), and the
 * piece begins where the ledger says. Where no picture comes at all it begins with the sound, where no key frame does
 * with whatever there is; then nothing of it is let go.
 */
import { isKey } from './keyFrame.js';
import type { TimedSink } from './pieceMapper.js';
import { chosenProgramme, leadingStream, parsePmt, sectionCollector } from './psi.js';
import type { ElementaryStream, Programme, SectionCollector } from './psi.js';
import { hasPayload, NULL_PID, PACKET_BYTES, PID_COUNT, pidAt, startsUnit } from './tsPackets.js';

export interface StartPoint {
  /** `mono`: when these packets came. */
  push: TimedSink;
  /** Nothing follows: sound that waits for a picture has waited enough. */
  end(): void;
  /** Whether anything was passed on. */
  started(): boolean;
  /** The PID that it began with; -1 before that, and where no table tells. */
  leadPid(): number;
  /** Bytes that were not passed on. */
  heldBackBytes(): number;
  /** Bytes that wait. */
  waitingBytes(): number;
}

/** Groups of pictures are hardly ever longer than 10 s. */
export const KEY_WAIT_MS = 12_000;
/** A programme of which nothing but sound has come for so long has no pictures, whatever its tables say. */
export const PICTURE_WAIT_MS = 2_000;
/** Tables come ten times a second. */
export const TABLES_WAIT_MS = 10_000;
/** No more than this waits; the oldest goes. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** PIDs are still looked at one by one for this long after the start; then everything passes. */
const GATED_PACKETS_MAX = 1 << 15;

type Gate = 0 | 1 | 2;
/** Waits for its next unit; for a unit that opens a random access point; passes. */
const UNIT: Gate = 0;
const KEY: Gate = 1;
const OPEN: Gate = 2;

/** In what waits. */
interface Place {
  readonly index: number;
  readonly at: number;
}
const FIRST: Place = { index: 0, at: 0 };

export interface StartPointTerms {
  /** So much waits in other places that nothing may be added here: the oldest goes. */
  readonly isCrowded?: () => boolean;
  /** Number of the programme to begin with, where there are several. */
  readonly wanted?: number | null;
}

export function startPoint(sink: TimedSink, terms: StartPointTerms = {}): StartPoint {
  const { isCrowded = () => false, wanted = null } = terms;
  let stage: 'waiting' | 'gated' | 'open' = 'waiting';
  let waitingSince: number | null = null;
  const waiting: { readonly bytes: Buffer; readonly mono: number }[] = [];
  let waitingBytes = 0;
  let heldBackBytes = 0;
  let gatedPackets = 0;
  let closedGates = 0;
  let leadPid = -1;
  const gates = new Uint8Array(PID_COUNT).fill(UNIT);
  const pat = sectionCollector();
  let pmt: { pid: number; sections: SectionCollector } | null = null;
  let programme: Programme | undefined;
  let section: Buffer | null = null;
  let streams: readonly ElementaryStream[] | null = null;
  /** The stream to begin with, by the tables. */
  let leading: ElementaryStream | null = null;
  const types = new Map<number, number>();
  /** PIDs of which a unit began. */
  const begun = new Set<number>();

  /** Takes PAT and PMT packets; true when one of them said what was not known. */
  function learn(buffer: Buffer, at: number, pid: number): boolean {
    if (pid === 0) {
      const found = pat.push(buffer, at);
      if (found) programme = chosenProgramme(found, wanted, programme);
      if (programme && pmt?.pid !== programme.pmtPid) {
        pmt = { pid: programme.pmtPid, sections: sectionCollector() };
        section = streams = leading = null;
      }
      return false;
    }
    if (pid !== pmt?.pid) return false;
    const found = pmt.sections.push(buffer, at);
    const map = found && parsePmt(found);
    if (!found || !map || section?.equals(found)) return false;
    section = Buffer.from(found);
    ({ streams } = map);
    leading = leadingStream(streams) ?? null;
    return true;
  }

  /** Whether the packet at `at` is one to begin with. */
  function opensStream(buffer: Buffer, at: number, pid: number): boolean {
    if (!startsUnit(buffer, at)) return false;
    if (pid !== NULL_PID) begun.add(pid);
    if (leading?.pid !== pid) return false;
    return leading.kind !== 'video' || isKey(buffer, at, leading.type);
  }

  /** `late`: no key frame came in all this time; better a picture that repairs itself than none. */
  function openTables(late: boolean): void {
    stage = 'gated';
    gates[0] = OPEN;
    gates[NULL_PID] = OPEN;
    if (!pmt || !streams) return;
    gates[pmt.pid] = OPEN;
    for (const stream of streams) {
      types.set(stream.pid, stream.type);
      if (gates[stream.pid] === OPEN) continue;
      gates[stream.pid] = stream.kind === 'video' && !late ? KEY : UNIT;
      closedGates++;
    }
  }

  /** Begins with the tables, and with what waits from there on. */
  function start(lead: number, first: Place, mono: number, late = false): void {
    leadPid = lead;
    openTables(late);
    const held = waiting.splice(0);
    waitingBytes = 0;
    const own = held.slice(first.index);
    for (const { bytes } of held.slice(0, first.index)) heldBackBytes += bytes.length;
    heldBackBytes += own.length > 0 ? first.at : 0;
    const tables = Buffer.concat([pat.packets(), pmt?.sections.packets() ?? Buffer.alloc(0)]);
    heldBackBytes -= tables.length;
    if (tables.length > 0) sink(tables, 0, tables.length, own[0]?.mono ?? mono);
    own.forEach(({ bytes, mono: came }, n) => passWithoutTables(bytes, n === 0 ? first.at : 0, came));
  }

  /** What waited has tables older than those that it begins with. */
  function passWithoutTables(bytes: Buffer, from: number, mono: number): void {
    let run = from;
    for (let at = from; at < bytes.length; at += PACKET_BYTES) {
      const pid = pidAt(bytes, at);
      if (pmt === null || (pid !== 0 && pid !== pmt.pid)) continue;
      if (at > run) pass(bytes, run, at, mono);
      run = at + PACKET_BYTES;
      heldBackBytes += PACKET_BYTES;
    }
    if (bytes.length > run) pass(bytes, run, bytes.length, mono);
  }

  /** Passes what may pass, in runs as long as they go. */
  function pass(buffer: Buffer, from: number, to: number, mono: number): void {
    if (stage === 'open') return sink(buffer, from, to, mono);
    let run = from;
    let at = from;
    for (; at < to; at += PACKET_BYTES) {
      const pid = pidAt(buffer, at);
      const gate = gates[pid];
      if (gate === OPEN || !hasPayload(buffer, at)) continue;
      if (startsUnit(buffer, at) && (gate === UNIT || isKey(buffer, at, types.get(pid) ?? 0))) {
        gates[pid] = OPEN;
        if (types.has(pid)) closedGates--;
        continue;
      }
      if (at > run) sink(buffer, run, at, mono);
      run = at + PACKET_BYTES;
      heldBackBytes += PACKET_BYTES;
    }
    if (at > run) sink(buffer, run, at, mono);
    gatedPackets += (to - from) / PACKET_BYTES;
    if (closedGates === 0 || gatedPackets > GATED_PACKETS_MAX) stage = 'open';
  }

  function hold(buffer: Buffer, from: number, to: number, mono: number): void {
    if (to <= from) return;
    const bytesMax = isCrowded() ? Math.min(waitingBytes, WAITING_BYTES_MAX) : WAITING_BYTES_MAX;
    waiting.push({ bytes: Buffer.from(buffer.subarray(from, to)), mono });
    waitingBytes += to - from;
    while (waitingBytes > bytesMax) {
      const bytes = waiting.shift()?.bytes.length ?? waitingBytes;
      waitingBytes -= bytes;
      heldBackBytes += bytes;
    }
  }

  /** Begins within what waits, now that its tables are known; false where nothing of it is to begin with. */
  function startWithin(mono: number): boolean {
    for (const [index, { bytes }] of waiting.entries()) {
      for (let at = 0; at < bytes.length; at += PACKET_BYTES) {
        const pid = pidAt(bytes, at);
        if (!opensStream(bytes, at, pid)) continue;
        start(pid, { index, at }, mono);
        return true;
      }
    }
    return false;
  }

  function wait(buffer: Buffer, from: number, to: number, mono: number): void {
    waitingSince ??= mono;
    let run = from;
    for (let at = from; at < to; at += PACKET_BYTES) {
      const pid = pidAt(buffer, at);
      if (opensStream(buffer, at, pid)) {
        heldBackBytes += at - run;
        start(pid, { index: waiting.length, at: 0 }, mono);
        return pass(buffer, at, to, mono);
      }
      if (!learn(buffer, at, pid)) continue;
      hold(buffer, run, at + PACKET_BYTES, mono);
      run = at + PACKET_BYTES;
      if (startWithin(mono)) return run < to ? pass(buffer, run, to, mono) : undefined;
    }
    hold(buffer, run, to, mono);
    lookAround(mono, mono - waitingSince);
  }

  /** Begins without what it waits for, where that does not come. */
  function lookAround(mono: number, waitedMs: number): void {
    if (!streams) {
      if (waitedMs >= TABLES_WAIT_MS) startBlind();
      return;
    }
    if (waitedMs >= PICTURE_WAIT_MS && startDark(mono)) return;
    if (waitedMs >= KEY_WAIT_MS)
      start(leading && begun.has(leading.pid) ? leading.pid : -1, FIRST, mono, true);
  }

  /** Begins with the sound, where there is nothing else. */
  function startDark(mono: number): boolean {
    const other = streams?.find(({ pid }) => begun.has(pid));
    if (!other || (leading && begun.has(leading.pid))) return false;
    start(other.pid, FIRST, mono);
    return true;
  }

  /** Without tables, with the first packet that is more than padding. */
  function startBlind(): void {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const { bytes, mono } = one;
      let at = 0;
      while (stage === 'waiting' && at < bytes.length && pidAt(bytes, at) === NULL_PID) at += PACKET_BYTES;
      heldBackBytes += at;
      if (at === bytes.length) continue;
      stage = 'open';
      sink(bytes, at, bytes.length, mono);
    }
    waitingBytes = 0;
  }

  return {
    push(buffer, from, to, mono) {
      if (stage === 'waiting') wait(buffer, from, to, mono);
      else pass(buffer, from, to, mono);
    },
    end() {
      if (stage === 'waiting') startDark(waiting.at(-1)?.mono ?? 0);
    },
    started: () => stage !== 'waiting',
    leadPid: () => leadPid,
    heldBackBytes: () => heldBackBytes,
    waitingBytes: () => waitingBytes,
  };
}
