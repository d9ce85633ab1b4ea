/** What there is to blame for what is missing: what the storm did, and whether all places were taken. */
import { type DaemonWorld } from './daemonWorld.js';
import type { Excuse, Storm } from './storm.js';

/** A backoff, a cool-down, a stall that is noticed, and a connection: no outage lasts longer than its cause by more. */
export const SLACK_MS = 120_000;
/** What was asked a little before it began is of it. */
const EARLY_MS = 10_000;

export interface Blame {
  /** Whether the storm did something just then that this channel felt. */
  excused(at: number, channel: number, kinds?: (excuse: Excuse) => boolean): boolean;
  /** Whether all places were taken by programmes that are on, by the time that passed. Padding that is left is no reason. */
  wasFull(at: number): boolean;
  /** To be called whenever that may have changed. */
  noteTaken(): void;
}

export function createBlame(storm: Storm, world: DaemonWorld): Blame {
  const taken: { readonly at: number; readonly full: boolean }[] = [];

  return {
    excused: (at, channel, kinds = () => true) =>
      storm.excuses.some(
        (excuse) =>
          (excuse.channel === null || excuse.channel === channel) &&
          at >= excuse.fromAt - EARLY_MS &&
          at <= excuse.toAt + SLACK_MS &&
          kinds(excuse),
      ),
    wasFull: (at) =>
      taken.some(
        ({ at: fromAt, full }, index) =>
          full && fromAt <= at + EARLY_MS && (taken[index + 1]?.at ?? Infinity) >= at - SLACK_MS,
      ),
    noteTaken() {
      const full = world.daemon().inside().busy >= world.slots;
      if (taken.at(-1)?.full !== full) taken.push({ at: world.startAt + world.clock.mono(), full });
    },
  };
}
