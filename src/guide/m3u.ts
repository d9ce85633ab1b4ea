/**
 * M3U channel lists as the field writes them (PROTOCOLS §4.1): attributes quoted or not, names with commas, options
 * of VLC and Kodi, headers behind the address, any encoding. A broken entry costs the entry; what is no channel list
 * (a web page, an HLS playlist) is an error, so that it never replaces a good one (P5).
 */

import type { Archive } from '../domain/channel.js';
import { CodedError } from '../domain/errors.js';
import type { ListData } from '../domain/programme.js';
import { attributesOf, readAttributes } from './m3uAttributes.js';
import { isObject } from './json.js';
import {
  createTally,
  isAdult,
  isStreamUrl,
  isVod,
  qualityOf,
  withIds,
  type ListOptions,
  type Row,
} from './rows.js';

/** What the lines before an address say about it. */
interface Entry {
  /** Whether its `#EXTINF` was there. */
  readonly named: boolean;
  readonly attributes: ReadonlyMap<string, string>;
  readonly name: string;
  readonly group: string;
  readonly userAgent: string;
  readonly referrer: string;
}

const NO_ENTRY: Entry = {
  named: false,
  attributes: new Map(),
  name: '',
  group: '',
  userAgent: '',
  referrer: '',
};
const HLS_TAG = /^#EXT-X-(?:TARGETDURATION|STREAM-INF|MEDIA-SEQUENCE|MAP)\b/im;

/**
 * Throws `list_not_m3u`. Reasons in `skipped`: `no_url` an entry without an address; `bad_url` one that is not
 * http(s); `adult`; `vod`.
 */
export function parseM3u(bytes: Uint8Array, options: ListOptions): ListData {
  const text = textOfList(bytes);
  refuseOther(text);
  const tally = createTally();
  const rows: Row[] = [];
  const guideUrls = new Set<string>();
  let entry: Entry | null = null;
  /** Of the whole list: what its header says of archives. */
  let common: ReadonlyMap<string, string> = new Map();
  for (const line of linesOf(text)) {
    if (line.startsWith('#')) {
      if (/^#EXTM3U\b/i.test(line)) {
        common = attributesOf(line.slice('#EXTM3U'.length));
        guidesOf(common).forEach((url) => guideUrls.add(url));
      } else if (/^#EXTINF:/i.test(line)) {
        if (entry?.named) tally.count('no_url');
        // Options in front of it belong to it too.
        entry = { ...(entry === null || entry.named ? NO_ENTRY : entry), ...infoOf(line), named: true };
      } else entry = withOption(entry ?? NO_ENTRY, line);
      continue;
    }
    const row = rowOf(line, entry ?? NO_ENTRY, common, options.source);
    entry = null;
    const [url = ''] = row.urls;
    if (!isStreamUrl(url)) tally.count('bad_url');
    else if (isVod(url)) tally.count('vod');
    else if (!options.includeAdult && isAdult(row)) tally.count('adult');
    else rows.push(row);
  }
  if (entry?.named) tally.count('no_url');
  return { channels: withIds(rows), guideUrls: [...guideUrls], skipped: tally.counts };
}

/** UTF-8 where it is, UTF-16 by its mark, else the western code page that old tools write. */
function textOfList(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

function refuseOther(text: string): void {
  const head = text.slice(0, 4_096).trimStart();
  if (head === '') throw notM3u('it is empty');
  if (head.startsWith('<')) throw notM3u('it is a web page');
  if (!/^#EXT(?:M3U|INF)\b/im.test(head)) throw notM3u('there is no #EXTM3U in it');
  if (HLS_TAG.test(head)) throw notM3u('it is an HLS playlist, the stream of one channel');
}

function notM3u(why: string): CodedError {
  return new CodedError('list_not_m3u', why);
}

/** Trimmed lines that are not blank, one at a time: lists of 100,000 entries occur. */
function* linesOf(text: string): Generator<string> {
  let from = 0;
  while (from < text.length) {
    const found = text.indexOf('\n', from);
    const end = found < 0 ? text.length : found;
    // Old Macs end lines with CR alone.
    for (const part of text.slice(from, end).split('\r')) {
      const line = part.trim();
      if (line !== '') yield line;
    }
    from = end + 1;
  }
}

function guidesOf(attributes: ReadonlyMap<string, string>): readonly string[] {
  return ['x-tvg-url', 'url-tvg', 'tvg-url']
    .flatMap((key) => (attributes.get(key) ?? '').split(','))
    .map((url) => url.trim())
    .filter(isStreamUrl);
}

/** `#EXTINF:-1 key="value" …,Name` */
function infoOf(line: string): Pick<Entry, 'attributes' | 'name'> {
  const rest = line.slice('#EXTINF:'.length).replace(/^\s*-?[\d.]*/, '');
  const { attributes, after } = readAttributes(rest);
  return { attributes, name: after.replace(/^,/, '').trim() };
}

/** Lines between `#EXTINF` and the address; also in front of it, where some lists have them. */
function withOption(entry: Entry, line: string): Entry {
  const [, tag = '', value = ''] = /^#(EXTGRP|EXTVLCOPT|KODIPROP|EXTHTTP):\s*(.*)$/i.exec(line) ?? [];
  switch (tag.toUpperCase()) {
    case 'EXTGRP':
      return { ...entry, group: value };
    case 'EXTVLCOPT':
    case 'KODIPROP': {
      const [, key = '', text = ''] = /^([^=]*)=(.*)$/.exec(value) ?? [];
      const lower = key.trim().toLowerCase();
      if (lower === 'http-user-agent') return { ...entry, userAgent: unquoted(text) };
      if (lower === 'http-referrer' || lower === 'http-referer')
        return { ...entry, referrer: unquoted(text) };
      return /stream_headers$|manifest_headers$/.test(lower) ? withHeaders(entry, pairsOf(text)) : entry;
    }
    case 'EXTHTTP':
      return withHeaders(entry, headersOf(value));
    default:
      return entry;
  }
}

function withHeaders(entry: Entry, headers: ReadonlyMap<string, string>): Entry {
  return {
    ...entry,
    userAgent: headers.get('user-agent') ?? entry.userAgent,
    referrer: headers.get('referer') ?? headers.get('referrer') ?? entry.referrer,
  };
}

/** `User-Agent=…&Referer=…`, percent-encoded. */
function pairsOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('&').map((pair) => {
      const [, key = pair, value = ''] = /^([^=]*)=(.*)$/.exec(pair) ?? [];
      return [key.trim().toLowerCase(), decoded(unquoted(value))];
    }),
  );
}

