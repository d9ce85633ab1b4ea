import { getShortestPaths } from '@xstate/graph';
import { initialTransition, transition } from 'xstate';
import { describe, expect, test } from 'vitest';
import { guideMachine, type GuideInput, type GuideOutcome } from '../../machines/guide.js';
import type { GateCounts } from '../../src/domain/gate.js';
import { edgesOf, live, named, shown, type Move } from './walk.js';

type Snapshot = ReturnType<(typeof guideMachine)['getInitialSnapshot']>;

const T0 = Date.UTC(2026, 10, 23, 19, 30);
const DAY_MS = 86_400_000;
const counts = (programmes: number): GateCounts => ({
  channels: 10,
  programmes,
  lastStopAt: T0 + 7 * DAY_MS,
  partial: false,
});
const INPUT: GuideInput = { sourceId: 'xmltv-1', kind: 'guide', pollMs: 60_000, lastGood: null };

const OUTCOMES: readonly GuideOutcome[] = [
  { kind: 'loaded', at: T0, token: 1, counts: counts(1_000) },
  { kind: 'loaded', at: T0, token: 2, counts: counts(10) },
  { kind: 'loaded', at: T0, token: 3, counts: counts(0) },
  { kind: 'unchanged', at: T0 },
  { kind: 'failed', at: T0, code: 'guide_unreadable', detail: 'x' },
  { kind: 'bug', at: T0, error: 'boom' },
];

function moves({ context, value }: Snapshot): Move[] {
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

const view = ({ value, context }: Snapshot) =>
  JSON.stringify([value, context.lastGood?.programmes, context.held?.reason, Math.min(2, context.failures)]);

describe('the guide chart', () => {
  test('goes where it says over every path, live and after a round trip through the store, and leaves no edge out', async () => {
    const walked = new Set<string>();
    const paths = getShortestPaths(guideMachine, {
      input: INPUT,
      limit: 2_000,
      events: moves as never,
      serializeState: view,
    }) as unknown as { steps: { event: Move; state: Snapshot }[] }[];
    expect(paths.length).toBeGreaterThan(8);
    for (const path of paths) {
      const names = path.steps.slice(1).map(({ event }) => event.name);
      for (const last of [null, ...moves(path.steps.at(-1)!.state).map(({ name }) => name)]) {
        const sut = live(guideMachine, { input: INPUT }, walked);
        let [state] = initialTransition(guideMachine, INPUT);
        for (const name of last === null ? names : [...names, last]) {
          const move = moves(state).find((each) => each.name === name);
          if (!move) throw new Error(`${name} cannot happen in ${JSON.stringify(state.value)}`);
          await sut.take(move);
          [state] = transition(guideMachine, state, move as never);
          expect(shown(sut.actor.getSnapshot())).toEqual(shown(state));
          // It never just stands there.
          expect(state.context.deadline !== null || sut.asked().includes('load')).toBe(true);
        }
        const stored: unknown = JSON.parse(JSON.stringify(sut.actor.getPersistedSnapshot()));
        sut.actor.stop();
        const again = live(guideMachine, { snapshot: stored as never }, new Set());
        expect(shown(again.actor.getSnapshot())).toEqual(JSON.parse(JSON.stringify(shown(state))));
        again.actor.stop();
      }
    }
    expect([...edgesOf(guideMachine).keys()].filter((edge) => !walked.has(edge))).toEqual([]);
  });
});
