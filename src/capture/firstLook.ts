/**
 * What is seen of a piece before it is known where it goes: whether it repeats what is written, and how much of it was
 * sent in advance. It is held back no longer than that takes.
 */
import { packetMatcher, unitMatcher } from './overlap.js';
import { overlapProof, type OverlapProof } from './overlapProof.js';
import type { SpoolTail } from './spoolTail.js';
import { streamScan, type SoundUnit, type StreamScan } from './streamScan.js';
import { CLOCK_HZ, CLOCK_WRAP, PACKET_BYTES, ticksBetween } from './tsPackets.js';
import { soundMatcher } from './writtenSound.js';

/** An overlap shows within its first pictures. A stream that sends no burst is looked at for a second, if it has any. */
const LOOK_MS = 1_000;
const LOOK_MS_MAX = 2_000;
const LOOK_UNITS = 10;
/** What comes at more than twice its pace is looked at for longer: how much of it was sent in advance is not known yet. */
const POUR_MS_MAX = 4_000;
const PACE_MS = 200;
/** So many pictures have to be the same where it was sound that told. */
const SOUND_UNITS_MIN = 3;
const LOOK_BYTES_MAX = 16 * 1024 * 1024;
/** No provider buffers more. */
const BURST_MS_MAX = 60_000;
/** A clock that went on is where the time that passed puts it, give or take the provider's buffers. */
const SAME_CLOCK_TICKS = 2.5 * CLOCK_HZ;

export interface LookInput {
  readonly tail: SpoolTail;
  /** From the last byte that is written to the first of this piece; null where nobody knows. */
  readonly silentMs: number | null;
  /**
   * When that first byte came, where it was not taken at once: what gathered while the spool was opened came at its own
   * pace and was sent no faster than it plays.
   */
  readonly cameMono?: number;
  /** It is known to be new: pictures that were there before are shown again (an advertisement twice in a row). */
  readonly isNew?: boolean;
  /**
   * What was added to the clock of what is written last, 0 to 2^33: with it the provider's own clock is known, which a
   * file that joints have moved does not show. Null where nobody knows.
   */
  readonly movedTicks?: number | null;
  /** The connection did not break: the provider put this behind what came before. */
  readonly isSeam?: boolean;
}

export interface FirstLook {
  /** What came so far, in its order, and when. */
  readonly held: readonly { readonly bytes: Buffer; readonly mono: number }[];
  /** The offset of the piece's clock, once an overlap is sure. */
  push(bytes: Buffer, mono: number): number | null;
  /** The offset, where nothing that came speaks against it; within one connection that is not enough. */
  believed(): number | null;
  /** No more of it may wait. */
  isFull(): boolean;
  /** Whether what came until then was time enough for an overlap to show. */
  isEnough(mono: number): boolean;
  scan(): StreamScan;
  heldBytes(): number;
  /** How much of it was sent in advance. */
  burstMs(): number;
}

/** The times of its leading stream. */
function timed(scan: StreamScan): number[] {
  return scan.units().flatMap(({ dts }) => (dts < 0 ? [] : [dts]));
}

/** How much of a stream it is, by its clock; by its pictures where it has none. */
function spanTicks(scan: StreamScan): number {
  if (scan.firstPcr() >= 0) return ticksBetween(scan.firstPcr(), scan.lastPcr());
  const [first] = scan.units();
  const last = scan.units().at(-1);
  return first && last && first.dts >= 0 && last.dts >= 0 ? ticksBetween(first.dts, last.dts) : 0;
}

/** Where a piece seems to belong; how much of it was compared. */
interface Claim {
  readonly offset: number;
  readonly proof: OverlapProof;
  readonly units: number;
  readonly sounds: number;
}

/** How much of a piece is written already, if its clock is `offset` behind. */
export function overlapTicks(written: StreamScan, piece: StreamScan, offset: number): number {
  const first = piece.units().find((unit) => unit.dts >= 0);
  const last = written.pids.get(written.lead()?.pid ?? -1);
  if (!first || !last) return 0;
  return Math.max(0, ticksBetween((first.dts + offset) % CLOCK_WRAP, last.dts) + last.stepTicks);
}

