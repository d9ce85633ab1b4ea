/**
 * Lanes of somebody's own, as the configuration tells them: plain data, and the lanes they make. They are tried in
 * their order before the built-in ones; the first that matches wins. One that bears the name of a built-in lane and
 * matches nothing by itself only changes what that lane does.
 */

import { groupNames } from './filters.js';
import type { LibraryKind } from './libraryKind.js';
import { BUILT_IN_LANES, type Lane, type LaneFacts, type Padding } from './lane.js';
import { patternTest, wordTest, type TextTest } from './patterns.js';

/** All fields that are given must match; of one field any pattern is enough. */
export interface LanePatterns {
  /** Without `*` anywhere in the text, here and in titles. */
  readonly category: readonly string[];
  readonly title: readonly string[];
  readonly group: readonly string[];
  /** Names, ids, numbers, dna. */
  readonly channel: readonly string[];
}

export interface LaneMatch extends LanePatterns {
  /** One pattern of any field is enough to leave a programme out. */
  readonly exclude: LanePatterns;
}

/** Null is "not given": a built-in lane's own, else that of `general`. */
export interface LaneDefinition {
  /** Lower case. */
  readonly name: string;
  /** Any of them is enough; empty only where the name is that of a built-in lane. */
  readonly match: readonly LaneMatch[];
  readonly priority: number | null;
  readonly padding: Padding;
  /** 0 is for ever. */
  readonly keepMs: number | null;
  readonly completedMax: number | null;
  readonly bytesMax: number | null;
  /** Connections at once. */
  readonly concurrencyMax: number | null;
  /** What media servers take its recordings for, and so how they are named and described. */
  readonly kind: LibraryKind | null;
}

export interface LaneDefaults {
  /** Whether built-in lanes pad by themselves, that is where nobody said how long. */
  readonly padded: boolean;
}

/** In the order in which they are tried; the last takes everything. */
export function lanesOf(definitions: readonly LaneDefinition[], defaults: LaneDefaults): readonly Lane[] {
  const builtIn = BUILT_IN_LANES.map((lane) => changed(lane, definitions, defaults));
  const own = definitions.flatMap((definition): Lane[] => {
    if (definition.match.length === 0) return [];
    const tests = definition.match.map(matchTest);
    const base = builtIn.find(({ name }) => name === definition.name) ?? builtIn.at(-1);
    if (base === undefined) return [];
    const lane = {
      ...base,
      name: definition.name,
      matches: (facts: LaneFacts) => tests.some((t) => t(facts)),
    };
    return [withSettings(lane, definition)];
  });
  return [...own, ...builtIn];
}

/** Every lane by name, in the order in which they are tried. */
export function laneNames(definitions: readonly LaneDefinition[]): readonly string[] {
  return [...new Set([...definitions, ...BUILT_IN_LANES].map(({ name }) => name))];
}

/** Films and single broadcasts unless its definition says otherwise; also for a lane that is configured no more. */
export function kindOfLane(name: string, definitions: readonly LaneDefinition[]): LibraryKind {
  return definitions.find((each) => each.name === name)?.kind ?? 'movies';
}

function changed(lane: Lane, definitions: readonly LaneDefinition[], { padded }: LaneDefaults): Lane {
  const base: Lane = padded ? lane : { ...lane, padding: { before: null, after: null } };
  const definition = definitions.find(({ name }) => name === lane.name);
  return definition ? withSettings(base, definition) : base;
}

function withSettings(lane: Lane, { priority, padding, keepMs }: LaneDefinition): Lane {
  return {
    ...lane,
    priority: priority ?? lane.priority,
    priorityIsGiven: priority !== null || (lane.priorityIsGiven ?? false),
    keepMs: keepMs ?? lane.keepMs,
    padding: {
      before: padding.before ?? lane.padding?.before ?? null,
      after: padding.after ?? lane.padding?.after ?? null,
    },
  };
}

function matchTest(match: LaneMatch): (facts: LaneFacts) => boolean {
  const wanted = fieldTests(match);
  const unwanted = fieldTests(match.exclude);
  return (facts) => wanted.every((test) => test(facts)) && !unwanted.some((test) => test(facts));
}

/** One test a field that has patterns. */
function fieldTests(patterns: LanePatterns): readonly ((facts: LaneFacts) => boolean)[] {
  const some = (test: TextTest | null, texts: (facts: LaneFacts) => readonly string[]) =>
    test === null ? [] : [(facts: LaneFacts) => texts(facts).some(test)];
  return [
    ...some(wordTest(patterns.category), ({ categories }) => categories),
    ...some(wordTest(patterns.title), ({ title }) => [title]),
    ...some(patternTest(patterns.group), ({ group }) => groupNames(group)),
    ...some(patternTest(patterns.channel), ({ channelName, channelNames = [] }) => [
      channelName,
      ...channelNames,
    ]),
  ];
}
