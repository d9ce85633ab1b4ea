/**
 * The daemon's own time: the wall clock as long as it can be believed, and what elapsed since where it cannot. A wall
 * that jumps, or that at a start is not where the state left it, is doubted until a guide shows what is on at the time
 * that it claims. Meanwhile nothing is expired, evicted or given up for its date (P5); recordings go on by the time that
 * was believed before, so that their ledger stays true (P4).
 */

import type { Clock } from '../io/clock.js';

/** A wall that moved by less than this against elapsed time was corrected, not lost. */
const JUMP_MS = 120_000;
/** A state older than this at a start is more likely a wrong clock than a long rest. */
const AWAY_MS_MAX = 7 * 86_400_000;

/**
 * Why the wall is doubted. `jumped` while running, or while nobody ran in one boot of the machine; `behind` at a start, before what was written last; `ahead` at a
 * start, long after it: then nothing says what time it is.
 */
export type Doubt = 'jumped' | 'behind' | 'ahead';

export interface SteadyClock extends Clock {
  doubt(): Doubt | null;
  /** The time to forget things by, or null. */
  trusted(): number | null;
  /**
   * At a start: the latest time that the state knows of, 0 for none, and what time it is by the machine's uptime where
   * the last life ended in the same boot.
   */
  begin(lastWrittenAt: number, toldAt?: number | null): void;
  /** Believes the wall again where it is right; `covers` says whether a guide in use knows what is on then. */
  look(covers: (at: number) => boolean): void;
}

export interface SteadyClockDoors {
  readonly clock: Clock;
  readonly onDoubt: (doubt: Doubt, wallAt: number, believedAt: number) => void;
  /** Time is the wall's again, and jumped by so much. */
  readonly onTrust: (jumpMs: number) => void;
}

export function createSteadyClock({ clock, onDoubt, onTrust }: SteadyClockDoors): SteadyClock {
  /** What a wall that is right shows beyond elapsed time. */
  let sleptMs = 0;
  let offset = clock.now() - elapsed();
  let doubt: Doubt | null = null;
  let lastWrittenAt: number | null = null;

  function elapsed(): number {
    return Math.floor(clock.mono()) + sleptMs;
  }

  /** A machine that slept is no clock that jumped. Only asked where the two differ: the answer is dear. */
  function hasSlept(wallAt: number): boolean {
    const ms = Math.round(clock.sleptMs?.() ?? 0);
    if (!isNear(wallAt, believed() + ms - sleptMs)) return false;
    sleptMs = ms;
    return true;
  }

  const believed = () => elapsed() + offset;
  const isNear = (one: number, other: number) => Math.abs(one - other) <= JUMP_MS;

  function now(): number {
    const wallAt = clock.now();
    if (isNear(wallAt, believed())) return doubt === null ? wallAt : believed();
    if (doubt === null) {
      if (hasSlept(wallAt)) return wallAt;
      doubt = 'jumped';
      onDoubt(doubt, wallAt, believed());
    }
    return believed();
  }

  function trust(wallAt: number): void {
    const jumpMs = wallAt - believed();
    offset = wallAt - elapsed();
    doubt = null;
    onTrust(isNear(jumpMs, 0) ? 0 : jumpMs);
  }

  function isPlausible(wallAt: number): boolean {
    const awayMs = wallAt - (lastWrittenAt ?? 0);
    return awayMs >= 0 && awayMs <= AWAY_MS_MAX;
  }

  return {
    mono: () => clock.mono(),
    after: (delayMs, task) => clock.after(delayMs, task),
    now,
    doubt: () => doubt,
    trusted() {
      const at = now();
      return lastWrittenAt !== null && doubt === null ? at : null;
    },
    begin(writtenAt, toldAt = null) {
      lastWrittenAt = writtenAt;
      const wallAt = clock.now();
      offset = wallAt - elapsed();
      // Set wrong while nobody ran, or before. What the state knows and the uptime does not was never its time.
      if (toldAt !== null && toldAt >= writtenAt - JUMP_MS && !isNear(wallAt, toldAt)) {
        doubt = 'jumped';
        offset = toldAt - elapsed();
        onDoubt(doubt, wallAt, toldAt);
        return;
      }
      // A clock that is a little behind expires nothing and is corrected soon.
      if (writtenAt === 0 || isNear(wallAt, writtenAt) || isPlausible(wallAt)) return;
      doubt = wallAt < writtenAt ? 'behind' : 'ahead';
      if (doubt === 'behind') offset = writtenAt - elapsed();
      onDoubt(doubt, wallAt, believed());
    },
    look(covers) {
      const wallAt = clock.now();
      const at = now();
      if (doubt === null) {
        offset = at - elapsed();
        return;
      }
      const isBack = isNear(wallAt, believed()) && doubt !== 'ahead';
      const isSet = doubt !== 'jumped' && isPlausible(wallAt);
      if (isBack || isSet || covers(wallAt)) trust(wallAt);
    },
  };
}
