/**
 * Feeds: one connection an upstream, however many recordings listen. Programmes on one channel that touch or overlap
 * (padding) share it, and one that ends leaves it open for a moment, in case the next one wants it (P6).
 */
import type { Clock, TimerHandle } from '../io/clock.js';
import { TransportFault, type BodySink, type Transport, type TransportBody } from '../io/transport.js';
import type { TransportRequest, TransportResponse } from '../io/transport.js';
import { waitPool, type PoolMember, type WaitPool } from './waitPool.js';

/** Who ended a connection: a provider may count one that we closed for a while. */
export type ClosedBy = 'us' | 'provider';

export interface Feeds {
  /**
   * As a transport's `open`, but over the connection that already runs under this key, where one does: its headers,
   * and its body from now on. The request's signal ends this listener only.
   */
  open(key: string, url: string, request: TransportRequest): Promise<TransportResponse>;
  /** Closes a feed that is no good (it stalls, it is not media), under all of its listeners. */
  condemn(key: string): void;
  /** Closes a feed that nobody listens to now, without waiting for its time. */
  dismiss(key: string): void;
  /** Keys of every connection that is open or being opened. */
  keys(): readonly string[];
  /** Ends all of them; listeners hear `aborted`. */
  close(): void;
}

export interface FeedsDoors {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly onClosed: (key: string, by: ClosedBy) => void;
  /** What a connection brought, every few seconds, bits a second. */
  readonly onRate?: (key: string, bitsPerSecond: number) => void;
  /** What may wait for slow listeners, together with what waits for disks elsewhere; its own where it is left out. */
  readonly pool?: WaitPool;
  /** How long a feed without listeners stays open. */
  readonly lingerMs?: number;
}

const LINGER_MS = 3_000;
/** A rate is measured over so long. */
const METER_MS = 5_000;
/** A listener that is this far behind the others is let go, so that it does not hold them back. */
const BEHIND_BYTES_MAX = 16 * 2 ** 20;

interface Tap {
  sink: BodySink | null;
  paused: boolean;
  held: Buffer[];
  heldBytes: number;
  readonly waiting: PoolMember;
  /** How it ended before anybody listened: told, behind all that came, to whoever does. */
  ending: ((sink: BodySink) => void) | null;
}

interface Feed {
  readonly abort: AbortController;
  readonly opening: Promise<TransportResponse>;
  readonly taps: Set<Tap>;
  /** Listeners that wait for the connection to open. */
  waiting: number;
  body: TransportBody | null;
  readonly meter: { bytes: number; since: number };
  linger: TimerHandle | null;
  over: boolean;
}

