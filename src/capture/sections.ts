/**
 * What one connection brings, on its way into the spool. Mostly that is one section: start point or joiner, then the
 * writer. Where the provider puts another stream behind the one before, a section ends like a piece and the next is
 * joined to it like a piece, by what the spool then ends with, so that there is one way to make a joint (P1, P2).
 */
import type { CapturePiece, PieceSplice } from '../domain/capture.js';
import { addTs, NO_TS, type TsCounts } from '../domain/ledger.js';
import type { Clock } from '../io/clock.js';
import type { Disk } from '../io/disk.js';
import { contentWatch } from './contentWatch.js';
import { headStart } from './headStart.js';
import { joiner, type Joiner } from './joiner.js';
import { pictureHoles } from './pictureHoles.js';
import { pieceWriter, type PieceWriter } from './pieceWriter.js';
import { shiftClock } from './restamp.js';
import { seamWatch, type SeamSink } from './seamWatch.js';
import { isTrouble, type DiskTrouble } from './spool.js';
import { startPoint, type StartPoint } from './startPoint.js';
import { tsHealth } from './tsHealth.js';
import { CLOCK_WRAP, PACKET_BYTES, startsUnit } from './tsPackets.js';
import { waitPool, type WaitPool } from './waitPool.js';
import { wholePiece } from './wholePiece.js';
import { openWritten, type SpoolPlace, type Written } from './writtenSpool.js';

/** However often the provider changes its stream: what is in the file is told. */
const CHECKPOINT_MS = 10_000;
/** Providers splice short cards in a loop; to read 30 s for each would be more work than the stream itself. */
const SEAM_TAIL_S = 12;

/** Before what is recorded now. */
interface Silence {
  /** From the last byte in the spool to the first that is recorded now; null where nobody knows. */
  readonly silentMs: number | null;
  /** When that came, where it was not taken at once. */
  readonly cameMono?: number;
}

export interface SectionsInput extends Silence {
  readonly place: SpoolPlace;
  readonly written: Written;
  /** What is missing between the two, where that is known; and whether all of it is new. */
  readonly gapMs?: number;
  readonly isNew?: boolean;
  /** What was added to the clock of what the spool ends with, where that is known. */
  readonly movedTicks?: number;
  /** All that comes follows without a break, however late it does. */
  readonly isGapless?: boolean;
}

export interface SectionsDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  /** What all captures may let wait for disks together; its own where it is left out. */
  readonly pool?: WaitPool;
  readonly onCheckpoint: (piece: CapturePiece) => void;
  /** True: hold the stream back. False: let it go on. */
  readonly onPressure: (full: boolean) => void;
  readonly onTrouble: (trouble: DiskTrouble) => void;
  readonly onBug: (error: unknown) => void;
  /** What comes has been worth nothing for so long that it counts. */
  readonly onDead: () => void;
  /** What was wrong with the stream before it was cut into packets. */
  readonly outside: () => Pick<TsCounts, 'syncLosses' | 'skippedBytes'>;
}

export interface Sections {
  /** Whole packets as they come. */
  push(buffer: Buffer, from: number, to: number, mono: number): void;
  /** Nothing more comes for a while: what waits to be placed has waited enough. */
  whole(): void;
  /** Writes and syncs all that came. Rejects with a bug only. */
  finish(): Promise<DiskTrouble | null>;
  /** What is in the file now, or null while that is nothing. */
  piece(): CapturePiece | null;
  /** How much of what came last was sent in advance, of what is joined to something. */
  aheadMs(): number;
}

/** From one seam to the next. */
interface Section {
  readonly writer: PieceWriter;
  readonly joint: Joiner | null;
  readonly start: StartPoint;
  /** Before its first packet; and when that came, and the last one. */
  readonly silentMs: number | null;
  firstMono: number | null;
  lastMono: number;
  /** What is added to its clock since that alone became another one, 0 to 2^33. */
  shiftTicks: number;
}

/** What comes while one section ends and the next begins. */
type Waiting =
  | { readonly bytes: Buffer; readonly mono: number }
  | { readonly seamAfterMs: number }
  | { readonly shiftTicks: number; readonly mono: number };

