/**
 * The end of a daemon: takes no more work, lets captures flush, writes down what is known, lets go of the folder. Once
 * and for all, whoever asks for it and however often.
 */

import { CodedError } from '../domain/errors.js';
import { within, type Clock } from '../io/clock.js';
import type { Log } from '../log.js';
import type { History } from '../store/history.js';
import type { Lock } from '../store/lock.js';
import type { Store } from '../store/store.js';
import type { Assembly } from './assembly.js';
import type { Heartbeat } from './heartbeat.js';

/** Captures are given this long to flush at the end; the whole stop stays under 8 s. */
const DRAIN_MS_MAX = 5_000;
/** What is written besides the state may be on a disk that hangs. */
const SETTLE_MS_MAX = 1_000;

export interface EndingDoors {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly history: History;
  readonly lock: Lock;
  readonly heartbeat: () => Heartbeat;
  readonly parts: () => Pick<
    Assembly,
    'captures' | 'deadlines' | 'feeds' | 'lookout' | 'outbox' | 'pastGuide' | 'sources' | 'stages' | 'system'
  >;
}

export interface Ending {
  /** Resolves with a code where nothing could be done, else null. */
  readonly ended: Promise<string | null>;
  /** It has begun. */
  isUnderWay(): boolean;
  /** Asks the scheduler to drain; `problem` is what `ended` will say. */
  stop(problem?: string | null): Promise<string | null>;
  /** The scheduler drains, or there is none any more. */
  drain(): Promise<void>;
  /** There is no scheduler that could drain. */
  give(problem: string): void;
}

export function createEnding(doors: EndingDoors): Ending {
  const { clock, log, store, history, lock } = doors;
  let finish: (problem: string | null) => void = () => undefined;
  const ended = new Promise<string | null>((resolve) => (finish = resolve));
  let problemAtEnd: string | null = null;
  let stopping = false;

  let draining: Promise<void> | null = null;
  function drain(): Promise<void> {
    return (draining ??= drainOnce());
  }

  async function drainOnce(): Promise<void> {
    const { captures, deadlines, feeds, outbox, pastGuide, sources, stages, system } = doors.parts();
    await Promise.all([captures.stopAll(DRAIN_MS_MAX), within(clock, DRAIN_MS_MAX, outbox.close())]);
    feeds.close();
    deadlines.stop();
    system.send({ type: 'DRAINED', at: clock.now() });
    try {
      const settled = Promise.all([sources.settled(), stages.settled(), pastGuide.settled()]);
      await within(clock, SETTLE_MS_MAX, settled);
      await store.close();
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'bug';
      log.error({ code, error: String(error) }, 'the state could not be written at the end');
      problemAtEnd ??= code;
    }
    await history.close().catch(() => undefined);
    doors.heartbeat().stop();
    await lock.release();
    finish(problemAtEnd);
  }

  return {
    ended,
    isUnderWay: () => stopping,
    drain,
    stop(problem = null) {
      if (!stopping) {
        stopping = true;
        problemAtEnd = problem;
        const { lookout, system } = doors.parts();
        lookout.stop();
        if (system.isDead()) void drain();
        else system.send({ type: 'DRAIN', at: clock.now() });
      }
      return ended;
    },
    give(problem) {
      if (!stopping) {
        stopping = true;
        problemAtEnd = problem;
        doors.parts().lookout.stop();
      }
      void drain();
    },
  };
}
