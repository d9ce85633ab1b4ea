import { getShortestPaths } from '@xstate/graph';
import { initialTransition, transition } from 'xstate';
import { describe, expect, test } from 'vitest';
import { recordingMachine } from '../../machines/recording.js';
import type { FreshRecording } from '../../machines/recordingContext.js';
import { folded, inert, plain } from '../../src/runtime/recover.js';
import { ARCHIVED, fresh, steps, view, type NamedStep } from './scenario.js';
import { edgesOf, live, shown } from './walk.js';

type Snapshot = ReturnType<(typeof recordingMachine)['getInitialSnapshot']>;
interface WalkedStep {
  readonly event: NamedStep;
  readonly state: Snapshot;
}

/** Shortest paths to every state that the chart can tell apart. */
function paths(input: FreshRecording): WalkedStep[][] {
  const found = getShortestPaths(recordingMachine, {
    input,
    limit: 20_000,
    events: steps as never,
    serializeState: view,
  }) as unknown as { steps: WalkedStep[]; state: Snapshot }[];
  return found.map((path) => path.steps.slice(1));
}

const stepOf = (state: Snapshot, name: string) => steps(state).find((step) => step.name === name);

interface Walked {
  readonly events: readonly NamedStep[];
  readonly state: Snapshot;
}

/** Drives a live recording; after each step its value and context are what the chart alone says. */
async function walk(input: FreshRecording, names: readonly string[], walked: Set<string>): Promise<Walked> {
  const sut = live(recordingMachine, { input }, walked);
  const events: NamedStep[] = [];
  let [state] = initialTransition(recordingMachine, input);
  for (const name of names) {
    const event = stepOf(state, name);
    if (!event) throw new Error(`${name} cannot happen in ${JSON.stringify(state.value)}`);
    events.push(event);
    await sut.take(event);
    [state] = transition(recordingMachine, state, event as never);
    expect(shown(sut.actor.getSnapshot())).toEqual(shown(state));
  }
  sut.actor.stop();
  return { events, state };
}

/** The same way with a live recording once more, which was compared already, and one step on. */
async function goOn(input: FreshRecording, way: Walked, event: NamedStep, walked: Set<string>) {
  const sut = live(recordingMachine, { input }, walked);
  for (const known of [...way.events, event]) await sut.take(known);
  const [state] = transition(recordingMachine, way.state, event as never);
  expect(shown(sut.actor.getSnapshot())).toEqual(shown(state));
  sut.actor.stop();
}

const PATIENT = fresh();
const IMPATIENT = fresh({ patience: { ...PATIENT.patience, attemptsMax: 1 } });
const KEPT = fresh({ capsule: ARCHIVED, patience: { ...PATIENT.patience, fallback: false } });
const LONE = fresh({ patience: { ...PATIENT.patience, fallback: false } });

describe('the recording chart', () => {
  const edges = edgesOf(recordingMachine);
  const walked = new Set<string>();

  test.each([
    ['that never gives up', PATIENT, () => true],
    [
      'that gives up after one failure',
      IMPATIENT,
      ({ value }: Snapshot) => typeof value === 'object' && 'spooling' in value,
    ],
    ['with one upstream only', LONE, ({ value }: Snapshot) => value === 'failover'],
    [
      'whose provider has an archive',
      KEPT,
      ({ value }: Snapshot) => /queued|archive/.test(JSON.stringify(value)),
    ],
  ])('a live recording %s goes where the chart says, over every path', async (_, input, isExplored) => {
    const all = paths(input);
    expect(all.length).toBeGreaterThan(30);
    for (const path of all) {
      const names = path.map(({ event }) => event.name);
      const way = await walk(input, names, walked);
      const { state } = way;
      expect(view(state)).toBe(view(path.at(-1)?.state ?? state));
      // From where the path ends, whatever else may happen.
      for (const event of isExplored(state) ? steps(state) : []) await goOn(input, way, event, walked);
    }
  });

  test('no edge is left that no path walked', () => {
    expect([...edges.keys()].filter((name) => !walked.has(name))).toEqual([]);
    expect(walked.size).toBe(edges.size);
    expect(edges.size).toBeGreaterThan(70);
  });

  test('a recording that crashes before every step of every path goes on as the chart says, and loses nothing', async () => {
    let lives = 0;
    for (const path of paths(PATIENT)) {
      let sut = live(recordingMachine, { input: PATIENT }, new Set());
      let [state] = initialTransition(recordingMachine, PATIENT);
      for (const { event: planned } of path) {
        const at = 'at' in planned ? planned.at : (planned.output as { readonly at: number }).at;
        // What the store has is all that is left of it.
        const stored = plain(recordingMachine.getPersistedSnapshot(sut.actor.getSnapshot() as never));
        sut.actor.stop();
        const restarted = { type: 'RESTARTED', at, downFrom: at, spool: null, patience: null } as const;
        const back = folded(stored, { ...restarted, reason: 'daemon_restart' });
        const { bytes, stretches, keys } = state.context;
        sut = live(recordingMachine, { snapshot: structuredClone(back) }, new Set());
        sut.actor.send({ type: 'WOKEN', at });
        [state] = transition(recordingMachine, inert(back), { type: 'WOKEN', at });
        lives += 1;
        expect(shown(sut.actor.getSnapshot())).toEqual(shown(state));
        expect(state.context).toMatchObject({ bytes, stretches, keys });
        // A capture never runs before its slot is granted anew.
        expect(sut.asked()).not.toContain('capture');
        const event = stepOf(state, planned.name);
        if (!event) continue;
        if (event.type.startsWith('xstate.done.') && sut.asked().length === 0) continue;
        await sut.take(event);
        [state] = transition(recordingMachine, state, event as never);
        expect(shown(sut.actor.getSnapshot())).toEqual(shown(state));
      }
      // Whatever it went through: it waits for something, does something, or is done.
      const last = sut.actor.getSnapshot() as Snapshot;
      const path_ = JSON.stringify(last.value);
      const rests = /resting|gone/.test(path_) || last.context.keep;
      if (!rests)
        expect([path_, last.context.deadline !== null || sut.asked().length > 0]).toEqual([path_, true]);
      sut.actor.stop();
    }
    expect(lives).toBeGreaterThan(200);
  });

  test('a stored snapshot is the same after any number of round trips', () => {
    for (const path of paths(PATIENT)) {
      const last = path.at(-1)?.state;
      if (!last) continue;
      const once = plain(recordingMachine.getPersistedSnapshot(last));
      const twice = plain(recordingMachine.getPersistedSnapshot(inert(once)));
      expect(twice).toEqual(once);
    }
  });
});
