/**
 * The last steps of a recording: verify, write ledger and nfo, then the media appears where a media server looks for
 * it. Idempotent by recording id: it looks at what is on disk first, so that a crash anywhere is finished by running it
 * again (P2, P7). P4: the ledger judges by what is there. P9: media comes last and whole.
 */
import { basename, dirname } from 'node:path';

import type { Blocked, FinalizeOutcome, SealOutcome } from '../domain/effects.js';
import { LIBRARY_KINDS, type LibraryKind } from '../domain/libraryKind.js';
import { NAME_BYTES_MAX } from '../domain/names.js';
import { resultOf } from '../domain/outcome.js';
import type { Recording, RecordingFiles, RecordingResult } from '../domain/recording.js';
import { leftBehind } from '../domain/replay.js';
import { showNfo } from '../domain/showNfo.js';
import { ledgerOf } from '../domain/sidecar.js';
import type { Clock } from '../io/clock.js';
import type { Exchange } from '../io/exchange.js';
import { diskCode, diskProblem, exists, type Disk } from '../io/disk.js';
import { makeFolder } from '../io/makeFolder.js';
import { replaceFile } from '../io/replaceFile.js';
import { rootProblem, type Root } from '../io/rootMarker.js';
import type { Log } from '../log.js';
import { mayBecome, moveMedia } from './moveMedia.js';
import { nfoOf } from './nfo.js';
import { pictureIn, putPicture } from './picture.js';
import { claim, clearLeftovers, holderOf, placesOf, SHORT_NAME_BYTES_MAX } from './place.js';

export interface FinalizeInput {
  readonly recording: Recording;
  readonly outDir: Root;
  /** Null: the finished recording stays in out-dir. */
  readonly publishDir: Root | null;
  /** What its lane is to media servers. */
  readonly kind: LibraryKind;
  readonly umask: number;
}

export interface FinalizeDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** For pictures. */
  readonly exchange: Exchange;
}

/** Makes a library item of what was captured. Throws only on a bug; the caller makes `bug` of it. */
export async function finalize(input: FinalizeInput, doors: FinalizeDoors): Promise<FinalizeOutcome> {
  const put = await settle(input, doors, input.publishDir);
  switch (put.kind) {
    case 'put':
      return { kind: 'published', at: put.at, files: put.files, result: put.result };
    case 'nothing':
      return { kind: 'empty', at: put.at, result: put.result };
    case 'blocked':
      return put;
  }
}

/** Names in place what a cancelled or failed recording captured; it never comes into the library. */
export async function seal(input: FinalizeInput, doors: FinalizeDoors): Promise<SealOutcome> {
  const put = await settle(input, doors, null);
  switch (put.kind) {
    case 'put':
      return { kind: 'sealed', at: put.at, files: put.files, result: put.result };
    case 'nothing':
      return { kind: 'sealed', at: put.at, files: null, result: put.result };
    case 'blocked':
      return put;
  }
}

type Put =
  | {
      readonly kind: 'put';
      readonly at: number;
      readonly files: RecordingFiles;
      readonly result: RecordingResult;
    }
  | { readonly kind: 'nothing'; readonly at: number; readonly result: RecordingResult }
  | Blocked;

/** `target` null is beside the spool. */
async function settle(input: FinalizeInput, doors: FinalizeDoors, target: Root | null): Promise<Put> {
  const { disk, clock } = doors;
  const at = clock.now();
  for (const root of target ? [input.outDir, target] : [input.outDir]) {
    const code = await rootProblem(disk, root);
    if (code) return { kind: 'blocked', at, code, path: root.path };
  }
  const path = target?.path ?? dirname(input.recording.spool);
  try {
    return await settleWithin(input, doors, target, NAME_BYTES_MAX);
  } catch (error) {
    if (diskCode(error) !== 'ENAMETOOLONG') return blocked(error, clock.now(), path);
  }
  try {
    return await settleWithin(input, doors, target, SHORT_NAME_BYTES_MAX);
  } catch (error) {
    return blocked(error, clock.now(), path);
  }
}

/** What is no disk error is a bug and goes on as one. */
function blocked(error: unknown, at: number, path: string): Blocked {
  if (diskCode(error) === 'UNKNOWN') throw error;
  return { kind: 'blocked', at, code: diskProblem(error), path };
}

