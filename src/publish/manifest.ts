/** The lists that scripts and other programs read (PROTOCOLS §1.6), always whole, and the folders of the lanes. */
import { join } from 'node:path';

import type { Recording } from '../domain/recording.js';
import { showRef } from '../domain/sidecar.js';
import { compareText, rfc3339 } from '../domain/text.js';
import { sanitize } from '../domain/names.js';
import type { Clock } from '../io/clock.js';
import type { Disk } from '../io/disk.js';
import { makeFolder } from '../io/makeFolder.js';
import { replaceFile } from '../io/replaceFile.js';

export interface ManifestDoors {
  readonly disk: Disk;
  readonly clock: Clock;
}

interface PublishedItem {
  readonly capsule_id: string;
  readonly lane: string;
  readonly title: string;
  readonly directory: string;
  readonly media_path: string;
  readonly nfo_path: string;
  readonly source_ts: string;
}

/**
 * `recorded-publish-manifest.json`: everything that is in the library now. The caller has checked the root's
 * marker. Rejects with the disk's error.
 */
export async function writeRecordedManifest(
  doors: ManifestDoors,
  root: string,
  published: Iterable<Recording> | AsyncIterable<Recording>,
  umask: number,
): Promise<void> {
  const items: PublishedItem[] = [];
  for await (const { capsule, files } of published)
    if (files !== null)
      items.push({
        capsule_id: capsule.capsuleId,
        lane: capsule.lane,
        title: capsule.title,
        directory: files.folder,
        media_path: files.media,
        nfo_path: files.nfo,
        // One name is left of a recording: the media itself is where it came from.
        source_ts: files.media,
      });
  items.sort(
    (a, b) =>
      compareText(a.lane, b.lane) || compareText(a.title, b.title) || compareText(a.media_path, b.media_path),
  );
  await write(doors, join(root, 'recorded-publish-manifest.json'), umask, { root_dir: root, items });
}

/** `record-manifest.json` of one `record` pass. Sources are references, never addresses. */
export async function writeRecordManifest(
  doors: ManifestDoors,
  root: string,
  finished: readonly Recording[],
  umask: number,
): Promise<void> {
  const recorded = finished.flatMap(({ capsule, files, result, stretches }) => {
    const source = stretches.at(-1)?.source;
    if (files === null) return [];
    return [
      {
        capsule_id: capsule.capsuleId,
        lane: capsule.lane,
        title: capsule.title,
        channel_id: capsule.channelId,
        output_path: files.media,
        source_url: source ? showRef(source) : '',
        bytes: result?.bytes ?? 0,
      },
    ];
  });
  await write(doors, join(root, 'record-manifest.json'), umask, { root_dir: root, recorded });
}

function write({ disk, clock }: ManifestDoors, path: string, umask: number, content: object): Promise<void> {
  const manifest = { generated_at: rfc3339(clock.now()), ...content };
  return replaceFile(disk, path, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o666 & ~umask });
}

/** Every lane has its folder, also an empty one, so that a media server's library can point at it. */
export async function ensureLaneFolders(
  disk: Disk,
  root: string,
  lanes: readonly string[],
  umask: number,
): Promise<void> {
  for (const lane of lanes) await makeFolder(disk, join(root, sanitize(lane)), 0o777 & ~umask);
}
