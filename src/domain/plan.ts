/**
 * The plan: what happens to each programme of the guide, and why (P10). Pure and total: the same input gives the same
 * output in whatever order it comes, and planning again with its results known changes nothing (P2). An empty load
 * cancels nothing: what is scheduled stays (P5), and what runs is never dropped (P3).
 */

import type { Capsule, CapsuleState } from './capsule.js';
import { capsuleState, compareCapsules, compareWorth } from './capsules.js';
import { channelFilter, laneFilter, type FilterPolicy } from './filters.js';
import { channelKeyOf, identify, rowsByChannel, type KnownRecording, type RowKeys } from './identity.js';
import { BUILT_IN_LANES, expiryOf, priorityOf, type Lane } from './lane.js';
import { latestWord, marksAmong, WANTED_PRIORITY, type Override } from './override.js';
import type { PlanReason } from './reasons.js';
import { airingsAmong, episodesHeld, repeatsAmong } from './repeats.js';
import { ruleFor, type RuleBook } from './rules.js';
import type { Tombstone } from './recording.js';
import type { ChannelHealth } from './station.js';
import { compareText } from './text.js';
import { claimedWord, isReplaced, type Decision, type Upkeep, type Word } from './upkeep.js';

/** All times are milliseconds; 0 is no limit. `config.what`, `config.when` and `config.keep` hold these fields. */
export interface PlanPolicy extends FilterPolicy {
  readonly guidePolicy: 'off' | 'healthy' | 'strict';
  /** At most so many programmes scheduled and running (`--limit`). */
  readonly capsulesMax: number;
  readonly horizonMs: number;
  readonly leadTimeMs: number;
  readonly prePaddingMs: number;
  /** Share of a programme, 0 to 1, that must still be ahead to join it in progress. */
  readonly joinMinLeft: number;
  /** Keep time by lane; a lane that is not in it has its own. */
  readonly keepMs: Readonly<Record<string, number>>;
  /** Longer ones are fillers; 12 hours where it is not given. */
  readonly programmeMsMax?: number;
}

export interface PlanInput {
  readonly capsules: readonly Capsule[];
  /** No record key comes twice among them, as `surveyStations` gives them. */
  readonly noKeyTwice?: boolean;
  readonly known: readonly KnownRecording[];
  readonly tombstones: readonly Tombstone[];
  readonly policy: PlanPolicy;
  readonly now: number;
  /** Record keys of the load before this one (`rowKeysOf`); null where there was none. */
  readonly previousRowKeys: RowKeys | null;
  readonly lanes?: readonly Lane[];
  /** Left out where there is no rules file. */
  readonly rules?: RuleBook;
  /** What a person said of single programmes. */
  readonly overrides?: readonly Override[];
  /** Record keys of programmes that no connection will be left for: their episodes are free for another airing. */
  readonly losing?: ReadonlySet<string>;
  /** What the guide is worth by channel; null or left out: not known, the guide policy is deferred. */
  readonly health?: ReadonlyMap<string, ChannelHealth> | null;
}

export type { Decision } from './upkeep.js';

const PROGRAMME_MS_MAX = 12 * 3_600_000;
const NONE: ReadonlySet<string> = new Set();

/** One decision for each capsule, and one for each scheduled recording that goes; by start, channel and key. */
export function plan({ losing = NONE, ...input }: PlanInput): readonly Decision[] {
  return planner(input)(losing);
}

