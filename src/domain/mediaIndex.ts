/**
 * The index of a recording's media: where in the file it can be begun, and when on the programme clock that is. Kept as
 * a file of lines that is only ever appended to, so that a crash costs its last line at most; read as a whole. For
 * playback while recording (PROTOCOLS §5.5), start-over and seeking.
 */

/** 33 bits at 90 kHz, as PCR, PTS and DTS count. */
const CLOCK_WRAP = 2 ** 33;
const TICKS_A_MS = 90;
/** No recording has a hole this long; a clock that goes further ahead is another clock. */
const AHEAD_TICKS_MAX = 12 * 3_600_000 * TICKS_A_MS;

/** In place of ticks: nothing jumps; something does, from nobody knows where. */
export const NO_JUMP = -1;
export const FROM_UNKNOWN = -2;

export interface IndexPoint {
  /** Bytes from the start of the file; in a transport stream a multiple of 188, with PAT and PMT that come right before. */
  readonly offset: number;
  /** Programme clock: milliseconds of stream after the first point. It counts on through holes, at their true length. */
  readonly atMs: number;
  /** Media from here to the next point; where a hole follows, to the hole; at the last point, as far as is known. */
  readonly durationMs: number;
  /** Content, parameters or clock jump here: a playlist says EXT-X-DISCONTINUITY. */
  readonly discontinuity: boolean;
}

export interface MediaIndex {
  /** Wall clock of the first point, epoch milliseconds. */
  readonly startedAt: number;
  /** In file order. */
  readonly points: readonly IndexPoint[];
  /** So much of the file is known; the last point ends here. */
  readonly bytes: number;
  /** So much of its start every part needs: the initialization section of an MP4; 0 for a transport stream. */
  readonly initBytes: number;
}

/**
 * A line of the file. `start`: wall clock of the first byte. `lead`: the stream that is indexed from here on. `point`:
 * `endTicks` is where the clock stood before a jump, or one of the two
 * words for it.
 * `covered`: all points in `from..to` were told before. `cut`: what was told of the file from `at` on is void.
 */
export type IndexLine =
  | readonly ['start', number]
  | readonly ['lead', pid: number, type: number, isVideo: number]
  | readonly ['point', offset: number, ticks: number, endTicks: number]
  | readonly ['covered', from: number, to: number, endTicks: number]
  | readonly ['cut', at: number];

/** `type`: `stream_type` of the PMT. */
export interface IndexedStream {
  readonly pid: number;
  readonly type: number;
  readonly isVideo: boolean;
}

/** What the lines say, before the clock is unrolled. */
export interface IndexFacts {
  readonly startedAt: number;
  readonly lead: IndexedStream | null;
  /** The file is known from its start to here. */
  readonly bytes: number;
  /** Where the clock stands at `bytes`, -1 where nobody knows. */
  readonly endTicks: number;
  /** Those below `bytes`, in file order. */
  readonly points: readonly { readonly offset: number; readonly ticks: number; readonly endTicks: number }[];
}

const WIDTH: Readonly<Record<IndexLine[0], number>> = { start: 2, lead: 4, point: 4, covered: 4, cut: 2 };

export function indexText(lines: readonly IndexLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** What is torn or not known is passed over: the index is made again from the media where something is missing. */
export function indexFacts(text: string): IndexFacts {
  let startedAt = 0;
  let lead: IndexFacts['lead'] = null;
  let points = new Map<number, IndexFacts['points'][number]>();
  let covered: { from: number; to: number; endTicks: number }[] = [];
  for (const line of text.split('\n')) {
    const told = parseLine(line);
    switch (told?.[0]) {
      case 'start':
        startedAt ||= told[1];
        break;
      case 'lead':
        lead = { pid: told[1], type: told[2], isVideo: told[3] === 1 };
        break;
      case 'point':
        points.set(told[1], { offset: told[1], ticks: told[2], endTicks: told[3] });
        break;
      case 'covered':
        covered.push({ from: told[1], to: told[2], endTicks: told[3] });
        break;
      case 'cut': {
        const [, at] = told;
        points = new Map([...points].filter(([offset]) => offset < at));
        covered = covered
          .filter(({ from }) => from < at)
          .map((each) => (each.to <= at ? each : { ...each, to: at, endTicks: -1 }));
        break;
      }
      case undefined:
        break;
    }
  }
  let bytes = 0;
  let endTicks = -1;
  for (const each of covered.toSorted((a, b) => a.from - b.from)) {
    if (each.from > bytes || each.to <= bytes) continue;
    bytes = each.to;
    ({ endTicks } = each);
  }
  const known = [...points.values()].filter(({ offset }) => offset < bytes);
  return { startedAt, lead, bytes, endTicks, points: known.toSorted((a, b) => a.offset - b.offset) };
}

/** Unrolls the clock: 33 bits become milliseconds after the first point. */
export function mediaIndexOf(facts: IndexFacts): MediaIndex {
  const points: IndexPoint[] = [];
  let atMs = 0;
  facts.points.forEach((point, index) => {
    const next = facts.points[index + 1];
    const stepMs = next ? msAhead(point.ticks, next.ticks) : null;
    const endTicks = next ? next.endTicks : facts.endTicks;
    const playedMs = endTicks < 0 ? null : msAhead(point.ticks, endTicks);
    const durationMs = playedMs ?? stepMs ?? 0;
    points.push({
      offset: point.offset,
      atMs,
      durationMs,
      discontinuity: index > 0 && point.endTicks !== NO_JUMP,
    });
    atMs += stepMs ?? durationMs;
  });
  return { startedAt: facts.startedAt, points, bytes: facts.bytes, initBytes: 0 };
}

/** Milliseconds from one stamp to a later one, or null where the later one belongs to another clock. */
function msAhead(from: number, to: number): number | null {
  const ticks = (((to - from) % CLOCK_WRAP) + CLOCK_WRAP) % CLOCK_WRAP;
  return ticks > AHEAD_TICKS_MAX ? null : Math.round(ticks / TICKS_A_MS);
}

function parseLine(line: string): IndexLine | null {
  if (line === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!Array.isArray(value)) return null;
  const [kind, ...numbers] = value as unknown[];
  if (typeof kind !== 'string' || !Object.hasOwn(WIDTH, kind)) return null;
  const known = kind as IndexLine[0];
  const isWhole = value.length === WIDTH[known] && numbers.every((each) => Number.isSafeInteger(each));
  return isWhole ? (value as unknown as IndexLine) : null;
}
