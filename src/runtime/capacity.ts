/** What is known of connections, also when no daemon runs: the configuration, panels, and what earlier lives learned. */

import type { Config } from '../config/config.js';
import { accountOf } from '../domain/account.js';
import type { Capacity } from '../domain/forecast.js';
import { lessonOf } from '../domain/slots.js';
import type { AccountRecord } from './accounts.js';
import type { Addresses, ListsInUse } from './addresses.js';

export function capacityOf(
  config: Config,
  addresses: Pick<Addresses, 'accounts' | 'accountsOf'>,
  lists: ListsInUse,
  records: Iterable<readonly [string, unknown]>,
  now: number,
): Capacity {
  const { concurrencyMax: slotsMax, providerMax, providerReserve, preempt } = config.how;
  const limits: Record<string, number> = {};
  const lower = (key: string, max: number) => {
    limits[key] = Math.min(limits[key] ?? Infinity, max);
  };
  for (const { key, label } of addresses.accounts()) {
    const max = providerMax[label.toLowerCase()] ?? 0;
    if (max > 0) lower(key, Math.max(1, max - (providerReserve[label.toLowerCase()] ?? 0)));
  }
  for (const { list } of lists.values()) {
    const url = list?.panel ? list.channels[0]?.urls[0] : undefined;
    const max = list?.panel?.connectionsMax ?? 0;
    // Panels have been seen to understate it, so what a person says counts more.
    if (url !== undefined && max > 0) limits[accountOf(url).key] ??= max;
  }
  for (const [key, record] of records) {
    const { learned } = record as AccountRecord;
    // What is known to be more is only doubted for minutes: nothing that is to come depends on it.
    const lesson = lessonOf({ max: 0, learned }, now);
    if (lesson < Infinity) limits[key] ??= lesson;
  }
  return {
    slotsMax,
    limits,
    laneMax: config.how.concurrencyMaxPerLane,
    preempt,
    accountsOf: ({ upstreams }) => upstreams.map((ref) => addresses.accountsOf(ref)),
  };
}
