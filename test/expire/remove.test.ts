import { describe, expect, it } from 'vitest';

import { removeRecording } from '../../src/expire/remove.js';
import type { Recording } from '../../src/domain/recording.js';
import { aRecording } from '../domain/aRecording.js';
import { finalizeBench, FOLDER, NAME, OUT, packets, PUBLISH, writeSpool } from '../finalize/finalizeBench.js';

const INDEX = '/out/.catchupd/index/1a2b3c4d';

async function published(over: Partial<Recording> = {}) {
  const bench = await finalizeBench();
  const recording = aRecording(over);
  await writeSpool(bench.disk, recording.spool, packets(2));
  const outcome = await bench.finalize(recording);
  if (outcome.kind !== 'published') throw new Error(outcome.kind);
  const durable: string[] = [];
  const remove = (roots = [OUT, PUBLISH]) =>
    removeRecording(
      { recording: { ...recording, files: outcome.files }, index: INDEX, roots },
      { disk: bench.disk, clock: bench.clock, durable: async () => void durable.push('asked') },
    );
  return { ...bench, recording, files: outcome.files, remove, durable };
}

describe('removing a recording', () => {
  it('takes its files and its folder, and may be asked twice', async () => {
    const { remove, paths, disk } = await published();
    await writeSpool(disk, INDEX, Buffer.from('lines'));
    expect(await remove()).toMatchObject({ kind: 'removed' });
    expect(paths('/media')).toEqual([]);
    expect(await disk.readdir('/out/.catchupd/index')).toEqual([]);
    expect(await disk.readdir('/media/sports')).toEqual([]);
    disk.crash();
    expect(await remove()).toMatchObject({ kind: 'removed' });
  });

  it('leaves what a person put beside it, and the folder with it', async () => {
    const { remove, paths, disk } = await published();
    await writeSpool(disk, `${FOLDER}/${NAME}-poster.jpg`, Buffer.from('art'));
    expect(await remove()).toMatchObject({ kind: 'removed' });
    expect(paths('/media')).toEqual([`${FOLDER}/${NAME}-poster.jpg`]);
  });

  it.each(['ENOTDIR', 'EBUSY'] as const)(
    'leaves a link or mount that a person put in the place of the folder (%s), and is done',
    async (code) => {
      const { disk, remove, paths } = await published();
      disk.fault = (operation, path) => (operation === 'rmdir' && path === FOLDER ? code : null);
      expect(await remove()).toMatchObject({ kind: 'removed' });
      expect(paths('/media')).toEqual([]);
      expect(await disk.readdir(FOLDER)).toEqual([]);
    },
  );

  it('unlinks nothing before the decision is on disk', async () => {
    const { disk, recording, files, clock, paths } = await published();
    const task = removeRecording(
      { recording: { ...recording, files }, index: INDEX, roots: [OUT, PUBLISH] },
      { disk, clock, durable: () => Promise.reject(new Error('the store is closed')) },
    );
    await expect(task).rejects.toThrow('the store is closed');
    expect(paths('/media').length).toBe(3);
  });

  it('waits while the mount is missing or another disk is there, and deletes nothing', async () => {
    const { disk, remove, paths } = await published();
    expect(await remove([OUT, { ...PUBLISH, uuid: 'other' }])).toMatchObject({
      kind: 'blocked',
      code: 'root_foreign',
      path: '/media',
    });
    await disk.unlink('/media/.catchupd-root');
    expect(await remove()).toMatchObject({ kind: 'blocked', code: 'mount_missing', path: '/media' });
    expect(await remove([OUT])).toMatchObject({ kind: 'blocked', code: 'mount_missing' });
    expect(paths('/media').length).toBe(3);
  });

  it('does not touch files that belong to another recording by now', async () => {
    const { disk, recording, clock, paths, files } = await published();
    const other = { ...recording, id: 'ffffffff', files, spool: '/out/sports/other.partial.ts' };
    await writeSpool(disk, other.spool, packets(1));
    const outcome = await removeRecording(
      { recording: other, index: INDEX, roots: [OUT, PUBLISH] },
      { disk, clock, durable: async () => undefined },
    );
    expect(outcome).toMatchObject({ kind: 'removed' });
    expect(paths('/media').length).toBe(3);
    expect(paths('/out')).toEqual([]);
  });

  it('goes on at the next try after a fault of the disk', async () => {
    const { disk, remove, paths } = await published();
    disk.fault = (operation, path) => (operation === 'unlink' && path.endsWith('.nfo') ? 'EIO' : null);
    expect(await remove()).toMatchObject({
      kind: 'blocked',
      code: 'disk_error',
      path: `${FOLDER}/${NAME}.nfo`,
    });
    disk.fault = () => null;
    expect(await remove()).toMatchObject({ kind: 'removed' });
    expect(paths('/media')).toEqual([]);
  });

  it('keeps the folder of the lane for a recording that stayed in out-dir', async () => {
    const bench = await finalizeBench();
    const recording = aRecording();
    await writeSpool(bench.disk, recording.spool, packets(2));
    const outcome = await bench.seal(recording);
    if (outcome.kind !== 'sealed') throw new Error(outcome.kind);
    await removeRecording(
      { recording: { ...recording, files: outcome.files }, index: INDEX, roots: [OUT] },
      { disk: bench.disk, clock: bench.clock, durable: async () => undefined },
    );
    expect(bench.paths('/out')).toEqual([]);
    expect(await bench.disk.readdir('/out')).toEqual(['.catchupd-root', 'sports']);
  });
});
