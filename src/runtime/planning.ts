/**
 * Where the guide, the policy and what is known meet: from the sources in use to decisions, and from decisions to what
 * the scheduler is asked to do. `run`, `plan` and `why` all come through here, so that they never disagree (P10).
 */

import { join } from 'node:path';
import type { Order } from '../../machines/schedulerContext.js';
import type { FreshRecording } from '../../machines/recordingContext.js';
import type { Config } from '../config/config.js';
import { loadOfStations, type CapsuleSet } from '../domain/capsules.js';
import type { Capsule } from '../domain/capsule.js';
import type { Channel } from '../domain/channel.js';
import { channelFilter } from '../domain/filters.js';
import type { KnownRecording, RowKeys } from '../domain/identity.js';
import { NAME_BYTES_MAX, fitName, spoolName } from '../domain/names.js';
import type { Override } from '../domain/override.js';
import { paddingOf, type Lane } from '../domain/lane.js';
import { lanesOf } from '../domain/laneDefinition.js';
import type { Capacity, Conflict } from '../domain/forecast.js';
import { conflictsLater, planWithin } from '../domain/foresight.js';
import type { Decision } from '../domain/plan.js';
import type { Aliases } from '../domain/match.js';
import type { GuideData } from '../domain/programme.js';
import { PLAN_REASONS } from '../domain/reasons.js';
import type { Patience, Tombstone } from '../domain/recording.js';
import type { RuleBook } from '../domain/rules.js';
import { sha1hex } from '../domain/sha1.js';
import { compareText } from '../domain/text.js';
import { stationsOf, type Station } from '../domain/station.js';
import type { Entry } from './entries.js';
import type { Shadow } from './shadow.js';
import { isSame, standingOf } from './standing.js';

/** Rows beyond the horizon are looked at too, so that one that moved there is seen to have moved. */
const BEYOND_MS = 2 * 3_600_000;
const SPOOL_SUFFIX = '.partial.ts';
const ID_DIGITS = 8;

export interface GuideInUse {
  readonly channels: readonly Channel[];
  readonly guides: readonly GuideData[];
  readonly aliases: Aliases | undefined;
}

export interface Outlook {
  readonly decisions: readonly Decision[];
  /** What of it the connections that are known will not allow. */
  readonly conflicts: ReadonlyMap<Decision, Conflict>;
  readonly rowKeys: RowKeys;
  /** The same as it is later, or null where that has to be planned anew; left out where nothing was planned. */
  readonly later?: (input: DecideInput) => Outlook | null;
}

export interface DecideInput {
  readonly config: Config;
  readonly guide: GuideInUse;
  readonly shadows: Iterable<Shadow>;
  readonly tombstones: Iterable<Tombstone>;
  readonly overrides: Iterable<Override>;
  /** Undefined where there is no rules file. */
  readonly rules: RuleBook | undefined;
  readonly capacity: Capacity;
  readonly now: number;
  readonly previousRowKeys: RowKeys | null;
}

/** `last` is the plan before it: where it still stands, it is the plan. */
export function decide(given: DecideInput, last?: Outlook): Outlook {
  // What is told may be there to be read only once.
  const shadows = [...given.shadows];
  const input = { ...given, shadows, tombstones: [...given.tombstones], overrides: [...given.overrides] };
  return last?.later?.(input) ?? decideAnew(input);
}

function decideAnew(input: DecideInput): Outlook {
  const { config, guide, shadows, tombstones, overrides, rules, now, previousRowKeys } = input;
  const policy = { ...config.what, ...config.when, ...config.keep };
  const words = [...overrides];
  // A person may ask for what lies beyond the horizon.
  const wantedMs = Math.max(0, ...words.map(({ word, startAt }) => (word === 'want' ? startAt - now : 0)));
  const aheadMs = Math.max(config.what.horizonMs, wantedMs) + BEYOND_MS;
  const { capsules, byKey, viewAt, health } = look(config, guide, now, aheadMs);
  const foreseen = planWithin(
    {
      capsules,
      noKeyTwice: true,
      known: knownOf(shadows),
      tombstones: [...tombstones],
      overrides: words,
      ...(rules && { rules }),
      lanes: lanesIn(config),
      policy,
      now,
      previousRowKeys,
      health,
    },
    input.capacity,
  );
  const { decisions } = foreseen;
  const stands = standingOf(input, { decisions, rowKeys: byKey, viewAt });
  const outlookAt = (at: number): Outlook => {
    let conflicts: Outlook['conflicts'] | null = null;
    return {
      decisions,
      get conflicts() {
        return (conflicts ??= at === now ? foreseen.conflicts : conflictsLater(foreseen.conflicts, now, at));
      },
      rowKeys: byKey,
      later: (next) => (stands(next) ? outlookAt(next.now) : null),
    };
  };
  return outlookAt(now);
}

