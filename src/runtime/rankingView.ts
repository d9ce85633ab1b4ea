/** Why the upstreams of a programme stand in the order in which they are asked: for `why` and `/api/upstreams` (P10). */

import { refKey, type UpstreamRef } from '../domain/channel.js';
import type { Capsule } from '../domain/capsule.js';
import { HALF_LIFE_MS } from '../domain/ranking.js';
import type { Recording } from '../domain/recording.js';
import { showRef } from '../domain/sidecar.js';
import { rfc3339 } from '../domain/text.js';
import type { Upstreams } from './upstreams.js';

type Ranked = Pick<Capsule, 'dnaId'> & { readonly upstreams: readonly UpstreamRef[] };

export type RankingView = ReturnType<typeof rankingView>;

/** `recording`: what its captures went through; without it the programme is not recorded (yet). */
export function rankingView(upstreams: Upstreams, ranked: Ranked, recording?: Recording) {
  const refs = recording?.upstreams ?? ranked.upstreams;
  return upstreams.rank(refs, ranked).map(({ ref, reasons }, place) => {
    const record = upstreams.record(ref);
    const health = recording?.health[refKey(ref)];
    return {
      place: place + 1,
      upstream: showRef(ref),
      current: recording?.current != null && refKey(recording.current) === refKey(ref),
      reasons,
      penalty: record && {
        host: record.host,
        failures: record.failures,
        now: record.penalty,
        last_cause: record.cause,
        last_at: rfc3339(record.at),
        half_life_s: HALF_LIFE_MS / 1000,
      },
      tries: health?.tries ?? 0,
      spent: health?.spent ?? false,
      spent_by: health?.spent ? (health.cause ?? null) : null,
    };
  });
}

/** One line an upstream, for a person. */
export function rankingLines(ranking: RankingView): string[] {
  return ranking.map(({ place, upstream, current, reasons, penalty, tries, spent, spent_by: by }) => {
    const parts = [
      reasons.join(', '),
      penalty
        ? `${penalty.host} failed ${penalty.failures} times, last ${penalty.last_cause}, fades by half in 10 min`
        : '',
      spent ? `spent${by === null ? '' : ` by ${by}`}` : tries > 0 ? `${tries} tries` : '',
      current ? 'in use' : '',
    ];
    return `    ${place}. ${upstream}: ${parts.filter((part) => part !== '').join('; ')}`;
  });
}
