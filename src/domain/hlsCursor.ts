/**
 * Where a capture stands in an HLS stream, and what a playlist that was just loaded means for it (PROTOCOLS §5.1): which
 * segments are new, which were lost, whether the numbering began anew, and when on the wall clock each was on air. Pure.
 *
 * P1, P4: nothing is taken twice, and whatever slid out of the window unseen is lost time of a known length.
 */
import { sha1hex } from './sha1.js';
import type { MediaPlaylist, Segment } from './hlsPlaylist.js';

/** A place to go on from, small enough to be kept with a recording. No address in it. */
export interface SavedCursor {
  /** The variant it belongs to, '' where there was no choice. */
  readonly variant: string;
  readonly sequence: number;
  /** '' where it was never had: the one behind it was the first. */
  readonly id: string;
  /** Wall clock at which that segment ends. */
  readonly endAt: number;
}

export interface Cursor {
  /** Number of the segment that is wanted next. */
  readonly next: number;
  /** Wall clock at which it should begin. */
  readonly endAt: number;
  /** Ids of the last segments by their numbers. */
  readonly taken: ReadonlyMap<number, string>;
}

export type Step =
  | { readonly kind: 'take'; readonly segment: Segment; readonly at: number; readonly discontinuity: boolean }
  | { readonly kind: 'lost'; readonly at: number; readonly durationMs: number };

export interface Followed {
  readonly cursor: Cursor;
  readonly steps: readonly Step[];
  /** `reset`: the numbering began anew, so what follows may have been seen under another number. */
  readonly kind: 'new' | 'nothing' | 'behind' | 'reset';
}

/** A provider's clock that shows the end of the stream outside of this, before or behind ours, is not believed. */
const CLOCK_AHEAD_MS_MAX = 5_000;
const CLOCK_BEHIND_MS_MAX = 45_000;
/** So far off a place in time may be. */
const CLOCK_LEAP_MS = 10_000;
/** Of servers of one provider none lags further behind than this. */
const TAKEN_MAX = 16;

/** The same for the same media, whatever token its address carries. */
export function segmentId({ uri, range }: Pick<Segment, 'uri' | 'range'>): string {
  const path = new URL(uri).pathname;
  return sha1hex(`${path.slice(path.lastIndexOf('/') + 1)}|${range?.offset ?? ''}`).slice(0, 12);
}

/**
 * Where to begin: behind what is saved, else with the oldest segment that was still on air at `from`. `now` is when the
 * playlist was asked for.
 */
export function startCursor(
  playlist: MediaPlaylist,
  now: number,
  from: number,
  saved: SavedCursor | null,
): Cursor {
  const { segments } = playlist;
  const [first] = segments;
  const last = segments.at(-1);
  if (!first || !last) return { next: 0, endAt: from, taken: new Map() };
  const times = airTimes(playlist, now);
  if (saved && goesOn(playlist, times, saved))
    return {
      next: saved.sequence + 1,
      endAt: saved.endAt,
      taken: saved.id === '' ? new Map() : new Map([[saved.sequence, saved.id]]),
    };
  const heard = saved ? Math.max(from, saved.endAt) : from;
  const place = segments.findIndex(({ durationMs }, index) => (times[index] ?? 0) + durationMs / 2 > heard);
  // All of it is from before: the next one that comes.
  if (place < 0 && (times.at(-1) ?? 0) + last.durationMs <= heard)
    return { next: last.sequence + 1, endAt: now, taken: takenOf(new Map(), segments) };
  const start = segments[place < 0 ? segments.length - 1 : place] ?? last;
  const at = times[segments.indexOf(start)] ?? now;
  const before = segments.slice(0, segments.indexOf(start));
  return { next: start.sequence, endAt: at, taken: takenOf(new Map(), before) };
}

/** Where to go on so that this segment, the first of its kind, is asked for once more: nobody knows yet that all of it is kept. */
export function cursorBefore(cursor: SavedCursor, at: number): SavedCursor {
  return { variant: cursor.variant, sequence: cursor.sequence - 1, id: '', endAt: at };
}

