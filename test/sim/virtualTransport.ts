/**
 * The network door onto a world in memory: whoever owns the world answers requests, live bodies are fed by its clock.
 * It counts who is connected, because a provider does (P6).
 */

import type { Clock } from '../../src/io/clock.js';
import {
  TransportFault,
  type BodySink,
  type Transport,
  type TransportBody,
  type TransportRequest,
} from '../../src/io/transport.js';

/** What a live body is fed through. */
export interface Feed {
  push(chunk: Buffer): void;
  end(): void;
  fail(fault: TransportFault): void;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** All of it, or something that feeds it and can be told to leave off. */
  readonly body: Buffer | ((feed: Feed) => () => void);
}

/** Nobody answers at all where it is a fault. */
export type Reply = Answer | TransportFault;

export interface Occupancy {
  readonly at: number;
  readonly open: number;
  /** With those that we closed a moment ago, when all that are allowed were open: the provider may still count them. */
  readonly counted: number;
}

export interface VirtualTransport extends Transport {
  /** Live bodies that are open or being opened, by address. */
  openStreams(): readonly string[];
  /** Every change of their number. */
  readonly occupancy: readonly Occupancy[];
  /** Requests so far, by path and status. */
  readonly requests: ReadonlyMap<string, number>;
}

/** So long a provider may count a connection that was closed on it. */
const COUNTED_MS = 25_000;

/** From the request to the headers. */
const LATENCY_MS = 40;

export function virtualTransport(
  clock: Clock,
  answer: (url: URL, request: TransportRequest) => Reply,
  slots = Infinity,
): VirtualTransport {
  const streams = new Map<number, string>();
  const occupancy: Occupancy[] = [];
  const requests = new Map<string, number>();
  let ids = 0;

  let hot: number[] = [];

  function count(): void {
    hot = hot.filter((until) => until > clock.mono());
    occupancy.push({ at: clock.now(), open: streams.size, counted: streams.size + hot.length });
  }

  function leave(id: number, by: 'us' | 'provider'): void {
    const isAtLimit = streams.size >= slots;
    if (!streams.delete(id)) return;
    if (by === 'us' && isAtLimit) hot.push(clock.mono() + COUNTED_MS - 1);
    count();
  }

  return {
    occupancy,
    requests,
    openStreams: () => [...streams.values()],
    open(url, request) {
      const given = answer(new URL(url), request);
      const isFault = given instanceof TransportFault;
      const key = `${isFault ? given.kind : given.status} ${new URL(url).pathname}`;
      requests.set(key, (requests.get(key) ?? 0) + 1);
      const id = (ids += 1);
      if (!isFault && typeof given.body === 'function') {
        streams.set(id, url);
        count();
      }
      return new Promise((resolve, reject) => {
        const { signal } = request;
        const aborted = () => {
          timer.cancel();
          leave(id, 'us');
          reject(new TransportFault('aborted', 'aborted'));
        };
        const timer = clock.after(LATENCY_MS, () => {
          signal?.removeEventListener('abort', aborted);
          if (isFault) return reject(given);
          const body = bodyOf(given.body, signal, (by) => leave(id, by));
          return resolve({ status: given.status, headers: given.headers ?? {}, url, body });
        });
        if (signal?.aborted) aborted();
        else signal?.addEventListener('abort', aborted, { once: true });
      });
    },
    close: () => Promise.resolve(),
  };
}

type Item = Buffer | 'end' | TransportFault;

/** Holds what comes while it is paused or nobody listens yet, as a socket does. */
function bodyOf(
  source: Answer['body'],
  signal: AbortSignal | undefined,
  leave: (by: 'us' | 'provider') => void,
): TransportBody {
  let sink: BodySink | null = null;
  let paused = false;
  let over = false;
  let held: Item[] = [];
  let stop: () => void = () => undefined;

  function close(by: 'us' | 'provider'): void {
    over = true;
    held = [];
    stop();
    signal?.removeEventListener('abort', onAbort);
    leave(by);
  }
  function onAbort(): void {
    if (over) return;
    const target = sink;
    close('us');
    target?.onFault(new TransportFault('aborted', 'aborted'));
  }
  function give(item: Item): void {
    const target = sink;
    if (!target) return;
    if (Buffer.isBuffer(item)) return target.onData(item);
    close('provider');
    if (item === 'end') target.onEnd();
    else target.onFault(item);
  }
  function take(item: Item): void {
    if (over) return;
    if (sink && !paused && held.length === 0) give(item);
    else held.push(item);
  }
  function drain(): void {
    while (!over && sink && !paused) {
      const item = held.shift();
      if (item === undefined) return;
      give(item);
    }
  }

  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    flow(target) {
      sink = target;
      if (typeof source === 'function') {
        stop = source({ push: take, end: () => take('end'), fail: take });
      } else {
        if (source.length > 0) held.push(source);
        held.push('end');
      }
      queueMicrotask(drain);
    },
    pause: () => void (paused = true),
    resume() {
      paused = false;
      queueMicrotask(drain);
    },
    destroy() {
      if (!over) close('us');
    },
  };
}
