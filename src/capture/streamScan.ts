/**
 * What a run of packets says about itself, for joining: its tables, of each PID where its counter and its clock stand,
 * and of the leading stream every unit with a hash of what it shows. The same look is taken at the end of a spool and at
 * the beginning of a new piece; nothing of it is done while a stream merely passes.
 */
import { isKey } from './keyFrame.js';
import { leadingStream, type ElementaryStream } from './psi.js';
import { payloadOf, scanUnits, type LeadUnit, type ScanUnits } from './scanUnits.js';
import { soundTicks } from './soundLength.js';
import { tableReader, type Tables } from './tables.js';
import { CLOCK_HZ, hasPayload, NULL_PID, PACKET_BYTES, payloadAt, pcrAt, pesTimesAt } from './tsPackets.js';
import { pidAt, startsUnit, ticksBetween } from './tsPackets.js';
import { unitTimes, type UnitTimes } from './unitTimes.js';

/** A PES packet of sound, whole as far as its counter tells. */
export interface SoundUnit {
  readonly pid: number;
  readonly type: number;
  readonly dts: number;
  readonly payload: Buffer;
}

/** Where a PID stands after its last packet. Ticks are -1 where none was seen. */
export interface PidState {
  counter: number;
  /** Of its last unit; as it follows from those before where that does not say. */
  dts: number;
  /** Of the unit that is shown last, which B-frames make another than the one that came last. */
  ptsMax: number;
  /** From unit to unit. */
  stepTicks: number;
  /** Of the last unit where it is sound and says so, else 0. Known at the end. */
  lengthTicks: number;
}

export interface StreamScan {
  push(buffer: Buffer, from: number, to: number): void;
  /** The unit that came last is known to be whole. */
  end(): void;
  tables(): Tables | null;
  /** What it is told by: its pictures; its sound where none is promised, or none of them came. */
  lead(): ElementaryStream | null;
  /** Of `lead`. */
  units(): readonly LeadUnit[];
  /** Of its first sound. */
  soundUnits(): readonly LeadUnit[];
  readonly pids: ReadonlyMap<number, PidState>;
  /** First and last, or -1. */
  firstPcr(): number;
  lastPcr(): number;
}

/** The last unit of a PID of sound. */
interface Sound {
  readonly type: number;
  packets: Buffer[];
  dts: number;
  torn: boolean;
}

const soundOf = (type: number): Sound => ({ type, packets: [], dts: -1, torn: false });

/** A way back this long is another clock. */
const BACK_TICKS_MAX = 5 * CLOCK_HZ;

/**
 * `known`: tables that are in force before the first packet. `onSound`: takes each packet of sound once it is over, and
 * is told nothing of those that are torn. `wanted`: number of the programme to look at, where there are several.
 */
