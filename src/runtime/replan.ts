/** One look at everything: what the plan says of what is known now, and what the scheduler is asked to do for it. */

import type { Order } from '../../machines/schedulerContext.js';
import type { Config } from '../config/config.js';
import type { Decision } from '../domain/plan.js';
import type { Clock } from '../io/clock.js';
import type { Store } from '../store/store.js';
import type { Book } from './book.js';
import { gist } from './entries.js';
import { rateOf } from './leveling.js';
import type { Overrides } from './overrides.js';
import type { PastGuide } from './pastGuide.js';
import type { PlanFacts, PlanNews } from './planFacts.js';
import type { Planner } from './planner.js';
import { orderMaker } from './planning.js';
import type { RulesFile } from './rulesFile.js';
import type { Sources } from './sources.js';

export interface FactDoors {
  readonly config: Config;
  readonly book: Book;
  readonly store: Store;
  readonly sources: Sources;
  readonly rules: RulesFile;
}

export interface ReplanDoors extends FactDoors {
  readonly planner: Planner;
  readonly clock: Clock;
  readonly overrides: Overrides;
  readonly pastGuide: PastGuide;
}

export interface Planned extends PlanNews {
  /** What the scheduler is asked to do for one of the decisions; null where that changes nothing. */
  readonly orderOf: (decision: Decision) => Order | null;
}

/** Everything that a plan is made of, as it stands. */
export function factsOf({ config, book, store, sources, rules }: FactDoors): PlanFacts {
  // What was put aside keeps its place: recorded anew, it would be lost (P7).
  const known = [...book.all(), ...book.aside()];
  return {
    config,
    lists: sources.lists(),
    aliases: sources.aliases(),
    guides: sources.guides(),
    known: new Map(known.map((entry) => [entry.id, entry])),
    tombstones: store.tombstones(),
    overrides: store.all('overrides'),
    rules: rules.book(),
    accounts: store.all('accounts'),
  };
}

/** Rejects where the plan could not be made. What is known changes meanwhile, so an order is made when it is given. */
export async function replan(doors: ReplanDoors): Promise<Planned> {
  const { config, book, store, planner, clock, overrides, pastGuide } = doors;
  const wish = { at: clock.now(), bytesPerMs: rateOf(book.all()) };
  const news = await planner.plan(factsOf(doors), wish);
  const { decisions } = news;
  pastGuide.keep(news.over);
  overrides.follow(decisions);
  for (const { recordingId = '', addKey, capsule } of decisions) {
    const tombstone = addKey ? store.tombstones().get(recordingId) : undefined;
    if (tombstone)
      store.set('tombstones', recordingId, {
        ...tombstone,
        keys: [...tombstone.keys, capsule.recordKey],
      });
  }
  const aside = new Map(book.aside().map((entry) => [entry.id, entry]));
  const orderOf = orderMaker({
    config,
    now: clock.now,
    known: (id) => book.get(id) ?? aside.get(id),
    spools: () =>
      [...book.all(), ...aside.values()].map((entry) => gist(entry).spool).filter((spool) => spool !== ''),
  });
  return { ...news, orderOf };
}
