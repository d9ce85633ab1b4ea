/** The stages after capture on a disk in memory: two marked roots and a spool of two packets. */
import { dirname } from 'node:path';

import type { LibraryKind } from '../../src/domain/libraryKind.js';
import type { Recording } from '../../src/domain/recording.js';
import type { Disk } from '../../src/io/disk.js';
import type { Exchange } from '../../src/io/exchange.js';
import { makeFolder } from '../../src/io/makeFolder.js';
import { markerPath, type Root } from '../../src/io/rootMarker.js';
import { replaceFile } from '../../src/io/replaceFile.js';
import { finalize, seal } from '../../src/finalize/finalize.js';
import { memoryDisk, type MemoryDisk } from '../sim/memoryDisk.js';
import { manualClock, type ManualClock } from '../store/manualClock.js';
import { STOP } from '../domain/aRecording.js';

export const OUT: Root = { path: '/out', uuid: 'uuid-out' };
export const PUBLISH: Root = { path: '/media', uuid: 'uuid-media' };
export const NAME = 'Man-Utd-vs-City-2026-11-23-19-30-UTC';
export const FOLDER = `/media/sports/${NAME}`;

export function packets(count: number, fill = 1): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, () => Buffer.concat([Buffer.from([0x47]), Buffer.alloc(187, fill)])),
  );
}

export async function writeSpool(disk: Disk, path: string, content: Buffer): Promise<void> {
  await makeFolder(disk, dirname(path), 0o755);
  const file = await disk.open(path, 'append', 0o600);
  await file.write([content]);
  await file.close();
}

export interface FinalizeBench {
  readonly disk: MemoryDisk;
  readonly clock: ManualClock;
  finalize(recording: Recording, publishDir?: Root | null, kind?: LibraryKind): ReturnType<typeof finalize>;
  seal(recording: Recording): ReturnType<typeof seal>;
  /** Paths below a root, markers left out. */
  paths(root: string): string[];
}

/** Nobody answers. */
const NOBODY: Exchange = { ask: () => Promise.reject(new Error('nobody is there')) };

export async function finalizeBench(
  disk = memoryDisk(),
  exchange: Exchange = NOBODY,
): Promise<FinalizeBench> {
  const clock = manualClock(STOP + 60_000);
  const log = { info: () => {}, warn: () => {} };
  const doors = { disk, clock, log, exchange };
  for (const root of [OUT, PUBLISH]) {
    await disk.mkdir(root.path);
    await replaceFile(disk, markerPath(root.path), JSON.stringify({ uuid: root.uuid }));
  }
  return {
    disk,
    clock,
    finalize: (recording, publishDir = PUBLISH, kind = 'movies') =>
      finalize({ recording, outDir: OUT, publishDir, kind, umask: 0o022 }, doors),
    seal: (recording) =>
      seal({ recording, outDir: OUT, publishDir: PUBLISH, kind: 'movies', umask: 0o022 }, doors),
    paths: (root) => [...disk.files(root).keys()].filter((path) => !path.endsWith('.catchupd-root')),
  };
}
