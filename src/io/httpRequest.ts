/** What goes out with a GET, the same by whichever door: addresses, headers, what stays at home on a redirect. */
import { TransportFault } from './transport.js';

/** Never carried to another origin. */
const PRIVATE_HEADERS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** Messages name no address: an upstream's may carry credentials. */
export function parseHttpUrl(address: string, base?: URL): URL {
  const url = URL.canParse(address, base?.href) ? new URL(address, base?.href) : null;
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  if (base) throw new TransportFault('redirects', 'redirected to something that is no HTTP address');
  throw new TransportFault('protocol', 'not an HTTP address');
}

/**
 * Names are lower-cased, so that a caller's `User-Agent` and `user-agent` are one header. What no header can be is left
 * out: lists carry headers, and one that is broken must not cost the stream.
 */
export function requestHeaders(url: URL, given: Readonly<Record<string, string>>): Record<string, string> {
  // Media does not shrink, and what is packed all the same is told from media by nobody on the way.
  const headers: Record<string, string> = { accept: '*/*', 'accept-encoding': 'identity' };
  if (url.username !== '' || url.password !== '') {
    const pair = `${decoded(url.username)}:${decoded(url.password)}`;
    headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  for (const [called, value] of Object.entries(given)) {
    const name = called.toLowerCase();
    if (NAME.test(name) && isSendable(value)) headers[name] = value;
  }
  return headers;
}

/** Bytes only, and none that ends a line. */
function isSendable(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}

/** A percent sign that stands for itself is let stand. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function withoutPrivate(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !PRIVATE_HEADERS.has(name.toLowerCase())),
  );
}
