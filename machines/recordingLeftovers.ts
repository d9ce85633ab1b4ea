/**
 * The states inside `failed` and `cancelled` of `machines/recording.ts`: what was captured is never thrown away with the
 * hope of a file.
 */

import { BLOCKED_MS, doomed, due, settled, until, vocabulary } from './recordingVocabulary.js';

/**
 * What a failed or cancelled recording leaves. Until the programme is over it can be taken up again on the same spool;
 * then what was captured is sealed where it lies, and rests until a retention rule takes it.
 */
export const leftovers = vocabulary.createStateConfig({
  initial: 'revocable',
  states: {
    revocable: {
      entry: until('stop', (context) => context.window.stopAt),
      always: doomed,
      on: {
        RETRY: { guard: 'programmeLasts', target: '#recording.scheduled', actions: 'revive' },
        DEADLINE: { guard: due('stop'), target: 'sealing' },
      },
    },
    sealing: {
      entry: 'waitForNothing',
      invoke: {
        id: 'seal',
        src: 'seal',
        input: ({ context }) => ({ recording: context }),
        onDone: [
          {
            guard: ({ event }) => event.output.kind === 'sealed',
            target: 'resting',
            actions: settled,
          },
          { target: 'blocked', actions: settled },
        ],
      },
      on: { RESTARTED: { target: 'sealing', reenter: true, actions: 'restart' } },
    },
    blocked: {
      entry: until('wait', (_, at) => at + BLOCKED_MS),
      always: doomed,
      on: { DEADLINE: { guard: due('wait'), target: 'sealing' } },
    },
    resting: {
      entry: 'waitForNothing',
      always: doomed,
      on: { EVICT: { guard: 'removable', target: '#recording.expired', actions: 'evict' } },
    },
  },
});
