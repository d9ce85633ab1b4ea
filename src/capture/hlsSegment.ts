/**
 * A segment as it can be recorded: fetched whole, decrypted, looked at, with its initialization section where it needs
 * one (PROTOCOLS §5.2). What cannot be made whole is not given out at all.
 */
import { createDecipheriv, createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { ByteRange, Segment, SegmentKey } from '../domain/hlsPlaylist.js';
import type { HlsFetch } from './hlsFetch.js';
import type { Container } from './hlsFrames.js';
import { dropBlocks } from './lentBlocks.js';
import { NOT_MEDIA, refusalOfBody, type Refusal } from './refusal.js';
import { isTransportStream } from './packetStride.js';

/** No segment of live television is larger. */
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
const INIT_BYTES_MAX = 4 * 1024 * 1024;
const KEY_BYTES = 16;
const KEPT_MAX = 16;
const LOOK_BYTES = 2048;
const SIGNED_BYTES = 7 * 188;
/** What a fragment may begin with. */
const FRAGMENT_BOXES: ReadonlySet<string> = new Set(['styp', 'moof', 'sidx', 'ssix', 'emsg', 'prft', 'free']);
const INIT_BOXES: ReadonlySet<string> = new Set(['ftyp', 'moov', 'styp', 'free']);

export type LoadedSegment =
  | {
      readonly kind: 'segment';
      readonly container: Container;
      readonly init: Buffer | null;
      readonly parts: readonly Buffer[];
      readonly bytes: number;
    }
  | { readonly kind: 'failed'; readonly status: number; readonly refusal: Refusal }
  | { readonly kind: 'aborted' };

type Unusable = Exclude<LoadedSegment, { kind: 'segment' }>;

export interface HlsSegments {
  load(segment: Segment): Promise<LoadedSegment>;
}

export function hlsSegments(fetch: HlsFetch): HlsSegments {
  /** Keys and sections by address, had or on their way: they stay the same for many segments. */
  const kept = new Map<string, Promise<Buffer | Unusable>>();

  async function ask(uri: string, range: ByteRange | null, bytesMax: number): Promise<Buffer | Unusable> {
    const answer = await fetch.get(uri, bytesMax, range);
    if (answer.kind !== 'whole') return answer;
    const bytes = Buffer.concat(answer.parts);
    dropBlocks(answer.parts);
    return bytes;
  }

  async function whole(uri: string, range: ByteRange | null, bytesMax: number): Promise<Buffer | Unusable> {
    const name = `${uri} ${range?.offset ?? ''}-${range?.length ?? ''}`;
    const asked = kept.get(name) ?? ask(uri, range, bytesMax);
    kept.set(name, asked);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_MAX) break;
      kept.delete(oldest);
    }
    const got = await asked;
    if (!Buffer.isBuffer(got) && kept.get(name) === asked) kept.delete(name);
    return got;
  }

  /** A key that does not fit may have been changed under its address. */
  function forget(uri: string): void {
    for (const name of kept.keys()) if (name.startsWith(`${uri} `)) kept.delete(name);
  }

  async function initOf(segment: Segment, key: Buffer | null) {
    const { init } = segment;
    if (!init) return null;
    const bytes = await whole(init.uri, init.range, INIT_BYTES_MAX);
    if (!Buffer.isBuffer(bytes) || INIT_BOXES.has(boxOf(bytes))) return bytes;
    // Whether the key held for it too shows in what it is (then its IV must be given, RFC 8216 §4.3.2.5).
    const plain = key && segment.key?.iv ? decrypted([bytes], key, segment.key, segment.sequence) : null;
    if (plain && INIT_BOXES.has(boxOf(plain))) return plain;
    forget(init.uri);
    return failed(bytes);
  }

  return {
    async load(segment) {
      let key: Buffer | null = null;
      if (segment.key) {
        const found = await whole(segment.key.uri, null, KEY_BYTES);
        if (!Buffer.isBuffer(found)) return found;
        if (found.length !== KEY_BYTES) {
          forget(segment.key.uri);
          return failed(found);
        }
        key = found;
      }
      const init = await initOf(segment, key);
      if (init !== null && !Buffer.isBuffer(init)) return init;
      const answer = await fetch.get(segment.uri, SEGMENT_BYTES_MAX, segment.range);
      if (answer.kind !== 'whole') return answer;
      let { parts, bytes } = unpacked(answer);
      if (key && segment.key) {
        const plain = decrypted(parts, key, segment.key, segment.sequence);
        if (plain) dropBlocks(parts);
        else {
          forget(segment.key.uri);
          return failed(Buffer.concat(parts));
        }
        parts = [plain];
        bytes = plain.length;
      }
      const start = startOf(parts);
      const container = containerOf(start, init !== null);
      if (container) return { kind: 'segment', container, init, parts, bytes };
      if (segment.key) forget(segment.key.uri);
      return failed(start);
    },
  };
}

/** Some pack what should not be packed, without being asked to. */
function unpacked({ parts, bytes }: { readonly parts: readonly Buffer[]; readonly bytes: number }) {
  if (parts[0]?.[0] !== 0x1f || parts[0][1] !== 0x8b) return { parts, bytes };
  try {
    const plain = gunzipSync(Buffer.concat(parts), { maxOutputLength: SEGMENT_BYTES_MAX });
    dropBlocks(parts);
    return { parts: [plain], bytes: plain.length };
  } catch {
    return { parts, bytes };
  }
}

function failed(start: Buffer): LoadedSegment & { kind: 'failed' } {
  const refusal = start.length === 0 ? NOT_MEDIA : refusalOfBody(start, true);
  return { kind: 'failed', status: 200, refusal };
}

function startOf(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  if (first && first.length >= LOOK_BYTES) return first.subarray(0, LOOK_BYTES);
  return Buffer.concat(parts).subarray(0, LOOK_BYTES);
}

function containerOf(start: Buffer, hasInit: boolean): Container | null {
  if (hasInit) return FRAGMENT_BOXES.has(boxOf(start)) ? 'mp4' : null;
  return isTransportStream(start) ? 'ts' : null;
}

function boxOf(bytes: Buffer): string {
  return bytes.toString('latin1', 4, 8);
}

/** Null where the key does not fit. */
function decrypted(
  parts: readonly Buffer[],
  key: Buffer,
  { iv }: SegmentKey,
  sequence: number,
): Buffer | null {
  const vector = iv === null ? Buffer.alloc(16) : Buffer.from(iv, 'hex');
  if (iv === null) vector.writeBigUInt64BE(BigInt(sequence), 8);
  try {
    const cipher = createDecipheriv('aes-128-cbc', key, vector);
    return Buffer.concat([...parts.map((part) => cipher.update(part)), cipher.final()]);
  } catch {
    return null;
  }
}

/** The same for the same media under whatever name and number. */
export function signatureOf(parts: readonly Buffer[], bytes: number): string {
  const start = startOf(parts).subarray(0, SIGNED_BYTES);
  return createHash('sha1').update(start).update(`${bytes}`).digest('base64');
}