/** What is read again puts its values into the configuration that is in use, so each is compared. */
const lanesMade = new WeakMap<
  Config,
  { readonly definitions: unknown; readonly padded: boolean; readonly lanes: readonly Lane[] }
>();

/** The lanes of a configuration, in the order in which they are tried; the same ones as long as it is the same. */
export function lanesIn(config: Config): readonly Lane[] {
  const { laneDefinitions: definitions } = config.what;
  const padded = !config.when.postPaddingGiven;
  const made = lanesMade.get(config);
  if (made?.definitions === definitions && made.padded === padded) return made.lanes;
  const lanes = lanesOf(definitions, { padded });
  lanesMade.set(config, { definitions, padded, lanes });
  return lanes;
}

/** What the guide has for the channels of the lists, up to so far ahead, by start. */
export function look(config: Config, guide: GuideInUse, now: number, aheadMs: number): CapsuleSet {
  return loadOfStations(stationsIn(config, guide), {
    lanes: lanesIn(config),
    replayTemplate: config.how.replayUrlTemplate !== null,
    now,
    horizonMs: aheadMs,
  });
}

interface StationsMade {
  readonly guide: GuideInUse;
  readonly choice: readonly unknown[];
  readonly stations: readonly Station[];
}

const stationsMade = new WeakMap<Config, StationsMade>();

/** Worked out anew only where a list, a guide or the configuration is another one. */
function stationsIn(config: Config, guide: GuideInUse): readonly Station[] {
  const { what, sources } = config;
  const relay = sources.streamBaseUrl !== null;
  const choice = [relay, what.channels, what.excludeChannels, what.groups, what.excludeGroups];
  const made = stationsMade.get(config);
  if (made && isSame(made.choice, choice) && isSameGuide(made.guide, guide)) return made.stations;
  const filter = channelFilter(what);
  const stations = stationsOf({
    channels: guide.channels,
    guides: guide.guides,
    ...(guide.aliases && { aliases: guide.aliases }),
    relay,
    accepts: (channel) =>
      filter({ ...channel, channelName: channel.guideName, dnaId: channel.dnaId }) === null,
  });
  // As a plan orders what starts together.
  const ordered = stations.toSorted((a, b) => compareText(a.name, b.name));
  stationsMade.set(config, { guide, choice, stations: ordered });
  return ordered;
}

function isSameGuide(a: GuideInUse, b: GuideInUse): boolean {
  return a.aliases === b.aliases && isSame(a.guides, b.guides) && isSame(a.channels, b.channels);
}

/** What the plan itself dropped may come back and is not known any more. */
function knownOf(shadows: Iterable<Shadow>): KnownRecording[] {
  const known: KnownRecording[] = [];
  for (const { id, path, keys, capsule, priority, cancelReason, startAt, stopAt, hasGoodCopy } of shadows) {
    if (path.startsWith('cancelled') && cancelReason in PLAN_REASONS) continue;
    const failed = path.split('.')[0] !== 'finalizing' && !hasGoodCopy;
    known.push({ id, keys, capsule, priority, state: stateOf(path), failed, startAt, stopAt });
  }
  return known;
}

function stateOf(path: string): KnownRecording['state'] {
  const [top] = path.split('.');
  if (top === 'scheduled') return 'scheduled';
  return top === 'spooling' || top === 'retrying' || top === 'failover' ? 'running' : 'done';
}

