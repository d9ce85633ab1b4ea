/** The other side of `planMirror.ts`: what was told, put together again. */

import type { Channel } from '../domain/channel.js';
import type { Override } from '../domain/override.js';
import type { ListData } from '../domain/programme.js';
import type { Tombstone } from '../domain/recording.js';
import { createSharing } from '../store/sharing.js';
import type { ShadowFacts } from './planFacts.js';
import type { Change, KnownRows } from './planMessages.js';
import type { Shadow } from './shadow.js';

export interface PlanReflection {
  take(change: Change): void;
  /** Throws before anything was told. */
  facts(): ShadowFacts;
}

/** After so many rows what they have in common is looked for anew, or texts that are long gone would be kept. */
const ROWS_SHARED = 2_000;

export function createPlanReflection(): PlanReflection {
  const lists = new Map<string, (ListData & { readonly channels: Channel[] }) | null>();
  const shadows = new Map<string, Shadow>();
  const tombstones = new Map<string, Tombstone>();
  const overrides = new Map<string, Override>();
  let sharing = createSharing();
  let rowsShared = 0;
  let config: ShadowFacts['config'] | null = null;
  let aliases: ShadowFacts['aliases'];
  let rules: ShadowFacts['rules'];
  let table: Extract<Change, { part: 'table' }> = {
    part: 'table',
    sources: [],
    guides: [],
    accounts: new Map(),
  };

  function take(change: Change): void {
    switch (change.part) {
      case 'config':
        config = change.config;
        return;
      case 'aliases':
        aliases = change.aliases;
        return;
      case 'rules':
        rules = change.rules;
        return;
      case 'table':
        table = change;
        return;
      case 'list':
        lists.set(change.source, change.list && { ...change.list, channels: [] });
        return;
      case 'channels':
        // While a list is being told nobody asks: the question comes after it.
        lists.get(change.source)?.channels.push(...change.channels);
        return;
      case 'known':
        return apply(shadows, { set: shared(JSON.parse(change.set) as KnownRows), gone: change.gone });
      case 'tombstones':
        return apply(tombstones, change);
      case 'overrides':
        return apply(overrides, change);
    }
  }

  /** What came through a message is a copy of its own, down to the name of the channel. */
  function shared<T>(rows: readonly T[]): readonly T[] {
    if (rowsShared > ROWS_SHARED) {
      sharing = createSharing();
      rowsShared = 0;
    }
    rowsShared += rows.length;
    return sharing.share(rows);
  }

  return {
    take,
    facts() {
      if (config === null) throw new Error('nothing was told');
      const { sources, guides, accounts } = table;
      return {
        config,
        lists: new Map(sources.map((source) => [source, { list: lists.get(source) ?? null }])),
        aliases,
        guides,
        known: shadows,
        tombstones,
        overrides,
        rules,
        accounts,
      };
    },
  };
}

function apply<T>(
  map: Map<string, T>,
  { set, gone }: { readonly set: readonly (readonly [string, T])[]; readonly gone: readonly string[] },
): void {
  for (const id of gone) map.delete(id);
  for (const [id, row] of set) map.set(id, row);
}
