/** Everything that looks on while the daemon works, in one place: news, counts and charts. */

import type { UpstreamRef } from '../domain/channel.js';
import type { Clock } from '../io/clock.js';
import type { Log } from '../log.js';
import type { Entry } from './entries.js';
import { createInspector, type Inspector } from './inspect.js';
import { createNews, type News } from './news.js';
import { createTally, type Tally } from './tally.js';

export interface Watch {
  readonly news: News;
  readonly tally: Tally;
  readonly inspector: Inspector;
  changed(entry: Entry, before: Entry | undefined): void;
  gone(id: string): void;
  planned(): void;
  sourceMoved(sourceId: string): void;
}

export function createWatch(clock: Clock, log: Log, accountOf: (ref: UpstreamRef) => string): Watch {
  const news = createNews(clock);
  const tally = createTally(accountOf);
  const inspector = createInspector(clock, (error) =>
    log.error({ error: String(error) }, 'a viewer of the charts failed and is let go'),
  );
  return {
    news,
    tally,
    inspector,
    changed(entry, before) {
      tally.note(entry, before);
      news.tell('recording', entry.id);
      if (entry.path !== before?.path) news.tell('upstreams', '');
    },
    gone: (id) => news.tell('recording', id),
    planned: () => news.tell('plan', ''),
    sourceMoved: (id) => news.tell('source', id),
  };
}
