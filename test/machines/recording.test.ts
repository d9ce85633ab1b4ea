import { getShortestPaths } from '@xstate/graph';
import {
  createActor,
  fromPromise,
  initialTransition,
  transition,
  type AnyMachineSnapshot,
  type AnyStateNode,
  type AnyTransitionDefinition,
  type InspectionEvent,
} from 'xstate';
import { describe, expect, test } from 'vitest';
import type { CaptureInput, StageInput } from '../../machines/ports.js';
import { recordingMachine } from '../../machines/recording.js';
import type { FreshRecording } from '../../machines/recordingContext.js';
import type { CaptureOutcome } from '../../src/domain/capture.js';
import type { FinalizeOutcome, RemoveOutcome, SealOutcome } from '../../src/domain/effects.js';
import { fresh, steps, view, type EffectName, type EffectOutcome, type NamedStep } from './scenario.js';

type Machine = typeof recordingMachine;
type Snapshot = ReturnType<Machine['getInitialSnapshot']>;
interface WalkedStep {
  readonly event: NamedStep;
  readonly state: Snapshot;
}

/** Shortest paths to every state that the chart can tell apart, then every event once from each of them. */
function paths(input: FreshRecording): WalkedStep[][] {
  const found = getShortestPaths(recordingMachine, {
    input,
    limit: 20_000,
    events: steps as never,
    serializeState: view,
  }) as unknown as { steps: WalkedStep[]; state: Snapshot }[];
  return found.map((path) => path.steps.slice(1));
}

/** A live recording whose effects give back what the script says, when it says so. */
function live(input: FreshRecording) {
  const asked = new Map<EffectName, (outcome: EffectOutcome) => void>();
  const walked = new Set<AnyTransitionDefinition>();
  const effect = <O extends EffectOutcome, I>(name: EffectName) =>
    fromPromise<O, I>(() => new Promise((resolve) => asked.set(name, resolve as never)));
  const machine = recordingMachine.provide({
    actors: {
      capture: effect<CaptureOutcome, CaptureInput>('capture'),
      finalize: effect<FinalizeOutcome, StageInput>('finalize'),
      seal: effect<SealOutcome, StageInput>('seal'),
      remove: effect<RemoveOutcome, StageInput>('remove'),
    },
  });
  const actor = createActor(machine, {
    input,
    inspect: (event: InspectionEvent) => {
      if (event.type === '@xstate.microstep') for (const edge of event._transitions) walked.add(edge);
    },
  }).start();
  return {
    actor,
    walked,
    async exec(event: NamedStep) {
      if (!('output' in event)) return actor.send(event);
      const name = event.type.slice('xstate.done.actor.'.length) as EffectName;
      const resolve = asked.get(name);
      if (!resolve) throw new Error(`nobody asked for ${name}`);
      asked.delete(name);
      resolve(event.output);
      await new Promise(setImmediate);
    },
  };
}

/**
 * Drives a live recording; after each step its value and context are what the chart alone says. The first `seen` steps
 * were compared on another walk already.
 */
async function walk(input: FreshRecording, stepNames: readonly string[], seen = 0) {
  const sut = live(input);
  let [state] = initialTransition(recordingMachine, input);
  for (const [index, name] of stepNames.entries()) {
    const event = steps(state).find((step) => step.name === name);
    if (!event) throw new Error(`${name} cannot happen in ${JSON.stringify(state.value)}`);
    await sut.exec(event);
    [state] = transition(recordingMachine, state, event as never);
    if (index >= seen) expect(shown(sut.actor.getSnapshot())).toEqual(shown(state));
  }
  return { sut, state };
}

/** Every transition that the chart has, by where it stands. */
function edges(node: AnyStateNode): Map<string, AnyTransitionDefinition> {
  const all = new Map<string, AnyTransitionDefinition>();
  const visit = (at: AnyStateNode) => {
    for (const [descriptor, list] of at.transitions)
      list.forEach((edge, index) => all.set(`${at.id} ${descriptor} #${index}`, edge));
    at.always?.forEach((edge, index) => all.set(`${at.id} always #${index}`, edge));
    for (const child of Object.values(at.states)) visit(child);
  };
  visit(node);
  return all;
}

function shown(state: AnyMachineSnapshot) {
  return { value: state.value as unknown, context: state.context as unknown };
}

/** One transition is one edge, whichever provided copy of the chart it was seen in. */
function edgeName(
  edge: AnyTransitionDefinition,
  names: ReadonlyMap<string, AnyTransitionDefinition>,
): string {
  for (const [name, known] of names)
    if (
      known.source.id === edge.source.id &&
      known.eventType === edge.eventType &&
      name.endsWith(`#${siblings(edge).indexOf(edge)}`)
    )
      return name;
  throw new Error(`an edge that the chart does not have: ${edge.source.id} ${edge.eventType}`);
}

function siblings(edge: AnyTransitionDefinition): readonly AnyTransitionDefinition[] {
  const own = edge.source.transitions.get(String(edge.eventType)) ?? [];
  return own.includes(edge) ? own : (edge.source.always ?? []);
}

const PATIENT = fresh();
const IMPATIENT = fresh({ patience: { ...PATIENT.patience, attemptsMax: 1 } });
const LONE = fresh({ patience: { ...PATIENT.patience, fallback: false } });

describe('the recording chart', () => {
  const names = edges(recordingMachine.root);
  const walked = new Set<string>();

  test.each([
    ['that never gives up', PATIENT, () => true],
    [
      'that gives up after one failure',
      IMPATIENT,
      ({ value }: Snapshot) => typeof value === 'object' && 'spooling' in value,
    ],
    ['with one upstream only', LONE, ({ value }: Snapshot) => value === 'failover'],
  ])('a live recording %s goes where the chart says, over every path', async (_, input, isExplored) => {
    const all = paths(input);
    expect(all.length).toBeGreaterThan(30);
    for (const path of all) {
      const stepNames = path.map(({ event }) => event.name);
      const { sut, state } = await walk(input, stepNames);
      expect(view(state)).toBe(view(path.at(-1)?.state ?? state));
      for (const edge of sut.walked) walked.add(edgeName(edge, names));
      sut.actor.stop();
      // From where the path ends, whatever else may happen.
      for (const { name } of isExplored(state) ? steps(state) : []) {
        const one = await walk(input, [...stepNames, name], stepNames.length);
        for (const edge of one.sut.walked) walked.add(edgeName(edge, names));
        one.sut.actor.stop();
      }
    }
  });

  test('no edge is left that no path walked', () => {
    expect([...names.keys()].filter((name) => !walked.has(name))).toEqual([]);
    expect(walked.size).toBe(names.size);
    expect(names.size).toBeGreaterThan(70);
  });
});