/** Whether the playlist counts on from what was saved. */
function goesOn(
  { segments, targetMs }: MediaPlaylist,
  times: readonly number[],
  saved: SavedCursor,
): boolean {
  const slackMs = 3 * targetMs + 10_000;
  const place = segments.findIndex(({ sequence }) => sequence === saved.sequence);
  const same = segments[place];
  if (same && saved.id !== '') return segmentId(same) === saved.id;
  if (same) return Math.abs((times[place] ?? 0) + same.durationMs - saved.endAt) <= slackMs;
  const missed = (segments[0]?.sequence ?? 0) - saved.sequence - 1;
  const expected = saved.endAt + missed * averageMs(segments);
  return missed >= 0 && Math.abs((times[0] ?? 0) - expected) <= slackMs;
}

/**
 * What is new in a playlist that was asked for at `now`. One that has only what is known, and ends before it, lags
 * `behind`: another server of the same provider. `anew`: it has done so for too long, and is taken for a reset.
 * `numbers`: they are known to be right, whatever the segments are called.
 */
export function follow(
  cursor: Cursor,
  playlist: MediaPlaylist,
  now: number,
  trust: 'anew' | 'numbers' | null = null,
): Followed {
  const { segments, targetMs } = playlist;
  const [first] = segments;
  if (!first) return { cursor, steps: [], kind: 'nothing' };
  const isImpossible = isTooFar(cursor, segments, now);
  const known = trust === 'numbers' ? 0 : knownByName(cursor, segments, isImpossible);
  const counted = trust === 'numbers' ? 'same' : isImpossible ? 'anew' : numbering(cursor, segments);
  const numbers = known > 0 ? 'wrong' : counted;
  if (numbers === 'behind' && trust !== 'anew') return { cursor, steps: [], kind: 'behind' };
  const isReset = numbers === 'behind' || numbers === 'anew';
  const isNew = ({ sequence }: Segment, place: number) =>
    numbers === 'same' ? sequence >= cursor.next : place >= known;
  const times = airTimes(playlist, now);
  const edge = edgeTimes(segments, now);
  const isClockGood = isClockBelieved(playlist, now);
  const steps: Step[] = [];
  let { endAt } = cursor;

  if (numbers === 'same' && first.sequence > cursor.next) {
    const counted = (first.sequence - cursor.next) * averageMs(segments);
    const passed = Math.max(0, isClockGood ? (times[0] ?? 0) - endAt : now - endAt);
    const durationMs = Math.round(isClockGood && passed > 0 ? passed : Math.min(counted, passed));
    if (durationMs > 0) steps.push({ kind: 'lost', at: endAt, durationMs });
    endAt += durationMs;
  }
  for (const [place, segment] of segments.entries()) {
    if (!isNew(segment, place)) continue;
    const discontinuity = segment.discontinuity || (isReset && place === 0);
    const edgeAt = edge[place] ?? now;
    let at = endAt;
    if (isClockGood) at = times[place] ?? at;
    // Media cannot be on air later than it is listed, and at a jump of the stream the time that passed shows.
    else if (discontinuity && edgeAt - endAt > 2 * targetMs) at = edgeAt;
    else at = Math.min(edgeAt, Math.max(endAt, edgeAt - 3 * targetMs - CLOCK_AHEAD_MS_MAX));
    at = Math.round(at);
    const { durationMs } = segment;
    steps.push(segment.gap ? { kind: 'lost', at, durationMs } : { kind: 'take', segment, at, discontinuity });
    endAt = at + durationMs;
  }
  const last = segments.at(-1);
  if (!last || (numbers === 'same' && last.sequence < cursor.next))
    return { cursor, steps: [], kind: 'nothing' };
  const taken = takenOf(numbers === 'same' ? cursor.taken : new Map(), segments);
  const kind = isReset ? 'reset' : steps.length > 0 ? 'new' : 'nothing';
  return { cursor: { next: last.sequence + 1, endAt, taken }, steps, kind };
}

/** Whether the numbers count more than can have been on air since: some servers leap ahead where nothing else does. */
function isTooFar({ next, endAt }: Cursor, segments: readonly Segment[], now: number): boolean {
  const missed = (segments[0]?.sequence ?? 0) - next;
  const eachMs = averageMs(segments);
  const passedMs = Math.max(0, now - endAt);
  return missed > 0 && missed * eachMs > passedMs + segments.length * eachMs + CLOCK_LEAP_MS;
}

/**
 * Where the names contradict the numbers, or nothing can have been where the numbers are: how many segments at the
 * beginning are those that were taken last. Some servers leave all numbers at nought, or count where nothing slid. One
 * name that comes more than once says nothing by itself.
 */