async function settleWithin(
  input: FinalizeInput,
  doors: FinalizeDoors,
  target: Root | null,
  bytesMax: number,
): Promise<Put> {
  const { disk, clock, log } = doors;
  const { recording } = input;
  const spool = await spoolBytes(disk, recording.spool);
  const at = clock.now();
  const places = (kind: LibraryKind) => placesOf(recording, target?.path ?? null, kind, bytesMax);
  // What was moved before a crash is found again, though its lane has become one of another kind.
  const others = spool === 0 ? LIBRARY_KINDS.filter((kind) => kind !== input.kind).flatMap(places) : [];
  for (const place of [...places(input.kind), ...others]) {
    const holder = await holderOf(disk, place, recording.id);
    const done = holder === 'mine' && spool === 0 && (await exists(disk, place.media));
    if (done) {
      await dropSpool(disk, recording.spool);
      for (const left of leftBehind(recording)) await dropSpool(disk, left);
      const { bytes } = await disk.stat(place.media);
      const files = withPicture(place, await pictureIn(disk, place, input.kind));
      return { kind: 'put', at, files, result: await judge(disk, recording, place.media, bytes, at) };
    }
    if (holder === 'taken' || spool === 0) continue;
    const result = await judge(disk, recording, recording.spool, spool, at);
    const files = await putThree(input, doors, place, holder, result);
    if (!files) continue;
    for (const left of leftBehind(recording)) await dropSpool(disk, left);
    log.info({ id: recording.id, path: place.media, outcome: result.outcome }, 'recording finished');
    return { kind: 'put', at: clock.now(), files, result };
  }
  if (spool > 0) throw Object.assign(new Error('every name is taken'), { code: 'EEXIST' });
  for (const left of [recording.spool, ...leftBehind(recording)]) await dropSpool(disk, left);
  return { kind: 'nothing', at, result: resultOf(recording, 0, at) };
}

function withPicture(place: RecordingFiles, picture: string | null): RecordingFiles {
  return picture === null ? place : { ...place, picture };
}

/** Ledger, picture, nfo, media, in this order. Null where the place turned out to be somebody else's. */
async function putThree(
  { recording, kind, umask }: FinalizeInput,
  doors: FinalizeDoors,
  place: RecordingFiles,
  holder: 'free' | 'mine',
  result: RecordingResult,
): Promise<RecordingFiles | null> {
  const { disk } = doors;
  if (!(await mayBecome(disk, recording.spool, place.media))) return null;
  const mode = 0o666 & ~umask;
  const own = { mode, owner: recording.id };
  await makeFolder(disk, place.folder, 0o777 & ~umask);
  const ledger = `${JSON.stringify(ledgerOf(recording, result, basename(place.media)), null, 2)}\n`;
  if (holder === 'mine') await replaceFile(disk, place.ledger, ledger, own);
  else if (!(await claim(disk, place.ledger, ledger, own))) return null;
  // Not before the place is ours: another that finishes now may have its half-written ledger there.
  await clearLeftovers(disk, place, recording.id);
  const { icon } = recording.capsule;
  const inLibrary = place.ownsFolder || place.series !== undefined;
  const picture = icon && inLibrary ? await putPicture(doors, icon, place, kind, own) : null;
  const shown = picture === null ? {} : { picture: basename(picture) };
  const wish = { kind, addedAt: result.finishedAt, judged: result, ...shown };
  await replaceFile(disk, place.nfo, nfoOf(recording.capsule, wish), own);
  await describeSeries(disk, place, recording, own);
  const moved = await moveMedia(disk, recording.spool, place.media, own);
  return moved === 'moved' ? withPicture(place, picture) : null;
}

/** The first episode brings the description of its series; one that is there stays, whoever wrote it. */
async function describeSeries(
  disk: Disk,
  { series }: RecordingFiles,
  { capsule }: Recording,
  own: { readonly mode: number; readonly owner: string },
): Promise<void> {
  if (!series || (await exists(disk, series.nfo))) return;
  const title = capsule.title || capsule.channelName;
  await replaceFile(disk, series.nfo, showNfo(title, basename(series.folder), capsule.lane), own);
}

/** Size of the spool; 0 where there is none. */
async function spoolBytes(disk: Disk, path: string): Promise<number> {
  try {
    return (await disk.stat(path)).bytes;
  } catch (error) {
    if (diskCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** Nothing of it is wanted any more: it is empty, or what took its place is published. */
async function dropSpool(disk: Disk, path: string): Promise<void> {
  if (await exists(disk, path)) await disk.unlink(path);
}

const SYNC_BYTE = 0x47;

async function judge(
  disk: Disk,
  recording: Recording,
  media: string,
  bytes: number,
  at: number,
): Promise<RecordingResult> {
  const result = resultOf(recording, bytes, at);
  const file = await disk.open(media, 'read');
  try {
    const start = await file.read(0, 8);
    if (start[0] === SYNC_BYTE || start.toString('latin1', 4) === 'ftyp') return result;
    return { ...result, outcome: 'partial', reason: 'damaged' };
  } finally {
    await file.close();
  }
}
