/**
 * Commands to recordings while no daemon runs: under the lock, on the stored snapshots, with the pure transitions that
 * a recovery uses. What a deletion has to take away is taken away at once.
 */

import { join } from 'node:path';
import type { RecordingEvent } from '../../machines/events.js';
import type { Config } from '../config/config.js';
import type { CommandVerb } from '../domain/commands.js';
import { CodedError } from '../domain/errors.js';
import { exists } from '../io/disk.js';
import { openHistory } from '../store/history.js';
import { takeLock } from '../store/lock.js';
import { openStore } from '../store/store.js';
import { createBook, type Book } from './book.js';
import { command, type CommandAnswer } from './commands.js';
import { createDeadlines } from './deadlines.js';
import type { Doors } from './doors.js';
import { createMediaIndexes } from './mediaIndexes.js';
import { folded } from './recover.js';
import { openRoots } from './roots.js';
import { createStages } from './stages.js';

/** Throws CodedError: `state_missing`, `state_locked`, or what the command itself is refused for. */
export async function commandOnStore(
  config: Config,
  doors: Doors,
  verb: CommandVerb,
  id: string,
): Promise<CommandAnswer> {
  const { clock, disk, log } = doors;
  const { outDir, stateFile } = config.places;
  if (!(await exists(disk, stateFile).catch(() => false))) throw new CodedError('state_missing', stateFile);
  const folder = join(outDir, '.catchupd');
  const lock = await takeLock(doors, folder, doors.random.uuid());
  const deadlines = createDeadlines(clock, () => undefined);
  try {
    const history = await openHistory({ disk, clock, log }, join(folder, 'history'));
    const store = await openStore({
      disk,
      clock,
      log,
      statePath: stateFile,
      privateFolder: folder,
      beforeCommit: (line) => history.write(line),
      told: history.told,
    });
    try {
      const book: Book = createBook({ store, history, deadlines, clock, log, onChange: () => undefined });
      const roots = await openRoots(config, doors, store);
      const stages = createStages({
        config,
        doors,
        roots,
        book: () => book,
        writable: () => store.status().writable,
        indexPath: createMediaIndexes(disk, folder).pathOf,
      });
      const send = async (to: string, event: RecordingEvent) => {
        book.note(to, event);
        const next = folded(book.snapshot(to), event);
        book.observe(to, next);
        const entry = book.get(to);
        if (entry?.path !== 'expired.removing') return;
        // What is blocked now is tried again by the daemon.
        const outcome = await stages.remove(entry.recording);
        if (outcome.kind === 'removed') {
          book.bury(to);
          stages.libraryChanged();
        } else book.observe(to, folded(next, { type: 'xstate.done.actor.remove', output: outcome } as never));
      };
      const answer = await command({ book, store, clock, send }, verb, id);
      await stages.settled();
      return answer;
    } finally {
      await store.close();
      await history.close();
    }
  } finally {
    deadlines.stop();
    await lock.release();
  }
}
