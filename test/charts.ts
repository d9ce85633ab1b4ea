/** Every chart there is: documented, walked and broken by tests. A new one is a row here. */
import type { AnyStateMachine } from 'xstate';
import { guideMachine } from '../machines/guide.js';
import { libraryMachine } from '../machines/library.js';
import { recordingMachine } from '../machines/recording.js';
import { schedulerMachine } from '../machines/scheduler.js';

export interface Chart {
  readonly name: string;
  /** What it decides, for docs/statecharts.md. */
  readonly about: string;
  readonly machine: AnyStateMachine;
}

export const CHARTS: readonly Chart[] = [
  {
    name: 'scheduler',
    about: 'The root: spawns and supervises recordings and guides, and hands out slots.',
    machine: schedulerMachine,
  },
  {
    name: 'recording',
    about: 'The life of one recording, from plan to tombstone.',
    machine: recordingMachine,
  },
  {
    name: 'guide',
    about: 'One guide or channel list, and the last good copy in use.',
    machine: guideMachine,
  },
  {
    name: 'library',
    about: 'The outbox of one receiver: a media server, a webhook, the program after publishing.',
    machine: libraryMachine,
  },
];