/** The same for several guesses at what is losing: only what depends on that is decided each time. */
export function planner(
  input: Omit<PlanInput, 'losing'>,
): (losing: ReadonlySet<string>) => readonly Decision[] {
  const lanes = input.lanes ?? BUILT_IN_LANES;
  const { capsules, rows } = loadOf(input);
  const programmeMsMax = input.policy.programmeMsMax ?? PROGRAMME_MS_MAX;
  const overrides = input.overrides ?? [];
  const wordOf = latestWord(overrides);
  const known = input.known.map((one) => {
    const word = wordOf(one.keys)?.word;
    return word === 'want' ? { ...one, wanted: true } : one;
  });
  const knownKeys = new Set(known.flatMap(({ keys }) => keys));
  const tombstones = marksAmong(overrides, input.tombstones, knownKeys);
  const claims = identify({ ...input, known, tombstones, rows, programmeMsMax });
  const refusal = refusalsOf(input, programmeMsMax);
  const upkeep = { rows, excluded: refusal.policy, programmeMsMax };
  const settled: Decision[] = [];
  const fresh: Capsule[] = [];
  const decided = (row: Capsule, word: Word, wanted: boolean): Decision => {
    const { action, reason, recordingId, addKey, capsule = row } = word;
    const priority = rank(capsule, wanted);
    const expiresAt = expiryOf(capsule, input.policy.keepMs, lanes);
    const decision = { action, reason, capsule, priority, expiresAt };
    if (recordingId === undefined) return decision;
    return addKey === undefined ? { ...decision, recordingId } : { ...decision, recordingId, addKey };
  };
  const decide = (row: Capsule, word: Word, wanted: boolean) => void settled.push(decided(row, word, wanted));

  const rank = (capsule: Capsule, wanted: boolean) =>
    wanted ? Math.max(WANTED_PRIORITY, priorityOf(capsule, lanes)) : priorityOf(capsule, lanes);

  const claimed = new Set<string>();
  /** What is known, as this plan leaves it. */
  const left = new Map(known.map((one) => [one.id, one]));
  let wantedNow = 0;
  for (const capsule of capsules) {
    const claim = claims.get(capsule);
    if (claim?.kind === 'known') {
      const { known: one } = claim;
      claimed.add(one.id);
      const own = claimedWord(capsule, claim, upkeep);
      const word = wordOf(one.keys)?.word === 'skip' ? (skipWord(one) ?? own) : own;
      const wanted = one.wanted ?? false;
      decide(capsule, reranked(word, one, rank(word.capsule ?? one.capsule, wanted)), wanted);
      if (word.action === 'drop') left.delete(one.id);
      else if (word.action !== 'skip') left.set(one.id, { ...one, capsule: word.capsule ?? capsule });
    } else if (claim?.tombstone.reason === 'want') {
      const word = wantedWord(capsule, claim.tombstone, refusal);
      decide(capsule, word, true);
      if (word.action === 'record') wantedNow += 1;
    } else {
      const word = claim === undefined ? refusal.fresh(capsule) : claimedWord(capsule, claim, upkeep);
      if (word === null) fresh.push(capsule);
      else decide(capsule, word, false);
    }
  }
  for (const one of known) {
    if (one.state === 'done' || claimed.has(one.id)) continue;
    const word =
      wordOf(one.keys)?.word === 'skip' ? skipWord(one) : unclaimedWord(one, refusal.policy, upkeep);
    if (word === null) continue;
    decide(one.capsule, word, false);
    left.delete(one.id);
  }

  settled.sort(byPlace);
  fresh.sort(byStartAndChannel);
  const airings = airingsAmong(fresh);
  const leftOver = [...left.values()];
  const held = episodesHeld(leftOver, tombstones);
  const active = wantedNow + leftOver.filter(({ state }) => state !== 'done').length;
  const room = input.policy.capsulesMax === 0 ? Infinity : Math.max(0, input.policy.capsulesMax - active);
  const words = {
    record: fresh.map((): Decision | null => null),
    repeat: fresh.map((): Decision | null => null),
  };
  const wordAt = (index: number, capsule: Capsule, what: keyof typeof words) => {
    const made = words[what][index];
    if (made) return made;
    const word: Word =
      what === 'repeat'
        ? { action: 'skip', reason: 'repeat' }
        : { action: 'record', reason: whenReason(capsule, input) };
    return (words[what][index] = decided(capsule, word, false));
  };

  return (losing) => {
    const isLosing = ({ keys }: KnownRecording) => keys.some((key) => losing.has(key));
    const staying =
      losing.size > 0 && leftOver.some(isLosing) ? leftOver.filter((one) => !isLosing(one)) : null;
    const repeats = repeatsAmong(airings, staying ? episodesHeld(staying, tombstones) : held, losing);
    const crowd =
      fresh.length - repeats.size > room ? fresh.filter((capsule) => !repeats.has(capsule)) : null;
    const admitted = crowd && new Set(crowd.sort(compareCapsules(input.now, lanes)).slice(0, room));
    const others = fresh.map((capsule, index) => {
      if (repeats.has(capsule)) return wordAt(index, capsule, 'repeat');
      return admitted === null || admitted.has(capsule)
        ? wordAt(index, capsule, 'record')
        : decided(capsule, { action: 'skip', reason: 'over_limit' }, false);
    });
    return [...settled, ...others].sort(byPlace);
  };
}

function byPlace(a: Decision, b: Decision): number {
  return byStartAndChannel(a.capsule, b.capsule) || compareText(a.recordingId ?? '', b.recordingId ?? '');
}

function byStartAndChannel(a: Capsule, b: Capsule): number {
  return (
    a.startAt - b.startAt ||
    compareText(a.channelName, b.channelName) ||
    compareText(a.recordKey, b.recordKey)
  );
}

/** What the next plan asks for as `previousRowKeys`. */
export function rowKeysOf(capsules: readonly Capsule[]): RowKeys {
  return new Set(capsules.map(({ recordKey }) => recordKey));
}

interface Load {
  readonly capsules: readonly Capsule[];
  readonly rows: ReadonlyMap<string, readonly Capsule[]>;
}

const loads = new WeakMap<readonly Capsule[], Load>();

/** A load is planned several times, and often: what follows from it alone is worked out once. */
function loadOf({ capsules: given, noKeyTwice = false }: Pick<PlanInput, 'capsules' | 'noKeyTwice'>): Load {
  const known = loads.get(given);
  if (known) return known;
  const capsules = noKeyTwice ? given : unique(given);
  const load = { capsules, rows: rowsByChannel(capsules) };
  loads.set(given, load);
  return load;
}

