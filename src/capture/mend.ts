/**
 * Makes one recording of what was captured and what an archive has. Where the archive holds the very same stream, its
 * pieces go into the holes, found by the clock and cut by the joiner to the picture; where that cannot be shown, the
 * one that lacks less is kept whole. Everything goes into a new file: what was captured stays until that is published.
 */
import type { CapturePiece } from '../domain/capture.js';
import type { UpstreamRef } from '../domain/channel.js';
import { addTs, GAP_MS, type Gap, type Join, type Stretch } from '../domain/ledger.js';
import type { Recording } from '../domain/recording.js';
import type { Mended } from '../domain/replay.js';
import type { Clock } from '../io/clock.js';
import type { Disk } from '../io/disk.js';
import { readClockMarks, markBefore, type ClockMark, type ClockMarks } from './clockMarks.js';
import { fileTransport, type FilePart } from './fileTransport.js';
import { capture } from './protocols.js';
import { CLOCK_HZ, CLOCK_WRAP, PACKET_BYTES, ticksBetween } from './tsPackets.js';

export interface MendInput {
  readonly recording: Pick<Recording, 'spool' | 'bytes' | 'stretches' | 'gaps' | 'joins' | 'ts' | 'window'>;
  /** What is missing of the programme, in milliseconds. */
  readonly missingMs: number;
  /** The archive's file, whole, and what it is called in the ledger. */
  readonly replay: string;
  readonly source: UpstreamRef;
  /** Where the new spool goes. Nothing is there. */
  readonly out: string;
}

export interface MendDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Eight seconds are taken on either side of a hole, to find the joint. */
const MARGIN_TICKS = 8 * CLOCK_HZ;
/** Joints of the same stream leave no more than this between them. */
const EXACT_S_MAX = 0.2;
/** The archive's whole copy must be better by so much. */
const BETTER_MS_MIN = 1_000;
/** Enough to find a clock at the end of a piece. */
const END_BYTES = 20_000 * PACKET_BYTES;

/** Null where the archive does not help. Rejects with what the disk says. */
export async function mend(input: MendInput, doors: MendDoors): Promise<Mended | null> {
  const archive = await readClockMarks(doors.disk, input.replay);
  const filled = input.recording.bytes > 0 ? await fill(input, archive.marks, doors) : null;
  return filled ?? replace(input, archive, doors);
}

/** One piece of the new spool: of the archive, or a run of stretches that are joined already, with whatever they lack. */
type Part =
  | { readonly from: 'archive'; readonly file: FilePart; readonly fromAt: number; readonly toAt: number }
  | { readonly from: 'live'; readonly file: FilePart; readonly stretches: readonly Stretch[] };

/** The hole before a stretch by its number; after the last one, the number of all. */
interface Hole {
  readonly before: number;
  readonly fromAt: number;
  readonly toAt: number;
}

async function fill(input: MendInput, marks: readonly ClockMark[], doors: MendDoors): Promise<Mended | null> {
  const { recording } = input;
  const slices = new Map<number, FilePart>();
  const holes = holesOf(recording);
  for (const hole of holes) {
    const slice = await sliceFor(input, hole, marks, doors);
    if (slice) slices.set(hole.before, slice);
  }
  // A joint that turns out to be none takes its hole out, and the rest is tried again.
  while (slices.size > 0 && !doors.signal.aborted) {
    const parts = partsOf(input, holes, slices);
    const built = await build(input, parts, doors);
    if (built === null) return null;
    if ('failed' in built) {
      for (const hole of holes) if (touches(parts, built.failed, hole)) slices.delete(hole.before);
      continue;
    }
    return { spool: input.out, ...factsOf(recording, input.source, parts, built.pieces) };
  }
  return null;
}

function holesOf({ stretches, window }: MendInput['recording']): Hole[] {
  const edges = [{ toAt: window.startAt }, ...stretches];
  const holes = stretches.map(({ fromAt }, before) => ({
    before,
    fromAt: edges[before]?.toAt ?? fromAt,
    toAt: fromAt,
  }));
  const end = { before: stretches.length, fromAt: stretches.at(-1)?.toAt ?? 0, toAt: window.stopAt };
  return [...holes, end].filter(
    ({ fromAt, toAt }) => toAt - fromAt >= GAP_MS && fromAt < window.stopAt && toAt > window.startAt,
  );
}

