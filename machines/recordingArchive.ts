/**
 * The states inside `finalizing.archive` of `machines/recording.ts`: the provider's archive is asked for what is missing,
 * behind everything that is on now. However that ends, `finalizing.working` makes the file of what there is.
 */

import { archiveReadyAt, REPLAY_WAIT_MS_MAX } from '../src/domain/replay.js';
import { askArchive, BLOCKED_MS, due, mended, release, until, vocabulary } from './recordingVocabulary.js';

export const archive = vocabulary.createStateConfig({
  on: {
    DELETE: {
      target: '#recording.finalizing.working',
      actions: ['doom', 'letGo', release],
    },
  },
  initial: 'early',
  states: {
    early: {
      entry: until('wait', (context, at) => Math.max(at, archiveReadyAt(context))),
      on: { DEADLINE: { guard: due('wait'), target: 'queued' } },
    },
    queued: {
      entry: [until('wait', (_, at) => at + REPLAY_WAIT_MS_MAX), askArchive],
      on: {
        GRANTED: { target: 'fetching', actions: 'hold' },
        QUEUED: { actions: 'queue' },
        WOKEN: { actions: askArchive },
        DEADLINE: {
          guard: due('wait'),
          target: '#recording.finalizing.working',
          actions: ['letGo', release],
        },
      },
    },
    fetching: {
      entry: 'waitForNothing',
      invoke: {
        id: 'replay',
        src: 'replay',
        input: ({ context }) => ({ recording: context }),
        onDone: [
          {
            guard: ({ event }) => event.output.kind === 'mended',
            target: '#recording.finalizing.working',
            actions: [mended, 'letGo', release],
          },
          {
            guard: ({ event }) => event.output.kind === 'again',
            target: 'pausing',
            actions: ['countReplay', 'letGo', release],
          },
          {
            target: '#recording.finalizing.working',
            actions: ['leaveArchive', 'letGo', release],
          },
        ],
      },
      on: {
        PREEMPTED: { target: 'pausing', actions: ['letGo', release] },
        YIELD: { target: 'pausing', actions: ['letGo', release] },
      },
    },
    pausing: {
      entry: until('wait', (_, at) => at + BLOCKED_MS),
      on: { DEADLINE: { guard: due('wait'), target: '#recording.finalizing.choosing' } },
    },
  },
});
