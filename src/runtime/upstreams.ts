/**
 * What is known of upstreams and their hosts, and the order that follows from it. What captures go through is charged
 * here and kept over restarts; `src/domain/ranking.ts` judges.
 */

import type { Config } from '../config/config.js';
import type { CaptureOutcome } from '../domain/capture.js';
import { GOOD_STREAM_MS } from '../domain/capturing.js';
import { refKey, type UpstreamRef } from '../domain/channel.js';
import { CodedError } from '../domain/errors.js';
import {
  afterFailure,
  penaltyOf,
  rankUpstreams,
  hostRecordOf,
  type HostRecord,
  type RankedUpstream,
  type Standing,
  type UpstreamFacts,
} from '../domain/ranking.js';
import type { Capsule } from '../domain/capsule.js';
import { diskCode } from '../io/disk.js';
import { parseAutopilot, parseHostPolicy, type HostPolicy, type RememberedPath } from '../store/hints.js';
import type { Store } from '../store/store.js';
import type { Doors } from './doors.js';
import type { Sources } from './sources.js';

export interface Upstreams {
  /** Reads the hint files; what cannot be read is said and does not count. */
  reread(): Promise<void>;
  rank(refs: readonly UpstreamRef[], capsule: Pick<Capsule, 'dnaId'>): RankedUpstream[];
  /** What its host did lately, or null. */
  record(ref: UpstreamRef): (HostRecord & { readonly host: string; readonly penalty: number }) | null;
  /** What a capture went through counts for or against its host. */
  note(ref: UpstreamRef, capsule: Pick<Capsule, 'dnaId'>, outcome: CaptureOutcome): void;
}

export interface UpstreamsDoors {
  readonly config: Config;
  readonly doors: Doors;
  readonly store: Pick<Store, 'all' | 'set'>;
  readonly sources: Sources;
}

export function createUpstreams({ config, doors, store, sources }: UpstreamsDoors): Upstreams {
  const { clock, disk, log } = doors;
  let remembered: ReadonlyMap<string, RememberedPath> = new Map();
  let policy: HostPolicy = { preferred: [], blocked: [] };

  async function read<T>(path: string | null, parse: (text: string, place: string) => T): Promise<T | null> {
    if (path === null) return null;
    try {
      return parse((await disk.readFile(path)).toString(), path);
    } catch (error) {
      const detail = error instanceof CodedError ? error.detail : `${path} (${diskCode(error)})`;
      log.warn({ code: 'hints_unreadable', detail }, 'a file about upstreams is left out');
      return null;
    }
  }

  function record(hostPort: string): HostRecord | null {
    return hostRecordOf(store.all('hosts').get(hostPort));
  }

  function factsOf(ref: UpstreamRef, dna: string): UpstreamFacts {
    const { host, hostPort } = sources.place(ref);
    return {
      ref,
      standing: standing(ref, dna, host),
      penalty: penaltyOf(record(hostPort), clock.now()),
      blocked: policy.blocked.some((name) => isUnder(host, name)),
      deprioritized: config.how.deprioritizeHosts.some((name) => isUnder(host, name)),
      quarantined: false,
    };
  }

  function standing(ref: UpstreamRef, dna: string, host: string): Standing {
    if (ref.source === 'relay') return 'relay';
    const path = remembered.get(dna);
    if (path && path.url !== '' && sources.resolve(ref)?.url === path.url) return 'remembered_address';
    if (store.all('autopilot').get(dna) === refKey(ref)) return 'remembered_address';
    if (path && path.host !== '' && path.host === host) return 'remembered_host';
    return policy.preferred.some((name) => isUnder(host, name)) ? 'preferred_host' : 'listed';
  }

  return {
    async reread() {
      remembered =
        (await read(config.how.autopilotFile, parseAutopilot)) ?? new Map<string, RememberedPath>();
      policy = (await read(config.how.hostPolicyFile, parseHostPolicy)) ?? { preferred: [], blocked: [] };
    },
    rank(refs, { dnaId }) {
      const dna = dnaId.toLowerCase();
      return rankUpstreams(refs.map((ref) => factsOf(ref, dna)));
    },
    record(ref) {
      const { hostPort } = sources.place(ref);
      const known = record(hostPort);
      return known && { ...known, host: hostPort, penalty: penaltyOf(known, clock.now()) };
    },
    note(ref, { dnaId }, outcome) {
      const { hostPort } = sources.place(ref);
      if (hostPort === '' || outcome.kind === 'bug') return;
      if ((outcome.piece?.goodMs ?? 0) >= GOOD_STREAM_MS) {
        if (record(hostPort)) store.set('hosts', hostPort, null);
        const dna = dnaId.toLowerCase();
        if (ref.source !== 'relay' && store.all('autopilot').get(dna) !== refKey(ref))
          store.set('autopilot', dna, refKey(ref));
      }
      // A full account, a plea for patience and our own disk say nothing about the host.
      if (outcome.kind === 'fault' && (outcome.remedy === 'retry' || outcome.remedy === 'spent'))
        store.set('hosts', hostPort, { ...afterFailure(record(hostPort), clock.now(), outcome.cause) });
    },
  };
}

/** The host itself, or one below it. */
function isUnder(host: string, name: string): boolean {
  return host !== '' && (host === name || host.endsWith(`.${name}`));
}
