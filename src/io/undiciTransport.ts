/**
 * The real network door: undici's `dispatch` with a handler, so that a chunk costs one call and no promise.
 * Each open is a connection of its own, asked to close after its answer, or one of a series: what the provider counts is
 * what is open here (P6), and `destroy` gives the connection back at once. Redirects are followed here, so that credentials stay at home.
 */
import type { Socket } from 'node:net';
import { buildConnector, Client, type Dispatcher } from 'undici';
import type { Clock } from './clock.js';
import { parseHttpUrl, requestHeaders, withoutPrivate } from './httpRequest.js';
import { keptConnections } from './keptConnections.js';
import { TransportFault, type BodySink, type Transport, type TransportBody } from './transport.js';
import type { TransportRequest, TransportResponse } from './transport.js';

const REDIRECTS_MAX = 10;
/** A host that does not answer SYN within this is taken for absent, even where headers may take longer. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A paused body keeps this much here before its connection is held back. */
const HELD_BYTES_MAX = 256 * 1024;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function undiciTransport(clock: Clock): Transport {
  const open = new Set<Connection>();
  const kept = keptConnections(clock);

  async function follow(url: string, request: TransportRequest): Promise<TransportResponse> {
    const until = clock.mono() + request.headersTimeoutMs;
    let target = parseHttpUrl(url);
    let headers = request.headers ?? {};
    for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
      const cookie = request.cookies?.headerFor(target) ?? '';
      const asked = {
        headers: cookie === '' ? headers : { ...headers, cookie },
        timeoutMs: Math.max(0, until - clock.mono()),
        signal: request.signal,
      };
      const { series = null, live = false } = request;
      const answer = await (series || live
        ? kept.ask(target, { ...asked, series })
        : connect(target, { ...asked, clock, open }));
      for (const set of answer.cookies) request.cookies?.take(target, set);
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.status) || location === undefined) return answer;
      answer.body.destroy();
      const next = parseHttpUrl(location, target);
      if (next.origin !== target.origin) headers = withoutPrivate(headers);
      target = next;
    }
    throw new TransportFault('redirects', `more than ${REDIRECTS_MAX} redirects`);
  }

  return {
    open: follow,
    close() {
      for (const connection of open) connection.fail('aborted', 'the transport was closed');
      kept.close();
      return Promise.resolve();
    },
  };
}

interface Connection {
  fail(kind: TransportFault['kind'], message: string): void;
}

interface ConnectInput {
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  readonly open: Set<Connection>;
}

/** One request on one fresh connection, up to its final headers. */
function connect(
  url: URL,
  input: ConnectInput,
): Promise<TransportResponse & { readonly cookies: readonly string[] }> {
  const { headers, timeoutMs, signal, clock, open } = input;
  if (signal?.aborted) return Promise.reject(new TransportFault('aborted', 'aborted before it was opened'));
  return new Promise((resolve, reject) => {
    const socket = patientSocket();
    const client = new Client(url.origin, {
      connect: socket.connect,
      pipelining: 0,
      headersTimeout: 0,
      bodyTimeout: 0,
      strictContentLength: false,
    });
    let controller: Dispatcher.DispatchController | null = null;
    let answered = false;
    let sink: BodySink | null = null;
    /** What ended it, kept until somebody listens. */
    let ending: TransportFault | 'end' | null = null;
    let over = false;

    const timer = clock.after(timeoutMs, () => connection.fail('timeout', 'no headers in time'));
    const onAbort = () => connection.fail('aborted', 'aborted');
    signal?.addEventListener('abort', onAbort, { once: true });

    function release(): void {
      over = true;
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      open.delete(connection);
      // What the destroyed client still reports is of no interest: `over` is set.
      client.destroy().catch(() => undefined);
    }
    function end(how: TransportFault | 'end'): void {
      if (over) return;
      release();
      ending = how;
      if (!answered) reject(how === 'end' ? new TransportFault('protocol', 'no headers') : how);
      else if (how !== 'end' && how.kind === 'aborted') abandon(how);
      else if (sink) hand();
    }
    /** We ended it ourselves: what is held is of no use to anybody. */
    function abandon(how: TransportFault): void {
      held.length = 0;
      finish(how);
    }
    function finish(how: TransportFault | 'end'): void {
      const to = sink;
      sink = null;
      if (to) tell(to, how);
    }
    const connection: Connection = { fail: (kind, message) => end(new TransportFault(kind, message)) };
    open.add(connection);

    const held: Buffer[] = [];
    let heldBytes = 0;
    let paused = true;
    let handing = false;

    /** Gives what is held, then the end, as long as nobody says pause. */
    function hand(): void {
      if (handing) return;
      handing = true;
      while (!paused && sink) {
        const chunk = held.shift();
        if (chunk === undefined) break;
        heldBytes -= chunk.length;
        sink.onData(chunk);
      }
      handing = false;
      if (paused || !sink) return;
      if (ending) finish(ending);
      else socket.resume(controller);
    }
    function receive(chunk: Buffer): void {
      if (over) return;
      if (!paused && held.length === 0 && sink && !handing) {
        sink.onData(chunk);
        return;
      }
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes > HELD_BYTES_MAX) socket.pause(controller);
    }
    const body: TransportBody = {
      flow(to) {
        sink = to;
        paused = false;
        // Told later, so that the caller of `flow` has its own state in order by then.
        if (ending) queueMicrotask(hand);
        else hand();
      },
      pause() {
        paused = true;
      },
      resume() {
        paused = false;
        hand();
      },
      destroy() {
        sink = null;
        held.length = 0;
        if (!over) release();
      },
    };

    client.dispatch(
      {
        method: 'GET',
        path: url.pathname + url.search,
        headers: requestHeaders(url, headers),
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      {
        onRequestStart(given) {
          controller = given;
        },
        onResponseStart(_controller, status, raw) {
          if (status < 200 || over) return;
          answered = true;
          timer.cancel();
          const given = flatten(raw);
          const cookies = [raw['set-cookie'] ?? []].flat();
          resolve({ status, headers: given, url: url.href, body, cookies });
        },
        onResponseData(_given, chunk) {
          receive(chunk);
        },
        onResponseEnd() {
          end('end');
        },
        onResponseError(_given, error) {
          end(classify(error, answered ? 'body' : controller ? 'headers' : 'connecting'));
        },
      },
    );
  });
}

