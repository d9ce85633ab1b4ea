/** The last good copies of lists and guides on disk: read at a start, written behind every adoption, in its order. */

import { join } from 'node:path';
import type { GateCounts } from '../domain/gate.js';
import type { ListData } from '../domain/programme.js';
import type { Validators } from '../guide/fetchSource.js';
import { pause } from '../io/clock.js';
import { diskCode } from '../io/disk.js';
import { replaceFile } from '../io/replaceFile.js';
import { putAside } from '../store/putAside.js';
import { readSecrets, secretsPath, writeSecrets } from '../store/secrets.js';
import type { Doors } from './doors.js';

interface GuideMeta {
  readonly counts: GateCounts;
  readonly validators: Validators;
}

export interface LastGood {
  /** `damaged`: rows of them are missing or may be wrong. */
  readLists(): Promise<{ readonly lists: Readonly<Record<string, ListData>>; readonly damaged: boolean }>;
  /** Null where there is none. Throws for one that cannot be read. */
  readGuide(sourceId: string): Promise<GuideMeta | null>;
  guidePath(sourceId: string): string;
  /** What was just loaded from it is in use from now on; `lists` gives all that are. */
  keepLists(sourceId: string, lists: () => Record<string, ListData>): void;
  keepGuide(sourceId: string, meta: GuideMeta): void;
  /** Resolves when everything is on disk. */
  settled(): Promise<void>;
}

const LISTS_DAMAGED =
  'the last good lists are damaged; what was readable of them is used until they are fetched again';

export function createLastGood(
  privateFolder: string,
  folder: string,
  { clock, disk, log }: Pick<Doors, 'clock' | 'disk' | 'log'>,
): LastGood {
  let writes: Promise<unknown> = Promise.resolve();
  const path = (id: string, ending: string) => join(folder, `${id}.${ending}`);

  function write(what: string, task: () => Promise<unknown>): void {
    writes = writes.then(task).catch((error: unknown) => {
      log.error({ what, code: diskCode(error) }, 'the last good copy of a source could not be stored');
    });
  }

  return {
    async readLists() {
      const { lists, damaged } = await readSecrets(disk, privateFolder, () => pause(clock, 0));
      if (damaged)
        write('lists', async () => {
          const file = secretsPath(privateFolder);
          const quarantine = await putAside(disk, privateFolder, clock.now(), file, damaged);
          await writeSecrets(disk, privateFolder, lists);
          log.error({ path: file, quarantine }, LISTS_DAMAGED);
        });
      return { lists, damaged: damaged !== null };
    },
    async readGuide(id) {
      const kept = await disk.readFile(path(id, 'json')).catch(() => null);
      return kept === null ? null : (JSON.parse(kept.toString()) as GuideMeta);
    },
    guidePath: (id) => path(id, 'xml'),
    keepLists(id, lists) {
      write(id, async () => {
        await writeSecrets(disk, privateFolder, lists());
        await disk.unlink(path(id, 'next'));
      });
    },
    keepGuide(id, meta) {
      write(id, async () => {
        await disk.rename(path(id, 'next'), path(id, 'xml'));
        await replaceFile(disk, path(id, 'json'), Buffer.from(JSON.stringify(meta)), { mode: 0o600 });
      });
    },
    settled: () => writes.then(() => undefined),
  };
}
