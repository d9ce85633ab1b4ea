/**
 * The guide's icon as a picture beside the media. Wanted, never needed: what does not come soon, is no picture or too
 * big is left out, and a host that did not answer is not asked again for a while, so that nothing waits for it.
 */
import { basename, dirname } from 'node:path';
import type { LibraryKind } from '../domain/libraryKind.js';
import type { RecordingFiles } from '../domain/recording.js';
import type { Clock } from '../io/clock.js';
import { exists, type Disk } from '../io/disk.js';
import type { Exchange } from '../io/exchange.js';
import { temporaryName, writeNew } from '../io/replaceFile.js';

const TIMEOUT_MS = 4_000;
const BYTES_MAX = 4 * 2 ** 20;
const REDIRECTS_MAX = 3;
const QUIET_MS = 600_000;
const EXTENSIONS = ['.jpg', '.png', '.webp'] as const;

export interface PictureDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly exchange: Exchange;
}

/** Hosts that did not answer, and until when they are left alone. */
const quiet = new WeakMap<Exchange, Map<string, number>>();

/** Puts it there and gives its path, or null. Never replaces a file, never rejects. */
export async function putPicture(
  doors: PictureDoors,
  url: string,
  place: RecordingFiles,
  kind: LibraryKind,
  own: { readonly mode: number; readonly owner: string },
): Promise<string | null> {
  const { disk } = doors;
  const there = await pictureIn(disk, place, kind);
  if (there !== null) return there;
  const body = await fetched(doors, url);
  const extension = body && extensionOf(body);
  if (!body || !extension) return null;
  const path = nameOf(place, kind, extension);
  const temporary = temporaryName(disk, path, own.owner);
  try {
    await writeNew(disk, temporary, body, { mode: own.mode, sync: false });
    if (await exists(disk, path)) return null;
    await disk.rename(temporary, path);
    await disk.syncFolder(dirname(path));
    return path;
  } catch {
    return null;
  } finally {
    await disk.unlink(temporary).catch(() => undefined);
  }
}

/** One that an earlier try has put there: in a folder of its own there is nobody else's. */
export async function pictureIn(
  disk: Disk,
  place: RecordingFiles,
  kind: LibraryKind,
): Promise<string | null> {
  if (!place.ownsFolder) return null;
  for (const extension of EXTENSIONS) {
    const path = nameOf(place, kind, extension);
    if (await exists(disk, path).catch(() => false)) return path;
  }
  return null;
}

/** As media servers look for it beside a film, and beside an episode. */
function nameOf({ nfo }: RecordingFiles, kind: LibraryKind, extension: string): string {
  return `${dirname(nfo)}/${basename(nfo, '.nfo')}${kind === 'movies' ? '-poster' : '-thumb'}${extension}`;
}

async function fetched({ exchange, clock }: PictureDoors, address: string): Promise<Buffer | null> {
  const hosts = quiet.get(exchange) ?? new Map<string, number>();
  quiet.set(exchange, hosts);
  let url = new URL(address);
  for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
    if ((hosts.get(url.host) ?? -Infinity) > clock.mono()) return null;
    try {
      const wish = { method: 'GET', url: url.href, timeoutMs: TIMEOUT_MS, bytesMax: BYTES_MAX } as const;
      const { status, headers, body } = await exchange.ask(wish);
      if (status === 200) return body;
      const next = status >= 300 && status < 400 ? (headers['location'] ?? '') : '';
      if (next === '' || !URL.canParse(next, url.href)) return null;
      url = new URL(next, url.href);
      if (!/^https?:$/.test(url.protocol)) return null;
    } catch {
      hosts.set(url.host, clock.mono() + QUIET_MS);
      return null;
    }
  }
  return null;
}

/** By what it is, whatever it is called. */
function extensionOf(body: Buffer): (typeof EXTENSIONS)[number] | null {
  if (body.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) return '.jpg';
  if (body.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])))
    return '.png';
  return body.toString('latin1', 0, 4) === 'RIFF' && body.toString('latin1', 8, 12) === 'WEBP'
    ? '.webp'
    : null;
}
