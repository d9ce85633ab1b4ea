/**
 * Stations: channels as viewers know them. Rows of one dna, in whatever lists, are variants of one station; it has one
 * schedule, from the guide that knows it best, and the upstreams of all its rows (PROTOCOLS §1.2 to §1.4).
 */

import type { Channel, UpstreamRef } from './channel.js';
import { dnaId } from './dna.js';
import { MATCH_METHODS, matchChannels, type Aliases, type MatchMethod } from './match.js';
import type { GuideChannel, GuideData, Programme } from './programme.js';
import { compareText } from './text.js';

export interface StationInput {
  /** Rows of every list, in the order of the configuration. */
  readonly channels: readonly Channel[];
  /** In the order of the configuration. */
  readonly guides: readonly GuideData[];
  readonly aliases?: Aliases;
  /** Whether `--stream-base-url` is given: each channel then has it as first upstream, and guide-only channels count. */
  readonly relay: boolean;
  /** Rows that the policy takes; their siblings are then left aside. Where it takes none of a station, all count. */
  readonly accepts?: (channel: Channel) => boolean;
}

/** What the guide is worth for one channel (PROTOCOLS §1.4), by dna. */
export type ChannelHealth = 'healthy' | 'good' | 'placeholder_only' | 'matched_no_programmes' | 'unlinked';

/** One channel as viewers know it: the rows of every list that carry it, the best first. */
export interface Station {
  readonly dnaId: string;
  readonly channelId: string;
  readonly guideNumber: string;
  readonly name: string;
  readonly group: string;
  readonly tvgId: string;
  readonly health: ChannelHealth;
  readonly upstreams: readonly UpstreamRef[];
  /** A row of it has an archive. */
  readonly hasArchive: boolean;
  readonly programmes: readonly Programme[];
}

interface Schedule {
  readonly channels: readonly GuideChannel[];
  /** The first name of each channel, by id. */
  readonly names: ReadonlyMap<string, string>;
  /** By channel id, in the order of the guide. */
  readonly programmes: ReadonlyMap<string, readonly Programme[]>;
}

function scheduleOf(guide: GuideData): Schedule {
  const programmes = new Map<string, Programme[]>();
  for (const programme of guide.programmes) {
    const list = programmes.get(programme.channel);
    if (list === undefined) programmes.set(programme.channel, [programme]);
    else list.push(programme);
  }
  const names = new Map(guide.channels.map(({ id, names: [first = ''] }) => [id, first]));
  return { channels: guide.channels, names, programmes };
}

/** Rows of one dna, by how much their programmes are on later than the guide says. */
type Variants = Map<number, Linked[]>;

interface Linked {
  readonly channel: Channel;
  readonly link: { readonly method: MatchMethod; readonly id: string; readonly schedule: Schedule } | null;
}

/** Every station once, in the order in which the lists first name it; then the guide's own, where a relay has them. */
export function stationsOf(input: StationInput): readonly Station[] {
  const schedules = input.guides.map(scheduleOf);
  const groups = new Map<string, Variants>();
  const claimed = new Map<Schedule, Set<string>>(schedules.map((schedule) => [schedule, new Set<string>()]));
  for (const row of linkAll(input, schedules, claimed)) {
    const dna = row.channel.dnaId.toLowerCase();
    const shiftMs = row.channel.guideShiftMs ?? 0;
    const group: Variants = groups.get(dna) ?? new Map<number, Linked[]>();
    groups.set(dna, group);
    group.set(shiftMs, [...(group.get(shiftMs) ?? []), row]);
  }
  const stations = [...groups.values()].flatMap((variants) => variantsOf(variants, input));
  return input.relay ? [...stations, ...guideOnly(schedules, claimed, groups)] : stations;
}

/** The link of each row: one that has programmes before one that has none, the surer method, the earlier guide. */
function linkAll(
  input: StationInput,
  schedules: readonly Schedule[],
  claimed: ReadonlyMap<Schedule, Set<string>>,
): readonly Linked[] {
  const links = new Map<Channel, Linked['link']>();
  for (const schedule of schedules) {
    for (const { channel, guide } of matchChannels(input.channels, schedule.channels, input.aliases)) {
      if (guide === null) continue;
      claimed.get(schedule)?.add(guide.id);
      const link = { ...guide, schedule };
      const other = links.get(channel);
      if (other === undefined || compareLinks(link, other) < 0) links.set(channel, link);
    }
  }
  return input.channels.map((channel) => ({ channel, link: links.get(channel) ?? null }));
}

function compareLinks(a: Linked['link'], b: Linked['link']): number {
  return linkRank(a) - linkRank(b);
}

function linkRank(link: Linked['link']): number {
  if (link === null) return 2 * MATCH_METHODS.length;
  const silent = link.schedule.programmes.has(link.id) ? 0 : MATCH_METHODS.length;
  return silent + MATCH_METHODS.indexOf(link.method);
}

/**
 * Rows of one dna whose programmes are on at different times (`tvg-shift`: "One" and "One +1") are different stations:
 * one must never stand in for the other. The one nearest to the guide keeps the dna.
 */
function variantsOf(variants: Variants, input: StationInput): readonly Station[] {
  return [...variants]
    .toSorted(([a], [b]) => Math.abs(a) - Math.abs(b) || a - b)
    .map(([shiftMs, rows], index) => {
      const station = stationOf(rows, input, shiftMs);
      const minutes = Math.round(shiftMs / 60_000);
      return index === 0
        ? station
        : { ...station, dnaId: `${station.dnaId}${minutes < 0 ? '' : '+'}${minutes}m` };
    });
}

