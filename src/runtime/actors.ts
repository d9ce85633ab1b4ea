/**
 * The charts with their effects plugged in. An effect that throws is a bug, and even that is an outcome: it is caught
 * here, so that no chart needs to know of exceptions (P8).
 */

import { fromPromise } from 'xstate';
import type { Told, RecordingEvent } from '../../machines/events.js';
import { guideMachine, type GuideOutcome } from '../../machines/guide.js';
import { libraryMachine } from '../../machines/library.js';
import type { CaptureInput, DeliverInput, LoadInput, StageInput } from '../../machines/ports.js';
import { recordingMachine } from '../../machines/recording.js';
import type { FreshRecording } from '../../machines/recordingContext.js';
import { schedulerMachine } from '../../machines/scheduler.js';
import type { Death } from '../../machines/schedulerContext.js';
import { supervised } from '../../machines/supervised.js';
import type { Bug, CaptureOutcome } from '../domain/capture.js';
import type { DeliverOutcome } from '../domain/deliver.js';
import type { FinalizeOutcome, RemoveOutcome, SealOutcome } from '../domain/effects.js';
import type { ReplayOutcome } from '../domain/replay.js';
import type { Clock } from '../io/clock.js';
import type { Log } from '../log.js';
import type { Captures } from './captures.js';
import type { Outbox } from './outbox.js';
import type { Replays } from './replays.js';
import type { Sources } from './sources.js';
import type { Stages } from './stages.js';

export interface Plugs {
  readonly captures: Captures;
  readonly replays: Replays;
  readonly stages: Stages;
  readonly sources: Sources;
  readonly outbox: Pick<Outbox, 'deliver' | 'hear'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly tell: (message: Told) => void;
  readonly deliver: (letter: { id: string; event: RecordingEvent }) => void;
  readonly tick: (now: { at: number }) => void;
  readonly allotSoon: () => void;
  readonly shelve: (later: { fresh: FreshRecording }) => void;
  readonly dismiss: (idle: { feed: string }) => void;
  readonly mourn: (death: Death) => void;
  readonly revive: (dead: { id: string; lastGood: unknown }) => void;
  readonly quarantine: (death: Death) => void;
  readonly bury: (dead: { id: string }) => void;
  readonly drain: () => void;
}

export function plugged(plugs: Plugs): typeof schedulerMachine {
  const { captures, stages, sources, outbox } = plugs;
  const recording = recordingMachine.provide({
    actors: {
      capture: effect<CaptureOutcome, CaptureInput>(plugs, 'capture', (input, signal) =>
        captures.run(input, signal),
      ),
      replay: effect<ReplayOutcome, StageInput>(plugs, 'replay', (input, signal) =>
        plugs.replays.run(input.recording, signal),
      ),
      finalize: effect<FinalizeOutcome, StageInput>(plugs, 'finalize', (input) =>
        stages.finalize(input.recording),
      ),
      seal: effect<SealOutcome, StageInput>(plugs, 'seal', (input) => stages.seal(input.recording)),
      remove: effect<RemoveOutcome, StageInput>(plugs, 'remove', (input) => stages.remove(input.recording)),
    },
    actions: {
      tell: (_, message) => plugs.tell(message),
      stopCapture: (_, { id, lateMs }) => captures.stop(id, lateMs),
    },
  });
  const guide = guideMachine.provide({
    actors: {
      load: effect<GuideOutcome, LoadInput>(plugs, 'load', (input, signal) =>
        sources.load(input.sourceId, signal),
      ),
    },
    actions: {
      adopt: (_, { sourceId, token }) => sources.adopt(sourceId, token),
      drop: (_, { token }) => sources.drop(token),
    },
  });
  const library = libraryMachine.provide({
    actors: {
      deliver: effect<DeliverOutcome, DeliverInput>(plugs, 'deliver', (input, signal) =>
        outbox.deliver(input.receiver, signal),
      ),
    },
    actions: { tell: (_, { receiver, problem, refused }) => outbox.hear(receiver, problem, refused) },
  });
  return schedulerMachine.provide({
    actors: { recording: supervised(recording), guide: supervised(guide), library: supervised(library) },
    actions: {
      tick: (_, now) => plugs.tick(now),
      allotSoon: () => plugs.allotSoon(),
      shelve: (_, later) => plugs.shelve(later),
      deliver: (_, letter) => plugs.deliver(letter),
      dismiss: (_, idle) => plugs.dismiss(idle),
      mourn: (_, death) => plugs.mourn(death),
      revive: (_, dead) => plugs.revive(dead),
      quarantine: (_, death) => plugs.quarantine(death),
      bury: (_, dead) => plugs.bury(dead),
      drain: () => plugs.drain(),
    },
  });
}

function effect<O, I>(
  { clock, log }: Plugs,
  name: string,
  run: (input: I, signal: AbortSignal) => Promise<O>,
) {
  return fromPromise<O | Bug, I>(async ({ input, signal }) => {
    try {
      return await run(input, signal);
    } catch (error) {
      log.error(
        { effect: name, error: String(error), stack: error instanceof Error ? error.stack : '' },
        'a bug',
      );
      return { kind: 'bug', at: clock.now(), error: error instanceof Error ? error.message : String(error) };
    }
  });
}
