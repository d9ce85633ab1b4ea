/**
 * From a stored snapshot to one that may live: never started raw, because its effects would run at once, with stale
 * input, before slots exist. RESTARTED is folded in on paper, and only what comes out is spawned. P7.
 */

import { createActor, initialTransition, transition, type Snapshot } from 'xstate';
import { recordingMachine } from '../../machines/recording.js';
import type { RecordingEvent } from '../../machines/events.js';
import type { FreshRecording } from '../../machines/recordingContext.js';
import { CodedError } from '../domain/errors.js';
import type { Recording } from '../domain/recording.js';
import { misfits } from './legible.js';

export type RecordingSnapshot = ReturnType<(typeof recordingMachine)['getInitialSnapshot']>;

/** A snapshot to look at and to calculate with; no effect runs. Throws `state_invalid` for what no chart knows. */
export function inert(snapshot: unknown): RecordingSnapshot {
  const copy = structuredClone(snapshot) as Snapshot<unknown>;
  if (copy?.status !== 'active') throw new CodedError('state_invalid', `status is ${copy?.status}`);
  const restored = createActor(recordingMachine, { snapshot: copy, input: undefined as never }).getSnapshot();
  if (restored.status !== 'active')
    throw new CodedError(
      'state_invalid',
      `no chart knows the state ${JSON.stringify((copy as { value?: unknown }).value)}`,
    );
  checkContext(restored.context);
  return restored;
}

/** State values, as JSON, that the chart was seen to know. */
const knownValues = new Set<string>();

/**
 * Throws what `inert` throws, without the copy and the actor: at a start thousands are looked at that only rest. What
 * has effects under way is looked at in full.
 */
export function verify(snapshot: unknown): void {
  const { status, value, context, children } = Object(snapshot) as Partial<RecordingSnapshot>;
  const key = JSON.stringify(value ?? null);
  const rests = status === 'active' && Object.keys(children ?? { unknown: 1 }).length === 0;
  if (rests && knownValues.has(key)) return checkContext(context);
  inert(snapshot);
  knownValues.add(key);
}

/** Folds one event into a stored snapshot without running any effect. */
export function folded(snapshot: unknown, event: RecordingEvent): Snapshot<unknown> {
  const [next] = transition(recordingMachine, inert(snapshot), event);
  return plain(recordingMachine.getPersistedSnapshot(next));
}

/** What a recording is at its birth, on paper. */
export function born(fresh: FreshRecording): Snapshot<unknown> {
  const [snapshot] = initialTransition(recordingMachine, fresh);
  if (snapshot.status !== 'active') throw (snapshot as { readonly error?: unknown }).error;
  return plain(recordingMachine.getPersistedSnapshot(snapshot));
}

/** Exactly what the store will read back. */
export function plain(snapshot: Snapshot<unknown>): Snapshot<unknown> {
  return JSON.parse(JSON.stringify(snapshot)) as Snapshot<unknown>;
}

function checkContext(context: Recording | undefined): void {
  if (!context) throw new CodedError('state_invalid', 'there is nothing in it');
  const wrong = misfits(context);
  if (wrong.length > 0) throw new CodedError('state_invalid', `not as it should be: ${wrong.join(', ')}`);
}
