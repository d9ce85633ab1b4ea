/**
 * What an Xtream panel says of an account, read with the distrust it deserves (PROTOCOLS §4.3): numbers come as text,
 * as text that is no number, or not at all.
 */

export interface PanelLogin {
  /** Scheme, host, port and the folder the panel lies in, without a slash at its end. */
  readonly base: string;
  /** Secret. */
  readonly user: string;
  readonly pass: string;
}

/** Plain JSON, no credentials. */
export interface PanelFacts {
  /** Connections that the account may have at once; 0 where the panel does not say. */
  readonly connectionsMax: number;
  /** Open now by the panel's count, ours included; null where it does not say. */
  readonly connectionsOpen: number | null;
  /** Minutes that the panel's own clock is ahead of UTC now, for archive addresses. */
  readonly zoneMinutes: number;
  /** IANA name of its zone, or ''. */
  readonly timezone: string;
  /** Stream endings it offers, best first: `ts`, `m3u8`. */
  readonly formats: readonly string[];
  readonly expiresAt: number | null;
}

/** A whole number of at least 0, from a number or its digits; else null. */
export function wholeNumber(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : null;
}

type Answer = Readonly<Record<string, unknown>>;

/** `user` and `server` are `user_info` and `server_info` of the panel's answer. */
export function panelFacts(user: Answer, server: Answer): PanelFacts {
  const timezone = zoneName(server['timezone']);
  const formats = Array.isArray(user['allowed_output_formats']) ? user['allowed_output_formats'] : [];
  const expires = wholeNumber(user['exp_date']);
  return {
    connectionsMax: wholeNumber(user['max_connections']) ?? 0,
    connectionsOpen: wholeNumber(user['active_cons']),
    zoneMinutes: zoneMinutes(server),
    timezone,
    formats: ['ts', 'm3u8'].filter((format) => formats.includes(format)),
    expiresAt: expires === null || expires === 0 ? null : expires * 1000,
  };
}

/** Why an account may not be used, or null: words of the panel, for a person. */
export function accountRefusal(user: Answer): string | null {
  if (user['auth'] !== undefined && wholeNumber(user['auth']) !== 1) return 'the login is not accepted';
  const status = typeof user['status'] === 'string' ? user['status'].trim() : '';
  return status === '' || /^active$/i.test(status) ? null : `the account is ${status.slice(0, 40)}`;
}

/** Minutes that the panel's clock is ahead of UTC then: by its zone, which knows summer from winter, else as it is now. */
export function zoneMinutesAt(facts: Pick<PanelFacts, 'timezone' | 'zoneMinutes'>, at: number): number {
  if (facts.timezone === '') return facts.zoneMinutes;
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: facts.timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(at);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'));
  return Math.round((local - at) / 60_000);
}

function zoneName(value: unknown): string {
  if (typeof value !== 'string' || value === '') return '';
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone;
  } catch {
    return '';
  }
}

/** From what its clocks show: local time as text against the epoch. Quarters of an hour, as zones are. */
function zoneMinutes(server: Answer): number {
  const now = wholeNumber(server['timestamp_now']);
  const text = typeof server['time_now'] === 'string' ? server['time_now'] : '';
  const [, y, m, d, hh, mm, ss] = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)/.exec(text) ?? [];
  if (now === null || y === undefined) return 0;
  const shown = Date.UTC(Number(y), Number(m) - 1, Number(d), Number(hh), Number(mm), Number(ss));
  const minutes = Math.round((shown / 1000 - now) / 900) * 15;
  return Math.abs(minutes) <= 14 * 60 ? minutes : 0;
}
