/**
 * Bodies that last, and answers that are asked for one after another, over connections that we read ourselves.
 * Answers of one series go over as few connections as they need: one that is free is asked again, and never are there more
 * than the series may have, free ones included (P6).
 */
import type { Clock } from './clock.js';
import { requestHeaders } from './httpRequest.js';
import { openConnection, type Broken, type KeptConnection } from './keptConnection.js';
import { TransportFault, type BodySink, type TransportBody } from './transport.js';
import type { AnswerSeries, TransportResponse } from './transport.js';

const READ_BYTES = 128 * 1024;
const GATHER_MS = 50;

export interface KeptInput {
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Null: a connection of its own, for a body that lasts. */
  readonly series: AnswerSeries | null;
}

export type Answered = TransportResponse & { readonly cookies: readonly string[] };

export interface KeptConnections {
  /** One answer, up to its final headers; what its body gives is valid during the call only. */
  ask(url: URL, input: KeptInput): Promise<Answered>;
  close(): void;
}

export function keptConnections(clock: Clock): KeptConnections {
  const shared = Buffer.allocUnsafeSlow(READ_BYTES);
  const all = new Map<AnswerSeries, Set<KeptConnection>>();
  const running = new Set<(fault: TransportFault) => void>();
  let readers: (() => void)[] = [];

  /** One timer for all: they are read together. */
  function later(read: () => void): void {
    if (readers.length === 0)
      clock.after(GATHER_MS, () => {
        const due = readers;
        readers = [];
        for (const each of due) each();
      });
    readers.push(read);
  }

  function connectionsOf(series: AnswerSeries): Set<KeptConnection> {
    const known = all.get(series);
    if (known) return known;
    const connections = new Set<KeptConnection>();
    all.set(series, connections);
    const over = () => {
      all.delete(series);
      for (const connection of connections) connection.destroy();
    };
    if (series.over.aborted) queueMicrotask(over);
    else series.over.addEventListener('abort', over, { once: true });
    return connections;
  }

  function connectionTo(url: URL, series: AnswerSeries | null, isFresh: boolean) {
    if (!series) {
      const alone = openConnection(url, { clock, shared, later, onClosed: () => undefined });
      return { connection: alone, isUsed: false };
    }
    const connections = connectionsOf(series);
    const free = [...connections].filter((each) => each.isFree());
    const same = isFresh ? undefined : free.findLast(({ origin }) => origin === url.origin);
    if (same) return { connection: same, isUsed: true };
    if (connections.size >= series.connectionsMax)
      for (const each of free.slice(0, connections.size - series.connectionsMax + 1)) each.destroy();
    const onClosed = (closed: KeptConnection) => void connections.delete(closed);
    const connection = openConnection(url, { clock, shared, later: null, onClosed });
    connections.add(connection);
    return { connection, isUsed: false };
  }

  function ask(url: URL, input: KeptInput, isFresh = false): Promise<Answered> {
    const { timeoutMs, signal, series } = input;
    const until = clock.mono() + timeoutMs;
    if (signal?.aborted) return Promise.reject(new TransportFault('aborted', 'aborted before it was opened'));
    return new Promise((resolve, reject) => {
      const { connection, isUsed } = connectionTo(url, series, isFresh);
      let answered = false;
      let over = false;
      let sink: BodySink | null = null;
      let paused = true;
      let ending: TransportFault | 'end' | null = null;

      const timer = clock.after(timeoutMs, () => fail(new TransportFault('timeout', 'no headers in time')));
      const onAbort = () => fail(new TransportFault('aborted', 'aborted'));
      signal?.addEventListener('abort', onAbort, { once: true });
      running.add(fail);

      function release(): void {
        over = true;
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        running.delete(fail);
      }
      function tell(): void {
        const to = sink;
        if (!to || !ending || (paused && ending === 'end')) return;
        sink = null;
        if (ending === 'end') to.onEnd();
        else to.onFault(ending);
      }
      function end(how: TransportFault | 'end'): void {
        if (over) return;
        release();
        ending = how;
        if (!answered && how !== 'end') reject(how);
        else tell();
      }
      function fail(fault: TransportFault): void {
        if (over) return;
        connection.destroy();
        end(fault);
      }
      function onBroken({ kind, code, heard }: Broken): void {
        // The server had closed it: nobody was asked yet.
        if (isUsed && !heard && !over) {
          release();
          resolve(ask(url, { ...input, timeoutMs: Math.max(0, until - clock.mono()) }, true));
        } else end(new TransportFault(kind, code));
      }
      const body: TransportBody = {
        flow(to) {
          sink = to;
          paused = false;
          if (ending) queueMicrotask(tell);
          else connection.resume();
        },
        pause() {
          paused = true;
          if (!over) connection.pause();
        },
        resume() {
          paused = false;
          if (over) tell();
          else connection.resume();
        },
        destroy() {
          sink = null;
          if (over) return;
          release();
          if (series) connection.discard();
          else connection.destroy();
        },
      };
      connection.ask(requestText(url, input.headers, series ? 'keep-alive' : 'close'), {
        onHead({ status, headers, cookies }) {
          answered = true;
          timer.cancel();
          resolve({ status, headers, url: url.href, body, cookies });
        },
        room: () => sink?.room?.() ?? null,
        onData: (bytes) => sink?.onData(bytes),
        onEnd() {
          if (!series) connection.destroy();
          end('end');
        },
        onBroken,
      });
    });
  }

  return {
    ask,
    close() {
      for (const fail of running) fail(new TransportFault('aborted', 'the transport was closed'));
      for (const connections of all.values()) for (const connection of connections) connection.destroy();
    },
  };
}

function requestText(url: URL, given: Readonly<Record<string, string>>, connection: string): string {
  const headers = { host: url.host, connection, ...requestHeaders(url, given) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