export function streamScan(
  known: Tables | null = null,
  onSound: ((unit: SoundUnit) => void) | null = null,
  wanted: number | null = known?.map.number ?? null,
): StreamScan {
  const reader = tableReader(wanted);
  let tables = known;
  let lead = (known && leadingStream(known.map.streams)) ?? null;
  const leadUnits = scanUnits();
  /** The first sound beside pictures: of those there may be none. */
  let voice = voiceOf(known, lead);
  const voiceUnits = scanUnits();
  const pids = new Map<number, PidState>();
  const times = new Map<number, UnitTimes>();
  let firstPcr = -1;
  let lastPcr = -1;
  let pcrPid = -1;
  /** Of each PID of sound its last unit. */
  const sounds = new Map<number, Sound>();

  /** Of the PID, if it is one to tell by. */
  function unitsOf(pid: number): ScanUnits | null {
    if (lead?.pid === pid) return leadUnits;
    return voice?.pid === pid ? voiceUnits : null;
  }

  const isDark = () => voice !== null && !leadUnits.begun() && voiceUnits.begun();

  function closeSound(pid: number, { type, dts, packets, torn }: Sound): void {
    if (onSound && packets.length > 0 && dts >= 0 && !torn)
      onSound({ pid, type, dts, payload: payloadOf(Buffer.concat(packets)) });
  }

  /** A packet that does not count on from the one before: what it is part of, or what it follows, is not whole. */
  function tear(pid: number): void {
    unitsOf(pid)?.tear();
    const sound = sounds.get(pid);
    if (sound) sound.torn = true;
  }

  /** The time that a unit says, or -1. */
  function timeOf(buffer: Buffer, at: number, state: PidState, own: ScanUnits | null): number {
    const said = pesTimesAt(buffer, at);
    if (!said) return -1;
    const { pts, dts } = said;
    const pid = pidAt(buffer, at);
    const known = times.get(pid) ?? unitTimes();
    times.set(pid, known);
    const taken = known.take(dts);
    state.stepTicks = known.stepTicks();
    if (dts >= 0 && state.dts >= 0 && ticksBetween(state.dts, dts) < -BACK_TICKS_MAX) {
      state.ptsMax = -1;
      own?.forget();
    }
    if (taken >= 0) state.dts = taken;
    if (dts < 0) return -1;
    if (state.ptsMax < 0 || ticksBetween(state.ptsMax, pts) > 0) state.ptsMax = pts;
    return dts;
  }

  function packet(buffer: Buffer, at: number): void {
    const pid = pidAt(buffer, at);
    if (pid === NULL_PID || ((buffer[at + 1] ?? 0) & 0x80) !== 0) return;
    // Other programmes of the same multiplex have clocks of their own.
    const pcr = tables && tables.map.pcrPid !== pid ? -1 : pcrAt(buffer, at);
    if (pcr >= 0) {
      if (firstPcr < 0) firstPcr = pcr;
      lastPcr = pcr;
      pcrPid = pid;
    }
    if (reader.push(buffer, at, pid) === 'changed') {
      tables = reader.tables();
      const found = (tables && leadingStream(tables.map.streams)) ?? null;
      if (found?.pid !== lead?.pid) leadUnits.close();
      lead = found;
      voice = voiceOf(tables, lead);
      if (tables && pcrPid !== tables.map.pcrPid) firstPcr = lastPcr = -1;
      for (const { pid: own, type, kind } of tables?.map.streams ?? []) {
        if (kind === 'audio' && !sounds.has(own)) sounds.set(own, soundOf(type));
      }
    }
    const counter = (buffer[at + 3] ?? 0) & 15;
    let state = pids.get(pid);
    if (!state) pids.set(pid, (state = { counter: 0, dts: -1, ptsMax: -1, stepTicks: 0, lengthTicks: 0 }));
    else if (hasPayload(buffer, at) && counter !== (state.counter + 1) % 16) tear(pid);
    state.counter = counter;
    if (!hasPayload(buffer, at)) return;
    const own = unitsOf(pid);
    const stream = lead?.pid === pid ? lead : voice;
    const sound = sounds.get(pid);
    if (startsUnit(buffer, at)) {
      own?.close();
      if (sound) closeSound(pid, sound);
      const dts = timeOf(buffer, at, state, own);
      if (stream) own?.open(stream.type, dts, stream.kind !== 'video' || isKey(buffer, at, stream.type));
      if (sound) Object.assign(sound, { dts, packets: [], torn: false });
    }
    if (!sound && !own) return;
    const payload = Buffer.from(buffer.subarray(payloadAt(buffer, at), at + PACKET_BYTES));
    own?.add(payload);
    sound?.packets.push(payload);
  }

  return {
    push(buffer, from, to) {
      for (let at = from; at < to; at += PACKET_BYTES) packet(buffer, at);
    },
    end() {
      leadUnits.close();
      voiceUnits.close();
      for (const [pid, sound] of sounds) {
        closeSound(pid, sound);
        const state = pids.get(pid);
        if (state) state.lengthTicks = soundTicks(payloadOf(Buffer.concat(sound.packets)), sound.type);
      }
    },
    tables: () => tables,
    lead: () => (isDark() ? voice : lead),
    units: () => (isDark() ? voiceUnits : leadUnits).units,
    soundUnits: () => (lead?.kind === 'audio' ? leadUnits : voiceUnits).units,
    pids,
    firstPcr: () => firstPcr,
    lastPcr: () => lastPcr,
  };
}

/** The first sound of what leads with pictures. */
function voiceOf(tables: Tables | null, lead: ElementaryStream | null): ElementaryStream | null {
  if (lead?.kind !== 'video') return null;
  return tables?.map.streams.find(({ kind }) => kind === 'audio') ?? null;
}
