/**
 * From the rows of a guide, in whatever order and state they come, to one clean schedule a channel (PROTOCOLS §3.2):
 * missing stops filled, repeats dropped, small overlaps cut. Holds the rows of the window only; of all others it
 * remembers no more than counts, and start times where they may be somebody's stop.
 */

import type { GuideChannel, GuideData, Programme } from '../domain/programme.js';

export interface Window {
  /** Programmes kept: stop > fromAt and start < toAt. */
  readonly fromAt: number;
  readonly toAt: number;
}

/** A programme as the guide has it; `stopAt` is null where it gives none. */
export type Row = Omit<Programme, 'stopAt'> & { readonly stopAt: number | null };

export interface Schedule {
  channel(id: string, names: readonly string[]): void;
  /** Counts a programme; whether its details will be asked for. */
  admit(channel: string, startAt: number, stopAt: number | null): boolean;
  /** The details of a programme that was admitted. */
  add(row: Row): void;
  skip(reason: string): void;
  finish(partial: boolean): GuideData;
}

const HOUR_MS = 3_600_000;
const FILLED_MS_MAX = 6 * HOUR_MS;
/** A later programme cuts this much of the one before; more than that is a shared slot. */
const OVERLAP_MS_MAX = 5 * 60_000;

interface ChannelRows {
  readonly rows: Row[];
  /** Starts around the window, of rows that were not kept too. */
  readonly starts: number[];
}

export function createSchedule({ fromAt, toAt }: Window): Schedule {
  const declared = new Map<string, readonly string[]>();
  const channelRows = new Map<string, ChannelRows>();
  const skipped = new Map<string, number>();
  let programmes = 0;
  let lastStopAt = 0;
  let firstStartAt = Infinity;

  function skip(reason: string): void {
    skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
  }

  function rowsOf(channel: string): ChannelRows {
    const own = channelRows.get(channel);
    if (own !== undefined) return own;
    const made: ChannelRows = { rows: [], starts: [] };
    channelRows.set(channel, made);
    return made;
  }

  return {
    skip,
    channel(id, names) {
      const known = declared.get(id);
      declared.set(id, known === undefined ? names : [...new Set([...known, ...names])]);
    },
    admit(channel, startAt, stopAt) {
      programmes++;
      firstStartAt = Math.min(firstStartAt, startAt);
      lastStopAt = Math.max(lastStopAt, stopAt ?? startAt);
      const own = rowsOf(channel);
      if (startAt > fromAt - FILLED_MS_MAX && startAt <= toAt + FILLED_MS_MAX) own.starts.push(startAt);
      return startAt < toAt && (stopAt ?? startAt + FILLED_MS_MAX) > fromAt;
    },
    add(row) {
      rowsOf(row.channel).rows.push(row);
    },
    finish(partial) {
      const merged = mergeSpellings(channelRows, declared);
      const ids = [...new Set([...declared.keys(), ...merged.keys()])];
      const channels: GuideChannel[] = ids.map((id) => ({ id, names: declared.get(id) ?? [] }));
      const kept = [...merged.keys()].toSorted(byText).flatMap((id) => settle(id, merged.get(id), skip));
      return {
        channels,
        programmes: kept.filter(({ startAt, stopAt }) => stopAt > fromAt && startAt < toAt),
        counts: {
          channels: ids.length,
          programmes,
          lastStopAt,
          ...(firstStartAt < Infinity && { firstStartAt }),
          skipped: Object.fromEntries(skipped),
          partial,
        },
      };
    },
  };
}

/** Programmes whose channel is declared in other case or spacing belong to that one. */
function mergeSpellings(
  channelRows: ReadonlyMap<string, ChannelRows>,
  declared: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, ChannelRows> {
  const plain = (id: string) => id.replace(/\s+/g, '').toLowerCase();
  const spellings = new Map<string, string>();
  for (const id of declared.keys()) if (!spellings.has(plain(id))) spellings.set(plain(id), id);
  const merged = new Map<string, ChannelRows>();
  for (const [id, own] of channelRows) {
    const home = declared.has(id) ? id : (spellings.get(plain(id)) ?? id);
    const other = merged.get(home);
    if (other === undefined) merged.set(home, own);
    else merged.set(home, { rows: [...other.rows, ...own.rows], starts: [...other.starts, ...own.starts] });
  }
  return merged;
}

function settle(channel: string, own: ChannelRows | undefined, skip: (reason: string) => void): Programme[] {
  if (own === undefined || own.rows.length === 0) return [];
  const starts = [...new Set(own.starts)].toSorted((a, b) => a - b);
  const settled: Programme[] = [];
  let next = 0;
  for (const row of withoutRepeats(own.rows, skip)) {
    while (next < starts.length && (starts[next] ?? 0) <= row.startAt) next++;
    const following = starts[next] ?? Infinity;
    const stopAt = stopOf(row, following);
    settled.push(isSettled(row, channel, stopAt) ? row : { ...row, channel, stopAt });
  }
  return settled;
}

function isSettled(row: Row, channel: string, stopAt: number): row is Programme {
  return row.channel === channel && row.stopAt === stopAt;
}

function stopOf({ startAt, stopAt }: Row, following: number): number {
  if (stopAt === null) return Math.min(following, startAt + FILLED_MS_MAX);
  return following < stopAt && stopAt - following < OVERLAP_MS_MAX ? following : stopAt;
}

/** In the order of start, the richer of two with the same one. */
function withoutRepeats(rows: readonly Row[], skip: (reason: string) => void): readonly Row[] {
  const kept = new Map<number, Row>();
  for (const row of rows.toSorted((a, b) => a.startAt - b.startAt)) {
    const other = kept.get(row.startAt);
    if (other !== undefined) skip('duplicate');
    if (other === undefined || richness(row) > richness(other)) kept.set(row.startAt, row);
  }
  return [...kept.values()];
}

function richness(row: Row): number {
  const details = row.desc.length + row.subTitle.length + 10 * row.categories.length;
  return (
    details +
    (row.title === '' ? 0 : 1_000_000) +
    (row.stopAt === null ? 0 : 100) +
    (row.episode === '' ? 0 : 10)
  );
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
