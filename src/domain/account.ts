/**
 * Which account of a provider an address belongs to: what connection limits are counted by (P6, DESIGN §3 "Slots").
 * User and password where the address shows them, over all hosts of that provider; else its host and port.
 */
import { sha1hex } from './sha1.js';

export interface Account {
  /** Equal for equal accounts; shows no password, safe to store. */
  readonly key: string;
  /** `USER@HOST` or `HOST:PORT`: what `--provider-max` takes and people read. */
  readonly label: string;
}

interface Login {
  readonly user: string;
  readonly pass: string;
}

const DEFAULT_PORT: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** Folders of Xtream panels behind which user and password follow (PROTOCOLS §4.3). */
const PANEL_FOLDERS = new Set(['live', 'movie', 'series', 'timeshift']);

/** Of an absolute URL. Text that is no URL is an account of its own. */
export function accountOf(url: string): Account {
  const parsed = parse(url);
  const login = parsed && loginOf(parsed);
  const label = labelOf(parsed, login);
  if (!parsed) return { key: `text:${digest([url])}`, label };
  return { key: login ? `login:${digest([login.user, login.pass])}` : `host:${label}`, label };
}

/** The label alone, for whoever counts by it at every turn. */
export function accountLabel(url: string): string {
  const parsed = parse(url);
  return labelOf(parsed, parsed && loginOf(parsed));
}

function labelOf(url: URL | null, login: Login | null): string {
  if (!url) return 'unknown';
  if (login) return `${login.user}@${url.hostname}`;
  return `${url.hostname}:${url.port || (DEFAULT_PORT[url.protocol] ?? '0')}`;
}

function parse(url: string): URL | null {
  return URL.canParse(url) ? new URL(url) : null;
}

function loginOf(url: URL): Login | null {
  if (url.username !== '') return { user: decoded(url.username), pass: decoded(url.password) };
  const user = url.searchParams.get('username');
  const pass = url.searchParams.get('password');
  if (user && pass) return { user, pass };
  const parts = url.pathname.split('/').filter((part) => part !== '');
  const named = PANEL_FOLDERS.has(parts[0]?.toLowerCase() ?? '') && parts.length >= 4;
  const bare = parts.length === 3 && /^\d+(?:\.[a-z0-9]{1,5})?$/i.test(parts[2] ?? '');
  const at = named ? 1 : bare ? 0 : -1;
  if (at < 0) return null;
  return { user: decoded(parts[at] ?? ''), pass: decoded(parts[at + 1] ?? '') };
}

/** Unambiguous for any parts: lengths first. 16 hex digits keep two accounts apart. */
function digest(parts: readonly string[]): string {
  return sha1hex(parts.map((part) => `${part.length}:${part}`).join('')).slice(0, 16);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
