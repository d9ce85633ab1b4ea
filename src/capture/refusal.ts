/**
 * What a provider means when it does not give media: pure judgement of status, headers and the first bytes of the body
 * (DESIGN §3 "What happens to an upstream", PROTOCOLS §1.10). P6 rests on hearing "too many connections" for what it is.
 */
import type { CaptureRemedy } from '../domain/capture.js';
import type { ErrorCode } from '../domain/errors.js';
import type { GapCause } from '../domain/ledger.js';
import type { TransportFault } from '../io/transport.js';

/** A fault before it has a time and a piece. */
export interface Refusal {
  readonly cause: GapCause;
  readonly code: ErrorCode;
  readonly remedy: CaptureRemedy;
  readonly retryAfterMs: number | null;
  readonly limit: number | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Its body as far as it was read, at least 256 bytes where there are as many. */
  readonly body: Uint8Array;
}

/** Longest number of bytes that are searched for the words of a connection limit. */
const WORDING_BYTES = 256;
const LIMIT_STATUS: ReadonlySet<number> = new Set([423, 458, 509]);
const LIMIT_WORDS = /max(?:imum)? connections|too many connections|connection limit|concurrent/;
const UNIT = '(?:connections?|streams?|devices?|sessions?)';
const NUMBER = String.raw`(?<![\d.])(\d{1,2})(?![\d.]*\d)`;
/** First that matches counts; the gaps hold no digits. */
const LIMIT_NUMBERS = [
  new RegExp(String.raw`(?:max|maximum|limit|allowed)\D{0,24}?${NUMBER}\D{0,12}?${UNIT}`),
  new RegExp(String.raw`(?:max|maximum)\D{0,12}?${UNIT}\D{0,24}?${NUMBER}`),
  new RegExp(String.raw`${NUMBER}\D{0,12}?${UNIT}\D{0,24}?(?:max|maximum|limit|allowed|only)`),
];

function refusal(
  cause: GapCause,
  code: ErrorCode,
  remedy: CaptureRemedy,
  more: { retryAfterMs?: number | null; limit?: number | null } = {},
): Refusal {
  return { cause, code, remedy, retryAfterMs: more.retryAfterMs ?? null, limit: more.limit ?? null };
}

/** A connection that failed or broke. */
export function refusalOfFault(fault: TransportFault): Refusal {
  switch (fault.kind) {
    case 'connect':
      return refusal('connect', 'upstream_unreachable', 'retry');
    case 'timeout':
      return refusal('stall', 'upstream_silent', 'retry');
    case 'redirects':
      return refusal('connect', 'upstream_redirects', 'spent');
    case 'protocol':
      return refusal('not_media', 'upstream_not_media', 'spent');
    case 'slow':
      return refusal('disk_slow', 'disk_slow', 'disk');
    case 'reset':
    case 'aborted':
      return refusal('reset', 'upstream_reset', 'retry');
  }
}

export const STALLED: Refusal = refusal('stall', 'upstream_silent', 'retry');
export const ENDED: Refusal = refusal('eof', 'upstream_ended', 'retry');
export const DEAD: Refusal = refusal('dead', 'upstream_dead', 'spent');
/** Good media, and no use for a file that was begun with media of the other kind. */
export const OTHER_CONTAINER: Refusal = refusal('not_media', 'container_mismatch', 'spent');
/** Our own mistake, which is not the upstream's. */
export const BUG: Refusal = refusal('reset', 'bug', 'retry');
export const NOT_MEDIA: Refusal = refusal('not_media', 'upstream_not_media', 'spent');

/** An answer whose status is not 2xx. `now` is the wall clock, for a `Retry-After` that is a date. */
export function refusalOfStatus(answer: Answer, now: number): Refusal {
  const { status } = answer;
  const cause: GapCause = `http_${status}`;
  const retryAfterMs = retryAfter(answer.headers['retry-after'], now);
  const words = wording(answer.body);
  if (LIMIT_STATUS.has(status) || LIMIT_WORDS.test(words)) {
    return refusal('limit', 'upstream_limit', 'no_slot', { retryAfterMs, limit: limitIn(words) });
  }
  if (status === 429) return refusal(cause, 'upstream_busy', 'backoff', { retryAfterMs });
  if (status === 408 || status >= 500) return refusal(cause, 'upstream_failing', 'retry', { retryAfterMs });
  return refusal(cause, 'upstream_refused', 'spent', { retryAfterMs });
}

/** A 2xx whose body does not look like a transport stream; `ended` tells that the body is no longer than this. */
export function refusalOfBody(body: Uint8Array, ended: boolean): Refusal {
  const words = wording(body);
  if (LIMIT_WORDS.test(words)) {
    return refusal('limit', 'upstream_limit', 'no_slot', { limit: limitIn(words) });
  }
  if (body.length === 0) return ended ? ENDED : STALLED;
  const start = words.trimStart();
  if (start.startsWith('<html') || start.startsWith('<!doctype')) {
    return refusal('html', 'upstream_html', 'spent');
  }
  return NOT_MEDIA;
}

/** A playlist, or a kind of media, that is understood and cannot be recorded. */
export function refusalOfCode(code: ErrorCode): Refusal {
  return refusal('not_media', code, 'spent');
}

/** Seconds or an HTTP date, as milliseconds from `now`; null where it is neither. Never negative. */
export function retryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** The number of connections that a refusal names, or null. `words` in lower case. */
export function limitIn(words: string): number | null {
  for (const pattern of LIMIT_NUMBERS) {
    const found = pattern.exec(words)?.[1];
    if (found !== undefined && Number(found) > 0) return Number(found);
  }
  return null;
}

function wording(body: Uint8Array): string {
  const text = Buffer.from(body.subarray(0, WORDING_BYTES)).toString('latin1');
  return text.replace('\u00EF\u00BB\u00BF', '').toLowerCase();
}
