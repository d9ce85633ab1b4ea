/** `launchers`: a `.strm` with its `.nfo` for each capsule, and `publish-manifest.json`. */

import { join } from 'node:path';
import { capsuleState } from '../domain/capsules.js';
import type { Capsule } from '../domain/capsule.js';
import { laneNames } from '../domain/laneDefinition.js';
import { sanitize } from '../domain/names.js';
import { replayMode } from '../domain/preview.js';
import { redactUrl } from '../domain/redact.js';
import { replayUrl } from '../domain/replayTemplate.js';
import { compareText, rfc3339 } from '../domain/text.js';
import { nfoOf } from '../finalize/nfo.js';
import { jsonOf, isObject, textOf } from '../guide/json.js';
import type { Disk } from '../io/disk.js';
import { replaceFile } from '../io/replaceFile.js';
import { LAUNCHERS_MANIFEST, writeLaunchers } from '../publish/launchers.js';
import { ensureLaneFolders } from '../publish/manifest.js';
import { previewOptions, shownCapsules } from './previewing.js';
import type { Session } from './session.js';
import { table } from './table.js';
import { withSurvey } from './withSurvey.js';

const LIBRARY_PREFIX = 'Catchup';

export function launchersCommand(session: Session): Promise<number> {
  const { loaded, log, say } = session;
  const { config, answer } = loaded;
  const { umask, publishDir, outDir } = config.places;
  const root = publishDir ?? outDir;
  return withSurvey(session, async (found, { disk }) => {
    const options = previewOptions(found, config, config.how.replayUrlTemplate);
    const lanes = laneNames(config.what.laneDefinitions);
    const path = join(root, LAUNCHERS_MANIFEST);
    await disk.mkdir(root);
    await ensureLaneFolders(disk, root, lanes, umask);
    const launchers = shownCapsules(found, config).flatMap((capsule) => {
      const url = urlOf(capsule);
      return url === undefined
        ? []
        : [{ capsule, url, nfo: nfoOf(capsule, { kind: 'movies', addedAt: found.at }) }];
    });
    const { written, foreign } = await writeLaunchers(
      disk,
      root,
      launchers,
      await earlier(disk, path),
      umask,
    );
    for (const directory of foreign) log.warn({ directory }, 'a folder that is no launcher is left as it is');
    const items = written
      .toSorted(
        (a, b) =>
          compareText(a.capsule.lane, b.capsule.lane) || compareText(a.capsule.title, b.capsule.title),
      )
      .map(({ capsule, directory, streamPath, nfoPath, url }) => ({
        capsule_id: capsule.capsuleId,
        lane: capsule.lane,
        title: capsule.title,
        channel_name: capsule.channelName,
        state: capsuleState(capsule, found.at),
        replay_mode: replayMode(options),
        start: rfc3339(capsule.startAt),
        stop: rfc3339(capsule.stopAt),
        directory,
        stream_path: streamPath,
        nfo_path: nfoPath,
        stream_url: redactUrl(url),
      }));
    const manifest = {
      generated_at: rfc3339(found.at),
      source_ready: options.sourceReady,
      replay_mode: replayMode(options),
      root_dir: root,
      stream_base_url: config.sources.streamBaseUrl === null ? '' : redactUrl(config.sources.streamBaseUrl),
      libraries: lanes.map((lane) => ({
        lane,
        name: `${LIBRARY_PREFIX} ${lane.charAt(0).toUpperCase()}${lane.slice(1)}`,
        collection_type: 'movies',
        path: join(root, sanitize(lane)),
        item_count: items.filter((item) => item.lane === lane).length,
      })),
      items,
    };
    const text = `${JSON.stringify(manifest, null, 2)}\n`;
    await replaceFile(disk, path, text, { mode: 0o666 & ~umask });
    if (answer.format === 'json') say(text);
    else
      say(
        table(
          ['lane', 'title', 'file'],
          items.map((item) => [item.lane, item.title, item.stream_path]),
        ),
      );
    return 0;

    function urlOf(capsule: Capsule): string | undefined {
      if (config.how.replayUrlTemplate !== null) return replayUrl(config.how.replayUrlTemplate, capsule);
      return options.urls(capsule)[0];
    }
  });
}

/** The `.strm` that an earlier run wrote. */
async function earlier(disk: Disk, path: string): Promise<ReadonlySet<string>> {
  const bytes = await disk.readFile(path).catch(() => null);
  const manifest = bytes === null ? undefined : jsonOf(bytes);
  const items =
    isObject(manifest) && Array.isArray(manifest['items']) ? (manifest['items'] as unknown[]) : [];
  return new Set(items.flatMap((item) => (isObject(item) ? [textOf(item['stream_path'])] : [])));
}
