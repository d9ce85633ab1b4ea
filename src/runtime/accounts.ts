/**
 * What accounts allow, from the configuration and from what an earlier life learned and left cooling; and what of it is
 * written down for the next (P6: close times survive a restart).
 */

import type { SchedulerContext } from '../../machines/schedulerContext.js';
import type { Config } from '../config/config.js';
import type { Account } from '../domain/account.js';
import type { AccountLimit, Cooling } from '../domain/slots.js';
import type { Store } from '../store/store.js';
import type { PanelAccount } from './panels.js';

/** An account in the state file. */
export interface AccountRecord {
  readonly learned: AccountLimit['learned'];
  /** Until when connections that we closed may be counted. */
  readonly cooling: readonly number[];
  /** Connections open when this was written; after a crash they cool down too. */
  readonly open: number;
}

type Limits = Readonly<Record<string, AccountLimit>>;

/** What was configured by label, what panels say, and what was learned before, by account. */
export function limitsOf(
  config: Config,
  known: Iterable<Account>,
  panels: ReadonlyMap<string, PanelAccount>,
  store: Store,
): Limits {
  const limits: Record<string, AccountLimit> = {};
  const { providerMax, providerReserve } = config.how;
  const configured = Object.keys({ ...providerMax, ...providerReserve }).length > 0;
  for (const { key, label } of configured ? known : []) {
    const max = providerMax[label.toLowerCase()] ?? limits[key]?.max ?? 0;
    const reserve = providerReserve[label.toLowerCase()] ?? limits[key]?.reserve ?? 0;
    if (max > 0 || reserve > 0) limits[key] = { max, reserve, learned: null };
  }
  for (const [key, { max, others }] of panels) {
    // Panels have been seen to understate it, so what a person says counts more.
    const before = limits[key] ?? { max: 0, reserve: 0, learned: null };
    limits[key] = { ...before, max: before.max || max, ...(others && { others }) };
  }
  for (const [key, record] of records(store)) {
    const before = limits[key] ?? { max: 0, reserve: 0 };
    if (record.learned) limits[key] = { ...before, learned: record.learned };
  }
  return limits;
}

/** What is still counted from an earlier life: closes of ours, and everything that was open when it crashed. */
export function coolingAtStart(store: Store, now: number, cooldownMs: number): Cooling[] {
  return [...records(store)].flatMap(([account, { cooling, open }]) => [
    ...cooling
      .filter((until) => until > now && until <= now + cooldownMs)
      .map((until) => ({ account, until })),
    ...Array.from({ length: open }, () => ({ account, until: now + cooldownMs })),
  ]);
}

/** Writes down what changed; accounts without limits are not worth a line. */
export function rememberAccounts(store: Store, { slots, cooling, limits }: SchedulerContext): void {
  const before = new Map(records(store));
  for (const key of new Set([...before.keys(), ...Object.keys(limits)])) {
    const record: AccountRecord = {
      learned: limits[key]?.learned ?? null,
      cooling: cooling.filter(({ account }) => account === key).map(({ until }) => until),
      open: slots.filter(({ accounts, closed }) => !closed && accounts.includes(key)).length,
    };
    const empty = record.learned === null && record.cooling.length === 0 && record.open === 0;
    if (JSON.stringify(before.get(key) ?? null) === JSON.stringify(empty ? null : record)) continue;
    store.set('accounts', key, empty ? null : { ...record, cooling: [...record.cooling] });
  }
}

function records(store: Store): Iterable<[string, AccountRecord]> {
  return store.all('accounts') as unknown as ReadonlyMap<string, AccountRecord>;
}
