import { getShortestPaths } from '@xstate/graph';
import { initialTransition, transition } from 'xstate';
import { describe, expect, test } from 'vitest';
import { guideMachine } from '../../machines/guide.js';
import { INPUT, moves, view } from './guideScenario.js';
import { edgesOf, live, shown, type Move } from './walk.js';

type Snapshot = ReturnType<(typeof guideMachine)['getInitialSnapshot']>;

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
