/**
 * Looks at packets as they stand in a spool for points at which it can be begun: the first packet of a picture that
 * decodes by itself, and the tables right before it. Nothing is kept of what it looked at but where the clock stands.
 */
import { FROM_UNKNOWN, NO_JUMP, type IndexedStream, type IndexLine } from '../domain/mediaIndex.js';
import { isKey } from './keyFrame.js';
import { leadingStream } from './psi.js';
import { tableReader } from './tables.js';
import { CLOCK_HZ, CLOCK_WRAP, hasPayload, NULL_PID, PACKET_BYTES, pidAt, startsUnit } from './tsPackets.js';
import { adaptationFlags, pesDtsAt, ticksBetween } from './tsPackets.js';

/** Points closer than this are of no use to anybody (streams of key frames alone have one a frame). */
const STEP_TICKS_MIN = 0.4 * CLOCK_HZ;
/** A stream whose clock goes back, or that far ahead from one unit to the next, has another clock. */
const BACK_TICKS_MAX = 5 * CLOCK_HZ;
const AHEAD_TICKS_MAX = 10 * CLOCK_HZ;
/** Tables that stand right before a picture are at most so many packets. */
const TABLE_PACKETS_MAX = 32;

export interface IndexScan {
  /** Whole packets that stand at `offset` in the file, right after those before. */
  push(packets: Uint8Array, offset: number): void;
  /** What was found since it was last asked. */
  take(): IndexLine[];
  /** Where the clock stands after the last unit, or -1. */
  endTicks(): number;
}

/** `known`: the stream to look at until the tables say more; `follows`: where the clock of the file stands, or -1. */
export function indexScan(known: IndexedStream | null, follows: number): IndexScan {
  const reader = tableReader();
  let lead = known;
  let pmtPid = -1;
  let found: IndexLine[] = [];
  /** Of the last unit, and the way to it. */
  let dts = -1;
  let stepTicks = 0;
  /** Of the last point. */
  let pointTicks = -1;
  /** Where the clock stood before a jump that no point has told yet. */
  let jumpedFrom: number = NO_JUMP;
  /** Where the packets begin that carry no media and end what was pushed last. */
  let quietFrom = -1;

  function endTicks(): number {
    return dts < 0 ? follows : (dts + stepTicks) % CLOCK_WRAP;
  }

  function jump(): void {
    if (jumpedFrom === NO_JUMP) jumpedFrom = dts < 0 && follows < 0 ? FROM_UNKNOWN : endTicks();
  }

  function know(pid: number, buffer: Buffer, at: number): void {
    if (reader.push(buffer, at, pid) !== 'changed') return;
    const tables = reader.tables();
    const leading = tables && leadingStream(tables.map.streams);
    pmtPid = tables?.pmtPid ?? -1;
    if (!leading || (lead?.pid === leading.pid && lead.type === leading.type)) return;
    lead = { pid: leading.pid, type: leading.type, isVideo: leading.kind === 'video' };
    found.push(['lead', lead.pid, lead.type, Number(lead.isVideo)]);
  }

  function isQuiet(buffer: Buffer, at: number): boolean {
    const pid = pidAt(buffer, at);
    return pid === 0 || pid === pmtPid || pid === NULL_PID || !hasPayload(buffer, at);
  }

  /** Where to begin for the picture at `at`: at the tables before it, where nothing else is in between. */
  function beginAt(buffer: Buffer, at: number, offset: number): number {
    let first = at;
    let from = at;
    while (from > 0 && isQuiet(buffer, from - PACKET_BYTES)) {
      from -= PACKET_BYTES;
      if (at - from > TABLE_PACKETS_MAX * PACKET_BYTES) break;
      if (pidAt(buffer, from) === 0) first = from;
    }
    return from === 0 && quietFrom >= 0 ? quietFrom : offset + first;
  }

  function unit(buffer: Buffer, at: number, offset: number): void {
    if (!lead) return;
    const now = pesDtsAt(buffer, at);
    if (now < 0) return;
    const step = dts < 0 ? 0 : ticksBetween(dts, now);
    const jumps = step < -BACK_TICKS_MAX || step > AHEAD_TICKS_MAX;
    if (jumps) jump();
    if (step > 0 && !jumps) stepTicks = step;
    dts = now;
    const sincePoint = pointTicks < 0 ? Infinity : ticksBetween(pointTicks, now);
    const isDue = jumpedFrom !== NO_JUMP || sincePoint >= STEP_TICKS_MIN || sincePoint < 0;
    if (!isDue || (lead.isVideo && !isKey(buffer, at, lead.type))) return;
    found.push(['point', beginAt(buffer, at, offset), now, jumpedFrom]);
    pointTicks = now;
    jumpedFrom = NO_JUMP;
  }

  function noteQuiet(buffer: Buffer, offset: number): void {
    let from = buffer.length;
    let first = -1;
    while (from > 0 && isQuiet(buffer, from - PACKET_BYTES)) {
      from -= PACKET_BYTES;
      if (buffer.length - from > TABLE_PACKETS_MAX * PACKET_BYTES) break;
      if (pidAt(buffer, from) === 0) first = offset + from;
    }
    if (from > 0 || quietFrom < 0) quietFrom = first;
  }

  return {
    push(packets, offset) {
      const buffer = Buffer.from(packets.buffer, packets.byteOffset, packets.byteLength);
      for (let at = 0; at + PACKET_BYTES <= buffer.length; at += PACKET_BYTES) {
        const pid = pidAt(buffer, at);
        if (pid === lead?.pid) {
          if ((adaptationFlags(buffer, at) & 0x80) !== 0) jump();
          if (startsUnit(buffer, at)) unit(buffer, at, offset);
        } else know(pid, buffer, at);
      }
      noteQuiet(buffer, offset);
    },
    take() {
      const lines = found;
      found = [];
      return lines;
    },
    endTicks,
  };
}