interface PatientSocket {
  readonly connect: buildConnector.connector;
  pause(controller: Dispatcher.DispatchController | null): void;
  resume(controller: Dispatcher.DispatchController | null): void;
}

/**
 * undici's parser must not hear of the end of its connection while it is paused: it asserts that this cannot happen,
 * and the assertion is nobody's to catch (measured with 7.30.2: a server that closes while a body is paused ends the
 * process). So the socket keeps such news back until the parser goes on. Nor does a parser go on whose socket is
 * destroyed, as one is by Node once all of it was read: that is kept back as well, for what it has still to say may be
 * that the body is whole.
 */
function patientSocket(): PatientSocket {
  const connector = buildConnector({ timeout: CONNECT_TIMEOUT_MS });
  const news: (() => void)[] = [];
  let paused = false;
  let goesOn = false;

  function hold(socket: Socket): void {
    const emit = socket.emit.bind(socket) as (name: string | symbol, ...rest: unknown[]) => boolean;
    const later = (name: string | symbol, ...rest: unknown[]): boolean => {
      const isEnd = name === 'end' || name === 'error' || name === 'close';
      if (!paused || !isEnd) return emit(name, ...rest);
      news.push(() => void emit(name, ...rest));
      return true;
    };
    socket.emit = later as Socket['emit'];
    const isDestroyed = () =>
      Reflect.get(Object.getPrototypeOf(socket) as object, 'destroyed', socket) === true;
    Object.defineProperty(socket, 'destroyed', { configurable: true, get: () => !goesOn && isDestroyed() });
  }

  return {
    connect(options, callback) {
      connector(options, (error, socket) => {
        if (error) callback(error, null);
        else {
          hold(socket);
          callback(null, socket);
        }
      });
    },
    pause(controller) {
      paused = true;
      controller?.pause();
    },
    resume(controller) {
      if (!paused) return;
      paused = false;
      goesOn = true;
      try {
        controller?.resume();
      } finally {
        goesOn = false;
      }
      while (!paused && news.length > 0) news.shift()?.();
    },
  };
}

function tell(sink: BodySink, how: TransportFault | 'end'): void {
  if (how === 'end') sink.onEnd();
  else sink.onFault(how);
}

/** By what undici and the system call their errors; before the request went out, all of them mean no connection. */
function classify(error: Error, during: 'connecting' | 'headers' | 'body'): TransportFault {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (during === 'connecting') return new TransportFault('connect', code);
  // The parser's errors do not always have a code.
  // In a body they mean one that was cut off.
  const unreadable = error.name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW';
  if (unreadable && during === 'headers') return new TransportFault('protocol', code);
  return new TransportFault('reset', code);
}

function flatten(raw: Record<string, string | string[] | undefined>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw)) {
    if (value !== undefined) headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
