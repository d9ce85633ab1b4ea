/** Everything that looks on while the daemon works, in one place: news, counts, charts, and what was planned last. */

import type { UpstreamRef } from '../domain/channel.js';
import type { Conflict } from '../domain/forecast.js';
import type { Decision } from '../domain/plan.js';
import type { Clock } from '../io/clock.js';
import type { Log } from '../log.js';
import type { Entry } from './book.js';
import { createInspector, type Inspector } from './inspect.js';
import { createNews, type News } from './news.js';
import { createTally, type Tally } from './tally.js';

export interface Planning {
  readonly decisions: readonly Decision[];
  readonly conflicts: ReadonlyMap<Decision, Conflict>;
  /** Epoch milliseconds; 0 before the first plan. */
  readonly at: number;
}

export interface Watch {
  readonly news: News;
  readonly tally: Tally;
  readonly inspector: Inspector;
  /** The plan that the daemon acted on last. */
  planning(): Planning;
  changed(entry: Entry, before: Entry | undefined): void;
  gone(id: string): void;
  planned(outlook: Omit<Planning, 'at'>, at: number): void;
  sourceMoved(sourceId: string): void;
}

export function createWatch(clock: Clock, log: Log, accountOf: (ref: UpstreamRef) => string): Watch {
  const news = createNews(clock);
  const tally = createTally(accountOf);
  const inspector = createInspector(clock, (error) =>
    log.error({ error: String(error) }, 'a viewer of the charts failed and is let go'),
  );
  let planning: Planning = { decisions: [], conflicts: new Map(), at: 0 };
  return {
    news,
    tally,
    inspector,
    planning: () => planning,
    changed(entry, before) {
      tally.note(entry, before);
      news.tell('recording', entry.id);
      if (entry.path !== before?.path) news.tell('upstreams', '');
    },
    gone: (id) => news.tell('recording', id),
    planned({ decisions, conflicts }, at) {
      planning = { decisions, conflicts, at };
      news.tell('plan', '');
    },
    sourceMoved: (id) => news.tell('source', id),
  };
}
