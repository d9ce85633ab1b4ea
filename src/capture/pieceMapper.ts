/**
 * Makes the packets of a new piece those of the file: PIDs and tables of the file, its continuity counters, its clock.
 * Where the content jumps the discontinuity is flagged; where an overlap was cut nothing jumps. Once a piece turns out
 * to go on exactly as it is, its packets pass untouched.
 */
import { anchorAfter, type Anchor } from './joinClock.js';
import { joinGates } from './joinGates.js';
import { discontinuityPacket, removePcr, setCounter, setPid, shiftClock } from './restamp.js';
import { streamMap } from './streamMap.js';
import type { StreamScan } from './streamScan.js';
import { sectionPackets, tableReader, type Tables } from './tables.js';
import { hasPayload, NULL_PID, PACKET_BYTES, pcrAt, pesTimesAt, pidAt, PID_COUNT } from './tsPackets.js';
import { startsUnit, ticksBetween } from './tsPackets.js';

/** Packets and when they came, monotonic. Valid during the call only. */
export type TimedSink = (buffer: Buffer, from: number, to: number, mono: number) => void;

/**
 * `exact`: the clock of the piece is `offset` behind the file's, and it overlaps. `after`: it comes after a gap; `gapTicks`
 * lie before the unit at `firstDts`, or before its first one where that is -1; the clock of what is written last was moved
 * by `movedTicks`.
 */
export type JoinPlan =
  | {
      readonly kind: 'exact';
      readonly offset: number;
      readonly tables: Tables;
      /** The PID that it is told by. */
      readonly leadPid: () => number;
    }
  | {
      readonly kind: 'after';
      readonly gapTicks: number;
      readonly firstDts: number;
      readonly isSeam: boolean;
      readonly movedTicks: number;
      /** The PID that the piece begins with; -1 where no table tells. */
      readonly leadPid: () => number;
    };

export interface PieceMapper {
  push: TimedSink;
  /** Bytes of the piece that were not passed on, tables apart. */
  droppedBytes(): number;
  /** How a piece that comes after a gap was placed, once that is known. */
  anchor(): Anchor | null;
}

const UNKNOWN = 0xff;
const READY = 1 << 24;

