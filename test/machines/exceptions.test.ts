/** P8 on the charts: whatever throws in one, only its own actor dies, and cleanly. */
import { getShortestPaths } from '@xstate/graph';
import {
  assign,
  createActor,
  fromPromise,
  setup,
  transition,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type Snapshot,
} from 'xstate';
import { describe, expect, test } from 'vitest';
import { guideMachine } from '../../machines/guide.js';
import { libraryMachine } from '../../machines/library.js';
import { recordingMachine } from '../../machines/recording.js';
import { schedulerMachine } from '../../machines/scheduler.js';
import { ActorCrash, supervised } from '../../machines/supervised.js';
import { plain } from '../../src/runtime/recover.js';
import { CHARTS } from '../charts.js';
import * as guideScenario from './guideScenario.js';
import * as libraryScenario from './libraryScenario.js';
import { partsOf, sabotaged, type Part } from './sabotage.js';
import { ARCHIVED, fresh, steps, view } from './scenario.js';
import { shown, type Move } from './walk.js';

/** A chart that is supervised, and how the path tests walk it. */
interface Scenario {
  readonly name: string;
  readonly machine: AnyStateMachine;
  readonly inputs: readonly unknown[];
  readonly steps: (state: never) => readonly Move[];
  readonly view: (state: never) => string;
  /** Parts that it has at least: a walk that finds fewer looks away. */
  readonly partsMin: number;
}

const IMPATIENT = fresh({ patience: { ...fresh().patience, attemptsMax: 1 } });

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'recording',
    machine: recordingMachine,
    inputs: [fresh(), IMPATIENT, fresh({ capsule: ARCHIVED })],
    steps,
    view,
    partsMin: 135,
  },
  {
    name: 'guide',
    machine: guideMachine,
    inputs: [guideScenario.INPUT],
    steps: guideScenario.moves,
    view: guideScenario.view,
    partsMin: 25,
  },
  {
    name: 'library',
    machine: libraryMachine,
    inputs: [libraryScenario.INPUT],
    steps: libraryScenario.steps,
    view: libraryScenario.view,
    partsMin: 15,
  },
];

/** A step that uses a part of the chart, and the stored state that it is taken in. */
interface Blow {
  readonly machine: AnyStateMachine;
  readonly part: Part;
  readonly name: string;
  readonly stored: Snapshot<unknown>;
  readonly step: Move;
}

const keyOf = (part: Part, name: string) => `${part} ${name}`;

/** As it lies in the store, to calculate with: no effect runs. */
function inert(machine: AnyStateMachine, stored: Snapshot<unknown>): AnyMachineSnapshot {
  const snapshot = structuredClone(stored);
  return createActor(machine, { snapshot, input: undefined }).getSnapshot() as AnyMachineSnapshot;
}

/** Every state that a chart can be told apart in. */
function statesOf({ machine, inputs, steps, view }: Scenario): readonly Snapshot<unknown>[] {
  return inputs.flatMap((input) => {
    const paths = getShortestPaths(machine, {
      input: input as never,
      limit: 20_000,
      events: steps as never,
      serializeState: view as never,
      stopWhen: ((state: { context: { failures?: number } }) => (state.context.failures ?? 0) > 2) as never,
    }) as unknown as { state: AnyMachineSnapshot }[];
    return paths.map(({ state }) => plain(machine.getPersistedSnapshot(state)));
  });
}

/** For every part of the chart one step that uses it, or null. */
function blows(scenario: Scenario): ReadonlyMap<string, Blow | null> {
  const { machine } = scenario;
  const found = new Map<string, Blow | null>(
    partsOf(machine).map(([part, name]) => [keyOf(part, name), null]),
  );
  let used: (readonly [Part, string])[] = [];
  const noting = sabotaged(machine, (part, name) => void used.push([part, name]));
  /** What a step uses more of than one that means nothing; whoever calculates is born first, as everybody is. */
  const usedBy = (state: AnyMachineSnapshot, step: unknown) => {
    used = [];
    transition(noting, state, { type: 'nothing that is known' });
    const anyway = used.map((each) => keyOf(...each));
    used = [];
    const [, actions] = transition(noting, state, step as never);
    const more = used.filter((each) => {
      const at = anyway.indexOf(keyOf(...each));
      if (at >= 0) anyway.splice(at, 1);
      return at < 0;
    });
    return [...more, ...actions.map(({ type }) => ['action', type] as const)];
  };
  for (const stored of statesOf(scenario)) {
    const state = inert(noting, stored);
    for (const step of scenario.steps(state as never))
      for (const [part, name] of usedBy(state, step))
        if (found.get(keyOf(part, name)) === null)
          found.set(keyOf(part, name), { machine, part, name, stored, step });
  }
  return found;
}