export function firstLook(input: LookInput): FirstLook {
  const { tail, silentMs, cameMono, isSeam = false, isNew = false, movedTicks = null } = input;
  /** Without a joint before it the file has the provider's clock. */
  const moved = movedTicks ?? 0;
  const held: { readonly bytes: Buffer; readonly mono: number }[] = [];
  const packets = packetMatcher(tail.last, tail.scan.tables()?.pmtPid ?? -1);
  /** Where one of the two has no pictures it is their sound that is compared. */
  let bySoundAlone = tail.scan.lead()?.kind === 'audio';
  const unitsOf = (one: StreamScan) => (bySoundAlone ? one.soundUnits() : one.units());
  let units = unitMatcher(unitsOf(tail.scan), movedTicks);
  const sound = soundMatcher(tail.sounds);
  /** What it sounds like so far. */
  let sounds: SoundUnit[] = [];
  const listen = (unit: SoundUnit) => sounds.push(unit);
  let scan = streamScan(null, listen, tail.scan.tables()?.map.number ?? null);
  let heldBytes = 0;
  let unitsSeen = 0;
  let soundsSeen = 0;
  let burstMs = 0;
  let lookedMs = 0;
  /** How far it was a moment ago; whether it has come faster than it plays since then. */
  let pace = { mono: 0, spanMs: 0 };
  let pours = false;
  let samePackets = false;
  /** Where it seems to belong, until all of it was compared. */
  let claim: Claim | null = null;
  let bySound = false;
  const refuted = new Set<number>();

  /** Its tables are known now: what came before them can be read, too. */
  function again(): void {
    sounds = [];
    soundsSeen = 0;
    scan = streamScan(scan.tables(), listen);
    for (const { bytes } of held) scan.push(bytes, 0, bytes.length);
  }

  /**
   * The provider's own clock says that all of it came later than what is written. Then a picture that was there before
   * is one that is shown again (a card, an advertisement), and to cut it would lose what was never written (P1).
   */
  function clockWentOn(): boolean {
    const hasPcr = scan.firstPcr() >= 0 && tail.scan.lastPcr() >= 0;
    const first = hasPcr ? scan.firstPcr() : timed(scan)[0];
    const last = hasPcr ? tail.scan.lastPcr() : timed(tail.scan).at(-1);
    if (silentMs === null || first === undefined || last === undefined) return false;
    const ahead = ticksBetween((last - moved + CLOCK_WRAP) % CLOCK_WRAP, first);
    return ahead > 0 && ahead <= (silentMs * CLOCK_HZ) / 1000 + SAME_CLOCK_TICKS;
  }

  /** It has shown no picture for so long that it has none, or one came all the same. */
  function chooseSound(lookedMs: number): void {
    const written = tail.scan.lead()?.kind;
    const isDark = scan.lead()?.kind === 'audio' && lookedMs >= LOOK_MS;
    if (written !== 'video' || isDark === bySoundAlone) return;
    bySoundAlone = isDark;
    units = unitMatcher(unitsOf(tail.scan), movedTicks);
    unitsSeen = 0;
    claim = null;
  }

  /** The offset of the piece's clock, once an overlap is found. */
  function find(bytes: Buffer): number | null {
    bySound = false;
    for (let at = 0; at < bytes.length && !samePackets; at += PACKET_BYTES)
      samePackets = packets.add(bytes, at);
    if (samePackets && scan.tables() !== null && !refuted.has(0)) return 0;
    for (const came = unitsOf(scan); unitsSeen < came.length; unitsSeen++) {
      const unit = came[unitsSeen];
      const offset = unit ? units.add(unit) : null;
      if (offset !== null && isPossible(offset)) return offset;
    }
    return bySoundAlone ? null : findBySound();
  }

  /** A picture that never changes cannot say where it belongs; its sound can. */
  function findBySound(): number | null {
    if (scan.lead()?.kind !== 'video' || scan.units().length < LOOK_UNITS) return null;
    for (; soundsSeen < sounds.length; soundsSeen++) {
      const unit = sounds[soundsSeen];
      const offset = unit ? sound.add(unit) : null;
      bySound = offset !== null && isPossible(offset);
      if (bySound) return offset;
    }
    return null;
  }

  function isPossible(offset: number): boolean {
    return !refuted.has(offset) && (offset === moved || !clockWentOn());
  }

  /** Compares what came with what is written there. */
  function prove(offset: number): Claim | null {
    const written = { written: unitsOf(tail.scan), sounds: tail.sounds };
    claim ??= {
      offset,
      // Sound alone says little: tones repeat themselves.
      proof: overlapProof({ ...written, offset, unitsMin: bySound ? SOUND_UNITS_MIN : 0 }),
      units: 0,
      sounds: 0,
    };
    const { proof } = claim;
    const came = unitsOf(scan);
    for (const unit of came.slice(claim.units)) proof.unit(unit);
    const hasPictures = !bySoundAlone && scan.lead()?.kind === 'video';
    if (hasPictures) for (const unit of sounds.slice(claim.sounds)) proof.sound(unit);
    claim = { ...claim, units: came.length, sounds: sounds.length };
    if (proof.verdict() !== 'other') return claim;
    refuted.add(offset);
    return (claim = null);
  }

  /**
   * What seemed to be it was something that is shown again. If that was sent at once, and there is but one other place
   * that it goes on from to the end of what is written, it belongs there.
   */
  function onlyEnding(): number | null {
    const [offset, other] = [...units.endings()].filter((one) => isPossible(one));
    if (refuted.size === 0 || offset === undefined || other !== undefined) return null;
    return wasSentAgain(offset, spanTicks(scan) / 90, lookedMs) ? offset : null;
  }

  /**
   * Inside one connection the same again is mostly a card that is shown in a loop, clock and all. Only what comes much
   * faster than it plays was sent a second time.
   */
  function wasSentAgain(offset: number, spanMs: number, sinceMs: number): boolean {
    const overlapMs = overlapTicks(tail.scan, scan, offset) / 90;
    return spanMs >= overlapMs && sinceMs <= overlapMs / 2;
  }

  return {
    held,
    push(bytes: Buffer, mono: number): number | null {
      const isKnown = scan.tables() !== null;
      held.push({ bytes, mono });
      heldBytes += bytes.length;
      scan.push(bytes, 0, bytes.length);
      if (!isKnown && scan.tables() !== null) again();
      const spanMs = spanTicks(scan) / 90;
      const sinceMs = mono - (held[0]?.mono ?? mono);
      lookedMs = sinceMs;
      if (mono - pace.mono >= PACE_MS || held.length === 1) {
        pours = held.length > 1 && spanMs - pace.spanMs > 2 * (mono - pace.mono);
        pace = { mono, spanMs };
      }
      const sentMs = cameMono === undefined ? sinceMs : mono - cameMono;
      burstMs = Math.min(BURST_MS_MAX, Math.max(burstMs, spanMs - sentMs));
      chooseSound(Math.max(spanMs, sinceMs));
      const found = isNew ? null : (claim?.offset ?? find(bytes));
      const proved = found === null ? null : prove(found);
      if (proved?.proof.verdict() !== 'same') return null;
      return !isSeam || wasSentAgain(proved.offset, spanMs, sinceMs) ? proved.offset : null;
    },
    believed: () => (isSeam ? null : (claim?.offset ?? onlyEnding())),
    isFull: () => heldBytes >= LOOK_BYTES_MAX,
    isEnough(mono: number): boolean {
      // What is the same so far would be cut: it may wait until all of it has come.
      if (claim && !isSeam) return false;
      const sinceMs = mono - (held[0]?.mono ?? mono);
      if (pours) return sinceMs >= POUR_MS_MAX;
      return sinceMs >= LOOK_MS_MAX || (sinceMs >= LOOK_MS && unitsOf(scan).length >= LOOK_UNITS);
    },
    scan: () => scan,
    heldBytes: () => heldBytes,
    burstMs: () => burstMs,
  };
}
