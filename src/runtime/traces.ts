/** What recordings leave on disk apart from the state: ledgers with or without their media, and spools. Only looks. */

import { basename, dirname, join } from 'node:path';
import type { Config } from '../config/config.js';
import type { Recording, RecordingFiles } from '../domain/recording.js';
import { SHOW_NFO } from '../domain/showNfo.js';
import { pictureIn } from '../finalize/picture.js';
import { diskCode, type Disk } from '../io/disk.js';
import { recordingOfLedger } from './ledgerReading.js';

/** LANE/NAME/FILE, and LANE/SHOW/SEASON/FILE. */
const DEPTH_MAX = 4;
const LEDGER_SUFFIX = '.catchupd.json';
const SEASON = /^Season \d{2,}$/;
const SPOOL = /\.partial\.[a-z0-9]+$/;

export interface FoundLedger {
  readonly recording: Recording;
  /** Size of the media that it speaks of; null where that is not there. */
  readonly mediaBytes: number | null;
}

export interface Traces {
  readonly ledgers: readonly FoundLedger[];
  /** Absolute paths of spools that hold something. */
  readonly spools: readonly string[];
  /** What could not be read or understood. */
  readonly problems: readonly { readonly path: string; readonly what: string }[];
}

/** Looks through out-dir and publish-dir. Never rejects. */
export async function tracesOf(disk: Disk, config: Config, now: number): Promise<Traces> {
  const { outDir, publishDir } = config.places;
  const ledgers: FoundLedger[] = [];
  const spools: string[] = [];
  const problems: { path: string; what: string }[] = [];

  async function look(folder: string, depth: number, isLibrary: boolean): Promise<void> {
    let names: string[];
    try {
      names = await disk.readdir(folder);
    } catch (error) {
      const code = diskCode(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') problems.push({ path: folder, what: code });
      return;
    }
    for (const name of names) {
      if (name.startsWith('.')) continue;
      const path = join(folder, name);
      if (name.endsWith(LEDGER_SUFFIX)) await readLedger(path, isLibrary);
      else if (SPOOL.test(name) && !isLibrary) {
        if (((await sizeOf(path)) ?? 0) > 0) spools.push(path);
      } else if (depth < DEPTH_MAX && (await isFolder(path))) await look(path, depth + 1, isLibrary);
    }
  }

  async function readLedger(path: string, isLibrary: boolean): Promise<void> {
    try {
      // A pipe that nobody writes to would be read for ever.
      if ((await disk.stat(path)).kind === 'other') {
        problems.push({ path, what: 'it is no file' });
        return;
      }
      const content = (await disk.readFile(path)).toString('utf8');
      const recording = recordingOfLedger(content, path, placedAs(path, isLibrary), config, now);
      if (recording === null) problems.push({ path, what: 'it is no ledger that can be understood' });
      else {
        const mediaBytes = await sizeOf(recording.files?.media ?? path);
        ledgers.push({ recording: await withPicture(recording), mediaBytes });
      }
    } catch (error) {
      problems.push({ path, what: diskCode(error) });
    }
  }

  /** No ledger knows it: it was made later. */
  async function withPicture(recording: Recording): Promise<Recording> {
    const { files } = recording;
    const picture = files && (await pictureIn(disk, files, 'movies'));
    return picture ? { ...recording, files: { ...files, picture } } : recording;
  }

  function placedAs(path: string, isLibrary: boolean): Pick<RecordingFiles, 'ownsFolder' | 'series'> {
    const folder = dirname(path);
    if (!isLibrary) return { ownsFolder: false };
    if (!SEASON.test(basename(folder)))
      return { ownsFolder: basename(folder) === basename(path, LEDGER_SUFFIX) };
    const series = dirname(folder);
    return { ownsFolder: false, series: { folder: series, nfo: join(series, SHOW_NFO) } };
  }

  async function sizeOf(path: string): Promise<number | null> {
    return disk.stat(path).then(
      ({ bytes }) => bytes,
      () => null,
    );
  }

  async function isFolder(path: string): Promise<boolean> {
    return disk.stat(path).then(
      ({ kind }) => kind === 'folder',
      () => false,
    );
  }

  await look(outDir, 1, false);
  if (publishDir !== null) await look(publishDir, 1, true);
  return { ledgers, spools, problems };
}
