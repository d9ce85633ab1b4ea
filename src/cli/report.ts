/** `report`: the summary of CONTRACT §3 from the state on disk, whether a daemon runs or not. */

import { CodedError } from '../domain/errors.js';
import type { ReportItem } from '../domain/reportItem.js';
import { exists } from '../io/disk.js';
import { nodeDisk } from '../io/nodeDisk.js';
import { systemClock } from '../io/clock.js';
import { reportOfDocuments } from '../runtime/reporting.js';
import { openStore, type Store } from '../store/store.js';
import type { Session } from './session.js';
import { localTime, table } from './table.js';

export async function report({ loaded, log, say }: Session): Promise<number> {
  const { config, answer } = loaded;
  const { stateFile } = config.places;
  if (!(await exists(nodeDisk, stateFile).catch(() => false)))
    throw new CodedError('state_missing', stateFile);
  const store = await openStore({
    disk: nodeDisk,
    clock: systemClock,
    log,
    statePath: stateFile,
    readOnly: true,
  });
  sayDamage(store, log);
  const { limit } = answer;
  const held = store.all('held');
  const shown = reportOfDocuments(config, store.recordings().values(), held, systemClock.now(), limit);
  if (answer.format === 'json') say(`${JSON.stringify(shown, null, 2)}\n`);
  else {
    for (const { source, reason, since } of shown.held_sources ?? [])
      say(`held since ${localTime(Date.parse(since))}: ${source} (${reason}); the last good one is in use\n`);
    say(
      table(
        ['id', 'state', 'outcome', 'start', 'channel', 'title'],
        [...shown.active, ...shown.completed, ...shown.failed].map(row),
      ),
    );
  }
  return 0;
}

/** Throws CodedError `state_unreadable` where nothing of it can be read: an empty report would say that nothing is there. */
function sayDamage(store: Store, log: Session['log']): void {
  const { damage } = store.status();
  if (damage.length === 0) return;
  if (store.recordings().size + store.tombstones().size === 0)
    throw new CodedError('state_unreadable', damage.join('; '));
  log.error({ code: 'state_unreadable', damage }, 'the state is damaged; this is what can be read of it');
}

function row(item: ReportItem): string[] {
  const outcome = 'outcome' in item ? String(item.outcome) : '';
  return [
    item.id,
    item.machine_state,
    outcome,
    localTime(Date.parse(item.start)),
    item.channel_name ?? '',
    item.title,
  ];
}
