/** The daemon's own folder is made at the start; where its disk went away, the bare folder below gets none. P5. */

import type { Disk } from '../io/disk.js';

/** The same disk, but nothing is made below `folder` while that is not there: `mkdir` rejects as it does elsewhere. */
export function neverMadeAnew(disk: Disk, folder: string): Disk {
  return {
    ...disk,
    async mkdir(path, mode) {
      if (path === folder || path.startsWith(`${folder}/`)) await disk.stat(folder);
      return disk.mkdir(path, mode);
    },
  };
}
