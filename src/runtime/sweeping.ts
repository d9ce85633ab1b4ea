/** Asks retention what has to go, and says what it was told: what goes before its time, and limits that cannot be met. */

import type { SchedulerEvent } from '../../machines/schedulerContext.js';
import type { Config } from '../config/config.js';
import { retain, type Unmet } from '../domain/retention.js';
import { rfc3339 } from '../domain/text.js';
import type { Book } from './book.js';
import type { DiskWatch } from './diskWatch.js';
import type { Doors } from './doors.js';
import { retentionOf } from './retaining.js';

/** One sweep; what it removes is the recordings' own doing. */
export type Sweep = () => void;

export function createSweep(
  config: Config,
  { clock, log }: Pick<Doors, 'clock' | 'log'>,
  book: Book,
  watch: DiskWatch,
  send: (event: SchedulerEvent) => void,
): Sweep {
  let said = '';

  function sweep(): void {
    const at = clock.now();
    const policy = { ...retentionOf(config), diskShort: watch.ladder().short };
    const { evictions, unmet } = retain(watch.items(), policy, at);
    sayUnmet(unmet);
    for (const { id, rule } of evictions) {
      sayEarly(id, rule, at);
      send({ type: 'FORWARD', at, id, event: { type: 'EVICT', at, rule } });
    }
  }

  /** A limit that cannot be met is said once, and once more when it is met again. */
  function sayUnmet(unmet: readonly Unmet[]): void {
    const news = unmet.map(({ rule, of }) => `${rule} ${of}`.trim()).join(', ');
    if (said === news) return;
    said = news;
    if (news === '') log.info('all limits are met again');
    else
      log.warn({ limits: news }, 'limits stay exceeded: what is left is kept by a person or being recorded');
  }

  /** What goes before its time names the rule, where everybody looks (P10). */
  function sayEarly(id: string, rule: string, at: number): void {
    const recording = book.get(id)?.recording;
    if (!recording || recording.expiresAt <= at) return;
    const { capsule, expiresAt } = recording;
    log.warn(
      { id, title: capsule.title, lane: capsule.lane, rule, expiresAt: rfc3339(expiresAt) },
      'a limit removes a recording before its time',
    );
  }

  return sweep;
}