export function patienceOf(config: Config): Patience {
  const { retryBackoffMs, retryBackoffMsMax, attemptsMax, upstreamFallback } = config.how;
  return {
    backoffMs: retryBackoffMs,
    backoffMsMax: retryBackoffMsMax,
    attemptsMax,
    fallback: upstreamFallback,
  };
}

export interface OrderDoors {
  readonly config: Config;
  readonly now: () => number;
  readonly known: (id: string) => Entry | undefined;
  /** Spools that belong to recordings which are not finished. */
  readonly spools: () => Iterable<string>;
}

/** What the orders of one plan have taken already. */
interface Taken {
  readonly ids: Set<string>;
  spools: Set<string> | null;
}

/** What the scheduler is asked to do for a decision of one plan; null where that changes nothing. */
export function orderMaker(doors: OrderDoors): (decision: Decision) => Order | null {
  const taken: Taken = { ids: new Set(), spools: null };
  return (decision) => {
    const { action, recordingId, capsule, priority, expiresAt, reason } = decision;
    switch (action) {
      case 'record': {
        const dropped = doors.known(idOf(capsule.recordKey, ID_DIGITS));
        if (dropped?.recording.keys.includes(capsule.recordKey))
          return { do: 'revive', id: dropped.id, capsule, priority, expiresAt, reason };
        return { do: 'record', fresh: freshOf(decision, doors, taken) };
      }
      case 'move':
      case 'extend':
        return recordingId === undefined
          ? null
          : { do: 'reschedule', id: recordingId, capsule, priority, expiresAt, reason };
      case 'drop':
        return recordingId === undefined ? null : { do: 'cancel', id: recordingId, reason };
      case 'skip':
        return recordingId !== undefined && decision.addKey && doors.known(recordingId)
          ? { do: 'alias', id: recordingId, recordKey: capsule.recordKey }
          : null;
    }
  };
}

function idOf(recordKey: string, digits: number): string {
  return sha1hex(recordKey).slice(0, digits);
}

function freshOf(decision: Decision, doors: OrderDoors, taken: Taken): FreshRecording {
  const { config, now } = doors;
  const { capsule, priority, expiresAt, reason } = decision;
  let digits = ID_DIGITS;
  while (doors.known(idOf(capsule.recordKey, digits)) || taken.ids.has(idOf(capsule.recordKey, digits)))
    digits += 1;
  const id = idOf(capsule.recordKey, digits);
  taken.ids.add(id);
  const { prePaddingMs, leadTimeMs, postPaddingMs } = config.when;
  const padding = paddingOf(capsule, { beforeMs: prePaddingMs, afterMs: postPaddingMs }, lanesIn(config));
  return {
    id,
    keys: [capsule.recordKey],
    capsule,
    priority,
    reason,
    window: {
      startAt: capsule.startAt,
      stopAt: capsule.stopAt,
      prePaddingMs: Math.max(padding.beforeMs, leadTimeMs),
      postPaddingMs: padding.afterMs,
    },
    durationMsMax: config.when.durationMsMax,
    expiresAt,
    spool: spoolOf(capsule, id, doors, taken),
    patience: patienceOf(config),
    joinedInProgress: capsule.startAt < now(),
  };
}

/**
 * A capsule id knows minutes, and stays with a recording that moves: two programmes of one title can have the same.
 * P2: two recordings never write to one file.
 */
function spoolOf({ lane, capsuleId }: Capsule, id: string, doors: OrderDoors, taken: Taken): string {
  const spools = (taken.spools ??= new Set(doors.spools()));
  const plain = spoolPath(doors.config, lane, capsuleId, SPOOL_SUFFIX);
  const path = spools.has(plain) ? spoolPath(doors.config, lane, capsuleId, `-${id}${SPOOL_SUFFIX}`) : plain;
  spools.add(path);
  return path;
}

function spoolPath(config: Config, lane: string, capsuleId: string, suffix: string): string {
  const name = fitName(spoolName(capsuleId), NAME_BYTES_MAX, suffix);
  return join(config.places.outDir, lane, `${name}${suffix}`);
}
