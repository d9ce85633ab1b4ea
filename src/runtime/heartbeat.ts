/** Keeps the lock alive and finds out when another has taken over. */

import type { Clock, TimerHandle } from '../io/clock.js';
import type { Log } from '../log.js';
import { BEAT_MS, type Lock } from '../store/lock.js';

export interface Heartbeat {
  start(): Promise<void>;
  /** Says where HTTP listens, for `health`. */
  listensOn(address: string | null): void;
  stop(): void;
}

export interface HeartbeatDoors {
  readonly clock: Clock;
  readonly log: Log;
  readonly lock: Lock;
  readonly onLost: () => void;
}

export function createHeartbeat({ clock, log, lock, onLost }: HeartbeatDoors): Heartbeat {
  let listen: string | null = null;
  let next: TimerHandle | null = null;
  let stopped = false;

  async function beat(): Promise<void> {
    const answer = await lock.beat({ listen });
    if (stopped) return;
    if (answer === 'lost') {
      log.fatal('another catchupd has taken over this folder; this one stops');
      onLost();
    } else next = clock.after(BEAT_MS, () => void beat());
  }

  return {
    start: beat,
    listensOn(address) {
      listen = address;
      void lock.beat({ listen });
    },
    stop() {
      stopped = true;
      next?.cancel();
    },
  };
}
