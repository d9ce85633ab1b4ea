/**
 * One call to a media server: address, token and body out, a status and a text back, everything else as a ServerFault.
 * A redirect is followed with the token only to the same host, as a server that moves from http to https does.
 */
import { redactUrl } from '../domain/redact.js';
import type { ExchangeAnswer } from '../io/exchange.js';
import { TransportFault } from '../io/transport.js';
import { ServerFault, type ServerAccess } from './mediaServer.js';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below the server's address, with its slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Statuses that the caller makes sense of itself, besides 2xx. */
  readonly accepts?: readonly number[];
}

export interface Reply {
  readonly status: number;
  readonly text: string;
}

const TIMEOUT_MS = 20_000;
const BYTES_MAX = 64 * 2 ** 20;
const REDIRECTS_MAX = 3;
const RETRY_AFTER_MS_MAX = 3_600_000;

export async function call(access: ServerAccess, asked: Call): Promise<Reply> {
  let url = addressOf(access.url, asked);
  for (let hop = 0; ; hop += 1) {
    const answer = await send(access, asked, url);
    const { status } = answer;
    if (status >= 300 && status < 400) {
      url = nextAddress(url, answer, hop);
      continue;
    }
    const text = answer.body.toString('utf8');
    if ((status >= 200 && status < 300) || asked.accepts?.includes(status) === true) return { status, text };
    throw refusal(answer, asked);
  }
}

/** The answer as JSON; what is none is the fault of whatever answered in the server's place. */
export function jsonOf(reply: Reply): unknown {
  try {
    return JSON.parse(reply.text);
  } catch {
    throw new ServerFault('server_failing', 'the answer is no JSON; is this the address of the server?');
  }
}

export function addressOf(base: string, { path, query = {} }: Pick<Call, 'path' | 'query'>): string {
  const url = new URL(`${base.replace(/\/+$/, '')}${path}`);
  url.search = new URLSearchParams(query).toString();
  return url.href;
}

async function send(access: ServerAccess, asked: Call, url: string): Promise<ExchangeAnswer> {
  const { method, headers, json } = asked;
  try {
    return await access.exchange.ask({
      method,
      url,
      headers: {
        accept: 'application/json',
        ...headers,
        ...(json !== undefined && { 'content-type': 'application/json' }),
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      timeoutMs: TIMEOUT_MS,
      bytesMax: BYTES_MAX,
      ...(access.signal && { signal: access.signal }),
    });
  } catch (error) {
    if (!(error instanceof TransportFault)) throw error;
    if (error.kind === 'connect') throw new ServerFault('server_unreachable', error.message, 'before');
    throw new ServerFault('server_failing', error.message, 'unclear');
  }
}

function nextAddress(url: string, { headers, status }: ExchangeAnswer, hop: number): string {
  const from = new URL(url);
  const { location = '' } = headers;
  const to = URL.canParse(location, url) ? new URL(location, url) : null;
  const isHttp = to?.protocol === 'http:' || to?.protocol === 'https:';
  const downgrade = from.protocol === 'https:' && to?.protocol === 'http:';
  if (!to || !isHttp || hop >= REDIRECTS_MAX)
    throw new ServerFault('server_redirects', `it answers ${status} and leads nowhere`);
  if (to.hostname !== from.hostname || downgrade)
    throw new ServerFault(
      'server_redirects',
      `it sends us to ${redactUrl(to.origin)}; give that address if it is right`,
    );
  return to.href;
}

function refusal({ status, headers }: ExchangeAnswer, { method, path }: Call): ServerFault {
  const where = `${method} ${path}`;
  if (status === 401 || status === 403)
    return new ServerFault('server_refused', `${status} to ${where}`, 'answered', null, status);
  if (status >= 500 || status === 429 || status === 408) {
    const seconds = Number(headers['retry-after']);
    const waitMs = seconds > 0 ? Math.min(seconds * 1000, RETRY_AFTER_MS_MAX) : null;
    return new ServerFault('server_failing', `${status} to ${where}`, 'answered', waitMs, status);
  }
  return new ServerFault('server_rejected', `${status} to ${where}`, 'answered', null, status);
}
