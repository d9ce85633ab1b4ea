/**
 * What a plan is made of, as far as the other thread was told of it. Only what is another since then is told, a few
 * rows at a time: copying tens of thousands at once would hold up the captures (P1).
 */

import type { ListData } from '../domain/programme.js';
import type { Entry } from './entries.js';
import type { Change } from './planMessages.js';
import type { PlanFacts } from './planFacts.js';
import { shadowOf } from './shadow.js';

const ROWS_A_CHANGE = 100;

/** Changes in the order in which they have to be told. */
export interface PlanMirror {
  changes(facts: PlanFacts): Iterable<Change>;
}

type Collection = 'known' | 'tombstones' | 'overrides';

export function createPlanMirror(): PlanMirror {
  const told = {
    config: '',
    aliases: undefined as PlanFacts['aliases'],
    rules: undefined as PlanFacts['rules'],
    lists: new Map<string, ListData | null>(),
    known: new Map<string, unknown>(),
    tombstones: new Map<string, unknown>(),
    overrides: new Map<string, unknown>(),
  };

  function* lists(facts: PlanFacts): Iterable<Change> {
    for (const source of told.lists.keys())
      if (!facts.lists.has(source)) {
        told.lists.delete(source);
        yield { part: 'list', source, list: null };
      }
    for (const [source, { list }] of facts.lists) {
      if (told.lists.get(source) === list) continue;
      told.lists.set(source, list);
      const { channels = [], ...rest } = list ?? {};
      yield { part: 'list', source, list: list && (rest as Omit<ListData, 'channels'>) };
      for (let from = 0; from < channels.length; from += ROWS_A_CHANGE)
        yield { part: 'channels', source, channels: channels.slice(from, from + ROWS_A_CHANGE) };
    }
  }

  function* rows<T>(
    part: Collection,
    now: ReadonlyMap<string, T>,
    toldAs: (some: readonly (readonly [string, T])[]) => unknown = (some) => some,
  ): Iterable<Change> {
    const before = told[part];
    const gone: string[] = [];
    for (const id of before.keys()) if (!now.has(id)) gone.push(id);
    const set = [...now].filter(([id, row]) => before.get(id) !== row);
    for (const id of gone) before.delete(id);
    for (const [id, row] of set) before.set(id, row);
    for (let from = 0; from < Math.max(set.length, gone.length); from += ROWS_A_CHANGE) {
      const to = from + ROWS_A_CHANGE;
      yield { part, set: toldAs(set.slice(from, to)), gone: gone.slice(from, to) } as Change;
    }
  }

  return {
    *changes(facts) {
      // Its values are replaced in place when it is read again.
      const config = JSON.stringify(facts.config);
      if (config !== told.config) {
        told.config = config;
        yield { part: 'config', config: facts.config };
      }
      if (facts.aliases !== told.aliases) {
        told.aliases = facts.aliases;
        yield { part: 'aliases', aliases: facts.aliases };
      }
      if (facts.rules !== told.rules) {
        told.rules = facts.rules;
        yield { part: 'rules', rules: facts.rules };
      }
      yield* lists(facts);
      // No shadow is kept on this side: ten thousand are megabytes.
      yield* rows('known', facts.known, shadowed);
      yield* rows('tombstones', facts.tombstones);
      yield* rows('overrides', facts.overrides);
      const { guides, accounts } = facts;
      yield { part: 'table', sources: [...facts.lists.keys()], guides, accounts };
    },
  };
}

function shadowed(some: readonly (readonly [string, Entry])[]): string {
  return JSON.stringify(some.map(([id, entry]) => [id, shadowOf(entry)]));
}
