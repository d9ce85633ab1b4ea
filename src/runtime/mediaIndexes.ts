/**
 * The index of each recording's media (`<out-dir>/.catchupd/index/ID`), for whoever plays it. What its file does not
 * know is read from the media once that is finished; before, what is not written yet is simply not there yet.
 */

import { join } from 'node:path';
import { mp4IndexOf, NOTHING_READ, readFragments, type Mp4Facts } from '../capture/mp4Index.js';
import { readIndexFacts, scanMedia } from '../capture/spoolIndex.js';
import { PACKET_BYTES } from '../capture/tsPackets.js';
import {
  indexFacts,
  indexText,
  mediaIndexOf,
  type IndexFacts,
  type MediaIndex,
} from '../domain/mediaIndex.js';
import type { Recording } from '../domain/recording.js';
import { diskCode, type Disk, type DiskFile } from '../io/disk.js';
import { replaceFile } from '../io/replaceFile.js';

type Indexed = Pick<Recording, 'id' | 'files' | 'spool' | 'stretches'>;

/** Of so many it is remembered where their fragments are. */
const WATCHED_MAX = 16;

export interface MediaIndexes {
  pathOf(id: string): string;
  /** Null where there is no media that can be indexed. Rejects with what the disk says. */
  of(recording: Indexed): Promise<MediaIndex | null>;
}

export function createMediaIndexes(disk: Disk, privateFolder: string): MediaIndexes {
  const folder = join(privateFolder, 'index');
  const pathOf = (id: string) => join(folder, id);
  /** Media is read once, however many ask. */
  const reading = new Map<string, Promise<MediaIndex>>();

  async function completed(path: string, media: DiskFile, known: IndexFacts): Promise<IndexFacts> {
    const bytes = await media.bytes();
    const from = known.bytes > bytes ? indexFacts('') : known;
    const lines = await scanMedia((offset, length) => media.read(offset, length), from, bytes);
    // Read as it is: nobody writes to it now.
    const text = (from === known ? await textOf(path) : '') + indexText(lines);
    await disk.mkdir(folder);
    await replaceFile(disk, path, text);
    return indexFacts(text);
  }

  async function textOf(path: string): Promise<string> {
    const text = await disk.readFile(path).then(String, () => '');
    return text === '' || text.endsWith('\n') ? text : `${text}\n`;
  }

  async function read(id: string, media: string, finished: boolean): Promise<IndexFacts> {
    const path = pathOf(id);
    const known = await readIndexFacts(disk, path);
    if (!finished) return known;
    const file = await disk.open(media, 'read');
    try {
      const bytes = await file.bytes();
      return known.bytes === bytes - (bytes % PACKET_BYTES) ? known : await completed(path, file, known);
    } finally {
      await file.close();
    }
  }

  /** MP4 says itself where its fragments are: read on as it grows, while somebody watches. */
  const fragments = new Map<string, Mp4Facts>();

  async function readMp4(id: string, media: string): Promise<Mp4Facts> {
    const file = await disk.open(media, 'read');
    try {
      const bytes = await file.bytes();
      const before = fragments.get(id) ?? NOTHING_READ;
      // Less than was there: it was cut after a crash.
      const known = before.bytes <= bytes ? before : NOTHING_READ;
      const facts = await readFragments((offset, length) => file.read(offset, length), known, bytes);
      fragments.delete(id);
      fragments.set(id, facts);
      for (const other of [...fragments.keys()].slice(0, -WATCHED_MAX)) fragments.delete(other);
      return facts;
    } finally {
      await file.close();
    }
  }

  async function indexOf({ id, files, spool, stretches }: Indexed): Promise<MediaIndex> {
    const media = files?.media ?? spool;
    if (media.endsWith('.mp4')) return mp4IndexOf(await readMp4(id, media), stretches[0]?.fromAt ?? 0);
    return mediaIndexOf(await read(id, media, files !== null));
  }

  return {
    pathOf,
    async of(recording) {
      const { id } = recording;
      const asked = reading.get(id) ?? indexOf(recording).finally(() => reading.delete(id));
      reading.set(id, asked);
      try {
        return await asked;
      } catch (error) {
        if (diskCode(error) === 'ENOENT') return null;
        throw error;
      }
    },
  };
}
