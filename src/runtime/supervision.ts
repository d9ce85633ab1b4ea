/**
 * What is done about what died: a report of every crash; a guide begins anew; a scheduler is replaced in place, and
 * everything it had goes through recovery as after a start (same files, the gap in the ledger). One that will not stay
 * up ends the process: whoever supervises that starts it with a clean memory. P7, P8.
 */

import type { Death } from '../../machines/schedulerContext.js';
import { DEFAULT_INTENSITY, decide, recentCrashes } from '../domain/intensity.js';
import { pause, type Clock } from '../io/clock.js';
import { diskCode, type Disk } from '../io/disk.js';
import type { Log } from '../log.js';
import { writeCrashReport } from '../store/crashReports.js';

export interface SupervisionDoors {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly log: Log;
  /** Where the daemon keeps its own things. */
  readonly folder: string;
  /** Ends what the dead scheduler had opened, puts another in its place and recovers. */
  readonly reboot: () => Promise<void>;
  /** The daemon ends anyway, or is over. */
  readonly isEnding: () => boolean;
  /** Nothing supervises any more: the daemon ends. */
  readonly giveUp: () => void;
}

export interface Supervision {
  /** An actor died; the scheduler sees to it. */
  mourn(death: Death): void;
  /** The scheduler died. */
  replaceScheduler(error: unknown, event: unknown): Promise<void>;
}

export function createSupervision(doors: SupervisionDoors): Supervision {
  const { clock, disk, log, folder } = doors;
  let crashes: readonly number[] = [];

  function report(death: Omit<Death, 'fresh'>): void {
    writeCrashReport(disk, folder, death).catch((error: unknown) =>
      log.warn({ id: death.id, code: diskCode(error) }, 'the report of a crash could not be written'),
    );
  }

  function typeOf(event: unknown): string | null {
    return (event as { type?: string } | null)?.type ?? null;
  }

  return {
    mourn(death) {
      const { id, at, error, stack, event } = death;
      log.error(
        { code: 'bug', id, at, error, stack, event: typeOf(event) },
        'an actor died; the others go on',
      );
      report(death);
    },
    async replaceScheduler(cause, event) {
      const at = clock.now();
      const error = cause instanceof Error ? cause.message : String(cause);
      const stack = cause instanceof Error ? (cause.stack ?? '') : '';
      log.fatal({ code: 'bug', error, stack, event: typeOf(event) }, 'the scheduler died');
      report({ id: 'scheduler', at, error, stack, event, lastGood: null });
      if (doors.isEnding()) return doors.giveUp();
      crashes = recentCrashes(crashes, clock.mono(), DEFAULT_INTENSITY);
      const verdict = decide(crashes, clock.mono(), DEFAULT_INTENSITY);
      if (verdict.kind === 'give_up') {
        log.fatal({ crashes: crashes.length }, 'the scheduler will not stay up, so this ends');
        return doors.giveUp();
      }
      // The first time at once: what runs is missing every second.
      if (crashes.length > 1) await pause(clock, verdict.at - clock.mono());
      if (doors.isEnding()) return doors.giveUp();
      try {
        await doors.reboot();
        log.warn({ crashes: crashes.length }, 'another scheduler has taken over');
      } catch (problem) {
        log.fatal({ code: 'bug', error: String(problem) }, 'no other scheduler could take over');
        doors.giveUp();
      }
    },
  };
}
