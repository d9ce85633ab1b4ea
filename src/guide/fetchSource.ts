/**
 * Brings a list or guide to disk, from a file or an address, as it is. Nothing is judged here but whether it came and
 * whether it changed: an unchanged one costs one stat or one conditional request.
 */

import { CodedError, type ErrorCode } from '../domain/errors.js';
import { redactUrl } from '../domain/redact.js';
import type { SourceRef } from '../domain/channel.js';
import { diskCode, type Disk, type DiskFile } from '../io/disk.js';
import {
  TransportFault,
  type Transport,
  type TransportBody,
  type TransportResponse,
} from '../io/transport.js';

/** What tells one version from the next. Plain JSON. */
export interface Validators {
  readonly etag: string;
  readonly lastModified: string;
  /** Size, time and inode of a local file. */
  readonly file: string;
}

export const NO_VALIDATORS: Validators = { etag: '', lastModified: '', file: '' };

export type Fetched =
  { readonly kind: 'unchanged' } | { readonly kind: 'fetched'; readonly validators: Validators };

export interface FetchDoors {
  readonly disk: Disk;
  readonly transport: Transport;
  readonly userAgent: string;
  readonly signal: AbortSignal;
}

/** Larger than any guide in the field; a runaway answer must not fill the disk. */
const BYTES_MAX = 2 * 2 ** 30;
const HEADERS_TIMEOUT_MS = 60_000;
const COPY_BYTES = 2 ** 20;

export function isAddress(location: string): boolean {
  return /^https?:\/\//i.test(location);
}

/** What a person sees of a source: its path, or its address without login. */
export function shownLocation(source: Pick<SourceRef, 'location'>): string {
  return isAddress(source.location) ? redactUrl(source.location) : source.location;
}

/** Throws CodedError `guide_unreadable` or `list_unreadable`, naming the place. */
export async function fetchSource(
  source: SourceRef,
  known: Validators,
  intoPath: string,
  doors: FetchDoors,
): Promise<Fetched> {
  const code: ErrorCode = source.kind === 'xmltv' ? 'guide_unreadable' : 'list_unreadable';
  const failed = (why: string) => new CodedError(code, `${shownLocation(source)}: ${why}`);
  try {
    return isAddress(source.location)
      ? await download(source.location, known, intoPath, doors, failed)
      : await copyFile(source.location, known, intoPath, doors.disk, failed);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    if (error instanceof TransportFault) throw failed(`${error.kind}: ${error.message}`);
    throw failed(reasonOf(diskCode(error)));
  }
}

function reasonOf(code: string): string {
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'not readable by this user';
  if (code === 'EISDIR') return 'is a folder';
  return `cannot be read or stored (${code})`;
}

async function copyFile(
  path: string,
  known: Validators,
  intoPath: string,
  disk: Disk,
  failed: (why: string) => Error,
): Promise<Fetched> {
  const stat = await disk.stat(path);
  if (stat.kind === 'folder') throw failed('is a folder');
  const file = `${stat.bytes}:${stat.mtimeMs}:${stat.inode}`;
  if (file === known.file) return { kind: 'unchanged' };
  const from = await disk.open(path, 'read');
  try {
    await refill(disk, intoPath, async (into) => {
      for (let offset = 0; ;) {
        const slice = await from.read(offset, COPY_BYTES);
        if (slice.length === 0) return;
        await into.write([slice]);
        offset += slice.length;
      }
    });
  } finally {
    await from.close();
  }
  return { kind: 'fetched', validators: { ...NO_VALIDATORS, file } };
}

async function download(
  url: string,
  known: Validators,
  intoPath: string,
  doors: FetchDoors,
  failed: (why: string) => Error,
): Promise<Fetched> {
  const response = await doors.transport.open(url, {
    headers: {
      'user-agent': doors.userAgent,
      accept: '*/*',
      ...(known.etag !== '' && { 'if-none-match': known.etag }),
      ...(known.lastModified !== '' && { 'if-modified-since': known.lastModified }),
    },
    signal: doors.signal,
    headersTimeoutMs: HEADERS_TIMEOUT_MS,
  });
  if (response.status === 304) {
    response.body.destroy();
    return { kind: 'unchanged' };
  }
  if (response.status < 200 || response.status > 299) {
    response.body.destroy();
    throw failed(`HTTP ${response.status}`);
  }
  await refill(doors.disk, intoPath, (into) => pour(response.body, into, failed));
  return { kind: 'fetched', validators: validatorsOf(response) };
}

function validatorsOf(response: TransportResponse): Validators {
  return {
    etag: response.headers['etag'] ?? '',
    lastModified: response.headers['last-modified'] ?? '',
    file: '',
  };
}

/** Fills a file from nothing; what an earlier try left is gone first. */
async function refill(disk: Disk, path: string, fill: (into: DiskFile) => Promise<void>): Promise<void> {
  await disk.unlink(path).catch((error: unknown) => {
    if (diskCode(error) !== 'ENOENT') throw error;
  });
  const into = await disk.open(path, 'create', 0o600);
  try {
    await fill(into);
    await into.datasync();
  } finally {
    await into.close();
  }
}

/** Body to file, one write at a time, the connection paused meanwhile. */
function pour(body: TransportBody, into: DiskFile, failed: (why: string) => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let pending: Buffer[] = [];
    let writing = false;
    let ended = false;
    const fail = (error: unknown) => {
      body.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const drain = () => {
      if (writing) return;
      if (pending.length === 0) {
        if (ended) resolve();
        else body.resume();
        return;
      }
      writing = true;
      body.pause();
      const batch = pending;
      pending = [];
      into.write(batch).then(() => {
        writing = false;
        drain();
      }, fail);
    };
    body.flow({
      onData(chunk) {
        bytes += chunk.length;
        if (bytes > BYTES_MAX) return fail(failed(`larger than ${BYTES_MAX} bytes`));
        pending.push(chunk);
        drain();
      },
      onEnd() {
        ended = true;
        drain();
      },
      onFault: fail,
    });
  });
}
