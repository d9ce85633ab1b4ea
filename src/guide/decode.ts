/**
 * From the bytes of a guide as it came to its text: unpacked by what they are, not by what their name says, and
 * decoded by byte order mark, declaration, or as UTF-8 (PROTOCOLS §3.2).
 */

import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CodedError } from '../domain/errors.js';

export interface TextDecoding {
  write(bytes: Uint8Array): string;
  end(): string;
}

/**
 * Bytes unpacked so far count even when the rest is broken; `onBroken` says that they are not all. A chunk may be lent
 * until the next is asked for, and so is what comes out.
 */
export async function* unpack(
  chunks: AsyncIterable<Uint8Array>,
  onBroken: () => void,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const head = await readHead(iterator);
    const [how] = PACKED.find(([, magic]) => startsWith(head, magic)) ?? [];
    if (how !== undefined) throw new CodedError('guide_compressed', `it is a ${how} file`);
    const all = withHead(head, iterator);
    yield* startsWith(head, [0x1f, 0x8b]) ? gunzip(all, onBroken) : all;
  } finally {
    await iterator.return?.();
  }
}

/** What is packed in a way that is not opened here, by its first bytes. */
const PACKED: readonly (readonly [how: string, magic: readonly number[]])[] = [
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['7z', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['rar', [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07]],
];
const MAGIC_BYTES = 6;
const PIECE_BYTES = 64 * 1024;

async function* gunzip(chunks: AsyncIterable<Uint8Array>, onBroken: () => void): AsyncGenerator<Uint8Array> {
  const source = Readable.from(copied(chunks));
  const inflated = createGunzip({ chunkSize: PIECE_BYTES });
  source.once('error', (error) => inflated.destroy(error));
  source.pipe(inflated);
  try {
    yield* inflated as AsyncIterable<Buffer>;
  } catch (error) {
    if (!isZlibError(error)) throw error;
    onBroken();
  } finally {
    source.destroy();
    inflated.destroy();
  }
}

async function* copied(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield Uint8Array.from(chunk);
}

function isZlibError(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code?.startsWith('Z_') === true;
}

/** At least as many bytes as any magic has, if there are. */
async function readHead(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array();
  while (head.length < MAGIC_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return head;
}

async function* withHead(head: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* { [Symbol.asyncIterator]: () => iterator };
}

/** Longer than any XML declaration. */
const SNIFF_BYTES = 512;

/** Text as a stream; never fails: what cannot be decoded is taken for Windows-1252, or becomes U+FFFD. */
export function createDecoding(): TextDecoding {
  let held: Uint8Array = new Uint8Array();
  let decoding: TextDecoding | null = null;
  const begin = (bytes: Uint8Array) => {
    decoding = decodingOf(bytes);
    return decoding.write(bytes);
  };
  return {
    write(bytes) {
      if (decoding !== null) return decoding.write(bytes);
      held = Buffer.concat([held, bytes]);
      return held.length < SNIFF_BYTES ? '' : begin(held);
    },
    end() {
      const text = decoding === null ? begin(held) : '';
      return text + (decoding?.end() ?? '');
    },
  };
}

function decodingOf(bytes: Uint8Array): TextDecoding {
  const encoding = encodingOf(bytes);
  if (encoding === 'utf-8') return utf8Decoding();
  const decoder = new TextDecoder(encoding, { fatal: false });
  return { write: (piece) => decoder.decode(piece, { stream: true }), end: () => decoder.decode() };
}

const WINDOWS_1252 = new TextDecoder('windows-1252');

/** Guides that say UTF-8 and are put together from sources of which some are not: what is not is taken for Windows-1252. */
function utf8Decoding(): TextDecoding {
  let held: Uint8Array = new Uint8Array();
  const text = (bytes: Uint8Array) => (isUtf8(bytes) ? utf8(bytes) : mixed(bytes));
  return {
    write(piece) {
      const bytes = held.length === 0 ? piece : Buffer.concat([held, piece]);
      const end = wholeCharacters(bytes);
      held = bytes.slice(end);
      return text(bytes.subarray(0, end));
    },
    end: () => text(held),
  };
}

/** Several times as fast as a TextDecoder, which has to look at what is known to be whole. */
function utf8({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}

/** Each element's text by itself: none is written in two encodings. */
function mixed(bytes: Uint8Array): string {
  let all = '';
  for (let at = 0; at < bytes.length;) {
    const next = bytes.indexOf(0x3c, at + 1);
    const piece = bytes.subarray(at, next < 0 ? bytes.length : next);
    all += isUtf8(piece) ? utf8(piece) : WINDOWS_1252.decode(piece);
    at += piece.length;
  }
  return all;
}

/** Where the last character ends that is whole: a lead byte that lacks what follows it is left for the next piece. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Lower-case label that TextDecoder takes. */
function encodingOf(bytes: Uint8Array): string {
  if (startsWith(bytes, [0xef, 0xbb, 0xbf])) return 'utf-8';
  if (startsWith(bytes, [0xff, 0xfe]) || startsWith(bytes, [0x3c, 0x00])) return 'utf-16le';
  if (startsWith(bytes, [0xfe, 0xff]) || startsWith(bytes, [0x00, 0x3c])) return 'utf-16be';
  const head = Buffer.from(bytes.subarray(0, SNIFF_BYTES)).toString('latin1');
  const declared =
    /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/i.exec(head)?.[1]?.toLowerCase() ?? 'utf-8';
  // These bytes are not UTF-16, whatever they say.
  if (declared.startsWith('utf-16') || declared.startsWith('ucs-2')) return 'utf-8';
  try {
    return new TextDecoder(declared).encoding;
  } catch {
    return 'utf-8';
  }
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((value, i) => bytes[i] === value);
}
