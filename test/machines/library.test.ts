/** The outbox of one receiver: every path over its chart, each driven through a live actor and compared step by step. */
import { getShortestPaths } from '@xstate/graph';
import { describe, expect, test } from 'vitest';
import {
  createActor,
  fromPromise,
  initialTransition,
  transition,
  type AnyStateNode,
  type AnyTransitionDefinition,
  type InspectionEvent,
  type Snapshot,
} from 'xstate';
import { libraryMachine, retryMs, type LibraryEvent } from '../../machines/library.js';
import type { DeliverInput } from '../../machines/ports.js';
import type { DeliverOutcome } from '../../src/domain/deliver.js';
import { INPUT, OUTCOMES, steps, T0, view, type Done, type State, type Step } from './libraryScenario.js';

function live(snapshot?: Snapshot<unknown>) {
  let asked: ((outcome: DeliverOutcome) => void) | null = null;
  const walked = new Set<AnyTransitionDefinition>();
  const told: string[] = [];
  const machine = libraryMachine.provide({
    actors: {
      deliver: fromPromise<DeliverOutcome, DeliverInput>(
        () => new Promise((resolve) => void (asked = resolve)),
      ),
    },
    actions: {
      tell: (_, { problem, refused }) => void told.push(`${problem?.code ?? 'well'}${refused ? '!' : ''}`),
    },
  });
  const actor = createActor(machine, {
    input: INPUT,
    ...(snapshot && { snapshot }),
    inspect: (event: InspectionEvent) => {
      if (event.type === '@xstate.microstep') for (const edge of event._transitions) walked.add(edge);
    },
  }).start();
  return {
    actor,
    walked,
    told,
    isAsked: () => asked !== null,
    async exec(step: LibraryEvent | Done) {
      if (step.type !== 'xstate.done.actor.deliver') return actor.send(step);
      if (!asked) throw new Error('nothing is being delivered');
      const resolve = asked;
      asked = null;
      resolve(step.output);
      await new Promise(setImmediate);
    },
  };
}

function edgesOf(root: AnyStateNode): Set<string> {
  const names = new Set<string>();
  for (const state of Object.values(root.states))
    for (const list of state.transitions.values()) for (const edge of list) names.add(nameOf(edge));
  return names;
}

function nameOf(edge: AnyTransitionDefinition): string {
  const siblings = edge.source.transitions.get(String(edge.eventType)) ?? [];
  return `${edge.source.key} ${edge.eventType} ${siblings.indexOf(edge)}`;
}

/**
 * Drives a live actor; after each step its value and context are what the chart alone says. With `crashing` it ends before
 * every step, and another goes on from what can be written down of it.
 */
async function walk(names: readonly string[], walked: Set<string>, crashing = false): Promise<State> {
  let sut = live();
  let [state] = initialTransition(libraryMachine, INPUT);
  for (const name of names) {
    if (crashing) {
      const written = JSON.stringify(sut.actor.getPersistedSnapshot());
      sut.actor.stop();
      sut = live(JSON.parse(written) as Snapshot<unknown>);
      expect(shown(sut.actor.getSnapshot())).toEqual(shown(state));
      expect(sut.isAsked()).toBe(state.value === 'delivering');
    }
    const step = steps(state as never).find((each) => each.name === name);
    if (!step) throw new Error(`${name} cannot happen`);
    await sut.exec(step);
    [state] = transition(libraryMachine, state, step as never);
    expect(shown(sut.actor.getSnapshot())).toEqual(shown(state));
  }
  for (const edge of sut.walked) walked.add(nameOf(edge));
  sut.actor.stop();
  return state;
}

const shown = ({ value, context }: State) => ({ value, context });

