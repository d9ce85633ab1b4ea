/**
 * The door to hls-parser: what comes out is a playlist that can be followed, or a code. Nothing that a server sends gets
 * past it as an exception, and what the parser lets through by mistake is put right here (PROTOCOLS §5.4).
 */
import { constants, gunzipSync } from 'node:zlib';
import * as HLS from 'hls-parser';
import type { ByteRange, MasterPlaylist, MediaPlaylist, Playlist } from '../domain/hlsPlaylist.js';
import type { RefusedPlaylist, Segment, SegmentKey, Variant, VariantSound } from '../domain/hlsPlaylist.js';

HLS.setOptions({ silent: true });

const BOM = '\uFEFF';
const SOUND_CODECS = /^(?:mp4a|ac-3|ec-3|ac-4|opus|flac|fLaC|mp3|dts)/i;
const PICTURE_CODECS = /^(?:avc|hvc|hev|dvh|vp0?9|av01|mp4v|mpeg2)/i;

/** Whether these first bytes are of something gzipped; two are enough. */
export function isPacked(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

/** The first bytes of what a gzipped body holds; none where it is damaged. */
function unpackedStart(start: Uint8Array): Uint8Array {
  try {
    return gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array(0);
  }
}

/** Whether these first bytes are those of a playlist; ten are enough, or a thousand where it is packed. */
export function looksLikePlaylist(start: Uint8Array): boolean {
  const plain = isPacked(start) ? unpackedStart(start) : start;
  return Buffer.from(plain.subarray(0, 16)).toString().replace(BOM, '').startsWith('#EXTM3U');
}

/** `url`: the address that answered, after redirects. `imported`: variables of the master playlist. */
export function readPlaylist(
  text: string,
  url: string,
  imported: Readonly<Record<string, string>> = {},
): Playlist {
  try {
    const plain = text.replace(BOM, '');
    if (!plain.startsWith('#EXTM3U')) return refused('hls_unreadable');
    const variables = variablesOf(plain, url, imported);
    const parsed = HLS.parse(withUsableKeys(substituted(plain, variables)));
    return parsed.isMasterPlaylist ? masterOf(parsed, url, variables) : mediaOf(parsed, url);
  } catch {
    // hls-parser throws TypeErrors at what it does not expect.
    return refused('hls_unreadable');
  }
}

function refused(code: RefusedPlaylist['code']): RefusedPlaylist {
  return { kind: 'refused', code };
}

/** EXT-X-DEFINE (RFC 8216bis §4.4.2.3), which the parser reads and leaves alone. */
function variablesOf(
  text: string,
  url: string,
  imported: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [, attributes = ''] of text.matchAll(/^#EXT-X-DEFINE:(.*)$/gm)) {
    const value = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(attributes)?.[1];
    const [name, wanted, query] = [value('NAME'), value('IMPORT'), value('QUERYPARAM')];
    if (name !== undefined) found[name] = substituted(value('VALUE') ?? '', found);
    if (wanted !== undefined) found[wanted] = imported[wanted] ?? '';
    if (query !== undefined) found[query] = new URL(url).searchParams.get(query) ?? '';
  }
  return found;
}

function substituted(text: string, variables: Readonly<Record<string, string>>): string {
  if (Object.keys(variables).length === 0) return text;
  return text.replaceAll(/\{\$([\w-]+)\}/g, (whole, name: string) =>
    Object.hasOwn(variables, name) ? (variables[name] ?? '') : whole,
  );
}

/** Of several keys for one segment the parser keeps the last, whether or not it is one for us. */
function withUsableKeys(text: string): string {
  return text.replaceAll(/(?:^#EXT-X-KEY:.*\r?\n){2,}/gm, (group) => {
    const lines = group.split('\n').filter((line) => line !== '');
    const own = lines.filter((line) => /METHOD=AES-128/.test(line) && !/KEYFORMAT="(?!identity")/.test(line));
    return `${(own.length > 0 ? own : lines).join('\n')}\n`;
  });
}

function masterOf(
  master: HLS.types.MasterPlaylist,
  url: string,
  variables: Readonly<Record<string, string>>,
): MasterPlaylist | RefusedPlaylist {
  const variants = master.variants.flatMap((variant): Variant[] => {
    const uri = absolute(variant.uri, url);
    if (uri === null || variant.isIFrameOnly) return [];
    const codecs = (variant.codecs ?? '').split(',').map((codec) => codec.trim());
    const { width = 0, height = 0 } = variant.resolution ?? {};
    const picture = height > 0 || codecs[0] === '' || codecs.some((codec) => PICTURE_CODECS.test(codec));
    return [
      {
        uri,
        bandwidth: finite(variant.bandwidth),
        width: finite(width),
        height: finite(height),
        codecs: codecs.join(','),
        sound: soundOf(variant, codecs),
        picture,
      },
    ];
  });
  if (variants.length === 0) return refused('hls_unreadable');
  if (variants.every(({ sound }) => sound === 'separate')) return refused('hls_separate_audio');
  return { kind: 'master', variants, variables };
}

