/**
 * The only form in which a machine is spawned under the scheduler: fresh from its input, or resumed from a snapshot
 * (XState's `spawn` cannot), and crashing cleanly. A machine that throws leaves the children it invoked running
 * (statelyai/xstate#5153), which here would be a connection that nobody closes; so they are reaped on the spot, and
 * what was good last and the event that broke it go up to the scheduler. P8.
 */

import type {
  ActorLogic,
  AnyActorRef,
  AnyMachineSnapshot,
  AnyStateMachine,
  EventFromLogic,
  InputFrom,
  Snapshot,
  SnapshotFrom,
} from 'xstate';

export type SupervisedInput<TFresh> = { readonly fresh: TFresh } | { readonly resume: Snapshot<unknown> };

/** Why an actor died: what threw, the persisted snapshot before it, and the event (absent for a death at birth). */
export class ActorCrash extends Error {
  constructor(
    override readonly cause: unknown,
    readonly lastGood: Snapshot<unknown> | null,
    readonly event: unknown,
    /** What it was to be made of, where it died at its birth. */
    readonly fresh: unknown = null,
  ) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.name = 'ActorCrash';
  }

  /** When it happened, as far as the event knew. */
  get at(): number | null {
    const event = this.event as { at?: unknown; output?: { at?: unknown } } | null;
    const at = event?.at ?? event?.output?.at;
    return typeof at === 'number' ? at : null;
  }
}

export type Supervised<M extends AnyStateMachine> = ActorLogic<
  SnapshotFrom<M>,
  EventFromLogic<M>,
  SupervisedInput<InputFrom<M>>
>;

export function supervised<M extends AnyStateMachine>(machine: M): Supervised<M> {
  const logic = {
    config: machine.config as unknown,
    start: machine.start.bind(machine),
    getPersistedSnapshot: machine.getPersistedSnapshot.bind(machine),
    restoreSnapshot: machine.restoreSnapshot.bind(machine),
    getInitialSnapshot(scope: Parameters<M['getInitialSnapshot']>[0], input: SupervisedInput<InputFrom<M>>) {
      try {
        return alive(
          'resume' in input
            ? machine.restoreSnapshot(structuredClone(input.resume), scope)
            : machine.getInitialSnapshot(scope, input.fresh),
        );
      } catch (error) {
        const isFresh = 'fresh' in input;
        throw new ActorCrash(error, isFresh ? null : input.resume, null, isFresh ? input.fresh : null);
      }
    },
    transition(
      snapshot: AnyMachineSnapshot,
      event: EventFromLogic<M>,
      scope: Parameters<M['transition']>[2],
    ) {
      try {
        return alive(machine.transition(snapshot, event, scope) as AnyMachineSnapshot);
      } catch (error) {
        const lastGood = machine.getPersistedSnapshot(snapshot);
        const children = Object.values<AnyActorRef | undefined>(
          snapshot.children as Record<string, AnyActorRef>,
        );
        for (const child of children) if (child) scope.stopChild(child);
        throw new ActorCrash(error, lastGood, event);
      }
    },
  };
  return logic as unknown as Supervised<M>;
}

/** A context that cannot be made and an effect that rejects kill a machine without a throw. */
function alive<S extends { readonly status: string }>(snapshot: S): S {
  if (snapshot.status === 'error') throw (snapshot as { readonly error?: unknown }).error;
  return snapshot;
}
