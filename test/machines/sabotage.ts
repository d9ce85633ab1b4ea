/**
 * Makes the implementations of a chart throw where a test says so: every action, assignment and guard that a chart was
 * set up with, by name, so that none is left out when one is added.
 */
import type { AnyStateMachine } from 'xstate';

export type Part = 'action' | 'guard';

/** Called whenever an implementation runs; throws to break it. `context` is its machine's. */
export type Strike = (part: Part, name: string, context: unknown) => void;

type Implementation = ((...args: unknown[]) => unknown) & {
  resolve?: (scope: unknown, snapshot: { readonly context: unknown }, ...rest: unknown[]) => unknown;
};

interface Implementations {
  readonly actions: Record<string, Implementation>;
  readonly guards: Record<string, Implementation>;
}

export function partsOf(machine: AnyStateMachine): readonly (readonly [Part, string])[] {
  const { actions, guards } = machine.implementations as unknown as Implementations;
  return [
    ...Object.keys(actions).map((name) => ['action', name] as const),
    ...Object.keys(guards).map((name) => ['guard', name] as const),
  ];
}

/** The same chart, whose parts ask `strike` first. */
export function sabotaged<M extends AnyStateMachine>(machine: M, strike: Strike): M {
  return machine.provide(wrapped(machine, strike) as never) as M;
}

/** The chart itself, for whoever provides for it later; gives back a way to undo it. */
export function sabotage(machine: AnyStateMachine, strike: Strike): () => void {
  const own = machine.implementations as unknown as Implementations;
  const before = { actions: { ...own.actions }, guards: { ...own.guards } };
  const { actions, guards } = wrapped(machine, strike);
  Object.assign(own.actions, actions);
  Object.assign(own.guards, guards);
  return () => {
    Object.assign(own.actions, before.actions);
    Object.assign(own.guards, before.guards);
  };
}

function wrapped(machine: AnyStateMachine, strike: Strike): Implementations {
  const { actions, guards } = machine.implementations as unknown as Implementations;
  const wrapAll = (part: Part, all: Record<string, Implementation>) =>
    Object.fromEntries(Object.entries(all).map(([name, one]) => [name, wrap(part, name, one, strike)]));
  return { actions: wrapAll('action', actions), guards: wrapAll('guard', guards) };
}

/** A built-in (assign, enqueueActions) is known by what hangs on the function, and asked through `resolve`. */
function wrap(part: Part, name: string, one: Implementation, strike: Strike): Implementation {
  const { resolve } = one;
  if (resolve === undefined) {
    return (...args) => {
      strike(part, name, (args[0] as { readonly context: unknown }).context);
      return one(...args);
    };
  }
  const copy: Implementation = Object.assign(() => undefined, one);
  copy.resolve = (scope, snapshot, ...rest) => {
    strike(part, name, snapshot.context);
    return resolve(scope, snapshot, ...rest);
  };
  return copy;
}