function headersOf(json: string): ReadonlyMap<string, string> {
  try {
    const parsed: unknown = JSON.parse(json);
    const entries = isObject(parsed) ? Object.entries(parsed) : [];
    return new Map(
      entries.flatMap(([key, value]) => (typeof value === 'string' ? [[key.toLowerCase(), value]] : [])),
    );
  } catch {
    return new Map();
  }
}

function rowOf(line: string, entry: Entry, common: ReadonlyMap<string, string>, source: string): Row {
  const [, url = line, headers = ''] = /^([^|]*)\|(.*)$/.exec(line) ?? [];
  const { attributes, name, userAgent, referrer } = withHeaders(
    entry,
    headers === '' ? new Map() : pairsOf(headers),
  );
  const of = (...keys: readonly string[]) => keys.map((key) => attributes.get(key) ?? '').find(Boolean) ?? '';
  const guideName = name || of('tvg-name') || of('tvg-id') || nameOf(url);
  const archive = archiveOf((key) => attributes.get(key) || common.get(key) || '');
  const guideShiftMs = shiftOf(of('tvg-shift') || common.get('tvg-shift') || '');
  return {
    source,
    ownId: of('tvg-id'),
    ownDna: '',
    guideNumber: of('tvg-chno', 'ch-number', 'channel-number'),
    guideName,
    tvgId: of('tvg-id'),
    group: of('group-title') || entry.group,
    quality: qualityOf(guideName),
    userAgent: userAgent || of('user-agent', 'http-user-agent'),
    referrer: referrer || of('referrer', 'http-referrer'),
    urls: [url.trim()],
    ...(archive && { archive }),
    ...(guideShiftMs !== 0 && { guideShiftMs }),
  };
}

const HOUR_MS = 3_600_000;
const SHIFT_MS_MAX = 14 * HOUR_MS;

/** Hours, also parts of them: `1`, `-3.5`. What is nonsense, or further than zones go, is nothing. */
function shiftOf(text: string): number {
  const ms = /^[+-]?\d+(?:\.\d+)?$/.test(text.trim()) ? Math.round(Number(text) * HOUR_MS) : 0;
  return Math.abs(ms) > SHIFT_MS_MAX ? 0 : ms;
}

const ARCHIVE_MODES: Readonly<Record<string, Archive['mode']>> = {
  default: 'default',
  append: 'append',
  shift: 'shift',
  timeshift: 'shift',
  flussonic: 'flussonic',
  'flussonic-hls': 'flussonic',
  'flussonic-ts': 'flussonic-ts',
  fs: 'flussonic-ts',
  xc: 'xc',
};

/** What players take for catch-up (PROTOCOLS §4.2). Days are written in three ways; a mode nobody knows is none. */
function archiveOf(of: (key: string) => string): Archive | null {
  const mode = ARCHIVE_MODES[(of('catchup') || of('catchup-type')).toLowerCase()];
  if (mode === undefined) return null;
  const days = Number(of('catchup-days') || of('tvg-rec') || of('timeshift'));
  return { mode, days: Number.isFinite(days) && days > 0 ? days : 0, source: of('catchup-source') };
}

/** A bare address is called by the last part of its path. */
function nameOf(url: string): string {
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  return decoded(path.split('/').at(-1) ?? '').replace(/\.\w{2,4}$/, '');
}

function unquoted(text: string): string {
  return text.trim().replace(/^"(.*)"$/, '$1');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
