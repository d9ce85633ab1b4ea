/**
 * The outbox of one receiver (a media server, a webhook, the command after publishing): idle until something is due,
 * delivering, backing off while the receiver is down, refused once it does not take our token, until the configuration
 * is read again. The rows themselves lie in the state; this chart only says when the next one goes out.
 */

import { assign, setup } from 'xstate';
import type { DeliverOutcome } from '../src/domain/deliver.js';
import type { DeadlineEvent } from './events.js';
import { deliver } from './ports.js';

export interface LibraryInput {
  readonly receiver: string;
  /** When the first of the rows that wait is due, or null. */
  readonly dueAt: number | null;
}

export interface LibraryContext {
  readonly receiver: string;
  /** When the next row is due, as far as is known, or null. */
  readonly dueAt: number | null;
  /** Deliveries in a row that the receiver had no answer for. */
  readonly failures: number;
  readonly problem: { readonly code: string; readonly detail: string; readonly since: number } | null;
  readonly deadline: { readonly kind: 'owed' | 'retry'; readonly at: number } | null;
  /** The configuration was read again since the delivery under way began: what comes of it is an answer to the old one. */
  readonly reloaded: boolean;
}

export type LibraryEvent =
  | (DeadlineEvent & { readonly kind: 'owed' | 'retry' })
  /** A row was put into the outbox, or another is due earlier. */
  | { readonly type: 'OWED'; readonly at: number; readonly dueAt: number }
  /** The configuration was read again: what was refused or is far off is tried now. */
  | { readonly type: 'RELOADED'; readonly at: number };

const RETRY_MS = 5_000;
const RETRY_MS_MAX = 300_000;

type Failure = Extract<DeliverOutcome, { kind: 'failed' | 'refused' }>;

function earlier(one: number | null, other: number | null): number | null {
  if (one === null) return other;
  return other === null ? one : Math.min(one, other);
}

function failureOf(outcome: Exclude<DeliverOutcome, { kind: 'delivered' }>): Failure {
  if (outcome.kind !== 'bug') return outcome;
  return { kind: 'failed', at: outcome.at, code: 'bug', detail: outcome.error, retryAfterMs: null };
}

/** Doubling from five seconds to five minutes; longer only where the receiver asks for it. */
export function retryMs(failures: number, retryAfterMs: number | null): number {
  const own = Math.min(RETRY_MS * 2 ** Math.min(20, Math.max(0, failures - 1)), RETRY_MS_MAX);
  return Math.max(own, retryAfterMs ?? 0);
}

const vocabulary = setup({
  types: { context: {} as LibraryContext, events: {} as LibraryEvent, input: {} as LibraryInput },
  actors: { deliver },
  actions: {
    /** Says that a receiver is in trouble, or out of it. */
    tell: (_, _news: { receiver: string; problem: LibraryContext['problem']; refused: boolean }) => {},
    owe: assign(({ context, event }) =>
      event.type === 'OWED' ? { dueAt: earlier(context.dueAt, event.dueAt) } : {},
    ),
    /** What is put into the outbox from now on is noted; the effect says what is left of the rest. */
    begin: assign({ dueAt: null, deadline: null, reloaded: false }),
    reload: assign({ reloaded: true }),
    awaitRow: assign(({ context }) => ({
      deadline: context.dueAt === null ? null : { kind: 'owed' as const, at: context.dueAt },
    })),
    awaitNothing: assign({ deadline: null }),
    succeed: assign(({ context }, outcome: Extract<DeliverOutcome, { kind: 'delivered' }>) => ({
      dueAt: earlier(context.dueAt, outcome.nextAt),
      failures: 0,
      problem: null,
    })),
    fail: assign(({ context }, failure: Failure) => ({
      failures: context.failures + 1,
      problem: { code: failure.code, detail: failure.detail, since: context.problem?.since ?? failure.at },
    })),
    awaitRetry: assign(({ context }, failure: Failure) => ({
      deadline: {
        kind: 'retry' as const,
        at: failure.at + retryMs(context.failures, failure.kind === 'failed' ? failure.retryAfterMs : null),
      },
    })),
  },
  guards: {
    due: ({ context, event }) =>
      event.type === 'DEADLINE' &&
      context.deadline?.kind === event.kind &&
      context.deadline.at === event.dueAt,
  },
});

const say = {
  type: 'tell' as const,
  params: ({ context }: { readonly context: LibraryContext }) => ({
    receiver: context.receiver,
    problem: context.problem,
    refused: false,
  }),
};

const sayRefused = {
  type: 'tell' as const,
  params: ({ context }: { readonly context: LibraryContext }) => ({
    receiver: context.receiver,
    problem: context.problem,
    refused: true,
  }),
};

const failed = ({ event }: { readonly event: { readonly output: DeliverOutcome } }) =>
  failureOf(event.output as Exclude<DeliverOutcome, { kind: 'delivered' }>);

const delivered = ({ event }: { readonly event: { readonly output: DeliverOutcome } }) =>
  event.output as Extract<DeliverOutcome, { kind: 'delivered' }>;

export const libraryMachine = vocabulary.createMachine({
  id: 'library',
  context: ({ input }) => ({ ...input, failures: 0, problem: null, deadline: null, reloaded: false }),
  initial: 'idle',
  states: {
    idle: {
      entry: 'awaitRow',
      on: {
        OWED: { actions: ['owe', 'awaitRow'] },
        DEADLINE: { guard: 'due', target: 'delivering' },
      },
    },
    delivering: {
      entry: 'begin',
      invoke: {
        id: 'deliver',
        src: 'deliver',
        input: ({ context }) => ({ receiver: context.receiver }),
        onDone: [
          {
            guard: ({ context, event }) => event.output.kind === 'delivered' && context.problem === null,
            target: 'idle',
            actions: { type: 'succeed', params: delivered },
          },
          {
            guard: ({ event }) => event.output.kind === 'delivered',
            target: 'idle',
            actions: [{ type: 'succeed', params: delivered }, say],
          },
          { guard: ({ context }) => context.reloaded, target: 'delivering', reenter: true },
          {
            guard: ({ event }) => event.output.kind === 'refused',
            target: 'refused',
            actions: [{ type: 'fail', params: failed }, sayRefused],
          },
          {
            target: 'backingOff',
            actions: [{ type: 'fail', params: failed }, { type: 'awaitRetry', params: failed }, say],
          },
        ],
      },
      on: { OWED: { actions: 'owe' }, RELOADED: { actions: 'reload' } },
    },
    /** Everything waits, in its order, until the receiver answers. */
    backingOff: {
      on: {
        DEADLINE: { guard: 'due', target: 'delivering' },
        RELOADED: 'delivering',
      },
    },
    /** Nothing is asked any more: only a person can help. */
    refused: {
      entry: 'awaitNothing',
      on: { RELOADED: 'delivering' },
    },
  },
});
