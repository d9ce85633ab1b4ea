/** `record`: one pass over what is on now, for what gets a slot; then a manifest, and the end. */

import { join } from 'node:path';
import { CodedError } from '../domain/errors.js';
import { writeRecordManifest } from '../publish/manifest.js';
import { serveCommandFiles } from '../runtime/commandFiles.js';
import { startDaemon } from '../runtime/daemon.js';
import { closeDoors, openDoors, type Session } from './session.js';
import { chooseSource } from './sourceChoice.js';
import { onSignals } from './signals.js';
import { table } from './table.js';

export async function recordCommand(session: Session): Promise<number> {
  const { loaded, log, say } = session;
  const { config } = loaded;
  if (chooseSource(loaded, { env: process.env, stateOfRealSources: true }) === 'demo')
    throw new CodedError('usage', 'no source: give --m3u, --xtream or --catalog');
  process.umask(config.places.umask);
  const doors = openDoors(log, config.places.publishDir);
  try {
    const daemon = await startDaemon({ config, doors, mode: 'record' });
    const startedAt = daemon.status().now;
    const signals = onSignals({ stop: () => void daemon.stop() });
    const files = serveCommandFiles(doors, join(config.places.outDir, '.catchupd'), daemon.command);
    const problem = await daemon.ended;
    files.stop();
    signals.ignore();
    const recorded = [...daemon.book.all()].flatMap(({ recording, path }) =>
      path === 'published' && (recording.result?.finishedAt ?? 0) >= startedAt ? [recording] : [],
    );
    const { outDir, umask } = config.places;
    await writeRecordManifest(doors, outDir, recorded, umask);
    if (loaded.answer.format === 'json')
      say((await doors.disk.readFile(join(outDir, 'record-manifest.json'))).toString());
    else
      say(
        table(
          ['title', 'channel', 'outcome', 'file'],
          recorded.map(({ capsule, result, files }) => [
            capsule.title,
            capsule.channelName,
            result?.outcome ?? '',
            files?.media ?? '',
          ]),
        ),
      );
    if (problem === null) return 0;
    log.error({ code: problem }, 'ended with a problem');
    return 1;
  } finally {
    await closeDoors(doors);
  }
}
