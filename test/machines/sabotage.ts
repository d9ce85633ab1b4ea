/**
 * Makes a chart throw where a test says so: in every action, assignment and guard that it was set up with, by name, and
 * in every function that stands in the chart itself (a guard, what an action or an effect is given), by its place; so
 * that none is left out when one is added.
 */
import { createMachine, type AnyStateMachine } from 'xstate';

/** `place`: a function in the chart, named by where it stands. */
export type Part = 'action' | 'guard' | 'place';

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
  const places: string[] = [];
  mapped(machine.config, (name, one) => {
    places.push(name);
    return one;
  });
  return [
    ...Object.keys(actions).map((name) => ['action', name] as const),
    ...Object.keys(guards).map((name) => ['guard', name] as const),
    ...places.map((name) => ['place', name] as const),
  ];
}

/** The same chart, whose parts ask `strike` first. */
export function sabotaged<M extends AnyStateMachine>(machine: M, strike: Strike): M {
  const config = mapped(machine.config, (name, one) => wrap('place', name, one, strike));
  const implementations = { ...machine.implementations, ...wrapped(machine, strike) };
  return createMachine(config as never, implementations as never) as unknown as M;
}

/** The chart itself, for whoever provides for it later: what has a name. Gives back a way to undo it. */
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

/** A copy of a chart's configuration, each function in it replaced; what makes the context is its birth and no part. */
function mapped(
  value: unknown,
  replace: (place: string, one: Implementation) => Implementation,
  place = '',
): unknown {
  if (typeof value === 'function')
    return place === 'context' ? value : replace(place, value as Implementation);
  if (Array.isArray(value))
    return value.map((each, index) => mapped(each, replace, `${place}[${index}]`)) as unknown;
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => {
    const at = key === 'states' ? place : `${place}${place === '' ? '' : '.'}${key}`;
    return [key, mapped(member, replace, at)] as const;
  });
  return Object.fromEntries(members);
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
