/** P8 on the chart: whichever action, guard or effect throws, only its own recording dies, and cleanly. */
import { getShortestPaths } from '@xstate/graph';
import { assign, createActor, fromPromise, setup, transition, type AnyActorRef, type Snapshot } from 'xstate';
import { describe, expect, test } from 'vitest';
import { recordingMachine } from '../../machines/recording.js';
import { ActorCrash, supervised } from '../../machines/supervised.js';
import { inert, plain } from '../../src/runtime/recover.js';
import { partsOf, sabotaged, type Part } from './sabotage.js';
import { ARCHIVED, fresh, steps, view, type NamedStep } from './scenario.js';
import { shown } from './walk.js';

type RecordingState = ReturnType<(typeof recordingMachine)['getInitialSnapshot']>;

/** A step that uses a part of the chart, and the stored state that it is taken in. */
interface Blow {
  readonly part: Part;
  readonly name: string;
  readonly stored: Snapshot<unknown>;
  readonly step: NamedStep;
}

const IMPATIENT = fresh({ patience: { ...fresh().patience, attemptsMax: 1 } });

/** For every part of the chart one step that uses it. */
function blows(): ReadonlyMap<string, Blow | null> {
  const found = new Map<string, Blow | null>(
    partsOf(recordingMachine).map(([part, name]) => [`${part} ${name}`, null]),
  );
  const used = new Set<string>();
  const noting = sabotaged(recordingMachine, (part, name) => void used.add(`${part} ${name}`));
  for (const input of [fresh(), IMPATIENT, fresh({ capsule: ARCHIVED })]) {
    const paths = getShortestPaths(recordingMachine, {
      input,
      limit: 20_000,
      events: steps as never,
      serializeState: view,
    }) as unknown as { state: RecordingState }[];
    for (const { state } of paths) {
      const stored = plain(recordingMachine.getPersistedSnapshot(state));
      // A snapshot knows its machine: this one asks those parts that note their use.
      const snapshot = structuredClone(stored);
      const inertOne = createActor(noting, { snapshot, input: undefined as never }).getSnapshot();
      for (const step of steps(state)) {
        used.clear();
        const [, actions] = transition(noting, inertOne, step as never);
        for (const key of [...used, ...actions.map(({ type }) => `action ${type}`)]) {
          const [part, name] = key.split(' ') as [Part, string];
          if (found.get(key) === null) found.set(key, { part, name, stored, step });
        }
      }
    }
  }
  return found;
}

/** Two recordings under one root, resumed from the same state; parts of the first throw. */
function bench({ part, name, stored }: Blow) {
  const deaths: { readonly id: string; readonly error: unknown }[] = [];
  const signals: AbortSignal[] = [];
  const ends: ((output: unknown) => void)[] = [];
  const effects = (of: 'victim' | 'sibling') => {
    const effect = fromPromise(({ signal }) => {
      if (of === 'victim') signals.push(signal);
      return new Promise((resolve) => (of === 'victim' ? ends.unshift(resolve) : ends.push(resolve)));
    });
    const all = { capture: effect, replay: effect, finalize: effect, seal: effect, remove: effect };
    return { actors: all as never };
  };
  const broken = sabotaged(recordingMachine, (at, called) => {
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
        sibling: supervised(recordingMachine.provide(effects('sibling'))),
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
  async function take(id: 'victim' | 'sibling', step: NamedStep): Promise<void> {
    if ('output' in step) (id === 'victim' ? ends[0] : ends.at(-1))?.(step.output);
    else child(id)?.send(step);
    await new Promise(setImmediate);
  }
  const stateOf = (id: string) => child(id)?.getSnapshot() as RecordingState;
  return { root, deaths, signals, take, stateOf };
}

describe('an exception', () => {
  const all = blows();

  test('can be placed in every part of the recording chart', () => {
    expect([...all].flatMap(([key, blow]) => (blow === null ? [key] : []))).toEqual([]);
    expect(all.size).toBeGreaterThan(40);
  });

  test.each([...all])(
    'in %s kills its own recording only, and tells what was good last and what did it',
    async (_, blow) => {
      if (blow === null) return;
      const { stored, step } = blow;
      const { root, deaths, signals, take, stateOf } = bench(blow);
      const before = stateOf('sibling');
      await take('victim', step);
      expect(deaths.map(({ id }) => id)).toEqual(['victim']);
      const crash = deaths[0]?.error as ActorCrash;
      expect(crash).toBeInstanceOf(ActorCrash);
      expect(String(crash.cause)).toContain('boom');
      expect(crash.event).toMatchObject({ type: step.type });
      expect(shown(inert(plain(crash.lastGood!)))).toEqual(shown(inert(stored)));
      // What runs is ended; what gave back its outcome has ended.
      if (!('output' in step)) for (const signal of signals) expect(signal.aborted).toBe(true);
      // The other has not moved, and goes where the chart says when its own step comes.
      expect(stateOf('sibling')).toBe(before);
      await take('sibling', step);
      const [next] = transition(recordingMachine, inert(stored), step as never);
      expect(shown(stateOf('sibling'))).toEqual(shown(next));
      expect(root.getSnapshot().status).toBe('active');
      root.stop();
    },
  );

  test.each(['capture', 'finalize', 'seal', 'remove'])(
    'in the effect %s itself, past its adapter, is a death like any other',
    async (name) => {
      const paths = getShortestPaths(recordingMachine, {
        input: fresh(),
        limit: 20_000,
        events: steps as never,
        serializeState: view,
      }) as unknown as { state: RecordingState }[];
      const running = paths.find(({ state }) => Object.keys(state.children).includes(name));
      const stored = plain(recordingMachine.getPersistedSnapshot(running!.state));
      const effect = fromPromise(() => Promise.reject(new TypeError('boom')));
      const deaths: unknown[] = [];
      const root = createActor(
        setup({
          types: { events: {} as { type: `xstate.error.actor.${string}`; error: unknown } },
          actors: {
            recording: supervised(recordingMachine.provide({ actors: { [name]: effect } })),
          },
        }).createMachine({
          invoke: { id: 'one', src: 'recording', input: { resume: stored } },
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
