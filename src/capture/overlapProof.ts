/**
 * Whether a piece is what it looks like: the same again, to the end of what is written. A few pictures that match only
 * say where to look. A trailer is shown twice, every connection begins with the same card, a radio shows one picture all
 * day: what comes with them or after them is new, and to cut it by the clock would lose it (P1). So all of it is
 * compared before any of it is cut; pictures that say little are believed only with their sound.
 */
import type { LeadUnit } from './scanUnits.js';
import type { SoundUnit } from './streamScan.js';
import { CLOCK_HZ, CLOCK_WRAP, ticksBetween } from './tsPackets.js';
import { isWritten, type WrittenSound } from './writtenSound.js';

/** Stamps that went through another container are rounded to a millisecond, on either side. */
const SLACK_TICKS = 180;
/** So many whole ones in a row that are others, and it is another stream: one or two may be damaged. */
const OTHERS_MIN = 3;
/** Further apart than this the written pictures have a hole. */
const HOLE_TICKS_MIN = CLOCK_HZ / 4;
/** Pictures that tell streams apart by themselves: so many that are no key frames, of so many bytes each. */
const TELLING_UNITS_MIN = 8;
const TELLING_BYTES_MIN = 1024;

/** `open`: all that came so far is the same, but the end of what is written has not come yet. */
export type Verdict = 'open' | 'same' | 'other';

export interface OverlapProof {
  /** A unit of the leading stream of the piece, in their order. */
  unit(unit: LeadUnit): void;
  sound(unit: SoundUnit): void;
  verdict(): Verdict;
}

export interface ProofInput {
  /** Of the leading stream, in their order. */
  readonly written: readonly LeadUnit[];
  readonly sounds: readonly WrittenSound[];
  /** What is added to the clock of the piece, 0 to 2^33. */
  readonly offset: number;
  /** So many pictures at least have to be the same. */
  readonly unitsMin: number;
}

export function overlapProof({ written, sounds, offset, unitsMin }: ProofInput): OverlapProof {
  const lastDts = written.findLast(({ dts }) => dts >= 0)?.dts ?? -1;
  let place = 0;
  /** Behind the written unit that was the same last. */
  let after = -1;
  let sameUnits = 0;
  let otherUnits = 0;
  let otherSounds = 0;
  let telling = { units: 0, bytes: 0 };
  let atEnd = lastDts < 0;
  let refuted = false;

  const moved = (dts: number) => (dts + offset) % CLOCK_WRAP;

  /** The place of the written unit of that time; -1 where there is another one, undefined where there may have been one. */
  function placeOf({ dts: said, hash }: LeadUnit): number | undefined {
    const follows = written[after];
    // Pictures need not say their time, and on either side it may be others that do not: then their order tells.
    if (follows?.hash === hash && (said < 0 || follows.dts < 0)) return after;
    if (said < 0) return undefined;
    const dts = moved(said);
    while (place < written.length && isBefore(written[place], dts - SLACK_TICKS)) place++;
    const next = written[place];
    if (!next) return undefined;
    if (Math.abs(ticksBetween(dts, next.dts)) <= SLACK_TICKS) return place;
    const before = written[place - 1];
    if (!before || before.dts < 0) return undefined;
    return ticksBetween(before.dts, next.dts) < HOLE_TICKS_MIN ? -1 : undefined;
  }

  return {
    unit(unit) {
      if (atEnd) return;
      atEnd = unit.dts >= 0 && ticksBetween(lastDts, moved(unit.dts)) >= -SLACK_TICKS;
      if (unit.torn) return;
      const own = placeOf(unit);
      if (own === undefined || written[own]?.torn) return;
      if (written[own]?.hash !== unit.hash) {
        otherUnits++;
        refuted ||= otherUnits >= OTHERS_MIN;
        return;
      }
      after = own + 1;
      otherUnits = 0;
      sameUnits++;
      if (!unit.key) telling = { units: telling.units + 1, bytes: telling.bytes + unit.bytes };
    },
    sound(unit) {
      const same = isWritten(sounds, unit, moved(unit.dts));
      if (same !== null) otherSounds = same ? 0 : otherSounds + 1;
    },
    verdict() {
      const { units, bytes } = telling;
      const tells = units >= TELLING_UNITS_MIN && bytes >= TELLING_BYTES_MIN * units;
      const isSeen = atEnd || units >= TELLING_UNITS_MIN;
      if (refuted || (otherSounds >= OTHERS_MIN && isSeen && !tells)) return 'other';
      if (!atEnd) return 'open';
      return sameUnits >= unitsMin ? 'same' : 'other';
    },
  };
}

/** Units without a time are passed over. */
function isBefore(unit: LeadUnit | undefined, dts: number): boolean {
  return unit !== undefined && (unit.dts < 0 || ticksBetween(unit.dts, dts) > 0);
}
