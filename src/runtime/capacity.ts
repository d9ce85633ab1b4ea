/** What is known of connections when no daemon runs: the configuration, and what earlier lives learned. */

import type { Config } from '../config/config.js';
import type { Capacity } from '../domain/forecast.js';
import type { AccountRecord } from './accounts.js';
import type { Sources } from './sources.js';

export function capacityOf(
  config: Config,
  sources: Sources,
  records: Iterable<readonly [string, unknown]>,
): Capacity {
  const { concurrencyMax: slotsMax, providerMax, providerReserve, preempt } = config.how;
  const limits: Record<string, number> = {};
  const lower = (key: string, max: number) => {
    limits[key] = Math.min(limits[key] ?? Infinity, max);
  };
  for (const { key, label } of sources.accounts()) {
    const max = providerMax[label.toLowerCase()] ?? 0;
    if (max > 0) lower(key, Math.max(1, max - (providerReserve[label.toLowerCase()] ?? 0)));
  }
  for (const [key, record] of records) {
    const { learned } = record as AccountRecord;
    if (learned) lower(key, learned.max);
  }
  return {
    slotsMax,
    limits,
    preempt,
    accountsOf: ({ upstreams }) => upstreams.map((ref) => sources.accountsOf(ref)),
  };
}
