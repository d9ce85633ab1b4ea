import { expect, it } from 'vitest';

import { unseal } from '../../src/finalize/unseal.js';
import { aRecording } from '../domain/aRecording.js';
import { finalizeBench, OUT, packets, writeSpool } from './finalizeBench.js';

async function sealed() {
  const bench = await finalizeBench();
  const recording = aRecording({ cancelReason: 'by hand' });
  await writeSpool(bench.disk, recording.spool, packets(2));
  const outcome = await bench.seal(recording);
  const files = outcome.kind === 'sealed' ? outcome.files : null;
  const again = { ...recording, files };
  return { ...bench, recording: again, unseal: () => unseal({ recording: again, outDir: OUT }, bench) };
}

it('gives a second chance its bytes back, so that one file comes of both', async () => {
  const { disk, clock, recording, unseal: take, paths, finalize } = await sealed();
  expect(await take()).toEqual({ kind: 'unsealed', at: clock.now() });
  expect(await take()).toMatchObject({ kind: 'unsealed' });
  expect(paths('/out')).toEqual([recording.spool]);
  await writeSpool(disk, recording.spool, packets(1, 9));
  const outcome = await finalize({ ...recording, cancelReason: '' });
  const media = outcome.kind === 'published' ? outcome.files.media : '';
  expect(disk.files().get(media)).toEqual(Buffer.concat([packets(2), packets(1, 9)]));
  expect(paths('/out')).toEqual([]);
});

it('keeps both where the spool has bytes of its own', async () => {
  const { disk, recording, unseal: take, paths } = await sealed();
  await writeSpool(disk, recording.spool, packets(1, 9));
  await take();
  expect(paths('/out').length).toBe(4);
  expect(disk.files().get(recording.spool)).toEqual(packets(1, 9));
});

it('waits for a missing mount', async () => {
  const { disk, unseal: take } = await sealed();
  await disk.unlink('/out/.catchupd-root');
  expect(await take()).toMatchObject({ kind: 'blocked', code: 'mount_missing', path: '/out' });
});

it('has nothing to do where nothing was sealed', async () => {
  const bench = await finalizeBench();
  expect(await unseal({ recording: aRecording(), outDir: OUT }, bench)).toMatchObject({ kind: 'unsealed' });
});
