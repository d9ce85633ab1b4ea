/** The parse door without a thread: for tests and simulations, and what the worker itself runs. */

import { CodedError, type ErrorCode } from '../domain/errors.js';
import type { ListData } from '../domain/programme.js';
import { diskCode, type Disk } from '../io/disk.js';
import type { ListJob, Parse } from '../io/parse.js';
import { parseCatalog } from './catalog.js';
import { parseM3u } from './m3u.js';
import { parseXmltv } from './xmltv.js';
import { parseStreams } from './xtream.js';

/** Larger ones are asked for less often. */
const READ_BYTES = 256 * 1024;
/** Text of more than that is memory of its own each time, which costs more than to decode it. */
const SLICE_BYTES = 64 * 1024;
const LIST_BYTES_MAX = 256 * 2 ** 20;

/** Rejects with CodedError: those of the parsers, and `guide_unreadable` or `list_unreadable` for what the disk says. */
export function createInlineParse(disk: Disk): Parse {
  return {
    guide: (job) => coded('guide_unreadable', job.path, () => parseXmltv(slices(disk, job.path), job)),
    list: (job) => coded('list_unreadable', job.path, () => parseList(disk, job)),
    close: () => Promise.resolve(),
  };
}

async function parseList(disk: Disk, job: ListJob): Promise<ListData> {
  const { bytes } = await disk.stat(job.path);
  if (bytes > LIST_BYTES_MAX) throw new CodedError('list_unreadable', `larger than ${LIST_BYTES_MAX} bytes`);
  const content = await disk.readFile(job.path);
  switch (job.kind) {
    case 'catalog':
      return parseCatalog(content, job);
    case 'm3u':
      return parseM3u(content, job);
    case 'xtream':
      return parseStreams(content, job);
  }
}

async function coded<T>(code: ErrorCode, path: string, parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError(code, `${path}: ${diskCode(error)}`);
  }
}

/** Each is lent until the next is asked for: memory of its own for every one of them costs a good part of reading it. */
async function* slices(disk: Disk, path: string): AsyncGenerator<Uint8Array> {
  const file = await disk.open(path, 'read');
  try {
    const into = Buffer.allocUnsafe(READ_BYTES);
    for (let offset = 0; ;) {
      const bytes = await file.read(offset, READ_BYTES, into);
      if (bytes.length === 0) return;
      offset += bytes.length;
      for (let from = 0; from < bytes.length; from += SLICE_BYTES)
        yield bytes.subarray(from, from + SLICE_BYTES);
    }
  } finally {
    await file.close();
  }
}