describe('the outbox of a receiver', () => {
  const walked = new Set<string>();
  const pathsOf = () =>
    getShortestPaths(libraryMachine, {
      input: INPUT,
      events: (state: unknown) => steps(state as State) as never,
      serializeState: (state: unknown) => view(state as State),
      limit: 20_000,
      stopWhen: (state: unknown) => (state as State).context.failures > 2,
    }).map((path) => path.steps.flatMap(({ event }) => (event as unknown as Partial<Step>).name ?? []));

  test('goes where its chart says, over every path, and from each end wherever else it may', async () => {
    const paths = pathsOf();
    expect(paths.length).toBeGreaterThan(10);
    for (const names of paths) {
      const end = await walk(names, walked);
      for (const { name } of steps(end)) await walk([...names, name], walked);
    }
    expect([...edgesOf(libraryMachine.root)].filter((name) => !walked.has(name))).toEqual([]);
  });

  test('that ends before every step of every path goes on as the chart says, and delivers again what was under way', async () => {
    const again = new Set<string>();
    for (const names of pathsOf()) {
      const end = await walk(names, again, true);
      for (const { name } of steps(end)) await walk([...names, name], again, true);
    }
    // The first delivery of a chart that was restored has been asked for by the one before.
    expect(again.size).toBeGreaterThan(5);
  });

  test('made anew from what is owed awaits the first of it, wherever the one before it stood', async () => {
    for (const names of pathsOf()) {
      const { context } = await walk(names, walked);
      for (const dueAt of [null, T0, context.dueAt]) {
        const [state] = initialTransition(libraryMachine, { ...INPUT, dueAt });
        expect(state.value).toBe('idle');
        expect(state.context.deadline).toEqual(dueAt === null ? null : { kind: 'owed', at: dueAt });
        const [next] = transition(libraryMachine, state, { type: 'OWED', at: T0, dueAt: T0 - 1 });
        expect(next.context.deadline).toEqual({ kind: 'owed', at: T0 - 1 });
      }
    }
  });

  test('delivers what is due when it is due, and what came meanwhile after it', async () => {
    const sut = live();
    await sut.exec({ type: 'OWED', at: T0, dueAt: T0 + 2_000 });
    await sut.exec({ type: 'OWED', at: T0, dueAt: T0 + 9_000 });
    expect(sut.actor.getSnapshot().context.deadline).toEqual({ kind: 'owed', at: T0 + 2_000 });
    await sut.exec({ type: 'DEADLINE', kind: 'owed', dueAt: T0 + 2_000, at: T0 + 2_000 });
    expect(sut.actor.getSnapshot().value).toBe('delivering');
    await sut.exec({ type: 'OWED', at: T0, dueAt: T0 + 3_000 });
    const output: DeliverOutcome = { kind: 'delivered', at: T0, nextAt: T0 + 9_000 };
    await sut.exec({ type: 'xstate.done.actor.deliver', output });
    expect(shown(sut.actor.getSnapshot())).toMatchObject({
      value: 'idle',
      context: { deadline: { kind: 'owed', at: T0 + 3_000 } },
    });
    expect(sut.told).toEqual([]);
    sut.actor.stop();
  });

  test('says when its receiver is in trouble, and when it is out of it', async () => {
    const sut = live();
    await sut.exec({ type: 'OWED', at: T0, dueAt: T0 });
    await sut.exec({ type: 'DEADLINE', kind: 'owed', dueAt: T0, at: T0 });
    for (const output of [OUTCOMES[2], OUTCOMES[4], OUTCOMES[0]] as DeliverOutcome[]) {
      await sut.exec({ type: 'xstate.done.actor.deliver', output });
      await sut.exec({ type: 'RELOADED', at: T0 });
    }
    expect(sut.told).toEqual(['server_unreachable', 'server_refused!', 'well']);
    sut.actor.stop();
  });

  test('asks nothing of one that refused it, until the configuration is read again', async () => {
    const sut = live();
    await sut.exec({ type: 'OWED', at: T0, dueAt: T0 });
    await sut.exec({ type: 'DEADLINE', kind: 'owed', dueAt: T0, at: T0 });
    await sut.exec({ type: 'xstate.done.actor.deliver', output: OUTCOMES[4] as DeliverOutcome });
    expect(sut.actor.getSnapshot().context.deadline).toBeNull();
    await sut.exec({ type: 'OWED', at: T0, dueAt: T0 });
    expect(sut.actor.getSnapshot().value).toBe('refused');
    await sut.exec({ type: 'RELOADED', at: T0 });
    expect(sut.actor.getSnapshot().value).toBe('delivering');
    sut.actor.stop();
  });

  test.each([OUTCOMES[4], OUTCOMES[2], OUTCOMES[5]] as DeliverOutcome[])(
    'asks anew behind the answer $kind to what went out before the configuration was read again',
    async (output) => {
      const sut = live();
      await sut.exec({ type: 'OWED', at: T0, dueAt: T0 });
      await sut.exec({ type: 'DEADLINE', kind: 'owed', dueAt: T0, at: T0 });
      await sut.exec({ type: 'RELOADED', at: T0 });
      await sut.exec({ type: 'OWED', at: T0, dueAt: T0 });
      await sut.exec({ type: 'xstate.done.actor.deliver', output });
      expect(sut.isAsked()).toBe(true);
      expect(sut.told).toEqual([]);
      // The answer to the new token counts.
      await sut.exec({ type: 'xstate.done.actor.deliver', output: OUTCOMES[4] as DeliverOutcome });
      expect(sut.actor.getSnapshot().value).toBe('refused');
      sut.actor.stop();
    },
  );

  test('waits from five seconds to five minutes, longer only where it is asked to', () => {
    expect([1, 2, 3, 6, 7, 50].map((failures) => retryMs(failures, null) / 1_000)).toEqual([
      5, 10, 20, 160, 300, 300,
    ]);
    expect(retryMs(1, 900_000)).toBe(900_000);
  });
});
