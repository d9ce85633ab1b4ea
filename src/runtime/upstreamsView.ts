/** What `GET /api/upstreams` shows: accounts with their limits, hosts with their penalties, connections and who waits. */

import type { SchedulerContext } from '../../machines/schedulerContext.js';
import type { Account } from '../domain/account.js';
import { HALF_LIFE_MS, hostRecordOf, penaltyOf } from '../domain/ranking.js';
import { bandwidthOf, limitOf, openOn } from '../domain/slots.js';
import { rfc3339 } from '../domain/text.js';
import { showRef } from '../domain/sidecar.js';
import type { RankingView } from './rankingView.js';
import type { Store } from '../store/store.js';

export function upstreamsView(
  table: SchedulerContext,
  accounts: Iterable<Account>,
  store: Store,
  now: number,
  /** The ranking of a recording's upstreams, or null where nothing is known of it. */
  ranked: (id: string) => RankingView | null,
) {
  const labels = new Map<string, string>();
  for (const { key, label } of accounts) if (!labels.has(key)) labels.set(key, label);
  const hosts = [...store.all('hosts')].flatMap(([host, row]) => {
    const record = hostRecordOf(row);
    return record ? [{ host, record }] : [];
  });
  const asking = new Set([
    ...table.slots.flatMap(({ holders }) => holders.map(({ id }) => id)),
    ...table.queue.map(({ id }) => id),
  ]);
  return {
    slots: { used: table.slots.length, limit: table.slotsMax, refused_for: table.admission },
    bandwidth: { bits_per_second: Math.round(bandwidthOf(table)), limit: table.bandwidthMax },
    accounts: [...labels].map(([key, account]) => {
      const known = table.limits[key];
      const limit = limitOf(table, key, now);
      return {
        account,
        open: openOn(table, key),
        cooling: table.cooling.filter(({ account: of, until }) => of === key && until > now).length,
        limit: limit === Infinity ? null : limit,
        configured: known?.max || null,
        learned: known?.learned ? { limit: known.learned.max, at: rfc3339(known.learned.at) } : null,
        reserve: known?.reserve ?? 0,
      };
    }),
    hosts: hosts.map(({ host, record }) => ({
      host,
      failures: record.failures,
      penalty: penaltyOf(record, now),
      last_cause: record.cause,
      last_at: rfc3339(record.at),
      half_life_s: HALF_LIFE_MS / 1000,
    })),
    connections: table.slots.map(({ upstream, holders, since, closed, leaving }) => ({
      upstream: showRef(upstream),
      recordings: holders.map(({ id }) => id),
      since: rfc3339(since),
      state: closed ? 'broken' : leaving ? 'leaving' : holders.length === 0 ? 'lingering' : 'open',
    })),
    rankings: [...asking].flatMap((id) => {
      const upstreams = ranked(id);
      return upstreams ? [{ recording: id, upstreams }] : [];
    }),
    waiting: table.queue.map(({ id, priority, candidates, told }) => ({
      recording: id,
      reason: told,
      priority,
      upstreams: candidates.map(showRef),
    })),
  };
}