function stationOf(rows: readonly Linked[], input: StationInput, shiftMs: number): Station {
  const accepts = input.accepts ?? (() => true);
  const accepted = rows.filter(({ channel }) => accepts(channel));
  const ranked = (accepted.length > 0 ? accepted : rows).toSorted(compareRows);
  const best = ranked.map(({ channel }) => channel);
  const link = rows.map((row) => row.link).reduce((a, b) => (compareLinks(b, a) < 0 ? b : a), null);
  const first = best[0];
  const told = link === null ? [] : (link.schedule.programmes.get(link.id) ?? []);
  const programmes = shiftMs === 0 ? told : told.map((programme) => shifted(programme, shiftMs));
  const name = first?.guideName || link?.schedule.names.get(link.id) || first?.channelId || '';
  const tvgId = best.find((row) => row.tvgId !== '')?.tvgId ?? '';
  return {
    dnaId: first?.dnaId ?? '',
    channelId: first?.channelId ?? '',
    guideNumber: first?.guideNumber ?? '',
    name,
    group: first?.group ?? '',
    tvgId,
    health: link === null ? 'unlinked' : healthOf(programmes, name, tvgId !== ''),
    upstreams: upstreamsOf(best, input.relay),
    hasArchive: best.some(({ archive }) => archive !== undefined),
    programmes,
  };
}

function shifted(programme: Programme, shiftMs: number): Programme {
  const { startAt, stopAt } = programme;
  return { ...programme, startAt: startAt + shiftMs, stopAt: stopAt + shiftMs };
}

/** Best picture first, then the row the guide knows, then name and id, so that the order of lists does not matter. */
function compareRows(a: Linked, b: Linked): number {
  return (
    b.channel.quality - a.channel.quality ||
    compareLinks(a.link, b.link) ||
    compareText(a.channel.guideName, b.channel.guideName) ||
    compareText(a.channel.source, b.channel.source) ||
    compareText(a.channel.channelId, b.channel.channelId)
  );
}

/** Row after row, the relay in front of the row it stands for, no address twice. */
function upstreamsOf(rows: readonly Channel[], relay: boolean): readonly UpstreamRef[] {
  const seen = new Set<string>();
  const relayed = new Set<string>();
  return rows.flatMap((row) => {
    const direct = row.urls.flatMap((url, index) => {
      if (seen.has(url)) return [];
      seen.add(url);
      return [{ source: row.source, channel: row.channelId, index }];
    });
    if (!relay || relayed.has(row.channelId)) return direct;
    relayed.add(row.channelId);
    return [{ source: 'relay', channel: row.channelId, index: 0 }, ...direct];
  });
}

/** Channels that only the guide knows; the relay serves them by their number. */
function guideOnly(
  schedules: readonly Schedule[],
  claimed: ReadonlyMap<Schedule, ReadonlySet<string>>,
  taken: ReadonlyMap<string, unknown>,
): readonly Station[] {
  const stations = new Map<string, Station>();
  for (const schedule of schedules) {
    for (const { id, names } of schedule.channels) {
      if (claimed.get(schedule)?.has(id)) continue;
      const number = [id, ...names].find((name) => /^\d+(\.\d+)?$/.test(name)) ?? '';
      const name = names.find((text) => text !== number) ?? id;
      const channelId = number || id;
      const dna = dnaId({ tvgId: '', guideName: name, guideNumber: number, channelId });
      const programmes = schedule.programmes.get(id) ?? [];
      if (taken.has(dna) || stations.has(dna) || programmes.length === 0) continue;
      stations.set(dna, {
        dnaId: dna,
        channelId,
        guideNumber: number,
        name,
        group: '',
        tvgId: id,
        health: healthOf(programmes, name, true),
        upstreams: [{ source: 'relay', channel: channelId, index: 0 }],
        hasArchive: false,
        programmes,
      });
    }
  }
  return [...stations.values()];
}

/** Its title is the channel's name and nothing else is said: the guide knows nothing. */
export function isPlaceholder(
  programme: Pick<Programme, 'title' | 'subTitle' | 'desc' | 'categories'>,
  channelName: string,
): boolean {
  if (!isBlank(programme.desc) || !isBlank(programme.subTitle) || !programme.categories.every(isBlank))
    return false;
  const title = programme.title.trim().toLowerCase();
  return title === '' || title === channelName.trim().toLowerCase();
}

function isBlank(text: string): boolean {
  return text === '' || text.trim() === '';
}

/** A row that is no news about any programme: the channel's own name, or an endless one. */
export function isFiller(
  row: Pick<Programme, 'title' | 'subTitle' | 'desc' | 'categories' | 'startAt' | 'stopAt'> & {
    readonly channelName: string;
  },
  programmeMsMax: number,
): boolean {
  const tooLong = programmeMsMax > 0 && row.stopAt - row.startAt > programmeMsMax;
  return tooLong || isPlaceholder(row, row.channelName);
}

function healthOf(programmes: readonly Programme[], name: string, hasTvgId: boolean): ChannelHealth {
  if (programmes.length === 0) return 'matched_no_programmes';
  if (programmes.every((programme) => isPlaceholder(programme, name))) return 'placeholder_only';
  return hasTvgId ? 'healthy' : 'good';
}
