/**
 * A provider's own archive of a channel, and the addresses of a programme in it (PROTOCOLS §1.5, §4.2, §4.3). Dialects
 * differ, so there may be several addresses to try, the likeliest first.
 */

import type { Channel } from './channel.js';

/** What was on, and when it is asked for. Milliseconds. */
export interface ArchiveWish {
  readonly startAt: number;
  readonly stopAt: number;
  readonly now: number;
  /** Minutes that the panel's clock is ahead of UTC at `startAt`. */
  readonly zoneMinutes: number;
}

const DAY_MS = 86_400_000;
/** Archives lag behind and cut early: a little more is asked for. */
const MORE_MINUTES = 5;
/** What panels give at most. */
const MINUTES_MAX = 480;

/** Addresses of the programme, or none where the archive does not go back that far. */
export function archiveUrls(
  channel: Pick<Channel, 'urls' | 'archive'>,
  wish: ArchiveWish,
): readonly string[] {
  const { archive, urls } = channel;
  const live = urls[0];
  if (!archive || live === undefined) return [];
  if (archive.days > 0 && wish.startAt < wish.now - archive.days * DAY_MS) return [];
  switch (archive.mode) {
    case 'default':
      return archive.source === '' ? [] : [filled(archive.source, wish)];
    case 'append':
      return archive.source === '' ? [] : [`${live}${filled(archive.source, wish)}`];
    case 'shift':
      return [`${live}${live.includes('?') ? '&' : '?'}${filled('utc={utc}&lutc={lutc}', wish)}`];
    case 'flussonic':
    case 'flussonic-ts':
      return flussonic(live, archive.mode, wish);
    case 'xc':
      return panelArchive(live, archive.source, wish);
    case 'vod':
      return [];
  }
}

/** Placeholders of Kodi and OTT Navigator, in seconds where they are times. What is not known stays as it is. */
function filled(template: string, wish: ArchiveWish): string {
  const start = Math.floor(wish.startAt / 1000);
  const end = Math.ceil(wish.stopAt / 1000);
  const now = Math.floor(wish.now / 1000);
  const values: Readonly<Record<string, number>> = {
    utc: start,
    start,
    timestamp: start,
    utcend: end,
    end,
    lutc: now,
    now,
    current_utc: now,
    duration: end - start,
    durmin: Math.ceil((end - start) / 60),
    offset: now - start,
  };
  const times: Readonly<Record<string, number>> = { utc: start, start, utcend: end, end, lutc: now };
  return template.replace(/\{([YmdHMS])\}|\$?\{([a-z_]+)(?::([^}]*))?\}/g, (whole: string, ...parts) => {
    const [letter, name, format] = parts as (string | undefined)[];
    if (letter !== undefined) return clockPart(letter, start);
    if (name === undefined) return whole;
    const value = values[name];
    if (value === undefined) return whole;
    if (format === undefined) return String(value);
    if (/^\d+$/.test(format)) return String(Math.floor(value / Math.max(1, Number(format))));
    const time = times[name];
    return time === undefined ? whole : format.replace(/[YmdHMS]/g, (part) => clockPart(part, time));
  });
}

function clockPart(letter: string, seconds: number): string {
  const [date = '', time = ''] = new Date(seconds * 1000).toISOString().split('T');
  const at: Readonly<Record<string, string>> = {
    Y: date.slice(0, 4),
    m: date.slice(5, 7),
    d: date.slice(8, 10),
    H: time.slice(0, 2),
    M: time.slice(3, 5),
    S: time.slice(6, 8),
  };
  return at[letter] ?? letter;
}

function flussonic(live: string, mode: 'flussonic' | 'flussonic-ts', wish: ArchiveWish): readonly string[] {
  const start = Math.floor(wish.startAt / 1000);
  const seconds = Math.ceil((wish.stopAt - wish.startAt) / 1000);
  const [path, query] = splitQuery(live);
  if (mode === 'flussonic-ts' || path.endsWith('/mpegts'))
    return [
      `${path.replace(/\/(?:mpegts|[^/]*\.m3u8|[^/]*\.ts)$/, '')}/archive-${start}-${seconds}.ts${query}`,
    ];
  const archive = `${path.replace(/\/[^/]*\.m3u8$/, '')}/archive-${start}-${seconds}`;
  return [`${archive}.m3u8${query}`, `${archive}.ts${query}`];
}

function splitQuery(url: string): [string, string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)];
}

/** Both forms that panels know; the time is that of the panel's own clock. */
function panelArchive(live: string, id: string, wish: ArchiveWish): readonly string[] {
  const [, base, user, pass, own] =
    /^(https?:\/\/[^/]+(?:\/[^/]+)*?)\/(?:live\/)?([^/]+)\/([^/]+)\/([\w.-]+?)(?:\.(?:ts|m3u8))?(?:\?.*)?$/i.exec(
      live,
    ) ?? [];
  if (base === undefined || user === undefined || pass === undefined) return [];
  const stream = id === '' ? (own ?? '') : id;
  const minutes = Math.min(MINUTES_MAX, Math.ceil((wish.stopAt - wish.startAt) / 60_000) + MORE_MINUTES);
  const local = new Date(wish.startAt + wish.zoneMinutes * 60_000).toISOString();
  const start = `${local.slice(0, 10)}:${local.slice(11, 13)}-${local.slice(14, 16)}`;
  const query = `username=${user}&password=${pass}&stream=${stream}&start=${start}&duration=${minutes}`;
  return [
    `${base}/timeshift/${user}/${pass}/${minutes}/${start}/${stream}.ts`,
    `${base}/streaming/timeshift.php?${query}`,
    `${base}/timeshift/${user}/${pass}/${minutes}/${start}/${stream}.m3u8`,
  ];
}
