/**
 * What the end of a spool sounds like, PID by PID: bytes behind bytes, for every multiplexer divides the same sound into
 * packets in its own way. It tells whether a piece sounds the same, and where it belongs when its pictures cannot: a
 * radio shows one picture all day.
 */
import { soundTicks } from './soundLength.js';
import type { SoundUnit } from './streamScan.js';
import { CLOCK_WRAP, ticksBetween } from './tsPackets.js';

/** Packets in a row that say the same; shorter ones say nothing. */
const UNITS_MIN = 2;
const BYTES_MIN = 64;
/** Stamps that went through another container are rounded to a millisecond, on either side. */
const SLACK_TICKS = 180;

export interface WrittenSound {
  readonly type: number;
  readonly bytes: Buffer;
  /** Where in them each PES packet begins, and its time. Never empty. */
  readonly units: readonly { readonly at: number; readonly dts: number }[];
}

export function writtenSounds(heard: readonly SoundUnit[]): WrittenSound[] {
  const pids = new Map<number, SoundUnit[]>();
  for (const unit of heard) {
    const own = pids.get(unit.pid);
    if (own) own.push(unit);
    else pids.set(unit.pid, [unit]);
  }
  return [...pids.values()].map((own) => {
    let bytes = 0;
    const units = own.map(({ dts, payload }) => ({ at: (bytes += payload.length) - payload.length, dts }));
    return { type: own[0]?.type ?? 0, bytes: Buffer.concat(own.map(({ payload }) => payload)), units };
  });
}

/** Whether what sounds like this at that time is written; null where nothing is of that time and kind. */
export function isWritten(written: readonly WrittenSound[], { type, payload }: SoundUnit, dts: number) {
  const own = written.filter((sound) => sound.type === type && isWithin(sound, dts));
  return own.length === 0 ? null : own.some(({ bytes }) => bytes.includes(payload));
}

/** Not the last one, which may end before what another multiplexer puts into one packet. */
function isWithin({ units }: WrittenSound, dts: number): boolean {
  const [first] = units;
  const last = units.at(-1);
  if (!first || !last) return false;
  return ticksBetween(first.dts, dts) >= -SLACK_TICKS && ticksBetween(dts, last.dts) > SLACK_TICKS;
}

/** Finds by how many ticks the clock of a piece is behind the written one, by sound that occurs once. */
export function soundMatcher(written: readonly WrittenSound[]) {
  const runs = new Map<number, { readonly offset: number; units: number }>();

  function offsetOf({ type, payload, dts }: SoundUnit): number {
    if (payload.length < BYTES_MIN) return -1;
    for (const sound of written) {
      if (sound.type !== type) continue;
      const place = sound.bytes.indexOf(payload);
      if (place < 0) continue;
      const time = sound.bytes.includes(payload, place + 1) ? -1 : timeAt(sound, place);
      return time < 0 ? -1 : (time - dts + CLOCK_WRAP) % CLOCK_WRAP;
    }
    return -1;
  }

  return {
    /** The offset, once it is sure; else null. */
    add(unit: SoundUnit): number | null {
      const offset = offsetOf(unit);
      const before = runs.get(unit.pid);
      runs.delete(unit.pid);
      if (offset < 0) return null;
      const goesOn = before && Math.abs(ticksBetween(before.offset, offset)) <= SLACK_TICKS;
      const run = goesOn ? { ...before, units: before.units + 1 } : { offset, units: 1 };
      runs.set(unit.pid, run);
      return run.units >= UNITS_MIN ? run.offset : null;
    },
  };
}

/** The time of the sound that begins at `place`; -1 where that is not known. */
function timeAt({ bytes, units, type }: WrittenSound, place: number): number {
  const unit = units.findLast(({ at }) => at <= place);
  if (!unit) return -1;
  if (unit.at === place) return unit.dts;
  const ticks = soundTicks(bytes.subarray(unit.at, place), type);
  return ticks > 0 ? (unit.dts + ticks) % CLOCK_WRAP : -1;
}
