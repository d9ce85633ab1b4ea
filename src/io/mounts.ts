/** Where file systems are mounted, for `--require-mount` (Linux: /proc/self/mountinfo; elsewhere nothing is known). */

import { diskCode, type Disk } from './disk.js';

const MOUNTINFO = '/proc/self/mountinfo';
const MOUNT_POINT_FIELD = 4;

/**
 * Whether a path lies on something that was mounted apart from the root file system. True where the system does not
 * say, so that the option asks nothing impossible.
 */
export async function isMounted(disk: Disk, path: string): Promise<boolean> {
  let text: string;
  try {
    text = (await disk.readFile(MOUNTINFO)).toString();
  } catch (error) {
    if (diskCode(error) === 'ENOENT') return true;
    throw error;
  }
  return mountPointsOf(text).some(
    (point) => point !== '/' && (path === point || path.startsWith(`${point}/`)),
  );
}

/** Mount points of a mountinfo file; blanks and such are written as octal escapes there. */
export function mountPointsOf(mountinfo: string): string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[MOUNT_POINT_FIELD] ?? '')
    .filter((point) => point !== '')
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))),
    );
}
