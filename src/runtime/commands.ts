/**
 * What a person tells a recording, from whichever door it comes: judged, sent as an event that is journaled like every
 * other, and answered when it is on disk. Without a daemon the same event is folded into the stored snapshot, which
 * goes on from there at the next start.
 */

import type { RecordingEvent } from '../../machines/events.js';
import { findId, judgeCommand, type CommandVerb } from '../domain/commands.js';
import { CodedError } from '../domain/errors.js';
import { reportItem, type MachineState } from '../domain/reportItem.js';
import { pause, type Clock } from '../io/clock.js';
import type { Store } from '../store/store.js';
import type { Book } from './book.js';
import type { Entry } from './entries.js';

export interface CommandAnswer {
  readonly command: CommandVerb;
  readonly id: string;
  /** False where it was so already. */
  readonly changed: boolean;
  readonly machine_state: MachineState;
  /** Null where nothing but its tombstone is left. */
  readonly recording: ReturnType<typeof reportItem> | null;
}

export interface CommandDoors {
  readonly book: Book;
  readonly store: Store;
  readonly clock: Clock;
  /** Hands the event to the chart, live, resting or on paper. */
  readonly send: (id: string, event: RecordingEvent) => void | Promise<void>;
}

/** A removal is waited for this long before it is said to be under way. */
const REMOVAL_MS_MAX = 5_000;
const LOOK_MS = 20;

/** `text` is an id or its beginning. Throws CodedError where it cannot be done; done twice, it is done once. */
export async function command(doors: CommandDoors, verb: CommandVerb, text: string): Promise<CommandAnswer> {
  const { book, store, clock, send } = doors;
  const id = seek(doors, text);
  const entry = book.get(id);
  if (!entry) {
    if (verb === 'delete' && store.tombstones().has(id)) return answer(verb, id, false, undefined);
    throw new CodedError(
      book.quarantined().some((one) => one.id === id) ? 'recording_aside' : 'recording_unknown',
      id,
    );
  }
  const judged = judgeCommand(verb, entry.recording, entry.path, clock.now());
  if (judged.kind === 'refused') throw new CodedError(judged.code, judged.detail);
  if (judged.kind === 'send') {
    const { writable, problem } = store.status();
    if (!writable) throw new CodedError('state_unwritable', problem ?? '');
    await send(id, judged.event);
    // A resting recording is woken first, which takes a turn.
    await pause(clock, 0);
    await store.flush();
  } else await store.written('recordings', id); // It may be so for a moment only, and not on disk yet.
  if (verb === 'delete') await removal(doors, id);
  return answer(verb, id, judged.kind === 'send', book.get(id));
}

function seek({ book, store }: CommandDoors, text: string): string {
  const living = [...[...book.all()].map(({ id }) => id), ...book.quarantined().map(({ id }) => id)];
  const sought = findId(text, living);
  const found = sought.kind === 'unknown' ? findId(text, store.tombstones().keys()) : sought;
  switch (found.kind) {
    case 'found':
      return found.id;
    case 'unknown':
      throw new CodedError('recording_unknown', text);
    case 'ambiguous':
      throw new CodedError('id_ambiguous', `${text}: ${found.ids.join(', ')}`);
  }
}

/** Media of a gigabyte goes in a moment; what is still captured or finished has to end first. */
async function removal({ book, clock }: CommandDoors, id: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < REMOVAL_MS_MAX; waitedMs += LOOK_MS) {
    const path = book.get(id)?.path;
    if (path === undefined || path === 'expired.blocked') return;
    await pause(clock, LOOK_MS);
  }
}

function answer(verb: CommandVerb, id: string, changed: boolean, entry: Entry | undefined): CommandAnswer {
  if (!entry) return { command: verb, id, changed, machine_state: 'expired', recording: null };
  const { recording, path, updatedAt } = entry;
  const state = path.split('.')[0] as MachineState;
  return {
    command: verb,
    id,
    changed,
    machine_state: state,
    recording: reportItem({ recording, state, updatedAt }),
  };
}
