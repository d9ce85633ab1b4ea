/**
 * What systemd is told (`Type=notify`): ready, alive, stopping. Node cannot open its datagram socket, so
 * `systemd-notify` speaks; it takes milliseconds and runs every half watchdog period at most. Without NOTIFY_SOCKET
 * nothing happens.
 */

import { execFile } from 'node:child_process';
import type { Clock, TimerHandle } from '../io/clock.js';
import type { Log } from '../log.js';

export interface ServiceManager {
  ready(): void;
  stopping(): void;
}

/** `isAlive` is asked before every sign of life: a scheduler that hangs must not look well. */
export function serviceManager(
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  log: Log,
  isAlive: () => boolean,
): ServiceManager {
  if ((env['NOTIFY_SOCKET'] ?? '') === '') return { ready: () => undefined, stopping: () => undefined };
  const watchdogMs = Number(env['WATCHDOG_USEC'] ?? 0) / 1000;
  let timer: TimerHandle | null = null;

  function say(...words: string[]): void {
    execFile('systemd-notify', words, (error) => {
      if (error) log.warn({ code: error.code ?? 'failed' }, 'systemd could not be told');
    });
  }
  function beat(): void {
    if (isAlive()) say('WATCHDOG=1');
    timer = clock.after(watchdogMs / 2, beat);
  }
  return {
    ready() {
      say('--ready', '--status=recording by the guide');
      if (watchdogMs > 0) beat();
    },
    stopping() {
      timer?.cancel();
      say('STOPPING=1');
    },
  };
}