export function createFeeds(doors: FeedsDoors): Feeds {
  const { clock, transport } = doors;
  const pool = doors.pool ?? waitPool();
  const feeds = new Map<string, Feed>();

  function connect(key: string, url: string, request: TransportRequest): Feed {
    const abort = new AbortController();
    const opening = transport.open(url, { ...request, signal: abort.signal });
    // Whoever waits is told; nobody may be waiting any more.
    opening.catch(() => undefined);
    const feed: Feed = {
      abort,
      opening,
      taps: new Set(),
      waiting: 0,
      body: null,
      meter: { bytes: 0, since: 0 },
      linger: null,
      over: false,
    };
    feeds.set(key, feed);
    return feed;
  }

  function end(key: string, feed: Feed, by: ClosedBy): void {
    if (feed.over) return;
    feed.over = true;
    feed.linger?.cancel();
    if (feeds.get(key) === feed) feeds.delete(key);
    feed.abort.abort();
    feed.body?.destroy();
    doors.onClosed(key, by);
  }

  function measure(key: string, meter: Feed['meter'], bytes: number): void {
    meter.bytes += bytes;
    const ms = clock.mono() - meter.since;
    if (ms < METER_MS) return;
    doors.onRate?.(key, Math.round((meter.bytes * 8_000) / ms));
    meter.bytes = 0;
    meter.since += ms;
  }

  /** The last listener has gone: the connection waits a little for the next. */
  function lingerOn(key: string, feed: Feed): void {
    if (feed.over || feed.taps.size > 0 || feed.waiting > 0) return;
    if (feed.body === null) return end(key, feed, 'us');
    // Nobody listens, but the provider must not notice: what comes meanwhile is let go.
    feed.body.resume();
    feed.linger?.cancel();
    feed.linger = clock.after(doors.lingerMs ?? LINGER_MS, () => end(key, feed, 'us'));
  }

  function attach(key: string, feed: Feed): TransportBody {
    const tap: Tap = {
      sink: null,
      paused: true,
      held: [],
      heldBytes: 0,
      waiting: pool.join(),
      ending: null,
    };
    feed.taps.add(tap);
    feed.linger?.cancel();
    const leave = () => {
      if (!feed.taps.delete(tap)) return;
      tap.sink = null;
      letGo(tap);
      steer(feed);
      lingerOn(key, feed);
    };
    return {
      flow(sink) {
        tap.sink = sink;
        tap.paused = false;
        hand(tap);
        if (tap.ending === null) return steer(feed);
        letGo(tap);
        const { ending } = tap;
        queueMicrotask(() => tap.sink && ending(tap.sink));
      },
      pause() {
        tap.paused = true;
        steer(feed);
      },
      resume() {
        tap.paused = false;
        hand(tap);
        steer(feed);
      },
      destroy: leave,
    };
  }

  function start(key: string, feed: Feed, body: TransportBody): void {
    feed.body = body;
    feed.meter.since = clock.mono();
    const over = (tell: (sink: BodySink) => void) => {
      // What was received is theirs, also of those that pause (P1).
      for (const tap of feed.taps) {
        tap.paused = false;
        hand(tap);
        if (tap.sink) letGo(tap);
        else tap.ending = tell;
      }
      const listeners = [...feed.taps].flatMap(({ sink }) => sink ?? []);
      feed.taps.clear();
      end(key, feed, 'provider');
      for (const sink of listeners) tell(sink);
    };
    body.flow({
      onData(chunk) {
        measure(key, feed.meter, chunk.length);
        for (const tap of feed.taps) give(feed, tap, chunk, pool.isFull());
      },
      onEnd: () => over((sink) => sink.onEnd()),
      onFault: (fault) => over((sink) => sink.onFault(fault)),
    });
  }

  /** Ends it ourselves, under whoever listens. */
  function hangUp(key: string, feed: Feed, fault: TransportFault): void {
    const listeners = [...feed.taps].flatMap(({ sink }) => sink ?? []);
    for (const tap of feed.taps) letGo(tap);
    feed.taps.clear();
    end(key, feed, 'us');
    for (const sink of listeners) sink.onFault(fault);
  }

  async function wait(key: string, feed: Feed, signal: AbortSignal | undefined): Promise<TransportResponse> {
    feed.waiting += 1;
    try {
      return await (signal ? Promise.race([feed.opening, abortOf(signal)]) : feed.opening);
    } catch (error) {
      if (signal?.aborted) throw new TransportFault('aborted', 'aborted');
      end(key, feed, 'provider');
      throw error;
    } finally {
      feed.waiting -= 1;
      if (signal?.aborted) lingerOn(key, feed);
    }
  }

  return {
    async open(key, url, request) {
      const feed = feeds.get(key) ?? connect(key, url, request);
      const response = await wait(key, feed, request.signal);
      // An answer that is no media belongs to whoever hears it first; there is nothing to share.
      if (response.status < 200 || response.status > 299) {
        if (feed.over) throw new TransportFault('reset', 'the connection was refused');
        feed.over = true;
        feeds.delete(key);
        doors.onClosed(key, 'provider');
        return response;
      }
      if (feed.over) throw new TransportFault('reset', 'the feed was closed');
      const body = attach(key, feed);
      if (feed.body === null) start(key, feed, response.body);
      return { ...response, body };
    },
    condemn(key) {
      const feed = feeds.get(key);
      if (feed) hangUp(key, feed, new TransportFault('reset', 'the feed was given up'));
    },
    dismiss(key) {
      const feed = feeds.get(key);
      if (feed && feed.taps.size === 0 && feed.waiting === 0) end(key, feed, 'us');
    },
    keys: () => [...feeds.keys()],
    close() {
      for (const [key, feed] of feeds)
        hangUp(key, feed, new TransportFault('aborted', 'the feed was closed'));
    },
  };
}

/** The connection rests only when every listener does. */
function steer(feed: Feed): void {
  if (feed.body === null || feed.over) return;
  const taps = [...feed.taps];
  if (taps.length > 0 && taps.every(({ paused }) => paused)) feed.body.pause();
  else feed.body.resume();
}

/**
 * One that does not keep up is let go where that holds nobody else back: its disk is slower than its siblings'. Where
 * all are full the connection rests instead, and nobody loses anything.
 */
function give(feed: Feed, tap: Tap, chunk: Buffer, isFull: boolean): void {
  if (!tap.paused && tap.sink && tap.held.length === 0) return tap.sink.onData(chunk);
  // It is valid during the call only.
  tap.held.push(Buffer.from(chunk));
  tap.heldBytes += chunk.length;
  tap.waiting.hold(tap.heldBytes);
  // What waits elsewhere is not its doing: a fair share it may hold in any case.
  if (tap.heldBytes <= BEHIND_BYTES_MAX && !(isFull && tap.waiting.isOver(BEHIND_BYTES_MAX))) return;
  if ([...feed.taps].every(({ paused }) => paused)) return;
  const { sink } = tap;
  feed.taps.delete(tap);
  letGo(tap);
  tap.ending = (listener) => listener.onFault(tooSlow());
  sink?.onFault(tooSlow());
}

function tooSlow(): TransportFault {
  return new TransportFault('slow', 'too far behind the others');
}

function hand(tap: Tap): void {
  while (!tap.paused && tap.sink) {
    const chunk = tap.held.shift();
    if (chunk === undefined) break;
    tap.heldBytes -= chunk.length;
    tap.sink.onData(chunk);
  }
  tap.waiting.hold(tap.heldBytes);
}

function letGo(tap: Tap): void {
  tap.held = [];
  tap.heldBytes = 0;
  tap.waiting.leave();
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fault = () => reject(new TransportFault('aborted', 'aborted'));
    if (signal.aborted) fault();
    else signal.addEventListener('abort', fault, { once: true });
  });
}
