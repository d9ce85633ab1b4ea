/** Where a server listens and what counts as "this machine": `8998`, `:8998`, `host:port`, `[::1]:8998`. */

export interface Listen {
  /** Without brackets. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/**
 * `8998` is this machine only; `:8998` is every address of it, as in Go and Docker; else `host:port`.
 * Null for what is none of these.
 */
export function parseListen(text: string): Listen | null {
  const trimmed = text.trim();
  const match = /^(?:(?<host>\[[0-9a-fA-F:.]+\]|[^\s:[\]/@]*):)?(?<port>\d{1,5})$/.exec(trimmed);
  const port = Number(match?.groups?.['port'] ?? 'none');
  if (!match || !(port <= 65_535)) return null;
  const host = match.groups?.['host'];
  if (host === undefined) return { host: '127.0.0.1', port };
  if (host === '' || host === '*') return { host: '0.0.0.0', port };
  return { host: host.replace(/^\[|\]$/g, '').toLowerCase(), port };
}

/** `host:port` with brackets where the host is an IPv6 address. */
export function formatListen(listen: Listen): string {
  return listen.host.includes(':') ? `[${listen.host}]:${listen.port}` : `${listen.host}:${listen.port}`;
}

/** A name that can only mean this machine: localhost and below, 127.0.0.0/8, ::1. Without port or brackets. */
export function isLoopback(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^::ffff:/, '');
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true;
  const parts = name.split('.');
  return (
    parts.length === 4 && parts[0] === '127' && parts.every((part) => /^\d{1,3}$/.test(part) && +part <= 255)
  );
}