/** One capsule a record key, the better told. */
function unique(capsules: readonly Capsule[]): readonly Capsule[] {
  const best = new Map<string, Capsule>();
  for (const capsule of capsules) {
    const other = best.get(capsule.recordKey);
    if (other === undefined || compareWorth(capsule, other) < 0) best.set(capsule.recordKey, capsule);
  }
  return [...best.values()];
}

/** A person's word ends even what runs. */
function skipWord({ id, state }: KnownRecording): Word | null {
  return state === 'done' ? null : { action: 'drop', reason: 'skipped', recordingId: id };
}

/** What no row of this load belongs to goes only where something says so (P5). */
function unclaimedWord(one: KnownRecording, policy: Refusals['policy'], upkeep: Upkeep): Word | null {
  if (one.state !== 'scheduled' || one.wanted) return null;
  const reason = policy(one.capsule) ?? (isReplaced(one, upkeep) ? 'gone' : null);
  return reason === null ? null : { action: 'drop', reason, recordingId: one.id };
}

/** Whatever the policy says, but not what cannot be. */
function wantedWord(capsule: Capsule, { id, keys }: Tombstone, { fresh }: Refusals): Word {
  const reason = fresh(capsule)?.reason;
  const word: Word =
    reason === 'over' || reason === 'no_upstream'
      ? { action: 'skip', reason }
      : { action: 'record', reason: 'wanted' };
  return { ...word, recordingId: id, ...(!keys.includes(capsule.recordKey) && { addKey: true }) };
}

/** What is scheduled or running gets another rank when a person, or the configuration, gives it one. */
function reranked(word: Word, one: KnownRecording, priority: number): Word {
  if (word.action !== 'skip' || one.state === 'done') return word;
  if (one.priority === undefined || one.priority === priority) return word;
  const action = one.state === 'running' ? 'extend' : 'move';
  const reason = one.wanted ? 'wanted' : 'details_changed';
  return { action, reason, recordingId: one.id, capsule: one.capsule };
}

interface Refusals {
  /** Why the choice of lanes and channels leaves it out. */
  readonly policy: (capsule: Capsule) => PlanReason | null;
  /** The same for a programme that nobody knows yet, and everything else that speaks against it. */
  readonly fresh: (capsule: Capsule) => Word | null;
}

function refusalsOf(input: PlanInput, programmeMsMax: number): Refusals {
  const { policy, now, health } = input;
  const excluded = exclusionOf(input);
  const reasonOf = (capsule: Capsule): PlanReason | null => {
    const { startAt, stopAt } = capsule;
    if (stopAt <= now) return 'over';
    const reason = excluded(capsule, capsuleState(capsule, now));
    if (reason !== null) return reason;
    if (startAt > now + policy.horizonMs) return 'beyond_horizon';
    if (programmeMsMax > 0 && stopAt - startAt > programmeMsMax) return 'too_long';
    if (policy.guidePolicy !== 'off') {
      const worth = guideRefusal(policy.guidePolicy, health?.get(channelKeyOf(capsule)));
      if (worth !== null) return worth;
    }
    if (capsule.upstreams.length === 0) return 'no_upstream';
    return startAt < now && (stopAt - now) / (stopAt - startAt) < policy.joinMinLeft
      ? 'too_little_left'
      : null;
  };
  return {
    policy: (capsule) => excluded(capsule, null),
    fresh: (capsule) => {
      const reason = reasonOf(capsule);
      return reason === null ? null : { action: 'skip', reason };
    },
  };
}

/**
 * Why lanes, channels, groups and rules leave a programme out. A rule lets it past the lists of what is wanted; with
 * `--rules-only` it must pass them as well.
 */
function exclusionOf({
  policy,
  rules,
}: PlanInput): (capsule: Capsule, state: CapsuleState | null) => PlanReason | null {
  const filters = (own: FilterPolicy) => {
    const byLane = laneFilter(own);
    const byChannel = channelFilter(own);
    return (capsule: Capsule) => byLane(capsule.lane) ?? byChannel(capsule);
  };
  const byLists = filters(policy);
  if (rules === undefined) return byLists;
  if (rules.kind === 'unreadable') return () => 'rules_unreadable';
  const byExclusion = filters({ ...policy, lanes: [], channels: [], groups: [] });
  return (capsule, state) => {
    const asked = ruleFor(rules.rules, capsule, state) !== null;
    if (rules.only) return asked ? byLists(capsule) : 'no_rule';
    return asked ? byExclusion(capsule) : byLists(capsule);
  };
}

/** Channels of which nothing is known are kept (PROTOCOLS §1.4). */
function guideRefusal(
  policy: PlanPolicy['guidePolicy'],
  health: ChannelHealth | undefined,
): PlanReason | null {
  if (policy === 'off' || health === undefined || health === 'healthy') return null;
  if (health === 'good') return policy === 'strict' ? 'unlinked' : null;
  return 'placeholder';
}

function whenReason(capsule: Capsule, { now, policy }: PlanInput): PlanReason {
  if (capsuleState(capsule, now) === 'in_progress') return 'in_progress';
  return capsule.startAt - Math.max(policy.prePaddingMs, policy.leadTimeMs) <= now
    ? 'starting_soon'
    : 'scheduled';
}
