/** A guide, what its loads give, and every event that can reach its chart: what the path tests walk with. */
import type { guideMachine, GuideInput, GuideOutcome } from '../../machines/guide.js';
import type { GateCounts } from '../../src/domain/gate.js';
import { named, type Move } from './walk.js';

type Snapshot = ReturnType<(typeof guideMachine)['getInitialSnapshot']>;

const T0 = Date.UTC(2026, 10, 23, 19, 30);
const DAY_MS = 86_400_000;
const counts = (programmes: number): GateCounts => ({
  channels: 10,
  programmes,
  lastStopAt: T0 + 7 * DAY_MS,
  partial: false,
});
export const INPUT: GuideInput = { sourceId: 'xmltv-1', kind: 'guide', pollMs: 60_000, lastGood: null };

const OUTCOMES: readonly GuideOutcome[] = [
  { kind: 'loaded', at: T0, token: 1, counts: counts(1_000) },
  { kind: 'loaded', at: T0, token: 2, counts: counts(10) },
  { kind: 'loaded', at: T0, token: 3, counts: counts(0) },
  { kind: 'unchanged', at: T0 },
  { kind: 'failed', at: T0, code: 'guide_unreadable', detail: 'x' },
  { kind: 'bug', at: T0, error: 'boom' },
];

export function moves({ context, value }: Snapshot): Move[] {
  const { deadline } = context;
  return named([
    { type: 'REFRESH', at: T0 },
    ...(deadline === null
      ? []
      : [
          { type: 'DEADLINE', kind: deadline.kind, dueAt: deadline.at, at: deadline.at },
          { type: 'DEADLINE', kind: deadline.kind, dueAt: deadline.at - 1, at: deadline.at },
        ]),
    ...(value === 'fetching' ? OUTCOMES.map((output) => ({ type: 'xstate.done.actor.load', output })) : []),
  ]);
}

export const view = ({ value, context }: Snapshot) =>
  JSON.stringify([value, context.lastGood?.programmes, context.held?.reason, Math.min(2, context.failures)]);
