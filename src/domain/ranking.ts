/**
 * Which upstream is asked first (DESIGN §4, PROTOCOLS §1.10): the relay, what memory recommends, then the order of the
 * lists; each moved back by what its host has done lately. A pure ranking, and the few rules by which captures change
 * what it knows. P10: every place in it has its reason.
 */

import type { UpstreamRef } from './channel.js';

/** What a host did last; gone after a success. Kept by `host:port`. */
export interface HostRecord {
  /** Consecutive failures. */
  readonly failures: number;
  readonly at: number;
  /** Cause of the last one, for a person. */
  readonly cause: string;
}

/** A stored row as what it should be; null for one that makes no sense, which says nothing about its host. */
export function hostRecordOf(row: unknown): HostRecord | null {
  const { failures, at, cause } = Object(row) as Partial<HostRecord>;
  const isDate = typeof at === 'number' && !Number.isNaN(new Date(at).getTime());
  if (!Number.isFinite(failures) || !isDate || typeof cause !== 'string') return null;
  return { failures: failures as number, at, cause };
}

export const HALF_LIFE_MS = 600_000;

/** How far back a host is moved: whole failures, halved every ten minutes. */
export function penaltyOf(record: HostRecord | null, now: number): number {
  if (record === null) return 0;
  const age = Math.max(0, now - record.at);
  return Math.round(record.failures * 2 ** (-age / HALF_LIFE_MS));
}

/** Failures that faded do not count any more. */
export function afterFailure(record: HostRecord | null, now: number, cause: string): HostRecord {
  return { failures: penaltyOf(record, now) + 1, at: now, cause };
}

/** How much one upstream recommends itself, apart from its host's behaviour. */
export type Standing = 'relay' | 'remembered_address' | 'remembered_host' | 'preferred_host' | 'listed';

const STANDINGS: readonly Standing[] = [
  'relay',
  'remembered_address',
  'remembered_host',
  'preferred_host',
  'listed',
];

export interface UpstreamFacts {
  readonly ref: UpstreamRef;
  readonly standing: Standing;
  readonly penalty: number;
  /** The host policy names it. */
  readonly blocked: boolean;
  /** `--record-deprioritize-hosts` names it. */
  readonly deprioritized: boolean;
  /** Put aside by the relay's own accounts, for a while. */
  readonly quarantined: boolean;
}

export interface RankedUpstream {
  readonly ref: UpstreamRef;
  /** What put it where it is, strongest first. */
  readonly reasons: readonly string[];
}

/**
 * Best first. Blocked ones are out and quarantined ones last, unless nothing else is there; among equals the order
 * given stays.
 */
export function rankUpstreams(facts: readonly UpstreamFacts[]): RankedUpstream[] {
  const allowed = facts.filter(({ blocked }) => !blocked);
  const usable = allowed.length > 0 ? allowed : facts;
  return usable
    .map((fact, index) => ({ fact, index }))
    .toSorted((a, b) => compare(a.fact, b.fact) || a.index - b.index)
    .map(({ fact }) => ({ ref: fact.ref, reasons: reasonsOf(fact) }));
}

function compare(a: UpstreamFacts, b: UpstreamFacts): number {
  return (
    Number(a.quarantined) - Number(b.quarantined) ||
    Number(a.deprioritized) - Number(b.deprioritized) ||
    a.penalty - b.penalty ||
    STANDINGS.indexOf(a.standing) - STANDINGS.indexOf(b.standing)
  );
}

function reasonsOf({ standing, penalty, blocked, deprioritized, quarantined }: UpstreamFacts): string[] {
  return [
    ...(quarantined ? ['quarantined'] : []),
    ...(deprioritized ? ['deprioritized'] : []),
    ...(blocked ? ['blocked_but_alone'] : []),
    ...(penalty > 0 ? [`penalty_${penalty}`] : []),
    standing,
  ];
}
