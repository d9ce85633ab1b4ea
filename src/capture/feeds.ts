/**
 * Feeds: one connection an upstream, however many recordings listen. Programmes on one channel that touch or overlap
 * (padding) share it, and one that ends leaves it open for a moment, in case the next one wants it (P6).
 */
import type { Clock, TimerHandle } from '../io/clock.js';
import { TransportFault, type BodySink, type Transport } from '../io/transport.js';
import { openUpstream, type LiveBody, type Opened, type UpstreamInput } from './upstream.js';

/** Who ended a connection: a provider may count one that we closed for a while. */
export type ClosedBy = 'us' | 'provider';

export interface Feeds {
  /** The running feed under this key, or a new connection. `signal` ends this listener's wait only. */
  open(key: string, input: UpstreamInput, signal: AbortSignal): Promise<Opened>;
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
  /** How long a feed without listeners stays open. */
  readonly lingerMs?: number;
}

const LINGER_MS = 3_000;
/** A listener that is this far behind the others is let go, so that it does not hold them back. */
const BEHIND_BYTES_MAX = 16 * 2 ** 20;
const NOTHING = Buffer.alloc(0);

interface Tap {
  sink: BodySink | null;
  paused: boolean;
  held: Buffer[];
  heldBytes: number;
}

interface Feed {
  readonly abort: AbortController;
  readonly opening: Promise<Opened>;
  readonly taps: Set<Tap>;
  /** Listeners that wait for the connection to open. */
  waiting: number;
  body: LiveBody | null;
  linger: TimerHandle | null;
  over: boolean;
}

export function createFeeds(doors: FeedsDoors): Feeds {
  const { clock, transport } = doors;
  const feeds = new Map<string, Feed>();

  function connect(key: string, input: UpstreamInput): Feed {
    const abort = new AbortController();
    const opening = openUpstream(input, transport, clock, abort.signal);
    const feed: Feed = { abort, opening, taps: new Set(), waiting: 0, body: null, linger: null, over: false };
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

  /** The last listener has gone: the connection waits a little for the next. */
  function lingerOn(key: string, feed: Feed): void {
    if (feed.over || feed.taps.size > 0 || feed.waiting > 0) return;
    if (feed.body === null) return end(key, feed, 'us');
    // Nobody listens, but the provider must not notice: what comes meanwhile is let go.
    feed.body.resume();
    feed.linger?.cancel();
    feed.linger = clock.after(doors.lingerMs ?? LINGER_MS, () => end(key, feed, 'us'));
  }

  function attach(key: string, feed: Feed, first: Buffer): LiveBody {
    const tap: Tap = { sink: null, paused: true, held: [], heldBytes: 0 };
    feed.taps.add(tap);
    feed.linger?.cancel();
    const leave = () => {
      if (!feed.taps.delete(tap)) return;
      tap.sink = null;
      tap.held = [];
      steer(feed);
      lingerOn(key, feed);
    };
    return {
      first,
      flow(sink) {
        tap.sink = sink;
        tap.paused = false;
        hand(tap);
        steer(feed);
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

  function start(key: string, feed: Feed, body: LiveBody): void {
    feed.body = body;
    const over = (tell: (sink: BodySink) => void) => {
      const listeners = [...feed.taps].flatMap(({ sink }) => sink ?? []);
      feed.taps.clear();
      end(key, feed, 'provider');
      for (const sink of listeners) tell(sink);
    };
    body.flow({
      onData(chunk) {
        for (const tap of feed.taps) give(feed, tap, chunk);
      },
      onEnd: () => over((sink) => sink.onEnd()),
      onFault: (fault) => over((sink) => sink.onFault(fault)),
    });
  }

  return {
    async open(key, input, signal) {
      const feed = feeds.get(key) ?? connect(key, input);
      const isFirst = feed.waiting === 0 && feed.body === null && feed.taps.size === 0;
      feed.waiting += 1;
      const opened = await Promise.race([feed.opening, aborted(signal)]);
      feed.waiting -= 1;
      if (signal.aborted || opened.kind === 'aborted') {
        lingerOn(key, feed);
        return { kind: 'aborted' };
      }
      if (opened.kind === 'refused') {
        end(key, feed, 'provider');
        return opened;
      }
      if (feed.over) return { kind: 'aborted' };
      // Only the first one gets what was read while looking; the others come in where the stream is now.
      const body = attach(key, feed, isFirst ? opened.body.first : NOTHING);
      if (feed.body === null) start(key, feed, opened.body);
      return { kind: 'live', body };
    },
    dismiss(key) {
      const feed = feeds.get(key);
      if (feed && feed.taps.size === 0 && feed.waiting === 0) end(key, feed, 'us');
    },
    keys: () => [...feeds.keys()],
    close() {
      for (const [key, feed] of feeds) {
        const listeners = [...feed.taps].flatMap(({ sink }) => sink ?? []);
        feed.taps.clear();
        end(key, feed, 'us');
        for (const sink of listeners) sink.onFault(new TransportFault('aborted', 'the feed was closed'));
      }
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

function give(feed: Feed, tap: Tap, chunk: Buffer): void {
  if (!tap.paused && tap.sink && tap.held.length === 0) return tap.sink.onData(chunk);
  tap.held.push(chunk);
  tap.heldBytes += chunk.length;
  if (tap.heldBytes <= BEHIND_BYTES_MAX) return;
  const { sink } = tap;
  feed.taps.delete(tap);
  tap.held = [];
  sink?.onFault(new TransportFault('reset', 'too far behind'));
}

function hand(tap: Tap): void {
  while (!tap.paused && tap.sink) {
    const chunk = tap.held.shift();
    if (chunk === undefined) return;
    tap.heldBytes -= chunk.length;
    tap.sink.onData(chunk);
  }
}

function aborted(signal: AbortSignal): Promise<Opened> {
  return new Promise((resolve) => {
    const answer = () => resolve({ kind: 'aborted' });
    if (signal.aborted) answer();
    else signal.addEventListener('abort', answer, { once: true });
  });
}
