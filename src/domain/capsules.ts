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
  readonly byKey: ReadonlyMap<string, Capsule>;
  /** When the next programme comes within the horizon; Infinity where none does. */
  readonly viewAt: number;
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

/** The same of stations that are known, best first. */
export function surveyStations(stations: readonly Station[], input: CapsuleWish): CapsuleSet {
  const load = loadOfStations(stations, input);
  return { ...load, capsules: load.capsules.toSorted(compareCapsules(input.now, input.lanes)) };
}

/**
 * The same for a plan, which has an order of its own: by start, and then as the stations come. Those of the same
 * stations and lanes are made once.
 */
export function loadOfStations(stations: readonly Station[], input: CapsuleWish): CapsuleSet {
  const lanes = input.lanes ?? BUILT_IN_LANES;
  const { now, horizonMs, replayTemplate = false } = input;
  const best = new Map<string, Capsule>();
  const byStart = new Map<number, Capsule[]>();
  const health = new Map<string, ChannelHealth>();
  const words = createWords();
  let hasRivals = false;
  let viewAt = Infinity;
  for (const station of stations) {
    health.set(station.dnaId.toLowerCase(), station.health);
    const made = madeFor(station, lanes, replayTemplate || station.hasArchive);
    for (const programme of station.programmes) {
      if (programme.startAt > now + horizonMs) viewAt = Math.min(viewAt, programme.startAt - horizonMs);
      if (programme.stopAt < now || programme.startAt > now + horizonMs) continue;
      const capsule = made(programme, words);
      const other = best.get(capsule.recordKey);
      if (other !== undefined) {
        hasRivals = true;
        if (compareWorth(capsule, other) >= 0) continue;
      }
      best.set(capsule.recordKey, capsule);
      const together = byStart.get(capsule.startAt);
      if (together) together.push(capsule);
      else byStart.set(capsule.startAt, [capsule]);
    }
  }
  const ordered = [...byStart].sort(([a], [b]) => a - b).flatMap(([, together]) => together);
  const capsules = hasRivals ? ordered.filter((each) => best.get(each.recordKey) === each) : ordered;
  return { capsules, byKey: best, viewAt, health };
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
): (programme: Programme, words: Words) => Capsule {
  let made = madeOf.get(station);
  if (made?.lanes !== lanes || made.replayable !== replayable) {
    made = { lanes, replayable, capsules: new Map() };
    madeOf.set(station, made);
  }
  const { capsules } = made;
  return (programme, words) => {
    let capsule = capsules.get(programme);
    if (capsule === undefined) {
      capsule = capsuleOf(station, programme, lanes, replayable, words);
      capsules.set(programme, capsule);
    }
    return capsule;
  };
}

/** What many programmes have in common, worked out once: they start together, and are called the same. */
interface Words {
  readonly minute: (at: number) => string;
  readonly time: (at: number) => string;
  readonly slug: (title: string) => string;
  readonly norm: (title: string) => string;
}

function createWords(): Words {
  return { minute: once(minuteStamp), time: once(rfc3339), slug: once(slugOf), norm: once(normTitle) };
}

function once<T>(word: (of: T) => string): (of: T) => string {
  const known = new Map<T, string>();
  return (of) => {
    let made = known.get(of);
    if (made === undefined) known.set(of, (made = word(of)));
    return made;
  };
}

const PLAIN: Words = { minute: minuteStamp, time: rfc3339, slug: slugOf, norm: normTitle };

function capsuleOf(
  station: Station,
  programme: Programme,
  lanes: readonly Lane[],
  replayable: boolean,
  words: Words,
): Capsule {
  const { dnaId: dna, channelId, guideNumber, name, group, tvgId, upstreams } = station;
  const names = [channelId, guideNumber, dna, tvgId];
  const title = programme.title.trim() || name;
  const { startAt, stopAt, subTitle, desc, categories, episode, icon } = programme;
  const capsule: Writable<Capsule> = {
    capsuleId: capsuleId(dna || channelId, startAt, title, words),
    recordKey: recordKey(dna || channelId, startAt, title, words),
    dnaId: dna,
    channelId,
    guideNumber,
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
  };
  if (tvgId !== '') capsule.tvgId = tvgId;
  if (icon !== '' && isOpenAddress(icon)) capsule.icon = icon;
  if (replayable) capsule.replayable = true;
  return capsule;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** It is stored and shown, so a login in it rules it out. */
function isOpenAddress(url: string): boolean {
  return /^https?:\/\/[^\s/]/i.test(url) && URL.canParse(url) && redactUrl(url) === url;
}

/** `dna-6398cc29ed163b32:202611231930:tom-and-jerry--the-movie`; `base` is the dna or channel id. */
export function capsuleId(base: string, startAt: number, title: string, words: Words = PLAIN): string {
  return `${base || 'capsule'}:${words.minute(startAt)}:${words.slug(title)}`;
}

function slugOf(title: string): string {
  return title.trim().toLowerCase().replace(/[ /:]/g, '-').replaceAll('&', 'and');
}

/** What is never recorded twice while equal: lower(`base|start|normTitle`). */
export function recordKey(base: string, startAt: number, title: string, words: Words = PLAIN): string {
  return `${base}|${words.time(startAt)}|${words.norm(title)}`.toLowerCase();
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
