/**
 * How stored recordings come back to life: at a start all that were under way, after a crash of its actor that one.
 * What happened meanwhile is folded into the snapshot on paper and stored before anything is spawned (P7).
 */

import type { RecordingEvent } from '../../machines/events.js';
import type { Resumed, SchedulerEvent } from '../../machines/schedulerContext.js';
import type { Config } from '../config/config.js';
import type { Recording } from '../domain/recording.js';
import type { Clock } from '../io/clock.js';
import { isResting, type Book } from './book.js';
import { patienceOf } from './planning.js';
import { folded, inert } from './recover.js';
import type { Stages } from './stages.js';

export interface Revival {
  /** Everything that was under way goes on. */
  recover(): Promise<void>;
  /** One whose actor died goes on from what was good last. */
  revive(id: string, lastGood: unknown): Promise<void>;
}

export interface RevivalDoors {
  readonly config: Config;
  readonly clock: Clock;
  readonly book: Book;
  readonly stages: Stages;
  readonly send: (event: SchedulerEvent) => void;
  /** For one that no chart can take up again. */
  readonly setAside: (id: string, error: unknown) => void;
}

export function createRevival({ config, clock, book, stages, send, setAside }: RevivalDoors): Revival {
  async function restarted(
    snapshot: unknown,
    recording: Recording,
    downFrom: number,
    reason: string,
  ): Promise<Resumed> {
    const event: RecordingEvent = {
      type: 'RESTARTED',
      at: clock.now(),
      downFrom,
      reason,
      spool: await stages.spoolTail(recording),
      patience: patienceOf(config),
    };
    const back = folded(snapshot, event);
    // What ended meanwhile is not opened once more only to be closed.
    const due = inert(back).context.deadline;
    const over = due?.kind === 'stop' && due.at <= event.at;
    const next = over ? folded(back, { type: 'DEADLINE', kind: 'stop', dueAt: due.at, at: event.at }) : back;
    book.restate(recording.id, next);
    return { id: recording.id, snapshot: next };
  }

  return {
    async recover() {
      const docs: Resumed[] = [];
      for (const { id, path, recording, updatedAt } of book.all()) {
        if (isResting(path)) continue;
        try {
          docs.push(await restarted(book.snapshot(id), recording, updatedAt, 'daemon_restart'));
        } catch (error) {
          setAside(id, error);
        }
      }
      if (docs.length > 0) send({ type: 'RESUME', at: clock.now(), docs });
    },
    async revive(id, lastGood) {
      try {
        const downFrom = book.get(id)?.updatedAt ?? clock.now();
        const doc = await restarted(lastGood, inert(lastGood).context, downFrom, 'actor_crash');
        send({ type: 'RESUME', at: clock.now(), docs: [doc] });
      } catch (error) {
        setAside(id, error);
      }
    },
  };
}