export function sections(input: SectionsInput, doors: SectionsDoors): Sections {
  const { clock } = doors;
  const holes = pictureHoles(wallOf);
  /** Of the sections that are over. */
  const over: CapturePiece[] = [];
  /** Where nothing but the clock was another one. */
  const shifts: PieceSplice[] = [];
  let closedHeldBack = 0;
  /** What was added to the clock of what the file ends with, as far as the sections that are over go. */
  let movedBefore = input.written.tail ? (input.movedTicks ?? null) : 0;
  /** What waits for a joint counts with what waits for disks. */
  const own = (doors.pool ?? waitPool()).join();
  const isCrowded = () => own.isOver(Infinity);
  let isOpen = true;
  let section: Section = open(input.written, input, false);
  let waiting: Waiting[] | null = null;
  let waitingBytes = 0;
  let changing: Promise<void> = Promise.resolve();
  let trouble: DiskTrouble | null = null;
  let full = false;
  /** What came while a section began was all for a while. */
  let isWhole = false;
  let toldMono = Number.NEGATIVE_INFINITY;

  const seams: SeamSink = {
    onPackets(buffer, from, to, mono) {
      if (!waiting) return take(buffer, from, to, mono);
      waiting.push({ bytes: Buffer.from(buffer.subarray(from, to)), mono });
      waitingBytes += to - from;
      own.hold(waitingBytes);
    },
    onSeam(silentMs) {
      holes.end();
      if (waiting) waiting.push({ seamAfterMs: silentMs });
      else changing = change(silentMs).catch((error: unknown) => doors.onBug(error));
    },
    onShift(shiftTicks, mono) {
      holes.end();
      if (waiting) waiting.push({ shiftTicks, mono });
      else shift(shiftTicks, mono);
    },
    onHole({ mono, seconds }) {
      const toAt = wallOf(mono);
      holes.hole({ fromAt: toAt - Math.round(seconds * 1000), toAt, cause: 'stall' });
    },
    onClock: (moved) => content.clock(moved),
    onUnit(buffer, at, stream, mono) {
      content.unit(buffer, at, stream);
      holes.unit(buffer, at, stream, mono);
    },
    onScrambled: (stream, mono) => holes.scrambled(stream, mono),
  };
  const watch = seamWatch(seams, input.written.tail?.scan.tables()?.map.number);
  const content = contentWatch(() => doors.onDead());

  function wallOf(mono: number): number {
    return Math.round(clock.now() - (clock.mono() - mono));
  }

  function open({ spool, tail, index }: Written, silence: Silence, isSeam: boolean): Section {
    const { silentMs, cameMono } = silence;
    const health = tsHealth();
    const writer: PieceWriter = pieceWriter({
      spool,
      index,
      health,
      clock,
      ...(doors.pool && { pool: doors.pool }),
      join: () => joint?.join() ?? null,
      aheadMs: () => head?.aheadMs() ?? 0,
      onCheckpoint: tell,
      onPressure(isFull) {
        full = isFull;
        if (!waiting) doors.onPressure(isFull);
      },
      onTrouble: doors.onTrouble,
      onBug: doors.onBug,
    });
    const gapMs = isSeam ? (input.isGapless ? 0 : undefined) : input.gapMs;
    const isNew = !isSeam && (input.isNew ?? false);
    const known = {
      silentMs,
      isSeam,
      isNew,
      movedTicks: movedBefore,
      ...(gapMs !== undefined && { gapMs }),
      ...(cameMono !== undefined && { cameMono }),
    };
    const head = tail ? null : headStart();
    const joint = tail && joiner({ tail, isCrowded, ...known }, writer.push);
    const opened: Section = {
      writer,
      joint,
      start: startPoint(
        (buffer, from, to, came) => {
          head?.push(buffer, from, to, came);
          writer.push(buffer, from, to, came);
        },
        { isCrowded },
      ),
      silentMs,
      firstMono: null,
      lastMono: 0,
      shiftTicks: 0,
    };
    isOpen = true;
    return opened;
  }

  function take(buffer: Buffer, from: number, to: number, mono: number): void {
    section.firstMono ??= mono;
    section.lastMono = mono;
    const { shiftTicks } = section;
    const isShifted = shiftTicks !== 0;
    const bytes = isShifted ? shifted(buffer.subarray(from, to), shiftTicks) : buffer;
    const [first, end] = isShifted ? [0, bytes.length] : [from, to];
    const entrance = entranceOf(section);
    entrance.push(bytes, first, end, mono);
    own.hold(waitingBytes + entrance.waitingBytes());
  }

  function shift(ticks: number, mono: number): void {
    section.shiftTicks = (section.shiftTicks + ticks) % CLOCK_WRAP;
    shifts.push({ at: wallOf(mono), removedOverlapS: 0, approximate: false, gapS: 0 });
    // After a crash the clock of the end is told by what was known last.
    tell();
  }

  function tell(): void {
    const now = piece();
    if (!now) return;
    toldMono = clock.mono();
    doors.onCheckpoint(now);
  }

  async function change(silentMs: number): Promise<void> {
    waiting = [];
    doors.onPressure(true);
    for (let after: number | null = silentMs; after !== null; after = handOn()) {
      trouble ??= await close();
      if (clock.mono() - toldMono >= CHECKPOINT_MS) tell();
      const written: Written | DiskTrouble = trouble ?? (await openWritten(doors, input.place, SEAM_TAIL_S));
      if (isTrouble(written)) {
        trouble = written;
        return doors.onTrouble(trouble);
      }
      full = false;
      // While nothing of this connection is in the file, it is the connection that is joined.
      section =
        over.length > 0
          ? open(written, { silentMs: after }, true)
          : open(written, { silentMs: silentSince(section, after) }, false);
    }
    waiting = null;
    if (isWhole) section.joint?.end();
    doors.onPressure(full);
  }

  /** Hands on what came meanwhile, up to the next seam; how long it was silent there, or null. */
  function handOn(): number | null {
    for (let one = waiting?.shift(); one !== undefined; one = waiting?.shift()) {
      if ('seamAfterMs' in one) return one.seamAfterMs;
      if ('shiftTicks' in one) {
        shift(one.shiftTicks, one.mono);
        continue;
      }
      waitingBytes -= one.bytes.length;
      take(one.bytes, 0, one.bytes.length, one.mono);
    }
    own.hold(waitingBytes + entranceOf(section).waitingBytes());
    return null;
  }

  /** Of what is written last; a section that has no place yet has written nothing. */
  function movedTicks(): number | null {
    const { joint, shiftTicks } = section;
    const moved = joint ? (joint.movedTicks() ?? movedBefore) : 0;
    return moved === null ? null : (moved + shiftTicks) % CLOCK_WRAP;
  }

  /** Ends the section: all of it is in the file then. */
  async function close(): Promise<DiskTrouble | null> {
    entranceOf(section).end();
    const failed = await section.writer.finish();
    const done = section.writer.piece();
    if (done) over.push(done);
    closedHeldBack += entranceOf(section).heldBackBytes();
    movedBefore = movedTicks();
    isOpen = false;
    return failed;
  }

  function piece(): CapturePiece | null {
    const current = isOpen ? section.writer.piece() : null;
    const whole = wholePiece(current ? [...over, current] : over, shifts);
    if (!whole) return null;
    const { syncLosses, skippedBytes } = doors.outside();
    const heldBack = closedHeldBack + (isOpen ? entranceOf(section).heldBackBytes() : 0);
    const ts = addTs(whole.ts, { ...NO_TS, syncLosses, skippedBytes: skippedBytes + heldBack });
    const dead = content.spans().map(({ fromMs, toMs }) => ({
      fromAt: wallOf(fromMs),
      toAt: wallOf(toMs),
      cause: 'dead' as const,
    }));
    const goodMs = dead.reduce((left, { fromAt, toAt }) => left - (toAt - fromAt), whole.goodMs);
    const inside = [...holes.gaps(), ...dead];
    const moved = isOpen ? movedTicks() : movedBefore;
    return {
      ...whole,
      ts,
      goodMs: Math.max(0, goodMs),
      ...(moved !== null && { movedTicks: moved }),
      ...(inside.length > 0 && { gaps: inside }),
    };
  }

  return {
    push(buffer, from, to, mono) {
      isWhole = false;
      content.packets(buffer, from, to, mono);
      watch.push(buffer, from, to, mono);
    },
    whole() {
      isWhole = true;
      if (!waiting) section.joint?.end();
    },
    async finish() {
      watch.end();
      await changing;
      const failed = trouble ?? (await close());
      own.leave();
      return failed;
    },
    piece,
    aheadMs: () => section.joint?.aheadMs() ?? 0,
  };
}

/** A copy on another clock: others may have the same bytes. */
function shifted(packets: Buffer, ticks: number): Buffer {
  const copy = Buffer.from(packets);
  for (let at = 0; at < copy.length; at += PACKET_BYTES) {
    const tells = startsUnit(copy, at) || ((copy[at + 3] ?? 0) & 0x20) !== 0;
    if (tells) shiftClock(copy, at, ticks);
  }
  return copy;
}

function entranceOf({ joint, start }: Section): Joiner | StartPoint {
  return joint ?? start;
}

/** From what the spool ends with to a seam, where nothing between them was of use. */
function silentSince({ silentMs, firstMono, lastMono }: Section, seamMs: number): number | null {
  if (silentMs === null) return null;
  return silentMs + (firstMono === null ? 0 : lastMono - firstMono) + seamMs;
}