/** What the archive has of a hole and of its edges, by the clock; null where it does not know that time. */
async function sliceFor(
  { recording, replay }: MendInput,
  hole: Hole,
  marks: readonly ClockMark[],
  { disk }: MendDoors,
): Promise<FilePart | null> {
  const before = recording.stretches[hole.before - 1];
  const after = recording.stretches[hole.before];
  const lengthTicks = Math.round((hole.toAt - hole.fromAt) * (CLOCK_HZ / 1000));
  let fromTicks: number | null = null;
  let toTicks: number | null = null;
  if (before) {
    const end = before.firstOffset + before.bytes;
    const found = await readClockMarks(
      disk,
      recording.spool,
      Math.max(before.firstOffset, end - END_BYTES),
      end,
    );
    fromTicks = found.marks.at(-1)?.ticks ?? null;
  }
  if (after) {
    const end = Math.min(after.firstOffset + after.bytes, after.firstOffset + END_BYTES);
    const found = await readClockMarks(disk, recording.spool, after.firstOffset, end);
    toTicks = found.marks[0]?.ticks ?? null;
  }
  const from = fromTicks ?? (toTicks === null ? null : toTicks - lengthTicks);
  const to = toTicks ?? (fromTicks === null ? null : fromTicks + lengthTicks);
  if (from === null || to === null) return null;
  // It may begin inside the margin, if only it begins before the hole does.
  const lead = marks[0] ? ticksBetween(marks[0].ticks, wrapped(from)) : 0;
  const beginsInMargin = !before || (lead > 0 && lead <= MARGIN_TICKS);
  const first = markBefore(marks, wrapped(from - MARGIN_TICKS)) ?? (beginsInMargin ? marks[0] : null);
  const last = markBefore(marks, wrapped(to + MARGIN_TICKS)) ?? marks.at(-1);
  if (!first || !last || last.offset <= first.offset) return null;
  // It ends before the next piece begins: there is nothing to join that to.
  if (after && ticksBetween(wrapped(to), last.ticks) <= 0) return null;
  // A hole of the archive's own is no use for another.
  const within = marks.slice(marks.indexOf(first), marks.indexOf(last) + 1);
  const isWhole = within.every((mark, n) => {
    const step = ticksBetween(within[n - 1]?.ticks ?? mark.ticks, mark.ticks);
    return step >= 0 && step <= CLOCK_HZ;
  });
  return isWhole ? { path: replay, from: first.offset, to: last.offset } : null;
}

function wrapped(ticks: number): number {
  return ((ticks % CLOCK_WRAP) + CLOCK_WRAP) % CLOCK_WRAP;
}

function partsOf(input: MendInput, holes: readonly Hole[], slices: ReadonlyMap<number, FilePart>): Part[] {
  const { recording } = input;
  const parts: Part[] = [];
  for (let number = 0; number <= recording.stretches.length; number++) {
    const slice = slices.get(number);
    const hole = holes.find(({ before }) => before === number);
    if (slice && hole) parts.push({ from: 'archive', file: slice, fromAt: hole.fromAt, toAt: hole.toAt });
    const stretch = recording.stretches[number];
    if (!stretch) continue;
    const before = parts.at(-1);
    const stretches = before?.from === 'live' ? [...before.stretches, stretch] : [stretch];
    const from = stretches[0]?.firstOffset ?? 0;
    const file = { path: recording.spool, from, to: stretch.firstOffset + stretch.bytes };
    if (before?.from === 'live') parts.pop();
    parts.push({ from: 'live', file, stretches });
  }
  return parts;
}

type Built = { readonly pieces: readonly CapturePiece[] } | { readonly failed: number };

/** Writes the parts one behind the other. Null where nothing can be made. */
async function build(input: MendInput, parts: readonly Part[], doors: MendDoors): Promise<Built | null> {
  await doors.disk.unlink(input.out).catch(() => undefined);
  const pieces: CapturePiece[] = [];
  for (const [number, part] of parts.entries()) {
    const before = parts[number - 1];
    const piece = await append(part.file, input.out, doors);
    if (piece === null) return before ? { failed: number } : null;
    const join = piece.join;
    const exact = join !== undefined && !join.approximate && join.gapS <= EXACT_S_MAX;
    if (before && !exact) return { failed: number };
    pieces.push(piece);
  }
  return { pieces };
}

function touches(parts: readonly Part[], failed: number, hole: Hole): boolean {
  return [parts[failed], parts[failed - 1]].some(
    (part) => part?.from === 'archive' && part.fromAt === hole.fromAt && part.toAt === hole.toAt,
  );
}

