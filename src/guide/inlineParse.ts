/** The parse door without a thread: for tests and simulations, and what the worker itself runs. */

import { CodedError } from '../domain/errors.js';
import type { GuideData } from '../domain/programme.js';
import { diskCode, type Disk } from '../io/disk.js';
import type { GuideJob, Parse } from '../io/parse.js';
import { parseXmltv } from './xmltv.js';

const SLICE_BYTES = 256 * 1024;

/** Rejects with CodedError: those of `parseXmltv`, and `guide_unreadable` for what the disk says. */
export function createInlineParse(disk: Disk): Parse {
  return {
    guide: (job) => parseFile(disk, job),
    close: () => Promise.resolve(),
  };
}

async function parseFile(disk: Disk, job: GuideJob): Promise<GuideData> {
  try {
    return await parseXmltv(slices(disk, job.path), job);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('guide_unreadable', `${job.path}: ${diskCode(error)}`);
  }
}

async function* slices(disk: Disk, path: string): AsyncGenerator<Uint8Array> {
  const file = await disk.open(path, 'read');
  try {
    for (let offset = 0; ;) {
      const slice = await file.read(offset, SLICE_BYTES);
      if (slice.length === 0) return;
      offset += slice.length;
      yield slice;
    }
  } finally {
    await file.close();
  }
}
