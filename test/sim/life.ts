/**
 * One life of a process: its doors work until it ends, in the middle of whatever it was at. What it had asked for never
 * comes back, its timers never fire, its connections are closed and its open files left; what it had written stays.
 */
import type { Clock, TimerHandle } from '../../src/io/clock.js';
import type { Disk, DiskFile } from '../../src/io/disk.js';
import type { Exchange } from '../../src/io/exchange.js';
import type { Transport } from '../../src/io/transport.js';

interface LifeDoors {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly transport: Transport;
  readonly exchange: Exchange;
}

export interface Life {
  readonly doors: LifeDoors;
  isAlive(): boolean;
  end(): void;
}

const NEVER = new Promise<never>(() => undefined);

export function createLife({ clock, disk, transport, exchange }: LifeDoors): Life {
  let alive = true;
  const timers = new Set<TimerHandle>();
  const connections = new Set<AbortController>();

  const answered = (value: unknown) => (alive ? value : NEVER);
  const refused = (error: unknown) => {
    if (alive) throw error;
    return NEVER;
  };

  /** Every method of a door, for as long as the process lives; which one it is, is seen at each call. */
  function mortal<T extends object>(door: T): T {
    const members = door as Record<string, unknown>;
    const wrapped: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(door)) {
      if (typeof member !== 'function') continue;
      wrapped[name] = (...args: unknown[]) => {
        if (!alive) return NEVER;
        const answer = (members[name] as (...given: unknown[]) => unknown)(...args);
        return answer instanceof Promise ? answer.then(answered, refused) : answer;
      };
    }
    return wrapped as T;
  }

  const files = mortal(disk);
  return {
    doors: {
      clock: {
        now: () => clock.now(),
        mono: () => clock.mono(),
        uptimeMs: () => clock.mono(),
        after(delayMs, task) {
          if (!alive) return { cancel: () => undefined };
          const timer = clock.after(delayMs, () => {
            timers.delete(timer);
            task();
          });
          timers.add(timer);
          return {
            cancel() {
              timers.delete(timer);
              timer.cancel();
            },
          };
        },
      },
      disk: {
        ...files,
        open: async (...args: Parameters<Disk['open']>) => mortal<DiskFile>(await files.open(...args)),
      },
      transport: {
        open(url, request) {
          if (!alive) return NEVER;
          const connection = new AbortController();
          connections.add(connection);
          const signals = [connection.signal, ...(request.signal ? [request.signal] : [])];
          return transport.open(url, { ...request, signal: AbortSignal.any(signals) });
        },
        close: () => transport.close(),
      },
      exchange: mortal(exchange),
    },
    isAlive: () => alive,
    end() {
      alive = false;
      for (const timer of timers) timer.cancel();
      timers.clear();
      for (const connection of connections) connection.abort();
      connections.clear();
    },
  };
}
