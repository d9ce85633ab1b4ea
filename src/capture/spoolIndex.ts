/**
 * The index file of one spool: written beside it as it grows, believed no further than the spool itself, and made again
 * from the media where a crash, a lost file or an older version left a hole. It serves playback and is never a reason
 * for a recording to fail: what goes wrong with its file is let go, and the next reader reads the media instead.
 */
import { dirname } from 'node:path';
import { indexFacts, indexText, type IndexFacts, type IndexLine } from '../domain/mediaIndex.js';
import { diskCode, type Disk, type DiskFile } from '../io/disk.js';
import { indexScan, type IndexScan } from './indexScan.js';
import { TRIM_BYTES_MAX } from './spoolTrim.js';
import { PACKET_BYTES } from './tsPackets.js';

const READ_BYTES = 5_000 * PACKET_BYTES;
const NOTHING: IndexFacts = indexFacts('');

/** Reads of the media: up to `length` bytes from `offset`. */
export type ReadMedia = (offset: number, length: number) => Promise<Buffer>;

export interface SpoolIndexInput {
  readonly path: string;
  /** What the spool holds already. */
  readonly spoolBytes: number;
  /** Its end was cut when it was opened, so that what is known of it may not be so any more. */
  readonly trimmed: boolean;
  readonly startedAt: number;
  readonly read: ReadMedia;
}

export interface SpoolIndex {
  /** Whole packets that are in the file now, right after those before. */
  push(packets: readonly Uint8Array[]): void;
  /** Writes what was found since. One call at a time; never rejects for the disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** What an index file says; nothing where there is none. Rejects with other disk errors. */
export async function readIndexFacts(disk: Disk, path: string): Promise<IndexFacts> {
  try {
    return indexFacts((await disk.readFile(path)).toString('utf8'));
  } catch (error) {
    if (diskCode(error) === 'ENOENT') return NOTHING;
    throw error;
  }
}

/** Null where the file cannot be written: the recording goes on without. */
export async function openSpoolIndex(disk: Disk, input: SpoolIndexInput): Promise<SpoolIndex | null> {
  const { path, spoolBytes, trimmed, startedAt, read } = input;
  let facts: IndexFacts;
  let file: DiskFile | null = null;
  const first: IndexLine[] = [];
  try {
    await disk.mkdir(dirname(path));
    facts = await readIndexFacts(disk, path);
    file = await disk.open(path, 'append');
    // A torn last line must not swallow the next one.
    if ((await file.bytes()) > 0) await file.write([Buffer.from('\n')]);
  } catch (error) {
    // A disk that refuses for an hour must not cost a file left open at every try.
    await file?.close().catch(() => undefined);
    if (diskCode(error) === 'UNKNOWN') throw error;
    return null;
  }
  const opened = file;
  if (facts.startedAt === 0) first.push(['start', startedAt]);
  const sureBytes =
    trimmed || facts.bytes > spoolBytes ? Math.max(0, spoolBytes - TRIM_BYTES_MAX) : spoolBytes;
  if (facts.bytes > sureBytes) {
    first.push(['cut', sureBytes]);
    facts = indexFacts(indexText([...linesOf(facts), ['cut', sureBytes]]));
  }
  const scan = indexScan(facts.lead, facts.bytes === spoolBytes ? facts.endTicks : -1);
  let lines = first;
  let from = spoolBytes;
  let to = spoolBytes;
  let broken = false;
  const abort = new AbortController();
  const filling = facts.bytes < spoolBytes ? fill() : Promise.resolve();

  /** What is missing before this piece is read back while it goes on. */
  async function fill(): Promise<void> {
    const missing = await scanMedia(read, facts, spoolBytes, abort.signal).catch(() => []);
    lines.push(...missing);
  }

  function gather(): void {
    lines.push(...scan.take());
    if (to > from) lines.push(['covered', from, to, scan.endTicks()]);
    from = to;
  }

  async function flush(): Promise<void> {
    gather();
    if (broken || lines.length === 0) return;
    const text = indexText(lines);
    lines = [];
    try {
      await opened.write([Buffer.from(text)]);
    } catch {
      broken = true;
    }
  }

  return {
    push(packets) {
      for (const each of packets) {
        scan.push(each, to);
        to += each.byteLength;
      }
    },
    flush,
    async close() {
      abort.abort();
      await filling;
      await flush();
      await opened.close().catch(() => undefined);
    },
  };
}

/** Reads the media from where the facts end up to `bytes`, and gives the lines that were missing. */
export async function scanMedia(
  read: ReadMedia,
  facts: IndexFacts,
  bytes: number,
  signal?: AbortSignal,
): Promise<IndexLine[]> {
  const scan: IndexScan = indexScan(facts.lead, facts.endTicks);
  const lines: IndexLine[] = [];
  let at = facts.bytes;
  while (at < bytes && signal?.aborted !== true) {
    const chunk = await read(at, Math.min(READ_BYTES, bytes - at));
    const whole = chunk.length - (chunk.length % PACKET_BYTES);
    if (whole === 0) break;
    scan.push(chunk.subarray(0, whole), at);
    at += whole;
  }
  lines.push(...scan.take());
  if (at > facts.bytes) lines.push(['covered', facts.bytes, at, scan.endTicks()]);
  return lines;
}

function linesOf(facts: IndexFacts): IndexLine[] {
  return [
    ['start', facts.startedAt],
    ...(facts.lead ? [['lead', facts.lead.pid, facts.lead.type, Number(facts.lead.isVideo)] as const] : []),
    ...facts.points.map(({ offset, ticks, endTicks }) => ['point', offset, ticks, endTicks] as const),
    ['covered', 0, facts.bytes, facts.endTicks],
  ];
}
