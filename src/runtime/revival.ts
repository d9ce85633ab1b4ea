/**
 * How stored recordings come back to life: at a start all that were under way, after a crash of its actor that one.
 * What happened meanwhile is folded into the snapshot on paper and stored before anything is spawned (P7).
 */

import { isDeepStrictEqual } from 'node:util';
import type { RecordingEvent } from '../../machines/events.js';
import type { Resumed, SchedulerEvent } from '../../machines/schedulerContext.js';
import type { Config } from '../config/config.js';
import { closeAt, isFar } from '../domain/capturing.js';
import type { Recording } from '../domain/recording.js';
import type { Clock } from '../io/clock.js';
import type { Book } from './book.js';
import { isResting, type Entry } from './entries.js';
import { patienceOf } from './planning.js';
import { folded, inert } from './recover.js';
import type { Stages } from './stages.js';

/** `recovery_reason` of the report. */
export type RecoveryReason = 'daemon_restart' | 'scheduler_crash' | 'actor_crash';

/** Spools whose ends are read at one time. */
const READ_AT_ONCE = 16;
/** Of a crowd that waits for connections so many are taken up before captures get their turn again. */
const TAKEN_UP_AT_ONCE = 50;
const TURN_MS = 10;

export interface Revival {
  /** Everything that was under way goes on, but for those that wait; `reason` is what ended its past life. */
  recover(reason: RecoveryReason): Promise<void>;
  /** Those that wait for a connection ask for it again, in turns. For when the scheduler gives them. */
  takeUp(): void;
  /** Those that had to wait for the clock. */
  recoverPostponed(): Promise<void>;
  /** Its window is over by a clock that nothing speaks for: nothing is done about it until something does. */
  isPostponed(id: string): boolean;
  /** One whose actor died goes on from what was good last. */
  revive(id: string, lastGood: unknown): Promise<void>;
}

export interface RevivalDoors {
  readonly config: Config;
  readonly clock: Clock;
  readonly book: Book;
  readonly stages: Stages;
  readonly send: (event: SchedulerEvent) => void;
  /** Nothing says what time it is. */
  readonly isLost: () => boolean;
  /** The daemon ends: nothing is taken up any more. */
  readonly isEnding: () => boolean;
  /** For one that no chart can take up again. */
  readonly setAside: (id: string, error: unknown) => void;
}

export function createRevival(doors: RevivalDoors): Revival {
  const { config, clock, book, stages, send, setAside } = doors;
  const postponed = new Set<string>();
  /** Who waits for a connection, the most wanted last. */
  let waiting: string[] = [];

  async function restarted(
    snapshot: unknown,
    recording: Recording,
    downFrom: number,
    reason: RecoveryReason,
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
    const due = (back as { readonly context?: Recording }).context?.deadline;
    const over = due?.kind === 'stop' && due.at <= event.at;
    const next = over ? folded(back, { type: 'DEADLINE', kind: 'stop', dueAt: due.at, at: event.at }) : back;
    book.restate(recording.id, next);
    return { id: recording.id, snapshot: next };
  }

  async function recover(entries: readonly Entry[], reason: RecoveryReason): Promise<void> {
    const tryRestarted = ({ id, recording, updatedAt }: Entry): Promise<readonly Resumed[]> =>
      // What reads its own document may throw at once as well as later.
      Promise.resolve()
        .then(() => restarted(book.snapshot(id), recording, updatedAt, reason))
        .then(
          (doc) => [doc],
          (error: unknown) => {
            setAside(id, error);
            return [];
          },
        );
    const docs: Resumed[] = [];
    for (let from = 0; from < entries.length; from += READ_AT_ONCE)
      docs.push(...(await Promise.all(entries.slice(from, from + READ_AT_ONCE).map(tryRestarted))).flat());
    if (docs.length > 0) send({ type: 'RESUME', at: clock.now(), docs });
  }

  /** What starts much later has nothing to go on with; its deadline wakes it like any that rests. */
  function canSleep({ path, recording }: Entry, patience: Recording['patience']): boolean {
    const isEarly = path === 'scheduled.early' && isFar(recording.deadline?.at ?? 0, clock.now());
    return isEarly && isDeepStrictEqual(recording.patience, patience);
  }

  /**
   * Who only waited for a connection goes on waiting as it is: it has no effect that could run with stale input and no
   * spool to look into, and it was not the restart that kept it. Small operators have hundreds of them at any time.
   */
  async function whoWaits(
    underWay: readonly Entry[],
    patience: Recording['patience'],
  ): Promise<ReadonlySet<string>> {
    const some = underWay.flatMap(({ path, recording }) => {
      const waits = path === 'scheduled.queued' && recording.waiting !== null && recording.bytes === 0;
      const lasts = recording.window.stopAt > clock.now();
      return waits && lasts && isDeepStrictEqual(recording.patience, patience) ? [recording] : [];
    });
    return stages.withoutSpool(some);
  }

  /** Still as it was when it was left for later. */
  function takenUp(id: string): readonly Resumed[] {
    if (book.get(id)?.path !== 'scheduled.queued') return [];
    try {
      return [{ id, snapshot: book.snapshot(id) }];
    } catch (error) {
      setAside(id, error);
      return [];
    }
  }

  return {
    isPostponed: (id) => postponed.has(id),
    async recover(reason) {
      const patience = patienceOf(config);
      const underWay = [...book.all()].filter(
        (entry) => !isResting(entry.path) && !canSleep(entry, patience),
      );
      for (const { id, recording } of doors.isLost() ? underWay : [])
        if (closeAt(recording) <= clock.now()) postponed.add(id);
      const later = await whoWaits(underWay, patience);
      waiting = underWay
        .filter(({ id }) => later.has(id))
        .toSorted(byWish)
        .map(({ id }) => id);
      await recover(
        underWay.filter(({ id }) => !postponed.has(id) && !later.has(id)),
        reason,
      );
    },
    takeUp() {
      if (doors.isEnding() || waiting.length === 0) return;
      const docs = waiting.splice(-TAKEN_UP_AT_ONCE).toReversed().flatMap(takenUp);
      if (docs.length > 0) send({ type: 'RESUME', at: clock.now(), docs });
      clock.after(TURN_MS, () => this.takeUp());
    },
    recoverPostponed() {
      const waiting = [...postponed].flatMap((id) => book.get(id) ?? []);
      postponed.clear();
      return recover(waiting, 'daemon_restart');
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

/** Whoever is given a connection first comes last. */
function byWish({ recording: one }: Entry, { recording: other }: Entry): number {
  return one.priority - other.priority || other.window.startAt - one.window.startAt;
}
