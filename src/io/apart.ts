/**
 * A folder on a disk of its own, which may hang: a network share whose server is gone. All calls of disks share a few
 * threads, so that those of such a folder are kept to two, and recordings go on elsewhere (P8). A question that is not
 * answered ends in ETIMEDOUT, as where the disk is not there; what would change something waits, because nobody knows
 * whether it was done.
 */

import type { Clock } from './clock.js';
import type { Disk, DiskFile } from './disk.js';
import { turns } from './turns.js';

const AT_ONCE = 2;
/** The other one is left for whoever writes and asks while a sync takes its time. */
const SYNCS_AT_ONCE = 1;
const ANSWER_MS = 10_000;

/** The same disk, with what lies in `folder` apart. */
export function apart(disk: Disk, folder: string, clock: Clock): Disk {
  const turn = turns(clock, AT_ONCE, Infinity);
  const syncTurn = turns(clock, SYNCS_AT_ONCE, Infinity);
  /** Questions that were given up and are still open: while there are any, it hangs. */
  let open = 0;

  const isIn = (path: string) => path === folder || path.startsWith(`${folder}/`);

  function asked<T>(path: string, question: () => Promise<T>, onLate?: (answer: T) => void): Promise<T> {
    if (!isIn(path)) return question();
    if (open > 0) return Promise.reject(noAnswer(path));
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = clock.after(ANSWER_MS, () => {
        isLate = true;
        open += 1;
        reject(noAnswer(path));
      });
      const end = () => {
        timer.cancel();
        if (isLate) open -= 1;
      };
      turn(question).then(
        (answer) => {
          end();
          if (isLate) onLate?.(answer);
          else resolve(answer);
        },
        (error: unknown) => {
          end();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  const changed = <T>(path: string, change: () => Promise<T>) => (isIn(path) ? turn(change) : change());
  const synced = (sync: () => Promise<void>) => syncTurn(() => turn(sync));

  const held = (file: DiskFile): DiskFile => ({
    write: (chunks) => turn(() => file.write(chunks)),
    read: (offset, length, into) => turn(() => file.read(offset, length, into)),
    truncate: (bytes) => turn(() => file.truncate(bytes)),
    datasync: (first) => synced(() => file.datasync(first)),
    bytes: () => turn(() => file.bytes()),
    close: () => turn(() => file.close()),
  });

  return {
    mkdir: (path, mode) => changed(path, () => disk.mkdir(path, mode)),
    async open(path, how, mode) {
      const opening = () => disk.open(path, how, mode);
      const file =
        how === 'read'
          ? await asked(path, opening, (late) => void late.close().catch(() => undefined))
          : await changed(path, opening);
      return isIn(path) ? held(file) : file;
    },
    readFile: (path) => asked(path, () => disk.readFile(path)),
    link: (from, to) => changed(isIn(from) ? from : to, () => disk.link(from, to)),
    rename: (from, to) => changed(isIn(from) ? from : to, () => disk.rename(from, to)),
    unlink: (path) => changed(path, () => disk.unlink(path)),
    rmdir: (path) => changed(path, () => disk.rmdir(path)),
    readdir: (path) => asked(path, () => disk.readdir(path)),
    stat: (path) => asked(path, () => disk.stat(path)),
    chmod: (path, mode) => changed(path, () => disk.chmod(path, mode)),
    syncFolder: (path) => (isIn(path) ? synced(() => disk.syncFolder(path)) : disk.syncFolder(path)),
    space: (path) => asked(path, () => disk.space(path)),
  };
}

function noAnswer(path: string): Error {
  return Object.assign(new Error(`ETIMEDOUT: '${path}'`), { code: 'ETIMEDOUT' });
}
