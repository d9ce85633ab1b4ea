/**
 * A connection that is asked for one answer after another, or for one that lasts. It is read by ourselves, into a buffer
 * that all such connections share: that is a third of what a parser costs (docs/decisions/0006, 0009).
 *
 * Reads of what lasts are gathered: a stream that comes in little pieces is read twenty times a second, all streams in
 * one turn. What waits is in the kernel's buffer, which a reset leaves readable. What brings more in that time than such
 * buffers are sure to hold is read as it comes, so that neither a burst nor a fat stream is slowed; TLS gives no more
 * than 16 KiB a read.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { bodyFraming, type BodyFraming } from './bodyFraming.js';
import type { Clock } from './clock.js';
import { headReader, type HeadReader, type HttpHead } from './httpHead.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** A server that says how long it waits is not asked in the last second of it. */
const SAFETY_MS = 1_000;
/** Between two turns; from here on it is read as it comes. */
const GATHER_BYTES_MAX = 64 * 1024;

/** `heard`: something of the answer had come. */
export interface Broken {
  readonly kind: 'connect' | 'reset' | 'protocol';
  readonly code: string;
  readonly heard: boolean;
}

/** Exactly one of `onEnd` and `onBroken` comes last. */
export interface AnswerSink {
  /** The body waits for `resume`. */
  onHead(head: HttpHead): void;
  /** Where the next bytes of the body are wanted; null: anywhere. */
  room(): Buffer | null;
  /** Valid during the call only. */
  onData(bytes: Buffer): void;
  onEnd(): void;
  onBroken(how: Broken): void;
}

export interface KeptConnection {
  readonly origin: string;
  /** Sends a whole request; once it is free. */
  ask(request: string, sink: AnswerSink): void;
  pause(): void;
  resume(): void;
  isFree(): boolean;
  /** The rest of the body is not wanted: where all of it is here already, the connection is free again. */
  discard(): void;
  /** Says nothing more to anybody. */
  destroy(): void;
}

/** What came with a head, until somebody wants it. */
interface Early {
  readonly bytes: Buffer;
  readonly done: () => void;
}

/** For what comes with heads: mostly wanted a moment later. */
const ROOMS_MAX = 16;
const rooms: Buffer[] = [];

function keepEarly(rest: Buffer): Early {
  const spare = rooms.pop();
  const room =
    spare && spare.length >= rest.length
      ? spare
      : Buffer.allocUnsafeSlow(Math.max(rest.length, GATHER_BYTES_MAX));
  rest.copy(room);
  const done = () => {
    if (rooms.length < ROOMS_MAX) rooms.push(room);
  };
  return { bytes: room.subarray(0, rest.length), done };
}

type Stage = 'free' | 'head' | 'body' | 'closed';

const NOBODY: AnswerSink = {
  onHead: () => undefined,
  room: () => null,
  onData: () => undefined,
  onEnd: () => undefined,
  onBroken: () => undefined,
};

export interface ConnectionDoors {
  readonly clock: Clock;
  /** Used for every read of every connection whose bytes nobody wants elsewhere. */
  readonly shared: Buffer;
  /** Calls back at the next turn; null where what comes is read at once. */
  readonly later: ((read: () => void) => void) | null;
  readonly onClosed: (connection: KeptConnection) => void;
}

