/**
 * Where a new piece repeats what is written: the same packets, or the same pictures in another multiplex and on another
 * clock (PROTOCOLS §6.2 a and b). Only what occurs once can say where it belongs: a still picture, a looped card and
 * filler repeat themselves, and a wrong match would throw away what was never written (P1).
 */
import type { LeadUnit } from './scanUnits.js';
import { CLOCK_WRAP, NULL_PID, PACKET_BYTES, pesTimesAt, pidAt } from './tsPackets.js';

const PACKETS_MIN = 8;
const UNITS_MIN = 3;
/** Without a key frame among them: pictures that are mere differences can be alike, so there must be much to compare. */
const UNITS_WITHOUT_KEY_MIN = 8;
const BYTES_WITHOUT_KEY_MIN = 32 * 1024;

/** Units that follow each other in both; what counts of them. */
interface Run {
  readonly offset: number;
  units: number;
  bytes: number;
  key: boolean;
  /** All of them; whether there is a key frame among those. */
  all: number;
  anyKey: boolean;
}

/**
 * Finds by how many ticks the clock of a new piece is behind the written one, by the units of the leading stream.
 * `moved`: by how many it was for what is written last; null where nobody knows.
 */
export function unitMatcher(written: readonly LeadUnit[], moved: number | null = null) {
  const places = new Map<string, number[]>();
  written.forEach(({ hash }, place) => {
    const list = places.get(hash);
    if (list) list.push(place);
    else places.set(hash, [place]);
  });
  /** By the place of the unit that would go on with it. */
  let runs = new Map<number, Run>();
  /** Of runs up to the last written unit, whether or not their units occur once. */
  const endings = new Set<number>();

  function isSure(run: Run, place: number): boolean {
    // The provider's own time says the same, and nothing is cut but what was compared.
    if (run.offset === moved && run.units > 0 && place === written.length - 1) return true;
    if (run.key) return run.units >= UNITS_MIN;
    return run.units >= UNITS_WITHOUT_KEY_MIN && run.bytes >= BYTES_WITHOUT_KEY_MIN;
  }

  /** What goes on with that written unit. Where one of the two has no time it can only be a run that has begun. */
  function runAt(place: number, unitDts: number): Run | null {
    const before = runs.get(place);
    const dts = written[place]?.dts ?? -1;
    if (unitDts < 0 || dts < 0) return before ?? null;
    const offset = (dts - unitDts + CLOCK_WRAP) % CLOCK_WRAP;
    if (before?.offset === offset) return before;
    return { offset, units: 0, bytes: 0, key: false, all: 0, anyKey: false };
  }

  return {
    /** The offset, once it is sure; else null. */
    add(unit: LeadUnit): number | null {
      const next = new Map<number, Run>();
      const found = places.get(unit.hash) ?? [];
      for (const place of found) {
        const run = runAt(place, unit.dts);
        if (!run) continue;
        run.all++;
        run.anyKey ||= unit.key;
        if (place === written.length - 1 && run.all >= UNITS_MIN && run.anyKey) endings.add(run.offset);
        const isTimed = unit.dts >= 0 && (written[place]?.dts ?? -1) >= 0;
        // The same picture at the same time: no repetition can feign that.
        if (found.length === 1 || (isTimed && run.offset === (moved ?? 0))) {
          run.units++;
          run.bytes += unit.bytes;
          run.key ||= unit.key;
        }
        if (isSure(run, place)) return run.offset;
        next.set(place + 1, run);
      }
      runs = next;
      return null;
    },
    /** What else it may be: all that goes on to the end of what is written. */
    endings: (): ReadonlySet<number> => endings,
  };
}

/**
 * Tells whether packets go on as written ones do, byte for byte, a time stamp among them: for overlaps too short to hold
 * pictures enough.
 */
export function packetMatcher(written: Buffer, pmtPid: number) {
  const order: number[] = [];
  /** Where a packet is in `order`; -1 where it occurs twice. */
  const places = new Map<number, number>();
  for (let at = 0; at < written.length; at += PACKET_BYTES) {
    if (isPassedOver(pidAt(written, at))) continue;
    const hash = packetHash(written, at);
    places.set(hash, places.has(hash) ? -1 : order.length);
    order.push(hash);
  }
  /** Tables are written anew at every joint, and count for themselves. */
  function isPassedOver(pid: number): boolean {
    return pid < 0x20 || pid === pmtPid || pid === NULL_PID;
  }

  let next = -1;
  let run = 0;
  let stamped = false;

  return {
    /** True once eight packets that occur once were found in order. */
    add(buffer: Buffer, at: number): boolean {
      if (isPassedOver(pidAt(buffer, at))) return false;
      const hash = packetHash(buffer, at);
      const place = places.get(hash) ?? -1;
      if (next >= 0 && order[next] === hash) {
        next++;
        if (place >= 0) run++;
      } else {
        next = place < 0 ? -1 : place + 1;
        run = place < 0 ? 0 : 1;
        stamped = false;
      }
      stamped ||= run > 0 && pesTimesAt(buffer, at) !== null;
      return stamped && run >= PACKETS_MIN;
    },
  };
}

/** FNV-1a over words. */
function packetHash(buffer: Buffer, at: number): number {
  let hash = 0x811c9dc5;
  for (let word = at; word < at + PACKET_BYTES; word += 4) {
    hash = Math.imul(hash ^ buffer.readInt32LE(word), 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}
