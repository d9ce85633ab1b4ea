/**
 * What stands beside a file that is fetched: which version of it this is, or how far a playlist is, so that the next connection
 * goes on with the same thing.
 */
import type { SavedCursor } from '../domain/hlsCursor.js';
import type { Disk } from '../io/disk.js';
import type { TransportResponse } from '../io/transport.js';

/** How far a file is that is put together from segments. */
export interface ArchiveProgress {
  readonly bytes: number;
  /** Milliseconds of media in it. */
  readonly mediaMs: number;
  readonly cursor: SavedCursor;
}

/** What tells one version from the next: a strong tag, else the date (RFC 9110 §13.1.5). */
export function validatorOf({ headers }: TransportResponse): string {
  const tag = headers['etag'] ?? '';
  return tag !== '' && !tag.startsWith('W/') ? tag : (headers['last-modified'] ?? '');
}

/** What a tag begins with that says how far a playlist is. */
export const PROGRESS = 'hls ';

/** Null where it does not say, or where less is there than it says. */
export function progressOf(tag: string, have: number): ArchiveProgress | null {
  if (!tag.startsWith(PROGRESS)) return null;
  try {
    const progress = JSON.parse(tag.slice(PROGRESS.length)) as ArchiveProgress;
    return progress.bytes <= have && Number.isSafeInteger(progress.cursor.sequence) ? progress : null;
  } catch {
    return null;
  }
}

export const tagPath = (path: string) => `${path}.tag`;

export async function readTag(disk: Disk, path: string): Promise<string> {
  return disk.readFile(tagPath(path)).then(String, () => '');
}

export async function writeTag(disk: Disk, path: string, tag: string): Promise<void> {
  if (tag === '') return;
  await disk.unlink(tagPath(path)).catch(() => undefined);
  const file = await disk.open(tagPath(path), 'create');
  try {
    await file.write([Buffer.from(tag)]);
  } finally {
    await file.close();
  }
}
