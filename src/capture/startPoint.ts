/**
 * Where a piece begins: nothing passes until a decoder could start. Then come PAT and PMT, the first video packet that
 * opens a random access point, and all that follows; packets of any other PID only from its next unit on, so that the
 * piece decodes without an error from its first packet. What is held back here no decoder could use (P1), and it is
 * counted. After `waitMs` without such a point it begins with the tables alone, after twice that with whatever there is.
 */
import { isKey } from './keyFrame.js';
import { leadingStream, parsePat, parsePmt, sectionCollector } from './psi.js';
import type { ElementaryStream, SectionCollector } from './psi.js';
import { hasPayload, NULL_PID, PACKET_BYTES, PID_COUNT, pidAt, startsUnit } from './tsPackets.js';
import type { PacketSink } from './tsPackets.js';

export interface StartPoint {
  /** `mono` is the monotonic time at which these packets came. */
  push(buffer: Buffer, from: number, to: number, mono: number): void;
  /** Whether anything was passed on. */
  started(): boolean;
  /** Bytes that were not passed on. */
  heldBackBytes(): number;
}

/** PIDs are still looked at one by one for this long after the start; then everything passes. */
const GATED_PACKETS_MAX = 1 << 15;

type Gate = 0 | 1 | 2;
/** Waits for its next unit; for a unit that opens a random access point; passes. */
const UNIT: Gate = 0;
const KEY: Gate = 1;
const OPEN: Gate = 2;

export function startPoint(waitMs: number, sink: PacketSink): StartPoint {
  let stage: 'waiting' | 'gated' | 'open' = 'waiting';
  let waitingSince: number | null = null;
  let heldBackBytes = 0;
  let gatedPackets = 0;
  let closedGates = 0;
  const gates = new Uint8Array(PID_COUNT).fill(UNIT);
  const pat = sectionCollector();
  let pmt: { pid: number; sections: SectionCollector } | null = null;
  let streams: readonly ElementaryStream[] | null = null;
  const types = new Map<number, number>();

  /** Takes PAT and PMT packets; true when one of them completed the tables. */
  function learn(buffer: Buffer, at: number, pid: number): boolean {
    if (pid === 0) {
      const section = pat.push(buffer, at);
      const programme = section && parsePat(section)?.[0];
      if (programme && pmt?.pid !== programme.pmtPid) {
        pmt = { pid: programme.pmtPid, sections: sectionCollector() };
        streams = null;
      }
      return programme !== null && streams !== null;
    }
    if (pid !== pmt?.pid) return false;
    const section = pmt.sections.push(buffer, at);
    const map = section && parsePmt(section);
    if (map) streams = map.streams;
    return map !== null;
  }

  /** Whether the packet at `at` is one to begin with. */
  function opensStream(buffer: Buffer, at: number, pid: number): boolean {
    if (!streams || !startsUnit(buffer, at)) return false;
    const leading = leadingStream(streams);
    if (leading?.pid !== pid) return false;
    return leading.kind !== 'video' || isKey(buffer, at, leading.type);
  }

  function start(): void {
    stage = 'gated';
    gates[0] = OPEN;
    gates[NULL_PID] = OPEN;
    if (!pmt || !streams) return;
    gates[pmt.pid] = OPEN;
    for (const stream of streams) {
      types.set(stream.pid, stream.type);
      if (gates[stream.pid] === OPEN) continue;
      gates[stream.pid] = stream.kind === 'video' ? KEY : UNIT;
      closedGates++;
    }
    const tables = Buffer.concat([pat.packets(), pmt.sections.packets()]);
    heldBackBytes -= tables.length;
    sink(tables, 0, tables.length);
  }

  /** Passes what may pass, in runs as long as they go. */
  function pass(buffer: Buffer, from: number, to: number): void {
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
      if (at > run) sink(buffer, run, at);
      run = at + PACKET_BYTES;
      heldBackBytes += PACKET_BYTES;
    }
    if (at > run) sink(buffer, run, at);
    gatedPackets += (to - from) / PACKET_BYTES;
    if (closedGates === 0 || gatedPackets > GATED_PACKETS_MAX) stage = 'open';
  }

  function wait(buffer: Buffer, from: number, to: number, mono: number): void {
    waitingSince ??= mono;
    const late = mono - waitingSince >= waitMs;
    if (mono - waitingSince >= 2 * waitMs && !streams) return startBlind(buffer, from, to);
    for (let at = from; at < to; at += PACKET_BYTES) {
      const pid = pidAt(buffer, at);
      if (opensStream(buffer, at, pid)) {
        start();
        pass(buffer, at, to);
        return;
      }
      heldBackBytes += PACKET_BYTES;
      if (learn(buffer, at, pid) && late) {
        startLate();
        pass(buffer, at + PACKET_BYTES, to);
        return;
      }
    }
  }

  /** Without tables, with the first packet that is more than padding. */
  function startBlind(buffer: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to && pidAt(buffer, at) === NULL_PID) at += PACKET_BYTES;
    heldBackBytes += at - from;
    if (at === to) return;
    stage = 'open';
    sink(buffer, at, to);
  }

  function startLate(): void {
    start();
    // No key frame came in all this time; better a picture that repairs itself than none.
    for (const stream of streams ?? []) if (gates[stream.pid] === KEY) gates[stream.pid] = UNIT;
  }

  return {
    push(buffer, from, to, mono) {
      switch (stage) {
        case 'open':
          return sink(buffer, from, to);
        case 'gated':
          return pass(buffer, from, to);
        case 'waiting':
          return wait(buffer, from, to, mono);
      }
    },
    started: () => stage !== 'waiting',
    heldBackBytes: () => heldBackBytes,
  };
}
