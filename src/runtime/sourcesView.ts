/** Lists and guides in use: what they hold, how old it is, and what is wrong with them. */

import type { GuideContext } from '../../machines/guide.js';
import { redactText } from '../domain/redact.js';
import { rfc3339 } from '../domain/text.js';
import { shownLocation } from '../guide/fetchSource.js';
import type { Inspector } from './inspect.js';
import type { Sources } from './sources.js';

const GUIDE = 'guide/';

export interface SourceStanding {
  readonly id: string;
  readonly kind: string;
  /** Without logins. */
  readonly location: string;
  readonly state: string;
  readonly context: GuideContext | null;
  readonly channels: number;
  readonly programmes: number;
  readonly skipped: Readonly<Record<string, number>>;
}

export function sourceStandings(sources: Sources, inspector: Inspector): SourceStanding[] {
  const charts = new Map(
    inspector
      .contexts()
      .filter(({ kind }) => kind === 'guide')
      .map(({ id, state, context }) => [id.slice(GUIDE.length), { state, context: context as GuideContext }]),
  );
  return sources.refs().map((ref) => {
    const chart = charts.get(ref.id);
    const counts = sources.counts(ref.id);
    return {
      id: ref.id,
      kind: ref.kind,
      location: shownLocation(ref),
      state: chart?.state ?? 'starting',
      context: chart?.context ?? null,
      channels: counts?.channels ?? 0,
      programmes: counts?.programmes ?? 0,
      skipped: sources.skipped(ref.id),
    };
  });
}

export function sourcesView(sources: Sources, inspector: Inspector) {
  return {
    sources: sourceStandings(sources, inspector).map(({ context, ...standing }) => ({
      ...standing,
      accepted_at: context?.acceptedAt == null ? null : rfc3339(context.acceptedAt),
      held: context?.held ? { reason: context.held.reason, since: rfc3339(context.held.since) } : null,
      problem: context?.problem
        ? {
            code: context.problem.code,
            detail: redactText(context.problem.detail),
            since: rfc3339(context.problem.since),
          }
        : null,
    })),
  };
}
