/** SIGTERM and SIGINT end the daemon, SIGHUP lets it reread; a second one within 2 s is the same one (CONTRACT §1). */

import { leave } from './leave.js';

export interface SignalTasks {
  readonly stop: () => void;
  readonly reread?: () => void;
  /** It does not come to its end in time, and is ended now. */
  readonly late?: () => void;
}

/** Longer than a clean end may take, shorter than what service managers wait. */
const END_MS_MAX = 7_500;

export function onSignals(tasks: SignalTasks): { ignore(): void } {
  let last: NodeJS.Timeout | null = null;
  const stop = () => {
    tasks.stop();
    // The end is bounded whatever hangs: what is on disk is consistent at every instant (P7).
    last ??= setTimeout(() => {
      tasks.late?.();
      leave(1);
    }, END_MS_MAX).unref();
  };
  const reread = () => tasks.reread?.();
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', reread);
  return {
    ignore() {
      process.off('SIGTERM', stop);
      process.off('SIGINT', stop);
      process.off('SIGHUP', reread);
      if (last) clearTimeout(last);
    },
  };
}
