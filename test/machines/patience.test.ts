/** It tries until the programme ends (P3): what a chart must not do is to wait for nothing. */
import { describe, expect, it } from 'vitest';
import { initialTransition, transition } from 'xstate';
import type { RecordingEvent, Told } from '../../machines/events.js';
import { recordingMachine } from '../../machines/recording.js';
import type { CaptureOutcome } from '../../src/domain/capture.js';
import { NO_TS } from '../../src/domain/ledger.js';
import { CAPSULE, FIRST, fresh, T0 } from './scenario.js';

type Snapshot = ReturnType<typeof recordingMachine.getInitialSnapshot>;

/** Folds what happens into a recording, and notes what it tells the scheduler. */
function tale() {
  const told: Told[] = [];
  const input = fresh({ capsule: { ...CAPSULE, upstreams: [FIRST] } });
  let state: Snapshot = initialTransition(recordingMachine, input)[0];
  const take = (event: unknown) => {
    const [next, actions] = transition(recordingMachine, state, event as never);
    state = next;
    for (const { type, params } of actions) if (type === 'tell') told.push(params as Told);
  };
  return {
    told,
    state: () => state,
    happens: (event: RecordingEvent) => take(event),
    due() {
      const { deadline } = state.context;
      take({ type: 'DEADLINE', kind: deadline?.kind, dueAt: deadline?.at, at: deadline?.at });
    },
    captureEnds: (output: CaptureOutcome) => take({ type: 'xstate.done.actor.capture', output }),
    lastWish: () => told.findLast(({ type }) => type === 'WANTS'),
  };
}

const fault = (at: number, retryAfterMs: number | null = null): CaptureOutcome => ({
  kind: 'fault',
  at,
  piece: null,
  cause: 'http_503',
  code: 'upstream_failing',
  remedy: 'retry',
  retryAfterMs,
  limit: null,
});

describe('a recording with one upstream', () => {
  it('goes on asking for it however often it fails', () => {
    const one = tale();
    one.due();
    let at = T0;
    for (let failure = 0; failure < 10; failure += 1) {
      one.happens({ type: 'GRANTED', at, upstream: FIRST });
      one.captureEnds(fault(at));
      expect(one.state().value).toEqual({ retrying: 'backingOff' });
      one.due();
      expect(one.lastWish()).toMatchObject({ candidates: [FIRST] });
      at += 1_000;
    }
  });

  it('keeps its place through a short outage of what was running, and else leaves it to others', () => {
    const piece = { firstOffset: 0, bytes: 188_000, fromAt: T0, toAt: T0 + 5_000, goodMs: 5_000, ts: NO_TS };
    const one = tale();
    one.due();
    one.happens({ type: 'GRANTED', at: T0, upstream: FIRST });
    one.captureEnds(fault(T0 + 100));
    expect(one.told.at(-1)).toMatchObject({ type: 'RELEASED' });
    one.due();
    one.happens({ type: 'GRANTED', at: T0 + 1_000, upstream: FIRST });
    one.captureEnds({ ...fault(T0 + 5_000), piece } as CaptureOutcome);
    expect(one.told.at(-1)).toMatchObject({ type: 'PAUSED' });
    one.due();
    one.happens({ type: 'GRANTED', at: T0 + 66_000, upstream: FIRST });
    one.captureEnds(fault(T0 + 66_000));
    expect(one.told.at(-1)).toMatchObject({ type: 'RELEASED' });
  });

  it('tries again when its programme is extended while it only waited for the end', () => {
    const one = tale();
    one.due();
    const end = CAPSULE.stopAt + 60_000;
    one.happens({ type: 'GRANTED', at: T0, upstream: FIRST });
    one.captureEnds(fault(end - 1_000, 90_000));
    expect(one.state().context.deadline).toEqual({ kind: 'stop', at: end });
    const capsule = { ...CAPSULE, upstreams: [FIRST], stopAt: CAPSULE.stopAt + 3_600_000 };
    one.happens({ type: 'RESCHEDULED', at: end - 500, capsule, expiresAt: 0, reason: 'stop_later' });
    expect(one.state().value).toEqual({ retrying: 'awaitingSlot' });
    expect(one.lastWish()).toMatchObject({ candidates: [FIRST], stopAt: capsule.stopAt });
  });

  it('tells the scheduler of its new stop while it runs, so that it does not pass for padding', () => {
    const one = tale();
    one.due();
    one.happens({ type: 'GRANTED', at: T0, upstream: FIRST });
    const capsule = { ...CAPSULE, stopAt: CAPSULE.stopAt + 600_000 };
    one.happens({ type: 'RESCHEDULED', at: T0 + 1, capsule, expiresAt: 0, reason: 'stop_later' });
    expect(one.lastWish()).toMatchObject({ stopAt: capsule.stopAt });
  });

  it('stays cancelled when it was killed while it closed', () => {
    const one = tale();
    one.due();
    one.happens({ type: 'GRANTED', at: T0, upstream: FIRST });
    one.happens({ type: 'CANCEL', at: T0 + 1_000, reason: 'by_person' });
    const restart = { at: T0 + 9_000, downFrom: T0 + 1_000, reason: 'restart', spool: null, patience: null };
    one.happens({ type: 'RESTARTED', ...restart });
    expect(one.state().value).toEqual({ cancelled: 'revocable' });
  });
});
