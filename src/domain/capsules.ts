/**
 * From channel lists and guides to capsules (PROTOCOLS §1.3): one for each programme of each channel, whatever number
 * of lists and rows carry it. Rows of one dna are variants of one channel; they give one capsule and all of their
 * upstreams, so that nothing is recorded twice (P2) and everything is there to fall back on (P3).
 */

import type { Capsule, CapsuleState } from './capsule.js';
import { BUILT_IN_LANES, laneOf, type Lane } from './lane.js';
import type { Programme } from './programme.js';
import { stationsOf, type ChannelHealth, type Station, type StationInput } from './station.js';
import { redactUrl } from './redact.js';
import { compareText, minuteStamp, rfc3339 } from './text.js';

export interface CapsuleWish {
  readonly lanes?: readonly Lane[];
  readonly now: number;
  readonly horizonMs: number;
  /** There is a template for replay addresses, so that every programme has one. */
  readonly replayTemplate?: boolean;
}

export type CapsuleInput = StationInput & CapsuleWish;

export interface CapsuleSet {
  /** In the order of `compareCapsules`, no record key twice. */
  readonly capsules: readonly Capsule[];
  /** What the guide is worth for each channel, by lower-case dna. */
  readonly health: ReadonlyMap<string, ChannelHealth>;
}

/** Capsules whose stop is not past and whose start is within the horizon, best first. */
export function buildCapsules(input: CapsuleInput): readonly Capsule[] {
  return surveyCapsules(input).capsules;
}

/** The same, and what the guide is worth for each channel. */
export function surveyCapsules(input: CapsuleInput): CapsuleSet {
  return surveyStations(stationsOf(input), input);
}

/** The same of stations that are known; those of the same stations and lanes are made once. */
export function surveyStations(stations: readonly Station[], input: CapsuleWish): CapsuleSet {
  const lanes = input.lanes ?? BUILT_IN_LANES;
  const best = new Map<string, Capsule>();
  const health = new Map<string, ChannelHealth>();
  for (const station of stations) {
    health.set(station.dnaId.toLowerCase(), station.health);
    const made = madeFor(station, lanes, input.replayTemplate === true || station.hasArchive);
    for (const programme of station.programmes) {
      if (programme.stopAt < input.now || programme.startAt > input.now + input.horizonMs) continue;
      const capsule = made(programme);
      const other = best.get(capsule.recordKey);
      if (other === undefined || compareWorth(capsule, other) < 0) best.set(capsule.recordKey, capsule);
    }
  }
  return { capsules: [...best.values()].toSorted(compareCapsules(input.now, lanes)), health };
}

interface Made {
  readonly lanes: readonly Lane[];
  readonly replayable: boolean;
  readonly capsules: Map<Programme, Capsule>;
}

/** A plan is made every few minutes of the same guide: what it says need not be worked out each time. */
const madeOf = new WeakMap<Station, Made>();

function madeFor(
  station: Station,
  lanes: readonly Lane[],
  replayable: boolean,
): (programme: Programme) => Capsule {
  let made = madeOf.get(station);
  if (made?.lanes !== lanes || made.replayable !== replayable) {
    made = { lanes, replayable, capsules: new Map() };
    madeOf.set(station, made);
  }
  const { capsules } = made;
  return (programme) => {
    let capsule = capsules.get(programme);
    if (capsule === undefined) {
      capsule = capsuleOf(station, programme, lanes, replayable);
      capsules.set(programme, capsule);
    }
    return capsule;
  };
}

function capsuleOf(
  station: Station,
  programme: Programme,
  lanes: readonly Lane[],
  replayable: boolean,
): Capsule {
  const { dnaId: dna, channelId, guideNumber, name, group, tvgId, upstreams } = station;
  const names = [channelId, guideNumber, dna, tvgId];
  const title = programme.title.trim() || name;
  const { startAt, stopAt, subTitle, desc, categories, episode } = programme;
  return {
    capsuleId: capsuleId(dna || channelId, startAt, title),
    recordKey: recordKey(dna || channelId, startAt, title),
    dnaId: dna,
    channelId,
    guideNumber,
    ...(tvgId === '' ? {} : { tvgId }),
    channelName: name,
    group,
    title,
    subTitle,
    desc,
    categories,
    episode,
    lane: laneOf({ title, categories, group, channelName: name, channelNames: names }, lanes).name,
    startAt,
    stopAt,
    upstreams,
    ...(isOpenAddress(programme.icon) && { icon: programme.icon }),
    ...(replayable && { replayable }),
  };
}

/** It is stored and shown, so a login in it rules it out. */
function isOpenAddress(url: string): boolean {
  return /^https?:\/\/[^\s/]/i.test(url) && URL.canParse(url) && redactUrl(url) === url;
}

/** `dna-6398cc29ed163b32:202611231930:tom-and-jerry--the-movie`; `base` is the dna or channel id. */
export function capsuleId(base: string, startAt: number, title: string): string {
  const slug = title.trim().toLowerCase().replace(/[ /:]/g, '-').replaceAll('&', 'and');
  return `${base || 'capsule'}:${minuteStamp(startAt)}:${slug}`;
}

/** What is never recorded twice while equal: lower(`base|start|normTitle`). */
export function recordKey(base: string, startAt: number, title: string): string {
  return `${base}|${rfc3339(startAt)}|${normTitle(title)}`.toLowerCase();
}

/** `Tom & Jerry: The-Movie / 2` → `tom and jerry the movie 2` */
export function normTitle(title: string): string {
  return title.toLowerCase().replaceAll('&', 'and').replace(/[:/-]/g, ' ').replace(/\s+/g, ' ').trim();
}

export function capsuleState(capsule: Pick<Capsule, 'startAt' | 'stopAt'>, now: number): CapsuleState {
  if (capsule.startAt > now) return 'starting_soon';
  return now < capsule.stopAt ? 'in_progress' : 'ready';
}

const STATE_RANK: Record<CapsuleState, number> = { in_progress: 0, starting_soon: 1, ready: 2 };

/** State, lane in the order of `lanes`, stop, channel name; then what makes it total. */
export function compareCapsules(
  now: number,
  lanes: readonly Lane[] = BUILT_IN_LANES,
): (a: Capsule, b: Capsule) => number {
  const laneRank = new Map(lanes.map(({ name }, rank) => [name, rank]));
  const rank = (capsule: Capsule) =>
    STATE_RANK[capsuleState(capsule, now)] * (lanes.length + 1) +
    (laneRank.get(capsule.lane) ?? lanes.length);
  return (a, b) =>
    rank(a) - rank(b) ||
    a.stopAt - b.stopAt ||
    compareText(a.channelName, b.channelName) ||
    compareText(a.recordKey, b.recordKey) ||
    compareText(a.channelId, b.channelId);
}

/** Of two capsules with one record key, negative where `a` is the better told. Total, so order of input is nothing. */
export function compareWorth(a: Capsule, b: Capsule): number {
  return (
    b.desc.length - a.desc.length ||
    b.categories.length - a.categories.length ||
    b.subTitle.length - a.subTitle.length ||
    compareText(a.channelName, b.channelName) ||
    compareText(a.channelId, b.channelId) ||
    b.stopAt - a.stopAt ||
    compareText(a.desc, b.desc) ||
    compareText(JSON.stringify(a), JSON.stringify(b))
  );
}
