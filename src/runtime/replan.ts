/** One look at everything: what the plan says of what is known now, and what the scheduler is asked to do for it. */

import type { Config } from '../config/config.js';
import type { Store } from '../store/store.js';
import type { Book } from './book.js';
import { capacityOf } from './capacity.js';
import type { Planned } from './lookout.js';
import type { Overrides } from './overrides.js';
import { decide, ordersOf, type GuideInUse } from './planning.js';
import type { RulesFile } from './rulesFile.js';
import type { Sources } from './sources.js';

export interface ReplanDoors {
  readonly config: Config;
  readonly book: Book;
  readonly store: Store;
  readonly sources: Sources;
  readonly overrides: Overrides;
  readonly rules: RulesFile;
}

export function guideOf(sources: Sources): GuideInUse {
  return { channels: sources.channels(), guides: sources.guides(), aliases: sources.aliases() };
}

export function replan(
  { config, book, store, sources, overrides, rules }: ReplanDoors,
  at: number,
  previousRowKeys: ReadonlySet<string> | null,
): Planned {
  // What was put aside keeps its place: recorded anew, it would be lost (P7).
  const aside = book.aside();
  const known = [...book.all(), ...aside];
  const outlook = decide({
    config,
    guide: guideOf(sources),
    entries: known,
    tombstones: store.tombstones().values(),
    overrides: store.all('overrides').values(),
    rules: rules.book(),
    capacity: capacityOf(config, sources, store.all('accounts'), at),
    now: at,
    previousRowKeys,
  });
  overrides.follow(outlook.decisions);
  for (const { recordingId = '', addKey, capsule } of outlook.decisions) {
    const tombstone = addKey ? store.tombstones().get(recordingId) : undefined;
    if (tombstone)
      store.set('tombstones', recordingId, {
        ...tombstone,
        keys: [...tombstone.keys, capsule.recordKey],
      });
  }
  const orders = ordersOf(outlook.decisions, {
    config,
    now: at,
    known: (id) => book.get(id) ?? aside.find((entry) => entry.id === id),
    spools: () => known.flatMap(({ path, recording }) => (path === 'published' ? [] : [recording.spool])),
  });
  return { ...outlook, orders };
}
