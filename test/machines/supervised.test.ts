import { describe, expect, test } from 'vitest';
import { assign, createActor, fromPromise, setup, type AnyActorRef } from 'xstate';
import { ActorCrash, supervised } from '../../machines/supervised.js';

type Event =
  | { readonly type: 'COUNT'; readonly at: number }
  | { readonly type: 'WORK'; readonly at: number }
  | {
      readonly type: 'BREAK_ACTION' | 'BREAK_ASSIGN' | 'BREAK_GUARD' | 'BREAK_ENTRY' | 'BREAK_INPUT';
      readonly at: number;
    };

function boom(): never {
  throw new Error('boom');
}

/** A root that notes deaths, and children that count, work, and break where they are told to. */
function bench() {
  const work: { readonly id: string; readonly signal: AbortSignal }[] = [];
  const deaths: { readonly id: string; readonly error: unknown }[] = [];
  const child = setup({
    types: { context: {} as { id: string; count: number }, events: {} as Event, input: {} as { id: string } },
    actors: {
      effect: fromPromise<void, { id: string }>(({ input, signal }) => {
        work.push({ id: input.id, signal });
        return new Promise(() => {});
      }),
    },
  }).createMachine({
    context: ({ input }) => (input.id === 'stillborn' ? boom() : { id: input.id, count: 0 }),
    initial: 'idle',
    on: {
      COUNT: { actions: assign(({ context }) => ({ count: context.count + 1 })) },
      BREAK_ACTION: { actions: boom },
      BREAK_ASSIGN: { actions: assign(boom) },
      BREAK_GUARD: { guard: boom, actions: () => {} },
      BREAK_ENTRY: '.broken',
      BREAK_INPUT: '.unfed',
    },
    states: {
      idle: { on: { WORK: 'working' } },
      working: {
        invoke: { id: 'effect', src: 'effect', input: ({ context }) => ({ id: context.id }) },
      },
      broken: { entry: boom },
      unfed: { invoke: { id: 'effect', src: 'effect', input: boom } },
    },
  });
  const root = setup({
    types: {
      events: {} as
        | { type: 'ADD'; id: string }
        | { type: 'RESUME'; id: string; snapshot: unknown }
        | { type: `xstate.error.actor.${string}`; error: unknown; actorId: string },
    },
    actors: { child: supervised(child) },
  }).createMachine({
    on: {
      ADD: {
        actions: assign(({ event, spawn }) => {
          spawn('child', { id: event.id, input: { fresh: { id: event.id } } });
          return {};
        }),
      },
      RESUME: {
        actions: assign(({ event, spawn }) => {
          spawn('child', { id: event.id, input: { resume: event.snapshot as never } });
          return {};
        }),
      },
      'xstate.error.actor.*': {
        actions: ({ event }) => void deaths.push({ id: event.actorId, error: event.error }),
      },
    },
  });
  const actor = createActor(root).start();
  const children = () => actor.getSnapshot().children as Record<string, AnyActorRef | undefined>;
  const crashOf = (index: number): ActorCrash => {
    const error = deaths[index]?.error;
    if (!(error instanceof ActorCrash)) throw new Error('no crash');
    return error;
  };
  const send = (id: string, type: Event['type']) => children()[id]?.send({ type, at: 7 });
  return { actor, work, deaths, crashOf, send, child: (id: string) => children()[id] };
}

describe('a supervised machine', () => {
  test.each(['BREAK_ACTION', 'BREAK_ASSIGN', 'BREAK_GUARD', 'BREAK_ENTRY', 'BREAK_INPUT'] as const)(
    'that throws (%s) ends what it had begun, tells what was good last, and leaves its sibling alone',
    (type) => {
      const { actor, work, deaths, crashOf, send, child } = bench();
      actor.send({ type: 'ADD', id: 'a' });
      actor.send({ type: 'ADD', id: 'b' });
      for (const id of ['a', 'b']) send(id, 'WORK');
      send('a', 'COUNT');
      const sibling = child('b')?.getSnapshot() as unknown;
      send('a', type);

      expect(deaths.map(({ id }) => id)).toEqual(['a']);
      const crash = crashOf(0);
      expect(crash.message).toContain('boom');
      expect(crash.event).toEqual({ type, at: 7 });
      expect(crash.at).toBe(7);
      expect(crash.lastGood).toMatchObject({ status: 'active', value: 'working', context: { count: 1 } });
      expect(work.map(({ id, signal }) => [id, signal.aborted])).toEqual([
        ['a', true],
        ['b', false],
      ]);
      expect(child('b')?.getSnapshot()).toBe(sibling);
      expect(actor.getSnapshot().status).toBe('active');
    },
  );

  test('that dies at birth says of what, and nothing else dies with it', () => {
    const { actor, deaths } = bench();
    actor.send({ type: 'ADD', id: 'stillborn' });
    expect(deaths).toMatchObject([{ id: 'stillborn', error: { message: 'boom' } }]);
    expect(actor.getSnapshot().status).toBe('active');
  });

  test('lives again from what was good last, and its effects begin anew', () => {
    const { actor, work, crashOf, send, child } = bench();
    actor.send({ type: 'ADD', id: 'a' });
    send('a', 'COUNT');
    send('a', 'WORK');
    send('a', 'BREAK_ACTION');
    const { lastGood } = crashOf(0);
    const stored: unknown = JSON.parse(JSON.stringify(lastGood));
    actor.send({ type: 'RESUME', id: 'again', snapshot: stored });
    expect(child('again')?.getSnapshot()).toMatchObject({
      value: 'working',
      context: { id: 'a', count: 1 },
    });
    expect(work.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    // The stored one is a copy: what lives does not change it.
    send('again', 'COUNT');
    expect(stored).toMatchObject({ context: { count: 1 } });
  });

  test('that is resumed from what no chart knows dies at birth, and nothing else does', () => {
    const { actor, deaths, crashOf } = bench();
    const snapshot = { status: 'active', value: 'nowhere', context: { id: 'a', count: 0 }, children: {} };
    actor.send({ type: 'RESUME', id: 'a', snapshot });
    expect(deaths.map(({ id }) => id)).toEqual(['a']);
    expect(crashOf(0).lastGood).toBe(snapshot);
    expect(actor.getSnapshot().status).toBe('active');
  });
});
