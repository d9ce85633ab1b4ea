/**
 * One guide or channel list, from its address to the last good copy in use: fetching, accepted, held (the sanity gate
 * said no), backing off. P5: whatever a source does, the last good one stays; nothing is cancelled for its absence.
 */

import { assign, setup } from 'xstate';
import type { Bug } from '../src/domain/capture.js';
import { judge, type GateCounts } from '../src/domain/gate.js';
import type { DeadlineEvent } from './events.js';
import { load } from './ports.js';

/** What a fetch and parse found. `token` names the loaded data until it is adopted or dropped. */
export type GuideOutcome =
  | { readonly kind: 'loaded'; readonly at: number; readonly token: number; readonly counts: GateCounts }
  | { readonly kind: 'unchanged'; readonly at: number }
  | { readonly kind: 'failed'; readonly at: number; readonly code: string; readonly detail: string }
  | Bug;

export interface GuideInput {
  readonly sourceId: string;
  readonly kind: 'list' | 'guide';
  /** How often it is looked at. */
  readonly pollMs: number;
  /** Counts of the last good copy on disk, or null. */
  readonly lastGood: GateCounts | null;
}

export interface GuideContext extends GuideInput {
  readonly acceptedAt: number | null;
  readonly held: { readonly reason: string; readonly since: number; readonly counts: GateCounts } | null;
  readonly problem: { readonly code: string; readonly detail: string; readonly since: number } | null;
  readonly failures: number;
  readonly deadline: { readonly kind: 'poll' | 'retry'; readonly at: number } | null;
}

export type GuideEvent =
  | (DeadlineEvent & { readonly kind: 'poll' | 'retry' })
  /** Look now (SIGHUP, or a list that named it changed). */
  | { readonly type: 'REFRESH'; readonly at: number };

const RETRY_MS = 5_000;
const RETRY_MS_MAX = 300_000;
/** A channel list that stays smaller, or a guide that stays shifted, this long is taken to mean it. */
const HELD_MS_MAX = 86_400_000;

type Loaded = Extract<GuideOutcome, { kind: 'loaded' }>;

/**
 * The gate's word, but for a last good copy that no longer says anything about now: a guide that has run out, or a
 * list or the times of a guide that have been contradicted for a day, gives way to whatever is there, unless that is
 * empty.
 */
function verdict(context: GuideContext, outcome: Loaded): { take: boolean; reason: string } {
  const judged = judge(context.lastGood, outcome.counts);
  if (judged.verdict === 'accept') return { take: true, reason: '' };
  const empty = context.kind === 'guide' ? outcome.counts.programmes === 0 : outcome.counts.channels === 0;
  const contradicted = context.held !== null && outcome.at - context.held.since >= HELD_MS_MAX;
  const outlived =
    context.kind === 'guide'
      ? (context.lastGood?.lastStopAt ?? 0) <= outcome.at || (contradicted && judged.reason === 'shifted')
      : contradicted;
  return { take: outlived && !empty, reason: judged.reason };
}

export const guideMachine = setup({
  types: { context: {} as GuideContext, events: {} as GuideEvent, input: {} as GuideInput },
  actors: { load },
  actions: {
    /** Puts the loaded data in use and on disk. */
    adopt: (_, _loaded: { sourceId: string; token: number }) => {},
    /** Forgets the loaded data, and says why it is not used. */
    drop: (_, _loaded: { sourceId: string; token: number; reason: string }) => {},
    accept: assign((_, outcome: Loaded) => ({
      lastGood: outcome.counts,
      acceptedAt: outcome.at,
      held: null,
      problem: null,
      failures: 0,
    })),
    holdBack: assign(({ context }, outcome: Loaded) => ({
      held: {
        reason: verdict(context, outcome).reason,
        since: context.held?.since ?? outcome.at,
        counts: outcome.counts,
      },
      problem: null,
      failures: 0,
    })),
    confirm: assign({ problem: null, failures: 0 }),
    note: assign(({ context }, outcome: Exclude<GuideOutcome, Loaded>) => ({
      failures: context.failures + 1,
      problem: {
        code: outcome.kind === 'failed' ? outcome.code : 'bug',
        detail: outcome.kind === 'failed' ? outcome.detail : outcome.kind === 'bug' ? outcome.error : '',
        since: context.problem?.since ?? outcome.at,
      },
    })),
    awaitPoll: assign(({ context }, at: number) => ({
      deadline: { kind: 'poll' as const, at: at + context.pollMs },
    })),
    awaitRetry: assign(({ context }, at: number) => ({
      deadline: {
        kind: 'retry' as const,
        at: at + Math.min(RETRY_MS * 2 ** Math.min(20, context.failures - 1), RETRY_MS_MAX, context.pollMs),
      },
    })),
    awaitNothing: assign({ deadline: null }),
  },
  guards: {
    due: ({ context, event }) =>
      event.type === 'DEADLINE' &&
      context.deadline?.kind === event.kind &&
      context.deadline.at === event.dueAt,
    takes: ({ context }, outcome: GuideOutcome) =>
      outcome.kind === 'loaded' && verdict(context, outcome).take,
  },
}).createMachine({
  id: 'guide',
  context: ({ input }) => ({
    ...input,
    acceptedAt: null,
    held: null,
    problem: null,
    failures: 0,
    deadline: null,
  }),
  initial: 'starting',
  states: {
    /** Effects of an initial state would start before its entry actions. */
    starting: { always: 'fetching' },
    fetching: {
      entry: 'awaitNothing',
      invoke: {
        id: 'load',
        src: 'load',
        input: ({ context }) => ({ sourceId: context.sourceId }),
        onDone: [
          {
            guard: { type: 'takes', params: ({ event }) => event.output },
            target: 'accepted',
            actions: [
              { type: 'accept', params: ({ event }) => event.output as Loaded },
              {
                type: 'adopt',
                params: ({ context, event }) => ({
                  sourceId: context.sourceId,
                  token: (event.output as Loaded).token,
                }),
              },
              { type: 'awaitPoll', params: ({ event }) => event.output.at },
            ],
          },
          {
            guard: ({ event }) => event.output.kind === 'loaded',
            target: 'held',
            actions: [
              { type: 'holdBack', params: ({ event }) => event.output as Loaded },
              {
                type: 'drop',
                params: ({ context, event }) => ({
                  sourceId: context.sourceId,
                  token: (event.output as Loaded).token,
                  reason: context.held?.reason ?? '',
                }),
              },
              { type: 'awaitPoll', params: ({ event }) => event.output.at },
            ],
          },
          {
            guard: ({ context, event }) => event.output.kind === 'unchanged' && context.held !== null,
            target: 'held',
            actions: ['confirm', { type: 'awaitPoll', params: ({ event }) => event.output.at }],
          },
          {
            guard: ({ event }) => event.output.kind === 'unchanged',
            target: 'accepted',
            actions: ['confirm', { type: 'awaitPoll', params: ({ event }) => event.output.at }],
          },
          {
            target: 'backingOff',
            actions: [
              { type: 'note', params: ({ event }) => event.output as Exclude<GuideOutcome, Loaded> },
              { type: 'awaitRetry', params: ({ event }) => event.output.at },
            ],
          },
        ],
      },
    },
    accepted: { on: { DEADLINE: { guard: 'due', target: 'fetching' }, REFRESH: 'fetching' } },
    held: { on: { DEADLINE: { guard: 'due', target: 'fetching' }, REFRESH: 'fetching' } },
    backingOff: { on: { DEADLINE: { guard: 'due', target: 'fetching' }, REFRESH: 'fetching' } },
  },
});
