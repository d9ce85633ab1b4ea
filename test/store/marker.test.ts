import { expect, it } from 'vitest';

import { rootProblem } from '../../src/io/rootMarker.js';
import { checkRoot } from '../../src/store/marker.js';
import { memoryDisk } from '../sim/memoryDisk.js';

const uuid = () => 'new-uuid';

it('marks a new root once and knows it again', async () => {
  const disk = memoryDisk();
  expect(await checkRoot(disk, '/pub', null, false, uuid)).toEqual({ kind: 'made', uuid: 'new-uuid' });
  disk.crash();
  expect(await checkRoot(disk, '/pub', 'new-uuid', true, uuid)).toEqual({ kind: 'ready', uuid: 'new-uuid' });
  expect(await rootProblem(disk, { path: '/pub', uuid: 'new-uuid' })).toBeNull();
});

it('never marks a root under which recordings are known: its disk is missing', async () => {
  const disk = memoryDisk();
  disk.mount('/pub');
  await checkRoot(disk, '/pub', null, false, uuid);
  disk.unmount('/pub');
  expect(await checkRoot(disk, '/pub', 'new-uuid', true, uuid)).toEqual({ kind: 'missing', code: 'ENOENT' });
  expect(await rootProblem(disk, { path: '/pub', uuid: 'new-uuid' })).toBe('mount_missing');
  expect([...disk.files('/pub').keys()]).toEqual([]);
});

it('tells another disk by its marker, and takes one over that nothing depends on', async () => {
  const disk = memoryDisk();
  await checkRoot(disk, '/pub', null, false, () => 'theirs');
  expect(await checkRoot(disk, '/pub', 'ours', true, uuid)).toEqual({ kind: 'foreign', uuid: 'theirs' });
  expect(await rootProblem(disk, { path: '/pub', uuid: 'ours' })).toBe('root_foreign');
  expect(await checkRoot(disk, '/pub', 'ours', false, uuid)).toEqual({ kind: 'ready', uuid: 'theirs' });
});

it('knows its own marker with one character of it rotted, and no other', async () => {
  const disk = memoryDisk();
  const ours = '5d1c6f52-6f0e-4a37-9a51-6f3a1c0e7b11';
  await checkRoot(disk, '/pub', null, false, () => ours.replace('f0e', 'f1e'));
  expect(await checkRoot(disk, '/pub', ours, true, uuid)).toMatchObject({ kind: 'ready' });
  const two = ours.replace('6f0e', '6f2e');
  expect(await checkRoot(disk, '/pub', two, true, uuid)).toMatchObject({ kind: 'ready' });
  expect(await checkRoot(disk, '/pub', ours.replace('5d1', '4c0'), true, uuid)).toMatchObject({
    kind: 'foreign',
  });
});

it('treats an unreadable marker of a known root as a missing disk', async () => {
  const disk = memoryDisk();
  await checkRoot(disk, '/pub', null, false, uuid);
  disk.fault = (operation) => (operation === 'readFile' ? 'EIO' : null);
  expect(await checkRoot(disk, '/pub', 'new-uuid', true, uuid)).toEqual({ kind: 'missing', code: 'EIO' });
  expect(await rootProblem(disk, { path: '/pub', uuid: 'new-uuid' })).toBe('mount_missing');
});

it('says when a new root cannot be made', async () => {
  const disk = memoryDisk();
  disk.fault = (operation) => (operation === 'mkdir' ? 'EROFS' : null);
  expect(await checkRoot(disk, '/pub', null, false, uuid)).toEqual({ kind: 'unwritable', code: 'EROFS' });
});
