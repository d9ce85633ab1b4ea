/**
 * How the text of each kind of option becomes a value: one zod schema a kind. The input is the list of texts that were
 * given (one, unless the option repeats); a message never quotes a secret and shows addresses without their logins.
 */
import { z } from 'zod';
import { type Listen, parseListen } from '../domain/address.js';
import {
  type Floor,
  formatDuration,
  type LaneMap,
  parseAccountMap,
  parseCount,
  parseDuration,
  parseFloor,
  parseLaneMap,
  parseList,
  parseShare,
  parseRate,
  parseSize,
} from '../domain/quantity.js';
import { parseQuality, type QualityWish } from '../domain/hlsVariant.js';
import { splitWords } from '../domain/commandWords.js';
import { isWindows, type PathMapping } from '../domain/pathMap.js';
import { redactText } from '../domain/redact.js';
import { type Kind, LANES, type OptionRow } from './optionRow.js';
import { absolutePath, isWebAddress } from './paths.js';
import { suggestion } from './suggest.js';

/** What an option of a kind is once it is read. */
export interface ValueOfKind {
  flag: boolean;
  count: number;
  duration: number;
  share: number;
  floor: Floor;
  size: number;
  quality: QualityWish;
  rate: number;
  umask: number;
  word: string;
  text: string;
  secret: string;
  timezone: string;
  url: string;
  socketUrl: string;
  path: string;
  locations: readonly string[];
  list: readonly string[];
  lanes: readonly string[];
  laneDurations: LaneMap;
  laneCounts: LaneMap;
  laneSizes: LaneMap;
  accountCounts: LaneMap;
  listen: Listen;
  serverUrl: string;
  pathMap: readonly PathMapping[];
  words: readonly string[];
}

/** What went wrong with one text, for people; thrown only inside this file. */
class Refused extends Error {}

/** What reading depends on besides the text. */
export interface Surroundings {
  /** Relative paths are relative to it. */
  readonly base: string;
  /** The lanes that there are. */
  readonly lanes: readonly string[];
}

type Reader<K extends Kind> = (
  texts: readonly string[],
  row: OptionRow,
  around: Surroundings,
) => ValueOfKind[K];

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  yes: true,
  on: true,
  false: false,
  '0': false,
  no: false,
  off: false,
};

const READERS: { readonly [K in Kind]: Reader<K> } = {
  flag: (texts) => {
    const flag = FLAGS[only(texts).toLowerCase()];
    if (flag === undefined) throw new Refused(`${shown(texts)} is neither true nor false`);
    return flag;
  },
  count: (texts) => parseCount(only(texts)) ?? refuse(texts, 'is no whole number'),
  duration: (texts, row) => {
    const ms = parseDuration(only(texts));
    if (ms === null) return refuse(texts, `is no duration; write it as ${durationHint(only(texts))}`);
    if (ms === 0 && row.positive === true) return refuse(texts, 'must be more than 0');
    if (ms > 0 && ms < (row.min ?? 0))
      return refuse(texts, `is too short; at least ${formatDuration(row.min ?? 0)}`);
    return ms;
  },
  share: (texts) => parseShare(only(texts)) ?? refuse(texts, 'is no percentage from 0% to 100%'),
  floor: (texts) =>
    parseFloor(only(texts)) ?? refuse(texts, 'is neither a percentage nor a size, as in 5% or 20GiB'),
  size: (texts) => parseSize(only(texts)) ?? refuse(texts, 'is no size, as in 20GiB or 500MB'),
  quality: (texts) =>
    parseQuality(only(texts)) ?? refuse(texts, 'is no quality, as in best, 1280x720, 720p, 2500k or 4M'),
  rate: (texts) => parseRate(only(texts)) ?? refuse(texts, 'is no bit rate, as in 80Mbit/s or 10MB/s'),
  umask: (texts) => {
    const text = only(texts);
    return /^0?[0-7]{1,3}$/.test(text)
      ? Number.parseInt(text, 8)
      : refuse(texts, 'is no octal mask, as in 0022');
  },
  word: (texts, row) => {
    const typed = only(texts).toLowerCase();
    const words = row.words ?? [];
    const word = row.aliases?.[typed] ?? typed;
    if (words.includes(word)) return word;
    return refuse(texts, `is unknown here: ${words.join(', ')}${suggestion(typed, words)}`);
  },
  text: (texts) => only(texts),
  secret: (texts) => only(texts),
  timezone: (texts) => {
    const zone = only(texts);
    try {
      return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
    } catch {
      return refuse(texts, 'is no time zone, as in Europe/Berlin or UTC');
    }
  },
  url: (texts) => {
    const text = only(texts);
    if (!isWebAddress(text) || !URL.canParse(text)) return refuse(texts, 'is no http or https address');
    return text.replace(/\/+$/, '');
  },
  socketUrl: (texts) => {
    const text = only(texts);
    return /^wss?:\/\//i.test(text) && URL.canParse(text) ? text : refuse(texts, 'is no ws or wss address');
  },
  path: (texts, _row, { base }) => absolutePath(base, only(texts)),
  locations: (texts, _row, { base }) => [...new Set(texts.map((text) => location(text.trim(), base)))],
  list: (texts) => parseList(texts.join(',')),
  lanes: (texts, _row, around) => {
    const lanes = parseList(texts.join(',').toLowerCase());
    for (const lane of lanes) checkLane(lane, around.lanes);
    return lanes;
  },
  laneDurations: (texts, _row, { lanes }) => laneMap(texts, parseDuration, lanes, 'sports=72h,general=24h'),
  laneCounts: (texts, _row, { lanes }) => laneMap(texts, parseCount, lanes, 'sports=50,general=100'),
  laneSizes: (texts, _row, { lanes }) => laneMap(texts, parseSize, lanes, 'sports=20GiB,general=40GiB'),
  accountCounts: (texts) => {
    const result = parseAccountMap(texts.join(','));
    if (result.kind === 'ok') return result.map;
    throw new Refused(`"${result.entry}" is not understood; write it as USER@HOST=2 or HOST:PORT=2`);
  },
  serverUrl: (texts, row) => serverUrl(texts, row.name),
  pathMap: (texts, _row, { base }) =>
    texts.flatMap((text) => text.split(NEXT_MAPPING)).map((text) => pathMapping(text.trim(), base)),
  words: (texts) => {
    const words = splitWords(only(texts));
    return words ?? refuse(texts, 'has a quotation mark without its end');
  },
  listen: (texts) =>
    parseListen(only(texts)) ?? refuse(texts, 'is no address to listen on, as in 8998, :8998 or HOST:PORT'),
};