/** A rendition without an address of its own is in the segments of the variant (RFC 8216 §4.3.4.1). */
function soundOf({ audio }: HLS.types.Variant, codecs: readonly string[]): VariantSound {
  const renditions = audio as readonly { readonly uri?: string }[];
  if (renditions.length > 0 && renditions.every(({ uri }) => uri !== undefined && uri !== ''))
    return 'separate';
  const silent = codecs[0] !== '' && !codecs.some((codec) => SOUND_CODECS.test(codec));
  return silent && renditions.length === 0 ? 'none' : 'inside';
}

function mediaOf(media: HLS.types.MediaPlaylist, url: string): MediaPlaylist | RefusedPlaylist {
  // A channel list is one playlist of endless segments.
  if (media.isIFrame || media.segments.some(({ duration }) => duration < 0)) return refused('hls_unreadable');
  const segments: Segment[] = [];
  let programAt: number | null = null;
  for (const [place, segment] of media.segments.entries()) {
    const uri = absolute(segment.uri, url);
    const durationMs = Math.round(finite(segment.duration) * 1000);
    const said = segment.programDateTime?.getTime() ?? Number.NaN;
    if (Number.isFinite(said)) programAt = said;
    const at = programAt;
    if (programAt !== null) programAt += durationMs;
    // Phantoms: parts of a segment that is still made, or a playlist that was cut off.
    if (uri === null || isSaidTwice(media.segments, place)) continue;
    const range = rangeOf(segment.byterange);
    const key = keyOf(segment.key, url);
    const init = segment.map ? absolute(segment.map.uri, url) : null;
    if (range === 'bad' || key === 'bad' || (segment.map && init === null)) return refused('hls_unreadable');
    if (key === 'foreign') return refused('hls_encrypted');
    const initRange = rangeOf(segment.map?.byterange);
    if (initRange === 'bad') return refused('hls_unreadable');
    segments.push({
      sequence: segment.mediaSequenceNumber,
      uri,
      durationMs,
      discontinuity: segment.discontinuity === true,
      gap: segment.gap === true,
      range,
      key,
      init: init === null ? null : { uri: init, range: initRange },
      programAt: at,
    });
  }
  if (!segments.every(({ sequence }) => Number.isSafeInteger(sequence) && sequence >= 0))
    return refused('hls_unreadable');
  const longestMs = Math.max(0, ...segments.map(({ durationMs }) => durationMs));
  const targetMs = finite(media.targetDuration) * 1000 || longestMs;
  if (targetMs <= 0 && !media.endlist) return refused('hls_unreadable');
  return { kind: 'media', targetMs: Math.min(targetMs, TARGET_MS_MAX), segments, ended: media.endlist };
}

/**
 * Whether this segment is the one before once more. The clock of a stream does not go back without a discontinuity; a
 * server that has one address for all its segments means others by it.
 */
function isSaidTwice(segments: readonly HLS.types.Segment[], place: number): boolean {
  const [before, segment] = [segments[place - 1], segments[place]];
  if (!before || !segment || segment.discontinuity) return false;
  const isSame = (one: HLS.types.Segment) =>
    one.uri === segment.uri && one.byterange?.offset === segment.byterange?.offset;
  return isSame(before) && !segments.every(isSame);
}

/** Longer segments than that are a mistake, and waiting for them would look like a stall for ever. */
const TARGET_MS_MAX = 120_000;

function keyOf(key: HLS.types.Key | null | undefined, url: string): SegmentKey | null | 'bad' | 'foreign' {
  if (!key || key.method === 'NONE') return null;
  if (key.method !== 'AES-128' || (key.format ?? 'identity') !== 'identity') return 'foreign';
  const uri = absolute(key.uri, url);
  const iv = key.iv ? Buffer.from(key.iv as unknown as Uint8Array).toString('hex') : null;
  if (uri === null || (iv !== null && iv.length !== 32)) return 'bad';
  return { uri, iv };
}

function rangeOf(range: { offset?: number; length?: number } | undefined): ByteRange | null | 'bad' {
  if (!range) return null;
  const { offset = 0, length = -1 } = range;
  const isGood = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length > 0;
  return isGood ? { offset, length } : 'bad';
}

function absolute(uri: string | undefined, base: string): string | null {
  if (uri === undefined || uri === '' || !URL.canParse(uri, base)) return null;
  const url = new URL(uri, base);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : null;
}

function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : 0;
}
