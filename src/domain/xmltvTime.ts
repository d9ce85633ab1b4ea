/**
 * XMLTV times (PROTOCOLS §3.1): `YYYYMMDDhhmmss` or any beginning of it down to the day, and an optional zone.
 * What carries no zone is read in the source's own one. The result is epoch milliseconds.
 */

/** Where times without a zone are at home. */
export type Zone =
  | { readonly kind: 'fixed'; readonly minutes: number }
  | { readonly kind: 'named'; readonly offsetAt: (at: number) => number };

export const UTC: Zone = { kind: 'fixed', minutes: 0 };

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** From 0000-03-01. */
const DAYS_TO_1970 = 719_468;

/** Minutes east of UTC. IST and AST mean several zones and are left out; CST and MST are read as American. */
const ZONE_MINUTES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    UTC: 0,
    GMT: 0,
    Z: 0,
    BST: 60,
    CET: 60,
    CEST: 120,
    EET: 120,
    EEST: 180,
    MSK: 180,
    EST: -300,
    EDT: -240,
    CST: -360,
    CDT: -300,
    MST: -420,
    MDT: -360,
    PST: -480,
    PDT: -420,
  }),
);

const TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)?(\d\d)?(\d\d)?\s*(?:([+-])(\d\d):?(\d\d)|([A-Za-z]{1,5}))?$/;

/** A zone from `UTC`, a name of the table, an offset (`+0100`, `-05:30`, minutes `60`) or an IANA name; null if unknown. */
export function parseZone(text: string): Zone | null {
  const name = text.trim();
  if (name === '') return UTC;
  const known = ZONE_MINUTES.get(name.toUpperCase());
  if (known !== undefined) return { kind: 'fixed', minutes: known };
  const offset = /^([+-])(\d\d):?(\d\d)$/.exec(name);
  if (offset) {
    const minutes = offsetMinutes(offset[1], offset[2], offset[3]);
    return minutes === null ? null : { kind: 'fixed', minutes };
  }
  if (/^-?\d{1,3}$/.test(name)) return { kind: 'fixed', minutes: Number(name) };
  return namedZone(name);
}

/**
 * Epoch milliseconds, or null for what is no XMLTV time or names an unknown zone. An hour that the autumn change repeats
 * is read as the first of the two unless only the second is not before `from`.
 */
export function parseXmltvTime(text: string, zone: Zone = UTC, from = -Infinity): number | null {
  return parseUsual(text) ?? parseAny(text.trim(), zone, from);
}

/** The form nearly every guide uses, `YYYYMMDDhhmmss ±hhmm`, without a regular expression: it is read twice a row. */
function parseUsual(text: string): number | null {
  if (text.length !== 20 || text.charCodeAt(14) !== 0x20) return null;
  const sign = text.charCodeAt(15);
  if (sign !== 0x2b && sign !== 0x2d) return null;
  for (let i = 0; i < 20; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x30 || code > 0x39) && i !== 14 && i !== 15) return null;
  }
  const minute = two(text, 18);
  const hour = two(text, 16);
  if (minute > 59 || hour > 23) return null;
  const wall = wallTime(
    two(text, 0) * 100 + two(text, 2),
    two(text, 4),
    two(text, 6),
    two(text, 8),
    two(text, 10),
    two(text, 12),
  );
  if (wall === null) return null;
  const offset = (hour * 60 + minute) * MINUTE_MS;
  return sign === 0x2b ? wall - offset : wall + offset;
}

function parseAny(text: string, zone: Zone, from: number): number | null {
  const match = TIME.exec(text);
  if (!match) return null;
  const [, year, month, day, hour, minute, second, sign, zoneHour, zoneMinute, zoneName] = match;
  const wall = wallTime(
    Number(year),
    Number(month),
    Number(day),
    Number(hour ?? 0),
    Number(minute ?? 0),
    Number(second ?? 0),
  );
  if (wall === null) return null;
  if (sign !== undefined) {
    const minutes = offsetMinutes(sign, zoneHour, zoneMinute);
    return minutes === null ? null : wall - minutes * MINUTE_MS;
  }
  if (zoneName !== undefined) {
    const minutes = ZONE_MINUTES.get(zoneName.toUpperCase());
    return minutes === undefined ? null : wall - minutes * MINUTE_MS;
  }
  return zone.kind === 'fixed' ? wall - zone.minutes * MINUTE_MS : fromWall(wall, zone.offsetAt, from);
}

/** The wall clock as if it were UTC; null where the date or time does not exist. Twice as fast as Date. */
function wallTime(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | null {
  if (hour > 23 || minute > 59 || second > 59 || year < 100 || month < 1 || month > 12 || day < 1)
    return null;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > (month === 2 && !leap ? 28 : (MONTH_DAYS[month - 1] ?? 0))) return null;
  // Days since 0000-03-01 in years that begin in March, so that the leap day comes last.
  const years = month > 2 ? year : year - 1;
  const months = (month + 9) % 12;
  const leapDays = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  const days = years * 365 + leapDays + Math.floor((months * 153 + 2) / 5) + day - 1 - DAYS_TO_1970;
  return days * DAY_MS + hour * 3_600_000 + minute * MINUTE_MS + second * 1000;
}

function offsetMinutes(
  sign: string | undefined,
  hours: string | undefined,
  minutes: string | undefined,
): number | null {
  const total = Number(hours) * 60 + Number(minutes);
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  return sign === '-' ? -total : total;
}

/**
 * The instant at which a zone's clock shows `wall`. An hour that the autumn change repeats is read as the first of
 * the two where nothing speaks against it, one that spring skips as if the clock had not been moved: what Temporal calls
 * "compatible".
 */
function fromWall(wall: number, offsetAt: (at: number) => number, from: number): number {
  const before = offsetAt(wall - DAY_MS);
  const after = offsetAt(wall + DAY_MS);
  if (before === after) return wall - before;
  const first = wall - Math.max(before, after);
  const second = wall - Math.min(before, after);
  const isSecond = offsetAt(second) === wall - second;
  if (offsetAt(first) === wall - first) return isSecond && first < from && from <= second ? second : first;
  if (isSecond) return second;
  return wall - before;
}

/** Offsets in milliseconds of an IANA zone, remembered by the quarter of an hour: Intl is slow, guides are long. */
function namedZone(name: string): Zone | null {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return null;
  }
  const remembered = new Map<number, number>();
  const offsetAt = (at: number) => {
    const quarter = Math.floor(at / (15 * MINUTE_MS));
    const known = remembered.get(quarter);
    if (known !== undefined) return known;
    const offset = offsetOf(format, quarter * 15 * MINUTE_MS);
    remembered.set(quarter, offset);
    return offset;
  };
  return { kind: 'named', offsetAt };
}

function offsetOf(format: Intl.DateTimeFormat, at: number): number {
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - at;
}

function two(text: string, at: number): number {
  return (text.charCodeAt(at) - 0x30) * 10 + text.charCodeAt(at + 1) - 0x30;
}