/** The schema of one option: texts in, value out. */
export function schemaOf<K extends Kind>(
  row: OptionRow & { readonly kind: K },
  around: Surroundings = { base: '/', lanes: LANES },
) {
  return z.array(z.string()).transform((texts, context): ValueOfKind[K] => {
    try {
      return READERS[row.kind](texts, row, around);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

/** The last one counts; an empty one is a variable that was not set where the line was made. */
function only(texts: readonly string[]): string {
  const text = (texts.at(-1) ?? '').trim();
  if (text === '') throw new Refused('needs a value');
  return text;
}

function shown(texts: readonly string[]): string {
  return `"${redactText((texts.at(-1) ?? '').trim())}"`;
}

function refuse(texts: readonly string[], why: string): never {
  throw new Refused(`${shown(texts)} ${why}`);
}

function durationHint(text: string): string {
  return /^\d+$/.test(text) ? `${text}s or ${text}m` : '250ms, 30s, 5m or 1h30m';
}

function location(text: string, base: string): string {
  if (text === '') throw new Refused('needs a value');
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return absolutePath(base, text);
  if (scheme !== 'http' && scheme !== 'https') {
    return refuse([text], `is neither a file nor an http or https address`);
  }
  return URL.canParse(text) ? text : refuse([text], 'is no address that can be read');
}

const SERVER_PORTS: Readonly<Record<string, number>> = { plex: 32_400, emby: 8096, jellyfin: 8096 };

/** A bare host is fine: the port is the server's own. */
function serverUrl(texts: readonly string[], option: string): string {
  const text = only(texts).replace(/\/+$/, '');
  if (isWebAddress(text)) return URL.canParse(text) ? text : refuse(texts, 'is no address that can be read');
  const host = /^([a-z0-9._-]+|\[[0-9a-f:]+\])(:\d{1,5})?(\/.*)?$/i.exec(text);
  if (!host) return refuse(texts, 'is no http or https address');
  const port = SERVER_PORTS[option.replace(/-url$/, '')];
  return `http://${host[1] ?? ''}${host[2] ?? (port === undefined ? '' : `:${port}`)}${host[3] ?? ''}`;
}

/** Where another one begins, on a line of its own or behind a comma. */
const NEXT_MAPPING = /\r?\n|,(?=\s*(?:[a-z0-9][a-z0-9 _.-]*:)?\/)/i;

function pathMapping(text: string, base: string): PathMapping {
  const at = text.indexOf('=');
  const left = text.slice(0, Math.max(0, at));
  const remote = text.slice(at + 1).trim();
  const [, server = null, folder = left] = /^([a-z0-9][a-z0-9 _.-]*):(.*)$/i.exec(left) ?? [];
  const isAbsolute = remote.startsWith('/') || isWindows(remote);
  if (at < 0 || folder.trim() === '' || !isAbsolute)
    throw new Refused(`"${text}" is not understood; write it as /here=/there or plex:/here=/there`);
  return { server: server?.toLowerCase() ?? null, local: absolutePath(base, folder.trim()), remote };
}

function laneMap(
  texts: readonly string[],
  parse: (text: string) => number | null,
  lanes: readonly string[],
  example: string,
): LaneMap {
  const result = parseLaneMap(texts.join(','), parse);
  if (result.kind === 'bad') throw new Refused(`"${result.entry}" is not understood; write it as ${example}`);
  for (const lane of Object.keys(result.map)) checkLane(lane, lanes);
  return result.map;
}

function checkLane(lane: string, lanes: readonly string[]): void {
  if (lanes.includes(lane)) return;
  throw new Refused(`unknown lane "${lane}": there are ${lanes.join(', ')}${suggestion(lane, lanes)}`);
}