async function append(
  part: FilePart,
  out: string,
  { disk, clock, signal }: MendDoors,
): Promise<CapturePiece | null> {
  const outcome = await capture(
    {
      url: 'file:part',
      headers: {},
      spoolPath: out,
      lastMediaAt: clock.now(),
      firstByteTimeoutMs: 60_000,
      stallTimeoutMs: 60_000,
    },
    { transport: fileTransport(disk, clock, part), disk, clock, signal, onCheckpoint: () => undefined },
  );
  const ended = outcome.kind === 'fault' && outcome.code === 'upstream_ended';
  return ended ? outcome.piece : null;
}

function factsOf(
  recording: MendInput['recording'],
  source: UpstreamRef,
  parts: readonly Part[],
  pieces: readonly CapturePiece[],
): Omit<Mended, 'spool'> {
  const stretches = parts.flatMap((part, number) => stretchesOf(part, source, pieces[number]));
  const filled = parts.flatMap((part) => (part.from === 'archive' ? part : []));
  const fresh: Join[] = parts.flatMap((part, number) => {
    const join = pieces[number]?.join;
    const at = part.from === 'archive' ? part.fromAt : (part.stretches[0]?.fromAt ?? 0);
    return join ? [{ at, kind: 'failover', removedOverlapS: join.removedOverlapS, approximate: false }] : [];
  });
  const kept = recording.joins.filter(({ at }) => !fresh.some((join) => join.at === at));
  return {
    bytes: stretches.reduce((sum, { bytes }) => sum + bytes, 0),
    stretches,
    gaps: recording.gaps.flatMap((gap) => without(gap, filled)),
    joins: [...kept, ...fresh].toSorted((a, b) => a.at - b.at),
    ts: parts.reduce((sum, { from }, number) => {
      const piece = pieces[number];
      return from === 'archive' && piece ? addTs(sum, piece.ts) : sum;
    }, recording.ts),
  };
}

/** What is left of a gap: one that reaches into the padding is filled only where the programme was on (P4). */
function without(gap: Gap, filled: readonly Pick<Gap, 'fromAt' | 'toAt'>[]): Gap[] {
  return filled.reduce<Gap[]>(
    (left, { fromAt, toAt }) =>
      left.flatMap((each) =>
        [
          { ...each, toAt: Math.min(each.toAt, fromAt) },
          { ...each, fromAt: Math.max(each.fromAt, toAt) },
        ].filter((rest) => rest.toAt - rest.fromAt > 1),
      ),
    [gap],
  );
}

/** Where the stretches of a part are now: what overlapped was cut from the beginning of the first. */
function stretchesOf(part: Part, source: UpstreamRef, piece: CapturePiece | undefined): Stretch[] {
  const { firstOffset = 0, bytes = 0 } = piece ?? {};
  if (part.from === 'archive') return [{ source, fromAt: part.fromAt, toAt: part.toAt, firstOffset, bytes }];
  const cut = part.file.to - part.file.from - bytes;
  const edges = part.stretches.map(
    (stretch) => firstOffset + Math.max(0, stretch.firstOffset - part.file.from - cut),
  );
  // Their clock was moved once more.
  return part.stretches.map(({ movedTicks: _, ...stretch }, number) => {
    const from = edges[number] ?? firstOffset;
    const to = edges[number + 1] ?? firstOffset + bytes;
    return { ...stretch, firstOffset: from, bytes: to - from };
  });
}

/** The archive's copy alone, where it lacks less. */
async function replace(
  input: MendInput,
  { playsMs, holes }: Pick<ClockMarks, 'playsMs' | 'holes'>,
  doors: MendDoors,
): Promise<Mended | null> {
  const { window } = input.recording;
  const toAt = window.startAt + Math.round(playsMs);
  const gaps = holes.map(({ afterMs, ms }): Gap => {
    const fromAt = window.startAt + Math.round(afterMs);
    return { fromAt, toAt: fromAt + Math.round(ms), cause: 'hls_missing' };
  });
  const lacksMs = gaps.reduce(
    (sum, gap) => sum + Math.max(0, Math.min(gap.toAt, window.stopAt) - gap.fromAt),
    Math.max(0, window.stopAt - toAt),
  );
  if (playsMs < BETTER_MS_MIN || lacksMs + BETTER_MS_MIN > input.missingMs) return null;
  await doors.disk.unlink(input.out).catch(() => undefined);
  const bytes = (await doors.disk.stat(input.replay)).bytes;
  const piece = await append({ path: input.replay, from: 0, to: bytes }, input.out, doors);
  if (piece === null) return null;
  const stretch = { source: input.source, fromAt: window.startAt, toAt, bytes: piece.bytes, firstOffset: 0 };
  return { spool: input.out, bytes: piece.bytes, stretches: [stretch], gaps, joins: [], ts: piece.ts };
}
