/**
 * P7 on the recording chart: whatever it was at when it ended, it goes on with what it should be doing now. A crash in
 * every state that the chart can tell apart, at every time that matters: what is stored is written as JSON and read
 * again, RESTARTED is folded in, and what came due meanwhile comes.
 */
import { getShortestPaths } from '@xstate/graph';
import { describe, expect, test } from 'vitest';
import { recordingMachine } from '../../machines/recording.js';
import type { FreshRecording } from '../../machines/recordingContext.js';
import { closeAt, openAt } from '../../src/domain/capturing.js';
import type { Recording } from '../../src/domain/recording.js';
import { replayHelps } from '../../src/domain/replay.js';
import { statePath } from '../../src/runtime/entries.js';
import { folded, plain } from '../../src/runtime/recover.js';
import { ARCHIVED, CAPSULE, fresh, steps, view } from './scenario.js';
import { live } from './walk.js';

type State = ReturnType<(typeof recordingMachine)['getInitialSnapshot']>;

const { patience } = fresh();
const INPUTS: readonly (readonly [string, FreshRecording])[] = [
  ['that never gives up', fresh()],
  ['that gives up after one failure', fresh({ patience: { ...patience, attemptsMax: 1 } })],
  ['with one upstream only', fresh({ patience: { ...patience, fallback: false } })],
  ['whose provider has an archive', fresh({ capsule: ARCHIVED })],
];

const MINUTE_MS = 60_000;
const { window, expiresAt } = fresh();
/** Before it opens, while it is on, in its padding, after it, and when it should be gone. */
const MOMENTS = [
  openAt({ window }) - MINUTE_MS,
  CAPSULE.startAt + 10 * MINUTE_MS,
  CAPSULE.stopAt + 1_000,
  CAPSULE.stopAt + 20 * MINUTE_MS,
  expiresAt + MINUTE_MS,
];

function statesOf(input: FreshRecording): readonly State[] {
  const paths = getShortestPaths(recordingMachine, {
    input,
    limit: 20_000,
    events: steps as never,
    serializeState: view,
  }) as unknown as { state: State }[];
  return paths.map(({ state }) => state);
}

/** Where it goes on, before anything has come due. */
function goesOnIn(path: string, recording: Recording): string {
  const [state = '', inner = ''] = path.split('.');
  switch (state) {
    case 'scheduled':
      return 'scheduled.early';
    case 'spooling':
      if (recording.closing !== 'cancelled') return 'retrying.awaitingSlot';
      return recording.evictedBy === '' ? 'cancelled.revocable' : 'expired.removing';
    case 'retrying':
    case 'failover':
      return 'retrying.awaitingSlot';
    case 'finalizing':
      return replayHelps(recording) ? 'finalizing.archive.early' : 'finalizing.working';
    case 'failed':
    case 'cancelled':
      return `${state}.${inner}`;
    default:
      return path;
  }
}

/** The effect that a state is there for. */
const EFFECTS: Readonly<Record<string, readonly string[]>> = {
  'finalizing.working': ['finalize'],
  'failed.sealing': ['seal'],
  'cancelled.sealing': ['seal'],
  'expired.removing': ['remove'],
};

/** Where it may be at a time, when everything that was due has come and no slot was given. */
function mayBe(path: string, recording: Recording, at: number): boolean {
  if (path === 'scheduled.early') return at < openAt(recording);
  if (path === 'scheduled.queued') return at < recording.window.stopAt;
  if (path === 'retrying.awaitingSlot') return at < closeAt(recording);
  if (/^(failed|cancelled)\.revocable$/.test(path)) return at < recording.window.stopAt;
  if (path === 'published') return recording.keep || at < recording.expiresAt;
  // Blocked, which lasts for a moment, or waiting for an archive or an effect.
  if (path.endsWith('.blocked')) return recording.deadline?.kind === 'wait' && recording.deadline.at > at;
  return /^(finalizing|failed|cancelled|expired)\./.test(path);
}

describe.each(INPUTS)('a recording %s', (_, input) => {
  const states = statesOf(input);

  test.each(MOMENTS)('that ended in any state goes on at %i with what it should be doing then', (at) => {
    const seen = new Set<string>();
    for (const state of states) {
      const from = statePath(state.value);
      seen.add(from);
      const stored = plain(recordingMachine.getPersistedSnapshot(state));
      const back = folded(stored, {
        type: 'RESTARTED',
        at,
        downFrom: at - MINUTE_MS,
        reason: 'daemon_restart',
        spool: null,
        patience: null,
      });
      const sut = live(recordingMachine, { snapshot: plain(back) }, new Set());
      const now = () => sut.actor.getSnapshot() as State;
      const name = `${from} as ${view(state)}`;
      const { bytes, stretches, keys, spool } = state.context;
      expect([name, statePath(now().value)]).toEqual([name, goesOnIn(from, state.context)]);
      // Whatever it was at in earnest is begun again, and says so.
      if (EFFECTS[goesOnIn(from, state.context)])
        expect([name, now().context.recoveredAt]).toEqual([name, at]);
      // What a past life asked for is not asked for twice, and nothing that holds a connection is.
      expect(now().context).toMatchObject({ bytes, stretches, keys, spool });
      if (/^(scheduled|spooling|retrying|failover)/.test(from)) expect(now().context.current).toBeNull();

      sut.actor.send({ type: 'WOKEN', at });
      for (let left = 10; left > 0; left -= 1) {
        const { deadline } = now().context;
        if (deadline === null || deadline.at > at) break;
        sut.actor.send({ type: 'DEADLINE', kind: deadline.kind, dueAt: deadline.at, at });
      }
      const path = statePath(now().value);
      expect([name, path, mayBe(path, now().context, at)]).toEqual([name, path, true]);
      expect([name, path, sut.asked()]).toEqual([name, path, EFFECTS[path] ?? []]);
      expect(now().context).toMatchObject({ bytes, stretches, keys, spool });
      sut.actor.stop();
    }
    expect(seen.size).toBeGreaterThan(15);
  });
});
