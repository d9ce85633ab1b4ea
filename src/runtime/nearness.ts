/** Which sources are close enough to be looked at at every poll. */

import { isLoopback } from '../domain/address.js';
import { isAddress } from '../guide/fetchSource.js';

/** Files, this machine and private networks are looked at every poll; a provider is not. */
export function isNear(location: string): boolean {
  if (!isAddress(location)) return true;
  const host = URL.canParse(location) ? new URL(location).hostname.replace(/^\[|\]$/g, '') : '';
  return (
    isLoopback(host) ||
    /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|f[cd][0-9a-f]{2}:|fe80:)/i.test(host) ||
    !/[.:]/.test(host) ||
    /\.(local|lan|home|internal)$/i.test(host)
  );
}