export function openConnection(
  { origin, protocol, hostname, port }: URL,
  { clock, shared, later, onClosed }: ConnectionDoors,
): KeptConnection {
  let stage: Stage = 'free';
  let isConnected = false;
  let sink = NOBODY;
  let head: HeadReader = headReader();
  let framing: BodyFraming = bodyFraming(204, {});
  let staysOpen = true;
  let freeUntil = Number.POSITIVE_INFINITY;
  let paused = false;
  /** What came with the head and belongs to the body. */
  let early: Early | null = null;
  let isAsked = false;
  /** Since the last turn. */
  let gatheredBytes = 0;

  function close(): AnswerSink {
    const to = sink;
    sink = NOBODY;
    if (stage === 'closed') return NOBODY;
    stage = 'closed';
    timer.cancel();
    socket.destroy();
    onClosed(connection);
    return to;
  }

  function fail(code: string): void {
    const isWhole = stage === 'body' && framing.lastsAsConnection && code === '';
    const heard = stage === 'body' || head.hasBegun();
    const to = close();
    if (isWhole) to.onEnd();
    else to.onBroken({ kind: isConnected ? 'reset' : 'connect', code: code || 'CUT_OFF', heard });
  }

  function finish(): void {
    const to = sink;
    sink = NOBODY;
    if (!staysOpen || framing.leftBytes() > 0) close();
    else stage = 'free';
    to.onEnd();
  }

  function takeBody(bytes: Buffer): void {
    const own = framing.take(bytes);
    if (own.length > 0) sink.onData(own);
    if (stage !== 'body') return;
    const state = framing.state();
    if (state === 'end') finish();
    if (state === 'broken') fail('CHUNKED_CODING');
  }

  function takeHead(bytes: Buffer): void {
    const read = head.push(bytes);
    if (read.kind === 'more') return;
    if (read.kind === 'broken') return close().onBroken({ kind: 'protocol', code: 'no HTTP', heard: true });
    const { headers, status } = read.head;
    stage = 'body';
    framing = bodyFraming(status, headers);
    ({ staysOpen } = read.head);
    const seconds = /\btimeout\s*=\s*(\d{1,6})/i.exec(headers['keep-alive'] ?? '')?.[1];
    freeUntil = seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1_000 - SAFETY_MS;
    freeUntil += clock.mono();
    paused = true;
    early = keepEarly(read.rest);
    sink.onHead(read.head);
  }

  function atTurn(): void {
    isAsked = false;
    gatheredBytes = 0;
    if (stage === 'body' && !paused) socket.resume();
  }

  /** Whether to read on at once. */
  function goesOn(bytes: number): boolean {
    if (stage !== 'body') return stage !== 'closed';
    if (paused) return false;
    if (!later) return true;
    gatheredBytes += bytes;
    if (!isAsked) later(atTurn);
    isAsked = true;
    if (gatheredBytes < GATHER_BYTES_MAX) return false;
    // Of a read of several parts an earlier one may have stopped it.
    socket.resume();
    return true;
  }

  const onread = {
    /** Of the next read. What is coded in chunks has to be put together first. */
    buffer: () => (stage === 'body' && framing.isPlain ? sink.room() : null) ?? shared,
    /** False stops reading. */
    callback(bytes: number, into: Uint8Array): boolean {
      const read = Buffer.from(into.buffer, into.byteOffset, bytes);
      if (stage === 'head') takeHead(read);
      else if (stage === 'body') takeBody(read);
      // Nobody asked for that.
      else close();
      return goesOn(bytes);
    },
  };
  const host = hostname.replace(/^\[|\]$/g, '');
  const isSecure = protocol === 'https:';
  const place = { host, port: Number(port) || (isSecure ? 443 : 80), onread };
  const socket: Socket = isSecure
    ? connectTls({ ...place, ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 && { servername: host }) })
    : connectTcp(place);
  const timer = clock.after(CONNECT_TIMEOUT_MS, () => fail('connect timeout'));
  socket.setNoDelay(true);
  socket.on(isSecure ? 'secureConnect' : 'connect', () => {
    isConnected = true;
    timer.cancel();
  });
  socket.on('error', (error: Error & { code?: string }) => fail(error.code ?? error.name));
  socket.on('end', () => fail(''));
  socket.on('close', () => fail('CUT_OFF'));

  const connection: KeptConnection = {
    origin,
    ask(request, to) {
      stage = 'head';
      sink = to;
      head = headReader();
      paused = false;
      // Held back until it is connected.
      socket.write(request, 'latin1');
      socket.resume();
    },
    pause() {
      paused = true;
    },
    resume() {
      if (stage !== 'body') return;
      paused = false;
      const first = early;
      early = null;
      // Also an empty one: it shows whether there is any body.
      if (first) {
        takeBody(first.bytes);
        first.done();
      }
      if (!paused) socket.resume();
    },
    discard() {
      sink = NOBODY;
      if (stage === 'body' && early) takeBody(early.bytes);
      early?.done();
      early = null;
      if (stage === 'free') socket.resume();
      else close();
    },
    isFree: () => stage === 'free' && clock.mono() < freeUntil,
    destroy: () => void close(),
  };
  return connection;
}
