/** Cookies of one session, by host (RFC 6265 as far as streams need it): providers put their tokens there. */
import type { CookieJar } from '../io/transport.js';

const COOKIES_MAX = 64;

interface Cookie {
  readonly name: string;
  readonly value: string;
  /** With the domains below it, or it alone. */
  readonly host: string;
  readonly below: boolean;
  readonly path: string;
}

export function cookieJar(): CookieJar {
  let cookies: readonly Cookie[] = [];

  return {
    headerFor(url) {
      return cookies
        .filter((cookie) => isFor(cookie, url))
        .map(({ name, value }) => `${name}=${value}`)
        .join('; ');
    },
    take(url, setCookie) {
      const cookie = cookieOf(setCookie, url);
      if (!cookie) return;
      const isSame = ({ name, host, path }: Cookie) =>
        name === cookie.name && host === cookie.host && path === cookie.path;
      const others = cookies.filter((each) => !isSame(each));
      cookies = isExpired(setCookie) ? others : [...others, cookie].slice(-COOKIES_MAX);
    },
  };
}

function isFor({ host, below, path }: Cookie, url: URL): boolean {
  const hostFits = url.hostname === host || (below && url.hostname.endsWith(`.${host}`));
  const pathFits =
    url.pathname === path ||
    (url.pathname.startsWith(path) && (path.endsWith('/') || url.pathname[path.length] === '/'));
  return hostFits && pathFits;
}

/** Null where it is none, or one for somebody else. */
function cookieOf(text: string, url: URL): Cookie | null {
  const [pair = ''] = text.split(';');
  const equals = pair.indexOf('=');
  if (equals < 1 || /[\r\n]/.test(text)) return null;
  const domain = attribute(text, 'domain')?.replace(/^\./, '').toLowerCase() ?? '';
  if (domain !== '' && url.hostname !== domain && !url.hostname.endsWith(`.${domain}`)) return null;
  const path = attribute(text, 'path') ?? '';
  return {
    name: pair.slice(0, equals).trim(),
    value: pair.slice(equals + 1).trim(),
    host: domain === '' ? url.hostname : domain,
    below: domain !== '',
    path: path.startsWith('/') ? path : url.pathname.replace(/\/[^/]*$/, '') || '/',
  };
}

function isExpired(text: string): boolean {
  const age = attribute(text, 'max-age');
  return age !== undefined && Number(age) <= 0;
}

function attribute(text: string, name: string): string | undefined {
  return new RegExp(`;\\s*${name}=([^;]*)`, 'i').exec(text)?.[1]?.trim();
}
