/** The door to time. `now` is the wall and may jump; `mono` only ever goes forward. Both in milliseconds. */

import { uptime } from 'node:os';

export interface TimerHandle {
  readonly cancel: () => void;
}

export interface Clock {
  /** Wall clock, epoch milliseconds, whole. */
  now(): number;
  /** Monotonic milliseconds from an arbitrary origin. */
  mono(): number;
  /** How long the machine has slept since this program began, as far as the system tells; `mono` stands meanwhile. */
  sleptMs?(): number;
  /** How long the machine has been up, its sleep included, as far as the system tells. */
  uptimeMs?(): number;
  /** Calls `task` once, `delayMs` from now (monotonic). Delays over 24 days are capped there. */
  after(delayMs: number, task: () => void): TimerHandle;
}

const TIMER_MS_MAX = 2 ** 31 - 1;

/** The system's uptime goes on while it sleeps. */
const bornUptimeMs = uptime() * 1000 - performance.now();

export const systemClock: Clock = {
  now: () => Date.now(),
  mono: () => performance.now(),
  sleptMs: () => Math.max(0, uptime() * 1000 - performance.now() - bornUptimeMs),
  uptimeMs: () => uptime() * 1000,
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(Math.max(0, delayMs), TIMER_MS_MAX));
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Resolves when `task` does, or so much later; rejects as it does. */
export async function within(clock: Clock, ms: number, task: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([task, pause(clock, ms, done.signal)]).finally(() => done.abort());
}

/** Resolves after `delayMs`, or at once when `signal` aborts; never rejects. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const onAbort = () => {
      timer.cancel();
      resolve();
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