/** Two of one chart under one root, resumed from the same state; parts of the first throw. */
function bench({ machine, part, name, stored }: Blow) {
  const deaths: { readonly id: string; readonly error: unknown }[] = [];
  const signals: AbortSignal[] = [];
  const ends: ((output: unknown) => void)[] = [];
  const effects = (of: 'victim' | 'sibling') => {
    const effect = fromPromise(({ signal }) => {
      if (of === 'victim') signals.push(signal);
      return new Promise((resolve) => (of === 'victim' ? ends.unshift(resolve) : ends.push(resolve)));
    });
    const names = Object.keys(machine.implementations.actors);
    return { actors: Object.fromEntries(names.map((each) => [each, effect])) as never };
  };
  const broken = sabotaged(machine, (at, called) => {
    if (at === part && called === name) throw new TypeError('boom');
  });
  const root = createActor(
    setup({
      types: {
        events: {} as
          { type: 'ADD' } | { type: `xstate.error.actor.${string}`; error: unknown; actorId: string },
      },
      actors: {
        victim: supervised(broken.provide(effects('victim'))),
        sibling: supervised(machine.provide(effects('sibling'))),
      },
    }).createMachine({
      on: {
        ADD: {
          actions: assign(({ spawn }) => {
            spawn('victim', { id: 'victim', input: { resume: stored } });
            spawn('sibling', { id: 'sibling', input: { resume: stored } });
            return {};
          }),
        },
        'xstate.error.actor.*': {
          actions: ({ event }) => void deaths.push({ id: event.actorId, error: event.error }),
        },
      },
    }),
  ).start();
  root.send({ type: 'ADD' });
  const child = (id: string) => (root.getSnapshot().children as Record<string, AnyActorRef | undefined>)[id];
  async function take(id: 'victim' | 'sibling', step: Move): Promise<void> {
    if ('output' in step) (id === 'victim' ? ends[0] : ends.at(-1))?.(step.output);
    else child(id)?.send(step);
    await new Promise(setImmediate);
  }
  const stateOf = (id: string) => child(id)?.getSnapshot() as AnyMachineSnapshot;
  return { root, deaths, signals, take, stateOf };
}

test('every chart but the root is supervised, and broken here', () => {
  const supervisedOnes = CHARTS.filter(({ machine }) => machine !== (schedulerMachine as AnyStateMachine));
  expect(SCENARIOS.map(({ name }) => name).toSorted()).toEqual(
    supervisedOnes.map(({ name }) => name).toSorted(),
  );
});

describe.each(SCENARIOS)('an exception in the chart of a $name', (scenario) => {
  const all = blows(scenario);

  test('can be placed in every part of it', () => {
    expect([...all].flatMap(([key, blow]) => (blow === null ? [key] : []))).toEqual([]);
    expect(all.size).toBeGreaterThan(scenario.partsMin);
  });

  test.each([...all])(
    'in %s kills its own actor only, and tells what was good last and what did it',
    async (_, blow) => {
      if (blow === null) return;
      const { machine, stored, step } = blow;
      const { root, deaths, signals, take, stateOf } = bench(blow);
      const before = stateOf('sibling');
      await take('victim', step);
      expect(deaths.map(({ id }) => id)).toEqual(['victim']);
      const crash = deaths[0]?.error as ActorCrash;
      expect(crash).toBeInstanceOf(ActorCrash);
      expect(String(crash.cause)).toContain('boom');
      expect(crash.event).toMatchObject({ type: step.type });
      expect(shown(inert(machine, plain(crash.lastGood!)))).toEqual(shown(inert(machine, stored)));
      // What runs is ended; what gave back its outcome has ended.
      if (!('output' in step)) for (const signal of signals) expect(signal.aborted).toBe(true);
      // The other has not moved, and goes where the chart says when its own step comes.
      expect(stateOf('sibling')).toBe(before);
      await take('sibling', step);
      const [next] = transition(machine, inert(machine, stored), step as never);
      expect(shown(stateOf('sibling'))).toEqual(shown(next as AnyMachineSnapshot));
      expect(root.getSnapshot().status).toBe('active');
      root.stop();
    },
  );

  test.each(Object.keys(scenario.machine.implementations.actors))(
    'in the effect %s itself, past its adapter, is a death like any other',
    async (name) => {
      const isRunning = (stored: Snapshot<unknown>) =>
        Object.values((stored as unknown as { children: Record<string, { src: string }> }).children).some(
          ({ src }) => src === name,
        );
      const stored = statesOf(scenario).find(isRunning);
      expect(stored).toBeDefined();
      const effect = fromPromise(() => Promise.reject(new TypeError('boom')));
      const deaths: unknown[] = [];
      const root = createActor(
        setup({
          types: { events: {} as { type: `xstate.error.actor.${string}`; error: unknown } },
          actors: {
            one: supervised(scenario.machine.provide({ actors: { [name]: effect } as never })),
          },
        }).createMachine({
          invoke: { id: 'one', src: 'one', input: { resume: stored! } },
          on: { 'xstate.error.actor.*': { actions: ({ event }) => void deaths.push(event.error) } },
        }),
      ).start();
      await new Promise(setImmediate);
      expect(deaths).toHaveLength(1);
      expect(deaths[0]).toMatchObject({ name: 'ActorCrash', message: 'boom' });
      expect(root.getSnapshot().status).toBe('active');
      root.stop();
    },
  );
});