function knownByName({ taken }: Cursor, segments: readonly Segment[], isImpossible: boolean): number {
  const isContradicted =
    isImpossible || segments.some((one) => taken.has(one.sequence) && !isKnown(taken, one));
  if (!isContradicted) return 0;
  const before = [...taken.values()];
  const ids = segments.map(segmentId);
  const areUnique = new Set(ids).size === ids.length;
  for (let count = Math.min(before.length, ids.length); count > 0; count -= 1) {
    const known = ids.slice(0, count);
    const isTelling = areUnique || new Set(known).size > 1;
    if (isTelling && before.slice(-count).every((id, place) => id === known[place])) return count;
  }
  return 0;
}

/**
 * `anew`: other media under numbers that are known, or numbers that stand far before what was taken. A little before it
 * another server lags, though that may be further than what is known.
 */
function numbering({ next, taken }: Cursor, segments: readonly Segment[]): 'same' | 'behind' | 'anew' {
  const last = segments.at(-1)?.sequence ?? 0;
  const isBefore = last < next - 2;
  const known = segments.filter(({ sequence }) => taken.has(sequence));
  if (known.length === 0 && isBefore) return last < next - 2 * segments.length ? 'anew' : 'behind';
  if (known.length > 0 && !known.some((segment) => isKnown(taken, segment))) return 'anew';
  return isBefore ? 'behind' : 'same';
}

function isKnown(taken: Cursor['taken'], segment: Segment): boolean {
  return taken.get(segment.sequence) === segmentId(segment);
}

function takenOf(before: ReadonlyMap<number, string>, more: readonly Segment[]): ReadonlyMap<number, string> {
  const all = [...before, ...more.map((segment) => [segment.sequence, segmentId(segment)] as const)];
  return new Map(all.slice(-TAKEN_MAX));
}

/** Whether the provider says when its segments were on air, and of none of them anything that cannot be. */
function isClockBelieved({ segments, targetMs }: MediaPlaylist, now: number): boolean {
  if ((segments.at(-1)?.programAt ?? null) === null) return false;
  let behindMs = 0;
  return segments.toReversed().every(({ programAt, durationMs }) => {
    const lag = programAt === null ? 0 : now - (programAt + durationMs) - behindMs;
    behindMs += durationMs;
    return lag >= -CLOCK_AHEAD_MS_MAX && lag <= CLOCK_BEHIND_MS_MAX + targetMs;
  });
}

/** When each segment was on air: by the provider's clock where that can be, else as if the last one ended now. */
function airTimes(playlist: MediaPlaylist, now: number): number[] {
  const edge = edgeTimes(playlist.segments, now);
  if (!isClockBelieved(playlist, now)) return edge;
  return playlist.segments.map(({ programAt }, index) => programAt ?? edge[index] ?? now);
}

function edgeTimes(segments: readonly Segment[], now: number): number[] {
  const times: number[] = [];
  let at = now;
  for (const { durationMs } of segments.toReversed()) times.push((at -= durationMs));
  return times.toReversed();
}

function averageMs(segments: readonly Segment[]): number {
  const all = segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return all / Math.max(1, segments.length);
}

/** Whether nothing new for so long means that it stands still. */
export function standstillMs(targetMs: number): number {
  return Math.max(5_000, 3 * targetMs);
}

/** More often than this no playlist is loaded because of what it says of itself. */
const RELOAD_MS_MIN = 500;
/** A playlist is at least so many target durations long (RFC 8216 §6.2.2). */
const WINDOW_TARGETS_MIN = 3;

/**
 * From the start of one load to the next: the target duration, half of it where nothing changed (RFC 8216 §6.3.4). A list
 * that is shorter than such a list may be promises longer segments than it has, or forgets them sooner than it may:
 * it is loaded for each of them, and twice for each where it has but one at a time.
 */
export function reloadMs({ targetMs, segments }: MediaPlaylist, changed: boolean): number {
  const spanMs = segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const newestMs = (segments.at(-1)?.durationMs ?? targetMs) / (segments.length > 1 ? 1 : 2);
  const isShort = segments.length > 0 && spanMs < WINDOW_TARGETS_MIN * targetMs;
  const intervalMs = isShort ? Math.min(targetMs, Math.max(RELOAD_MS_MIN, newestMs)) : targetMs;
  return Math.max(100, changed ? intervalMs : intervalMs / 2);
}
