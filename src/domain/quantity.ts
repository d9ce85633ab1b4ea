/**
 * Durations, sizes, shares and per-lane maps as people type them (CONTRACT §1), and back.
 * Parsers return null for what they do not understand: the caller knows where the text came from and says so.
 * 0 means no limit, for every limit.
 */

/** By lane name, lower case. A lane that is missing was not given; 0 is no limit. */
export type LaneMap = Readonly<Record<string, number>>;

/** Free space to hold: a share of the file system (0 to 1), or so many bytes. */
export type Floor =
  { readonly kind: 'share'; readonly share: number } | { readonly kind: 'bytes'; readonly bytes: number };

const DURATION_UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  kb: 1e3,
  kib: 2 ** 10,
  m: 2 ** 20,
  mb: 1e6,
  mib: 2 ** 20,
  g: 2 ** 30,
  gb: 1e9,
  gib: 2 ** 30,
  t: 2 ** 40,
  tb: 1e12,
  tib: 2 ** 40,
};

/** `250ms 30s 5m 6h 7d 1h30m 1.5h`, `0`: whole milliseconds, or null. A number without a unit is only 0. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim().toLowerCase();
  if (/^0+$/.test(trimmed)) return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|d|h|m|s))+$/.test(trimmed)) return null;
  let total = 0;
  for (const [, amount = '', unit = ''] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|d|h|m|s)/g)) {
    const ms = DURATION_UNITS.find(([name]) => name === unit)?.[1] ?? 0;
    total += Number(amount) * ms;
  }
  const whole = Math.round(total);
  return Number.isSafeInteger(whole) ? whole : null;
}

/** The shortest text that `parseDuration` reads back: `1h30m`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms));
  let text = '';
  for (const [unit, size] of DURATION_UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}

/** `20GiB 500MB 1.5TiB 1048576`: whole bytes, or null. A bare `K M G T` counts in 1024s, as disk tools do. */
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim().toLowerCase());
  if (!match) return null;
  const unit = SIZE_UNITS[match[2] ?? ''];
  if (unit === undefined) return null;
  const bytes = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Exact: the largest binary unit that divides it, else plain bytes. `parseSize` reads it back. */
export function formatSize(bytes: number): string {
  for (const [unit, size] of [
    ['TiB', 2 ** 40],
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}`;
}

/** For people: `1.4 GiB`. */
export function roundSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
  let index = 0;
  let amount = bytes;
  while (amount >= 1024 && index < units.length - 1) {
    amount /= 1024;
    index += 1;
  }
  return `${index === 0 ? amount : amount.toFixed(1)} ${units[index] ?? 'B'}`;
}

/** `5%`, `0`: a share from 0 to 1, or null. */
export function parseShare(text: string): number | null {
  const trimmed = text.trim();
  if (/^0+$/.test(trimmed)) return 0;
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(trimmed);
  if (!match) return null;
  const percent = Number(match[1]);
  return percent <= 100 ? percent / 100 : null;
}

/** `5%` or a size. */
export function parseFloor(text: string): Floor | null {
  if (text.includes('%')) {
    const share = parseShare(text);
    return share === null ? null : { kind: 'share', share };
  }
  const bytes = parseSize(text);
  return bytes === null ? null : { kind: 'bytes', bytes };
}

const RATE_UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

/** Bits a second: `100Mbit/s`, `80Mbps`, `25M`, `9000000`; `12MB/s` counts bytes. Units are decimal. Or null. */
export function parseRate(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(bit|bits|bps|b|byte|bytes)?(\/s|ps)?$/i.exec(text.trim());
  if (!match) return null;
  const [, number = '', unit = '', word = ''] = match;
  const isBytes = word === 'B' || word.toLowerCase().startsWith('byte');
  const bits = Math.round(Number(number) * (RATE_UNITS[unit.toLowerCase()] ?? 1) * (isBytes ? 8 : 1));
  return Number.isSafeInteger(bits) ? bits : null;
}

/** A whole number of at least 0, or null. */
export function parseCount(text: string): number | null {
  const trimmed = text.trim();
  if (!/^\d+$/.test(trimmed)) return null;
  const count = Number(trimmed);
  return Number.isSafeInteger(count) ? count : null;
}

/** Entries of a comma list: trimmed, blanks and repeats left out, order kept. */
export function parseList(text: string): string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  return [...new Set(entries.filter((entry) => entry !== ''))];
}

export type LaneMapResult =
  { readonly kind: 'ok'; readonly map: LaneMap } | { readonly kind: 'bad'; readonly entry: string };

/**
 * `sports=72h,general=24h` with the values read by `parseValue`. Lanes in lower case, the last one wins;
 * `bad` names the first entry that is no `LANE=VALUE`.
 */
export function parseLaneMap(text: string, parseValue: (text: string) => number | null): LaneMapResult {
  const map: Record<string, number> = {};
  for (const entry of parseList(text)) {
    const at = entry.indexOf('=');
    const lane = entry.slice(0, Math.max(0, at)).trim().toLowerCase();
    const value = at < 0 ? null : parseValue(entry.slice(at + 1));
    if (lane === '' || value === null) return { kind: 'bad', entry };
    map[lane] = value;
  }
  return { kind: 'ok', map };
}

/** `USER@HOST=1,HOST:PORT=2`, names in lower case; `bad` names the first entry that is none. */
export function parseAccountMap(text: string): LaneMapResult {
  const map: Record<string, number> = {};
  for (const entry of parseList(text)) {
    const at = entry.lastIndexOf('=');
    const account = entry.slice(0, Math.max(0, at)).trim().toLowerCase();
    const value = at < 0 ? null : parseCount(entry.slice(at + 1));
    if (account === '' || value === null) return { kind: 'bad', entry };
    map[account] = value;
  }
  return { kind: 'ok', map };
}

export function formatLaneMap(map: LaneMap, formatValue: (value: number) => string): string {
  return Object.entries(map)
    .map(([lane, value]) => `${lane}=${formatValue(value)}`)
    .join(',');
}
