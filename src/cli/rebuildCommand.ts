/** `rebuild`: a lost or unreadable state from the event history and the ledgers on disk. */

import { timeMs } from '../domain/sidecar.js';
import { rfc3339 } from '../domain/text.js';
import { rebuild, type Rebuilt } from '../runtime/rebuild.js';
import { closeDoors, openDoors, type Session } from './session.js';
import { localTime, table } from './table.js';

export async function rebuildCommand({ loaded, log, say }: Session): Promise<number> {
  const { config, answer } = loaded;
  const doors = openDoors(log);
  try {
    process.umask(config.places.umask);
    const { recordings, tombstones, known, spools, damage, problems } = await rebuild(
      config,
      doors,
      answer.force,
    );
    const counts = { known, rebuilt: recordings.length, tombstones: tombstones.length };
    if (answer.format === 'json') {
      const shown = {
        generated_at: rfc3339(doors.clock.now()),
        state_file: config.places.stateFile,
        ...counts,
        recordings: recordings.map(shownRecording),
        spools,
        damage,
        problems,
      };
      say(`${JSON.stringify(shown, null, 2)}\n`);
    } else {
      const rows = recordings.map(({ id, recording, path, from }) => [
        id,
        path.split('.')[0] ?? '',
        localTime(recording.window.startAt),
        recording.capsule.title,
        from,
        recording.files?.media ?? recording.spool,
      ]);
      say(rows.length > 0 ? table(['id', 'state', 'start', 'title', 'from', 'file'], rows) : '');
      for (const path of spools)
        say(`${path}: nothing speaks for this spool; run goes on with it or finishes it\n`);
      for (const { path, what } of problems) say(`${path}: ${what}\n`);
      for (const one of damage) say(`${one}\n`);
      say(`${counts.rebuilt} rebuilt, ${counts.tombstones} tombstones, ${known} known before\n`);
    }
    return 0;
  } finally {
    await closeDoors(doors);
  }
}

function shownRecording({ id, recording, path, from }: Rebuilt) {
  const { capsule, window, expiresAt, keep, files, spool, result } = recording;
  return {
    id,
    title: capsule.title,
    channel_name: capsule.channelName,
    lane: capsule.lane,
    start: rfc3339(window.startAt),
    stop: rfc3339(window.stopAt),
    expires_at: timeMs(expiresAt),
    keep,
    machine_state: path.split('.')[0],
    outcome: result?.outcome ?? null,
    output_path: files?.media ?? spool,
    from,
  };
}
