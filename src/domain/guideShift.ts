/**
 * Whether a guide lies beside the last good one by one and the same time: a provider that got its zone wrong, or
 * counted a clock change twice, often while it changes other things. Taken, it would move every recording at once (P5).
 *
 * What tells it from news: programmes that are no longer where they were all moved by exactly the same time, on one
 * channel as on the next. A channel that runs late moves alone, a new timetable moves its programmes each by its own
 * time, and a day that is added moves none.
 */

import type { GuideData, Programme } from './programme.js';

/** Less is drift of single programmes, not of a guide. */
const SHIFT_MS_MIN = 15 * 60_000;
/** No zone is further from another; what is a day off is tomorrow's, not shifted. */
const SHIFT_MS_MAX = 14 * 3_600_000;
/** Fewer programmes that moved together prove nothing. */
const MOVED_MIN = 8;
/** Of a channel fewer say nothing. */
const CHANNEL_MOVED_MIN = 3;
/** As many times more of a shifted channel moved than stayed. */
const MOVED_FOR_STAYED = 3;
/** Of what its names can still be found by, so much moved; the others were replaced. */
const MOVED_SHARE_MIN = 0.3;
/** Of the channels of which something can be said. */
const CHANNELS_SHARE_MIN = 1 / 3;
/** A title that comes more often says little of where it lies, and much work. */
const REPEATS_MAX = 40;
/** As many of the commonest distances are looked at closely. */
const CANDIDATES_MAX = 8;

/** By how much the later load starts later, in milliseconds; 0 where they agree or nothing can be said. */
export function guideShift(
  before: Pick<GuideData, 'programmes'>,
  after: Pick<GuideData, 'programmes'>,
): number {
  const known = timetables(before.programmes);
  const later = timetables(after.programmes);
  const [best] = candidates(known, later)
    .map((distance) => ({ distance, ...evidence(known, later, distance) }))
    .filter(
      ({ judged, shifted, moved }) =>
        moved >= MOVED_MIN && (shifted === judged || shifted >= Math.max(2, judged * CHANNELS_SHARE_MIN)),
    )
    .toSorted((a, b) => b.moved - a.moved || Math.abs(a.distance) - Math.abs(b.distance));
  return best && Math.abs(best.distance) >= SHIFT_MS_MIN ? best.distance : 0;
}

interface Timetable {
  /** Starts by title and episode. */
  readonly starts: Map<string, Set<number>>;
  firstAt: number;
  lastAt: number;
}

/** Distances by which programmes lie beside where they were, the commonest first. Those that stayed have none. */
function candidates(
  known: ReadonlyMap<string, Timetable>,
  later: ReadonlyMap<string, Timetable>,
): readonly number[] {
  const votes = new Map<number, number>();
  for (const [channel, { starts }] of later)
    for (const [name, now] of starts) {
      const then = known.get(channel)?.starts.get(name);
      if (!then) continue;
      for (const startAt of now) {
        if (then.has(startAt)) continue;
        for (const was of then) {
          const distance = startAt - was;
          if (Math.abs(distance) > SHIFT_MS_MAX) continue;
          votes.set(distance, (votes.get(distance) ?? 0) + 1 / then.size);
        }
      }
    }
  return [...votes]
    .toSorted((a, b) => b[1] - a[1] || Math.abs(a[0]) - Math.abs(b[0]) || a[0] - b[0])
    .slice(0, CANDIDATES_MAX)
    .map(([distance]) => distance);
}

/** How many channels say something, how many of them lie at this distance, and with how many programmes. */
function evidence(
  known: ReadonlyMap<string, Timetable>,
  later: ReadonlyMap<string, Timetable>,
  distance: number,
): { readonly judged: number; readonly shifted: number; readonly moved: number } {
  let judged = 0;
  let shifted = 0;
  let moved = 0;
  for (const [channel, { starts }] of later) {
    const was = known.get(channel);
    if (!was) continue;
    const own = ofChannel(was, starts, distance);
    if (own.moved + own.stayed < CHANNEL_MOVED_MIN) continue;
    judged += 1;
    const isShifted =
      own.moved >= CHANNEL_MOVED_MIN &&
      own.moved >= MOVED_FOR_STAYED * own.stayed &&
      own.moved >= MOVED_SHARE_MIN * (own.moved + own.stayed + own.elsewhere);
    if (!isShifted) continue;
    shifted += 1;
    moved += own.moved;
  }
  return { judged, shifted, moved };
}

/** What is found both here and there, as an hourly bulletin is an hour later, speaks for neither. */
function ofChannel({ starts: then, firstAt, lastAt }: Timetable, now: Timetable['starts'], distance: number) {
  let [moved, stayed, elsewhere] = [0, 0, 0];
  for (const [name, starts] of now) {
    const was = then.get(name);
    if (!was) continue;
    for (const startAt of starts) {
      const at = startAt - distance;
      const isHere = was.has(startAt);
      const isThere = was.has(at);
      if (isHere && !isThere) stayed += 1;
      else if (isThere && !isHere) moved += 1;
      else if (!isHere && at >= firstAt && at <= lastAt) elsewhere += 1;
    }
  }
  return { moved, stayed, elsewhere };
}

function timetables(programmes: readonly Programme[]): ReadonlyMap<string, Timetable> {
  const channels = new Map<string, Timetable>();
  for (const { channel, title, episode, startAt } of programmes) {
    const own: Timetable = channels.get(channel) ?? { starts: new Map(), firstAt: startAt, lastAt: startAt };
    channels.set(channel, own);
    own.firstAt = Math.min(own.firstAt, startAt);
    own.lastAt = Math.max(own.lastAt, startAt);
    const name = episode === '' ? title : `${title}\n${episode}`;
    const starts = own.starts.get(name) ?? new Set<number>();
    if (starts.size < REPEATS_MAX) own.starts.set(name, starts.add(startAt));
  }
  return channels;
}
