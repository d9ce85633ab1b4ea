import { expect, it } from 'vitest';
import { isMounted, mountPointsOf } from '../../src/io/mounts.js';
import type { Disk } from '../../src/io/disk.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';

const MOUNTINFO = [
  '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '36 22 8:17 / /mnt/media\\040disk rw,noatime shared:2 - ext4 /dev/sdb1 rw',
  '',
].join('\n');
const disk: Disk = { ...nodeDisk, readFile: () => Promise.resolve(Buffer.from(MOUNTINFO)) };

it('reads mount points with their escapes', () => {
  expect(mountPointsOf(MOUNTINFO)).toEqual(['/', '/mnt/media disk']);
});

it.each([
  ['/mnt/media disk/catchup', true],
  ['/mnt/media disk', true],
  ['/mnt/media disk2/catchup', false],
  ['/srv/catchup', false],
])('says of %s whether it lies on a mount of its own: %s', async (path, mounted) => {
  expect(await isMounted(disk, path)).toBe(mounted);
});

it('asks nothing of systems that do not tell', async () => {
  const silent: Disk = {
    ...nodeDisk,
    readFile: () => Promise.reject(Object.assign(new Error('no such file'), { code: 'ENOENT' })),
  };
  expect(await isMounted(silent, '/anywhere')).toBe(true);
});
