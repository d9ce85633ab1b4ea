/**
 * What a person says of single programmes (`want`, `skip`): kept in the state, above the policy, and acted on by the
 * very next plan (P10). A programme is named by its capsule id, whether the guide or a recording knows it by that.
 */

import type { RecordingEvent } from '../../machines/events.js';
import type { Capsule } from '../domain/capsule.js';
import { CodedError } from '../domain/errors.js';
import { markOf } from '../domain/gist.js';
import { isForgotten, markedCapsule, overrideOf, retold, type OverrideWord } from '../domain/override.js';
import type { Decision } from '../domain/plan.js';
import { pause, type Clock } from '../io/clock.js';
import type { Store } from '../store/store.js';
import type { Book } from './book.js';
import { gist, type Entry } from './entries.js';

export interface OverrideDoors {
  readonly store: Store;
  readonly book: Book;
  readonly clock: Clock;
  /** Of everything that the guides in use have, as far ahead as they are kept. */
  readonly row: (capsuleId: string) => Promise<Capsule | null>;
  readonly forward: (id: string, event: RecordingEvent) => void;
  readonly planNow: () => void;
}

export interface Overrides {
  /**
   * `null` takes the word back. Resolves when it is on disk; false where neither guide nor state knows a programme of
   * this id, and nothing was changed. Rejects with CodedError `state_unwritable` while the disk refuses.
   */
  say(capsuleId: string, word: OverrideWord | null): Promise<boolean>;
  /** A plan recognised a programme that was spoken of under another key: remembered. */
  follow(decisions: readonly Decision[]): void;
}

export function createOverrides(doors: OverrideDoors): Overrides {
  const { store, book, clock } = doors;

  function recordingOf(capsuleId: string): Entry | undefined {
    const mark = markOf(capsuleId);
    return [...book.all()].find(
      (entry) => gist(entry).capsuleMark === mark && entry.recording.capsule.capsuleId === capsuleId,
    );
  }

  function forgetOld(now: number): void {
    for (const [id, override] of store.all('overrides'))
      if (isForgotten(override, now)) store.set('overrides', id, null);
  }

  return {
    async say(capsuleId, word) {
      // The capsule as it was last planned has every key of its recording.
      const row = recordingOf(capsuleId) ? null : await doors.row(capsuleId);
      const { writable, problem } = store.status();
      if (!writable) throw new CodedError('state_unwritable', problem ?? '');
      const now = clock.now();
      const entry = recordingOf(capsuleId);
      const capsule = entry?.recording.capsule ?? row;
      if (word === null) {
        if (!store.all('overrides').has(capsuleId) && !capsule) return false;
        store.set('overrides', capsuleId, null);
      } else {
        if (!capsule) return false;
        const said = overrideOf(capsule, word, now);
        const keys = [...new Set([...(entry?.recording.keys ?? []), ...said.keys])];
        store.set('overrides', capsuleId, { ...said, keys });
      }
      forgetOld(now);
      // What a person or a failure ended is taken up again on the same spool, while the programme lasts.
      const ended = entry && /^(failed|cancelled)\./.test(entry.path);
      if (word === 'want' && ended) doors.forward(entry.id, { type: 'RETRY', at: now });
      // A resting recording is woken first, which takes a turn.
      await pause(clock, 0);
      await store.flush();
      doors.planNow();
      return true;
    },
    follow(decisions) {
      for (const { recordingId = '', addKey, capsule } of decisions) {
        const marked = addKey ? markedCapsule(recordingId) : null;
        const override = marked === null ? undefined : store.all('overrides').get(marked);
        if (marked !== null && override) store.set('overrides', marked, retold(override, capsule));
      }
    },
  };
}
