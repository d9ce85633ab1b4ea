import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { removeRecording } from '../../src/expire/remove.js';
import { finalize } from '../../src/finalize/finalize.js';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { systemProcesses } from '../../src/io/processProbe.js';
import { takeLock } from '../../src/store/lock.js';
import { checkRoot } from '../../src/store/marker.js';
import { openStore } from '../../src/store/store.js';
import { aRecording } from '../domain/aRecording.js';
import { documentOf } from '../store/storeBench.js';
import { packets, writeSpool } from './finalizeBench.js';

const exchange = { ask: () => Promise.reject(new Error('nobody is there')) };
const log = { info: () => {}, warn: () => {}, error: () => {} };
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'catchupd-stages-'));
});
afterEach(() => rm(root, { recursive: true }));

it('publishes and removes on a real disk', async () => {
  const out = join(root, 'out');
  const media = join(root, 'media');
  for (const path of [out, media]) await checkRoot(nodeDisk, path, null, false, () => path);
  const roots = [out, media].map((path) => ({ path, uuid: path }));
  const recording = aRecording({ spool: join(out, 'sports/one.partial.ts') });
  await writeSpool(nodeDisk, recording.spool, packets(3));
  const input = {
    recording,
    outDir: { path: out, uuid: out },
    publishDir: { path: media, uuid: media },
    kind: 'movies' as const,
    umask: 0o022,
  };
  const outcome = await finalize(input, { disk: nodeDisk, clock: systemClock, log, exchange });
  if (outcome.kind !== 'published') throw new Error(JSON.stringify(outcome));
  expect(await nodeDisk.readFile(outcome.files.media)).toEqual(packets(3));
  expect(await nodeDisk.stat(outcome.files.nfo)).toMatchObject({ mode: 0o644 });
  expect((await nodeDisk.stat(outcome.files.folder)).mode).toBe(0o755);
  expect(await nodeDisk.readdir(join(out, 'sports'))).toEqual([]);
  const removed = await removeRecording(
    { recording: { ...recording, files: outcome.files }, index: join(out, 'index'), roots },
    { disk: nodeDisk, clock: systemClock, durable: async () => undefined },
  );
  expect(removed.kind).toBe('removed');
  expect(await nodeDisk.readdir(join(media, 'sports'))).toEqual([]);
});

it('gives every recording of one name its own place, though all finish at once', async () => {
  const out = join(root, 'out');
  const media = join(root, 'media');
  for (const path of [out, media]) await checkRoot(nodeDisk, path, null, false, () => path);
  const recordings = Array.from({ length: 8 }, (_, n) =>
    aRecording({ id: `0000000${n}`, spool: join(out, `sports/${n}.partial.ts`) }),
  );
  for (const { spool } of recordings) await writeSpool(nodeDisk, spool, packets(2));
  const outcomes = await Promise.all(
    recordings.map((recording) =>
      finalize(
        {
          recording,
          outDir: { path: out, uuid: out },
          publishDir: { path: media, uuid: media },
          kind: 'movies',
          umask: 0o022,
        },
        { disk: nodeDisk, clock: systemClock, log, exchange },
      ),
    ),
  );
  const places = outcomes.map((outcome) => (outcome.kind === 'published' ? outcome.files.media : outcome));
  expect(new Set(places).size).toBe(8);
  expect(places.filter((place) => typeof place !== 'string')).toEqual([]);
  const left = await nodeDisk.readdir(join(media, 'sports'));
  expect(left).toHaveLength(8);
  for (const name of left) expect(await nodeDisk.readdir(join(media, 'sports', name))).toHaveLength(3);
});

it('keeps a state on a real disk, one daemon at a time', async () => {
  const doors = { disk: nodeDisk, clock: systemClock, processes: systemProcesses };
  const lock = await takeLock(doors, join(root, '.catchupd'), 'first');
  await expect(takeLock(doors, join(root, '.catchupd'), 'second')).rejects.toMatchObject({
    code: 'state_locked',
  });
  const options = { disk: nodeDisk, clock: systemClock, log, statePath: join(root, 'recorder-state.json') };
  const store = await openStore({ ...options, reserveBytes: 4096, compactBytes: 500 });
  for (let rev = 1; rev <= 30; rev += 1) {
    store.put(documentOf('aaaa0001', rev));
    await store.durable('aaaa0001', rev);
  }
  await store.close();
  const reader = await openStore({ ...options, readOnly: true });
  expect(reader.recordings().get('aaaa0001')?.rev).toBe(30);
  expect(reader.status().damage).toEqual([]);
  await lock.release();
});