export function pieceMapper(written: StreamScan, plan: JoinPlan, sink: TimedSink): PieceMapper {
  const exact = plan.kind === 'exact';
  const map = streamMap(written.tables());
  const gates = joinGates(written, plan.leadPid, exact);
  const reader = tableReader(written.tables()?.map.number ?? null);
  /** What is added to the counters of each PID of the piece. */
  const deltas = new Uint8Array(PID_COUNT).fill(UNKNOWN);
  /** Of each PID that is simply written over: its delta, and its PID in the file. */
  const ready = new Uint32Array(PID_COUNT);
  const tableCounters = new Map<number, number>();
  let source: Tables | null = null;
  let offset = exact ? plan.offset : -1;
  let anchor: Anchor | null = null;
  let shown: Buffer | null = null;
  let flagged = exact;
  let clockIsPast = written.lastPcr() < 0;
  let droppedBytes = 0;
  let same: 'unknown' | 'yes' | 'no' = 'unknown';
  let out = Buffer.allocUnsafe(128 * PACKET_BYTES);
  let outBytes = 0;

  function put(bytes: Buffer, from: number, to: number): number {
    const needed = outBytes + to - from;
    if (needed > out.length) out = Buffer.concat([out.subarray(0, outBytes)], 2 * needed);
    const at = outBytes;
    bytes.copy(out, at, from, to);
    outBytes = needed;
    return at;
  }

  function putSection(section: Buffer, pid: number): void {
    const last = tableCounters.get(pid) ?? written.pids.get(pid)?.counter ?? 15;
    const packets = sectionPackets(section, pid, last + 1);
    tableCounters.set(pid, last + packets.length / PACKET_BYTES);
    put(packets, 0, packets.length);
  }

  /** A packet of a table came: the file's own table goes in its place. `inCounter` is what it counted. */
  function putTable(pid: number, inCounter: number): void {
    const tables = map.tables();
    if (!tables) return;
    if (shown === null || !shown.equals(tables.pmt)) return putTables();
    const isPat = pid === 0;
    const own = isPat ? 0 : tables.pmtPid;
    putSection(isPat ? tables.pat : tables.pmt, own);
    if (((tableCounters.get(own) ?? 0) & 15) !== inCounter) same = 'no';
  }

  function putTables(): void {
    const tables = map.tables();
    if (!tables) return;
    putSection(tables.pat, 0);
    putSection(tables.pmt, tables.pmtPid);
    shown = tables.pmt;
    if (!flagged) putFlags(tables);
    flagged = true;
  }

  /** Counters and clock go on elsewhere: said on every PID of the file that the piece has packets of. */
  function putFlags(tables: Tables): void {
    const pids = new Set([
      tables.map.pcrPid,
      ...(source?.map.streams ?? []).map((stream) => map.pid(stream.pid)),
    ]);
    for (const pid of pids) {
      const state = written.pids.get(pid);
      if (state && pid !== NULL_PID) put(discontinuityPacket(pid, state.counter), 0, PACKET_BYTES);
    }
  }

  function know(tables: Tables): void {
    const before = map.tables();
    source = tables;
    ready.fill(0);
    map.update(tables);
    gates.know(tables);
    const now = map.tables();
    if (exact && shown === null && now === before) shown = now?.pmt ?? null;
    if (!now || now.pmtPid !== tables.pmtPid || !now.pmt.equals(tables.pmt) || !now.pat.equals(tables.pat))
      same = 'no';
  }

  /** Places a piece that comes after a gap, by its first unit of the leading stream; true when it has a place. */
  function place(buffer: Buffer, at: number, pid: number): boolean {
    if (plan.kind === 'exact' || !startsUnit(buffer, at)) return false;
    const lead = plan.leadPid();
    const first = lead >= 0 && lead !== pid ? null : pesTimesAt(buffer, at);
    if (!first || first.dts < 0) return false;
    const own = map.pid(pid);
    const leadState = written.pids.get(written.lead()?.pid ?? -1);
    const state = written.pids.get(own);
    const last = (state && state.dts >= 0 ? state : leadState) ?? {
      counter: 0,
      dts: -1,
      ptsMax: -1,
      stepTicks: 0,
      lengthTicks: 0,
    };
    const waited = plan.firstDts < 0 ? 0 : Math.max(0, ticksBetween(plan.firstDts, first.dts));
    const tables = written.tables();
    const sameStreams = source !== null && tables !== null && source.pmtPid === tables.pmtPid && own === pid;
    const { isSeam, movedTicks } = plan;
    const before = plan.gapTicks + waited;
    const begunDts = plan.firstDts;
    anchor = anchorAfter({ last, first, gapTicks: before, sameStreams, isSeam, movedTicks, begunDts });
    ({ offset } = anchor);
    return true;
  }

  function drop(buffer: Buffer, at: number, pid: number): void {
    droppedBytes += PACKET_BYTES;
    const delta = deltas[pid] ?? UNKNOWN;
    if (delta !== UNKNOWN && hasPayload(buffer, at)) deltas[pid] = (delta - 1) & 15;
  }

  function packet(buffer: Buffer, from: number): void {
    const pid = pidAt(buffer, from);
    if (pid === NULL_PID) {
      if (gates.leadOpen()) put(buffer, from, from + PACKET_BYTES);
      return;
    }
    const kind = reader.push(buffer, from, pid);
    if (kind === 'changed') {
      const tables = reader.tables();
      if (tables && !(source?.pmtPid === tables.pmtPid && source.pmt.equals(tables.pmt))) know(tables);
    }
    if (kind !== 'other') {
      // Before the first picture only what it takes to read it: a table that goes with what was cut is cut.
      const counter = (buffer[from + 3] ?? 0) & 15;
      const own = pid === 0 ? 0 : map.pid(pid);
      const wanted = exact
        ? gates.followsOn(counter, own) ||
          (gates.leadOpen() && (tableCounters.has(own) || !gates.isWritten(counter, own)))
        : reader.tables() !== null;
      if (wanted && startsUnit(buffer, from)) putTable(pid, counter);
      return;
    }
    if (offset < 0 && !place(buffer, from, pid)) return drop(buffer, from, pid);
    const own = map.pid(pid);
    if (!gates.allOpen() && !gates.passes(buffer, from, pid, own, offset)) return drop(buffer, from, pid);
    const tables = map.tables();
    if (tables && (shown === null || !shown.equals(tables.pmt))) putTables();
    restamp(put(buffer, from, from + PACKET_BYTES), pid, own);
  }

  /** Packets that only need to be written over, copied as one run; the others one by one. */
  function packets(buffer: Buffer, from: number, to: number): void {
    let run = from;
    for (let at = from; at < to; at += PACKET_BYTES) {
      if ((ready[pidAt(buffer, at)] ?? 0) !== 0) continue;
      if (at > run) putRun(buffer, run, at);
      packet(buffer, at);
      run = at + PACKET_BYTES;
    }
    if (to > run) putRun(buffer, run, to);
  }

  function putRun(buffer: Buffer, from: number, to: number): void {
    const start = put(buffer, from, to);
    for (let at = start; at < outBytes; at += PACKET_BYTES) {
      const head = ready[(((out[at + 1] ?? 0) & 0x1f) << 8) | (out[at + 2] ?? 0)] ?? 0;
      const own = head & 0x1fff;
      const b1 = out[at + 1] ?? 0;
      const b3 = out[at + 3] ?? 0;
      out[at + 1] = (b1 & 0xe0) | (own >> 8);
      out[at + 2] = own & 0xff;
      out[at + 3] = (b3 & 0xf0) | ((b3 + (head >> 16)) & 15);
      if ((b1 & 0x40) !== 0 || (b3 & 0x20) !== 0) shiftClock(out, at, offset);
    }
  }

  function restamp(at: number, pid: number, own: number): void {
    const counter = (out[at + 3] ?? 0) & 15;
    let delta = deltas[pid] ?? UNKNOWN;
    if (delta === UNKNOWN) {
      const last = written.pids.get(own)?.counter;
      delta = last === undefined ? 0 : (last + (hasPayload(out, at) ? 1 : 0) - counter) & 15;
      deltas[pid] = delta;
    }
    if (delta !== 0 || own !== pid || offset !== 0) same = 'no';
    if (clockIsPast && gates.allOpen()) ready[pid] = READY | (delta << 16) | own;
    setPid(out, at, own);
    setCounter(out, at, counter + delta);
    shiftClock(out, at, offset);
    if (clockIsPast || own !== map.tables()?.map.pcrPid) return;
    const pcr = pcrAt(out, at);
    if (pcr < 0) return;
    if (ticksBetween(written.lastPcr(), pcr) > 0) clockIsPast = true;
    else removePcr(out, at);
  }

  /** Every PID of the file was met again, and counts on. */
  function allGoOn(): boolean {
    return [...written.pids.keys()].every((pid) => deltas[pid] === 0 || tableCounters.has(pid));
  }

  if (exact) know(plan.tables);
  return {
    push(buffer, from, to, mono) {
      if (same === 'yes') return sink(buffer, from, to, mono);
      outBytes = 0;
      packets(buffer, from, to);
      if (outBytes > 0) sink(out, 0, outBytes, mono);
      if (same === 'unknown' && exact && gates.allOpen() && clockIsPast && allGoOn()) same = 'yes';
    },
    droppedBytes: () => droppedBytes,
    anchor: () => anchor,
  };
}
