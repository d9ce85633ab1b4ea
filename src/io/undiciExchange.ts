/** The real door to single answers: undici's `request`, one connection each, so that nothing is left open behind it. */
import { request as undiciRequest } from 'undici';
import type { Clock } from './clock.js';
import type { Exchange, ExchangeAnswer, ExchangeRequest } from './exchange.js';
import { TransportFault } from './transport.js';

export function undiciExchange(clock: Clock): Exchange {
  return {
    async ask(request) {
      if (request.signal?.aborted) throw new TransportFault('aborted', 'aborted before it was sent');
      const own = new AbortController();
      let late = false;
      const timer = clock.after(request.timeoutMs, () => {
        late = true;
        own.abort();
      });
      const onAbort = () => own.abort();
      request.signal?.addEventListener('abort', onAbort, { once: true });
      try {
        return await exchange(request, own.signal);
      } catch (error) {
        if (error instanceof TransportFault) throw error;
        if (late) throw new TransportFault('timeout', `no answer within ${request.timeoutMs} ms`);
        if (request.signal?.aborted === true) throw new TransportFault('aborted', 'aborted');
        throw faultOf(error);
      } finally {
        timer.cancel();
        request.signal?.removeEventListener('abort', onAbort);
      }
    },
  };
}

async function exchange(request: ExchangeRequest, signal: AbortSignal): Promise<ExchangeAnswer> {
  const { method, url, headers = {}, body, bytesMax } = request;
  if (!URL.canParse(url) || !/^https?:/i.test(url))
    throw new TransportFault('protocol', 'not an HTTP address');
  const answer = await undiciRequest(url, {
    method,
    headers,
    signal,
    headersTimeout: 0,
    bodyTimeout: 0,
    reset: true,
    ...(body !== undefined && { body }),
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      answer.body.destroy();
      throw new TransportFault('protocol', `the answer is larger than ${bytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return { status: answer.statusCode, headers: flatten(answer.headers), body: Buffer.concat(chunks, bytes) };
}

/** What the system and undici call it when no connection came about. */
const NO_CONNECTION =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOST\w+|ENET\w+|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT|EPROTO)$|CERT|TLS|SSL/;

function faultOf(error: unknown): TransportFault {
  const own = codeOf(error);
  const cause = error instanceof Error ? codeOf(error.cause) : '';
  const code = own || cause || (error instanceof Error ? error.name : 'unknown');
  if (NO_CONNECTION.test(code)) return new TransportFault('connect', code);
  if (/HTTPParser|HEADERS_OVERFLOW|INVALID/.test(code)) return new TransportFault('protocol', code);
  return new TransportFault('reset', code);
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

function flatten(raw: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw))
    if (value !== undefined) headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  return headers;
}
