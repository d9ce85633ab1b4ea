/**
 * Who may ask (CONTRACT §5): a pure decision over what a request shows. Without a token only this machine may, and only
 * directly: a Host that is not ours would be a web page reaching through somebody's browser (DNS rebinding), a
 * forwarding header somebody else's request through a proxy on this machine.
 */
import { timingSafeEqual } from 'node:crypto';
import { isLoopback } from '../domain/address.js';

export interface AccessPolicy {
  /** The listener's own host. */
  readonly host: string;
  readonly token: string | null;
  readonly noAuth: boolean;
  /** Host (and port where given) of `--public-url`, lower case, or null. */
  readonly publicHost: string | null;
}

export interface AccessRequest {
  /** The Host header as sent, or undefined. */
  readonly hostHeader: string | undefined;
  /** Names of the headers, lower case. */
  readonly headerNames: readonly string[];
  readonly authorization: string | undefined;
  readonly queryToken: string | undefined;
}

export type Access =
  | { readonly kind: 'allowed' }
  | {
      readonly kind: 'refused';
      readonly code: 'token_missing' | 'token_wrong' | 'host_unknown' | 'forwarded';
    };

const ALLOWED: Access = { kind: 'allowed' };

/** Whether a listener with this policy may be opened at all. */
export function mayListen(policy: AccessPolicy): boolean {
  return isLoopback(policy.host) || policy.token !== null || policy.noAuth;
}

/**
 * CONTRACT §5: whoever speaks to a loopback listener by a loopback name, and through no proxy, is on this machine and
 * needs no token. Everyone else needs the right one, where one is set.
 */
export function decideAccess(policy: AccessPolicy, request: AccessRequest): Access {
  const local = localRefusal(policy, request);
  if (local === null) return ALLOWED;
  if (policy.token !== null) {
    const given = bearer(request.authorization) ?? request.queryToken;
    if (given === undefined || given === '') return { kind: 'refused', code: 'token_missing' };
    return sameText(given, policy.token) ? ALLOWED : { kind: 'refused', code: 'token_wrong' };
  }
  return policy.noAuth ? ALLOWED : { kind: 'refused', code: local };
}

/**
 * Whether a change may come from this page. Browsers name the page's origin; what names none is no browser's page.
 * The page is ours where its host is the one that was asked for, or the public one. `origin` is the header as sent.
 */
export function isOwnOrigin(
  origin: string | undefined,
  fetchSite: string,
  hostHeader: string | undefined,
  publicHost: string | null,
): boolean {
  if (origin === undefined) return fetchSite !== 'cross-site';
  if (!URL.canParse(origin)) return false;
  const { host, protocol } = new URL(origin);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  return host === hostHeader?.toLowerCase() || (publicHost !== null && host === publicHost);
}

type Refusal = Extract<Access, { kind: 'refused' }>['code'];

/** Why a request is not simply one of this machine, or null. */
function localRefusal(policy: AccessPolicy, request: AccessRequest): Refusal | null {
  if (!isLoopback(policy.host)) return 'token_missing';
  if (request.headerNames.some(isForwarding)) return 'forwarded';
  const host = request.hostHeader?.toLowerCase();
  if (host === undefined) return 'host_unknown';
  if (policy.token === null && policy.publicHost !== null && host === policy.publicHost) return null;
  const name = hostName(host);
  return name !== null && isLoopback(name) ? null : 'host_unknown';
}

function isForwarding(header: string): boolean {
  return header === 'forwarded' || header === 'via' || header.startsWith('x-forwarded-');
}

/** `Host: name[:port]` without the port and brackets; null for what is no host. */
function hostName(header: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]@/\s]+))(?::\d{1,5})?$/.exec(header);
  return match?.[1] ?? match?.[2] ?? null;
}

function bearer(authorization: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

/** Takes the same time however much of it is right. */
function sameText(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  // Compared with itself where the lengths differ, so that a wrong length costs the same.
  const equal = timingSafeEqual(a.length === b.length ? a : b, b);
  return equal && a.length === b.length;
}
