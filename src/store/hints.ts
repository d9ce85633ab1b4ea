/**
 * What other programs know of upstreams: iptv-tunerr's autopilot memory and host policy (PROTOCOLS §1.10). Read only;
 * a row that makes no sense is left out.
 */

import { z } from 'zod';
import { CodedError } from '../domain/errors.js';

export interface RememberedPath {
  readonly url: string;
  readonly host: string;
}

export interface HostPolicy {
  readonly preferred: readonly string[];
  readonly blocked: readonly string[];
}

const FAILURE_STREAK_MAX = 2;

const row = z.object({
  dna_id: z.string().min(1),
  preferred_url: z.string().optional(),
  preferred_host: z.string().optional(),
  hits: z.number().default(0),
  failure_streak: z.number().default(0),
});

const hosts = z.array(z.string()).default([]);
const policy = z.object({
  global_preferred_hosts: hosts,
  preferred_hosts: hosts,
  global_blocked_hosts: hosts,
  blocked_hosts: hosts,
});

/** By lower-case dna: of the rows that still work, the one that worked most often. Throws `hints_unreadable`. */
export function parseAutopilot(text: string, place: string): ReadonlyMap<string, RememberedPath> {
  const rows = z.array(z.unknown()).safeParse(parseJson(text));
  if (!rows.success) throw new CodedError('hints_unreadable', `${place}: not a list of rows`);
  const best = new Map<string, { readonly hits: number; readonly path: RememberedPath }>();
  for (const each of rows.data) {
    const parsed = row.safeParse(each);
    if (!parsed.success || parsed.data.failure_streak >= FAILURE_STREAK_MAX) continue;
    const { dna_id, hits, preferred_url = '', preferred_host = '' } = parsed.data;
    const path = { url: preferred_url, host: preferred_host.toLowerCase() };
    const key = dna_id.toLowerCase();
    if ((best.get(key)?.hits ?? -1) < hits) best.set(key, { hits, path });
  }
  return new Map([...best].map(([dna, { path }]) => [dna, path]));
}

/** Throws `hints_unreadable`. */
export function parseHostPolicy(text: string, place: string): HostPolicy {
  const parsed = policy.safeParse(parseJson(text));
  if (!parsed.success) throw new CodedError('hints_unreadable', `${place}: not a host policy`);
  const { global_preferred_hosts, preferred_hosts, global_blocked_hosts, blocked_hosts } = parsed.data;
  const lower = (names: readonly string[]) => names.map((name) => name.trim().toLowerCase());
  return {
    preferred: lower([...global_preferred_hosts, ...preferred_hosts]),
    blocked: lower([...global_blocked_hosts, ...blocked_hosts]),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
