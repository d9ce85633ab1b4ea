/** The outbox of a receiver, what deliveries give, and every event that can reach its chart: what the path tests walk with. */
import type { LibraryContext, LibraryEvent } from '../../machines/library.js';
import type { DeliverOutcome } from '../../src/domain/deliver.js';

export const T0 = Date.UTC(2026, 10, 23, 19, 30);
export const INPUT = { receiver: 'plex', dueAt: null };

export type Done = { readonly type: 'xstate.done.actor.deliver'; readonly output: DeliverOutcome };
export type Step = (LibraryEvent | Done) & { readonly name: string };
export type State = { readonly value: unknown; readonly context: LibraryContext };

export const OUTCOMES: readonly DeliverOutcome[] = [
  { kind: 'delivered', at: T0, nextAt: null },
  { kind: 'delivered', at: T0, nextAt: T0 + 5_000 },
  { kind: 'failed', at: T0, code: 'server_unreachable', detail: 'ECONNREFUSED', retryAfterMs: null },
  { kind: 'failed', at: T0, code: 'server_failing', detail: '503', retryAfterMs: 900_000 },
  { kind: 'refused', at: T0, code: 'server_refused', detail: '401' },
  { kind: 'bug', at: T0, error: 'boom' },
];

export function steps({ value, context }: State): Step[] {
  const { deadline } = context;
  const all: (LibraryEvent | Done)[] = [
    { type: 'OWED', at: T0, dueAt: T0 + 2_000 },
    { type: 'OWED', at: T0, dueAt: T0 + 1_000 },
    { type: 'RELOADED', at: T0 },
    { type: 'DEADLINE', kind: 'retry', dueAt: 1, at: T0 },
  ];
  if (deadline) all.push({ type: 'DEADLINE', kind: deadline.kind, dueAt: deadline.at, at: deadline.at });
  if (value === 'delivering')
    for (const output of OUTCOMES) all.push({ type: 'xstate.done.actor.deliver', output });
  return all.map((step, index) => ({ ...step, name: `${index} ${step.type}` }));
}

export function view({ value, context: { failures, ...context } }: State): string {
  return JSON.stringify([value, Math.min(2, failures), context]);
}
