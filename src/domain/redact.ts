/**
 * Takes credentials out of addresses before they reach a log, a message, a state file or an answer (PROTOCOLS §8).
 * It may hide a path that only looks like one with a login in it; it never lets one through that is.
 * Everything here is idempotent and never throws, whatever the text.
 */

const HIDDEN = '***';

/** Parameters that carry a login, in the spellings of panels, media servers and our own doors. */
const SECRET_PARAMETERS =
  'token|access_token|auth_token|auth|password|passwd|pass|pwd|username|user|api[_-]?key|key|secret|sig|signature|mac|x-plex-token|x-emby-token|x-mediabrowser-token';

const PARAMETER = new RegExp(`([?&;#](?:${SECRET_PARAMETERS})=)[^&;#\\s"'<>\\\\]*`, 'gi');

/** A header in running text: `Authorization: Bearer …`, `X-Plex-Token: …`. */
const HEADER =
  /\b((?:authorization|x-plex-token|x-emby-token|x-mediabrowser-token)["']?\s*[:=]\s*["']?(?:(?:bearer|basic)\s+)?)[^\s"'&,;\\]+/gi;

/** An address in running text ends where no address can go on. */
const ADDRESS = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>\\]+/gi;

/** Everything in front of the last `@` that stands before a slash, `?` or `#` is a login. */
const USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i;

/** Path shapes of Xtream panels: `/live/U/P/…`, `/timeshift/U/P/…`. */
const NAMED_LOGIN = /(\/(?:live|movie|movies|series|timeshift|hlsr?|play)\/)[^/?#]+\/[^/?#]+/i;

/** And `/U/P/ID`, `/U/P/ID.ts`: exactly three parts of which the last is a number. */
const BARE_LOGIN =
  /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*\/)[^/?#]+\/[^/?#]+(\/\d+(?:\.[a-z0-9]{1,5})?)(?![a-z0-9/%_~-])/i;

/** One address without its credentials. What is no address comes back with its parameters hidden. */
export function redactUrl(url: string): string {
  return url
    .replace(USER_INFO, `$1${HIDDEN}@`)
    .replace(NAMED_LOGIN, `$1${HIDDEN}/${HIDDEN}`)
    .replace(BARE_LOGIN, `$1${HIDDEN}/${HIDDEN}$2`)
    .replace(PARAMETER, `$1${HIDDEN}`);
}

/** Every address, secret parameter and credential header in running text, JSON and logs included. */
export function redactText(text: string): string {
  if (!mayHoldSecret(text)) return text;
  return text
    .replace(ADDRESS, (address) => redactUrl(address))
    .replace(PARAMETER, `$1${HIDDEN}`)
    .replace(HEADER, `$1${HIDDEN}`);
}

/** Cheap enough for every log line. */
function mayHoldSecret(text: string): boolean {
  return text.includes('://') || text.includes('=') || /authorization|-token/i.test(text);
}
