/**
 * From the bytes of a guide as it came to its text: unpacked by what they are, not by what their name says, and
 * decoded by byte order mark, declaration, or as UTF-8 (PROTOCOLS §3.2).
 */

import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CodedError } from '../domain/errors.js';

export interface TextDecoding {
  write(bytes: Uint8Array): string;
  end(): string;
}

/** Bytes unpacked so far count even when the rest is broken; `onBroken` says that they are not all. */
export async function* unpack(
  chunks: AsyncIterable<Uint8Array>,
  onBroken: () => void,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const head = await readHead(iterator);
    if (startsWith(head, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) throw packed('xz');
    if (startsWith(head, [0x50, 0x4b, 0x03, 0x04])) throw packed('zip');
    const all = withHead(head, iterator);
    yield* startsWith(head, [0x1f, 0x8b]) ? gunzip(all, onBroken) : all;
  } finally {
    await iterator.return?.();
  }
}

const MAGIC_BYTES = 6;
const PIECE_BYTES = 256 * 1024;

async function* gunzip(chunks: AsyncIterable<Uint8Array>, onBroken: () => void): AsyncGenerator<Uint8Array> {
  const source = Readable.from(chunks);
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

function isZlibError(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code?.startsWith('Z_') === true;
}

function packed(how: string): CodedError {
  return new CodedError('guide_compressed', `it is a ${how} file`);
}

/** At least as many bytes as any magic has, if there are. */
async function readHead(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array();
  while (head.length < MAGIC_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* withHead(head: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* { [Symbol.asyncIterator]: () => iterator };
}

/** Longer than any XML declaration. */
const SNIFF_BYTES = 512;

/** Text as a stream; never fails: what cannot be decoded becomes U+FFFD. */
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
      held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      return held.length < SNIFF_BYTES ? '' : begin(held);
    },
    end() {
      const text = decoding === null ? begin(held) : '';
      return text + (decoding?.end() ?? '');
    },
  };
}

function decodingOf(bytes: Uint8Array): TextDecoding {
  const decoder = new TextDecoder(encodingOf(bytes), { fatal: false });
  return { write: (piece) => decoder.decode(piece, { stream: true }), end: () => decoder.decode() };
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
