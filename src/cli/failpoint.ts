/**
 * For tests: `CATCHUPD_FAILPOINT=NAME[:N]` ends this process with SIGKILL at the Nth time that a place is reached, so
 * that what a crash leaves there can be looked at. Without it nothing stands between the program and the disk.
 */

import { CodedError } from '../domain/errors.js';
import type { Disk, DiskFile, OpenMode } from '../io/disk.js';

type Step = 'open' | 'write' | 'datasync' | 'rename' | 'link' | 'unlink';

interface Failpoint {
  readonly step: Step;
  readonly when: 'before' | 'after';
  readonly path: RegExp;
}

const SPOOL = /\.partial\.ts$/;
const JOURNAL = /\.journal\.ndjson$/;
/** Media on its way to another disk. */
const COPY = /\.ts\.\d+-\d+\.tmp$/;
const MEDIA = /\/[^./][^/]*(?<!\.partial)\.ts$/;

export const FAILPOINTS: Readonly<Record<string, Failpoint>> = {
  spool_opened: { step: 'open', when: 'after', path: SPOOL },
  spool_before_write: { step: 'write', when: 'before', path: SPOOL },
  spool_written: { step: 'write', when: 'after', path: SPOOL },
  spool_synced: { step: 'datasync', when: 'after', path: SPOOL },
  spool_removed: { step: 'unlink', when: 'after', path: SPOOL },
  journal_before_write: { step: 'write', when: 'before', path: JOURNAL },
  journal_written: { step: 'write', when: 'after', path: JOURNAL },
  journal_synced: { step: 'datasync', when: 'after', path: JOURNAL },
  base_before_rename: { step: 'rename', when: 'before', path: /recorder-state\.json$/ },
  base_renamed: { step: 'rename', when: 'after', path: /recorder-state\.json$/ },
  journal_moved: { step: 'rename', when: 'after', path: /\.journal\.ndjson\.prev$/ },
  journal_begun: { step: 'rename', when: 'after', path: JOURNAL },
  ledger_before_link: { step: 'link', when: 'before', path: /\.catchupd\.json$/ },
  ledger_linked: { step: 'link', when: 'after', path: /\.catchupd\.json$/ },
  nfo_written: { step: 'rename', when: 'after', path: /\.nfo$/ },
  copy_written: { step: 'write', when: 'after', path: COPY },
  media_before_link: { step: 'link', when: 'before', path: MEDIA },
  media_linked: { step: 'link', when: 'after', path: MEDIA },
  media_before_removal: { step: 'unlink', when: 'before', path: MEDIA },
  media_removed: { step: 'unlink', when: 'after', path: MEDIA },
};

/** Throws CodedError `usage` for a name that is none. */
export function withFailpoint(disk: Disk, wish: string | undefined, end: () => void = killMyself): Disk {
  if (wish === undefined || wish === '') return disk;
  const [name = '', count = '1'] = wish.split(':');
  const point = FAILPOINTS[name];
  if (!point)
    throw new CodedError('usage', `CATCHUPD_FAILPOINT: no ${name} in ${Object.keys(FAILPOINTS).join(', ')}`);
  let left = Number(count);

  async function at<T>(step: Step, path: string, task: () => Promise<T>): Promise<T> {
    const hit = step === point?.step && point.path.test(path) && (left -= 1) === 0;
    if (hit && point.when === 'before') end();
    const result = await task();
    if (hit) end();
    return result;
  }

  const watched = (file: DiskFile, path: string): DiskFile => ({
    ...file,
    write: (chunks) => at('write', path, () => file.write(chunks)),
    datasync: (first) => at('datasync', path, () => file.datasync(first)),
  });
  return {
    ...disk,
    open: async (path: string, how: OpenMode, mode?: number) =>
      watched(await at('open', path, () => disk.open(path, how, mode)), path),
    link: (from, to) => at('link', to, () => disk.link(from, to)),
    rename: (from, to) => at('rename', to, () => disk.rename(from, to)),
    unlink: (path) => at('unlink', path, () => disk.unlink(path)),
  };
}

function killMyself(): void {
  process.kill(process.pid, 'SIGKILL');
}
