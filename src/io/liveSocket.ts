/**
 * The body of a live stream, read past the HTTP parser. The parser gets the head, byte for byte; what follows is read
 * into one buffer that all live streams share, freed of its chunked coding in place and handed on. Node would make a
 * buffer of its own for every read of every stream, and tens of megabytes a second of those keep the garbage collector
 * busier than everything else together (docs/decisions/0006).
 *
 * Reads are gathered: a stream that comes in little pieces is read twenty times a second, all streams in one turn. What
 * waits is in the kernel's buffer, which a reset leaves readable. What brings more in that time than such buffers are sure
 * to hold is read as it comes, so that neither a burst nor a fat stream is slowed; TLS gives no more than 16 KiB a read.
 */
import type { Socket } from 'node:net';
import { bodyFraming, type BodyFraming } from './bodyFraming.js';
import type { Clock } from './clock.js';

const GATHER_MS = 50;
const BUFFER_BYTES = 128 * 1024;
/** From here on it is read as it comes, up to the next turn. */
const GATHER_BYTES_MAX = 64 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n');
const INFORMATIONAL = /^HTTP\/1\.\d 1/;

/** Bytes of the body; valid during the call only. */
export type LiveData = (bytes: Buffer) => void;

/** `broken` with a system's or parser's word for it. */
export type LiveEnd = { readonly kind: 'end' } | { readonly kind: 'broken'; readonly code: string };

export interface LiveSockets {
  create(): LiveSocket;
}

export interface LiveSocket {
  /** For `net.connect`. */
  readonly onread: {
    readonly buffer: Buffer;
    readonly callback: (bytes: number, buffer: Uint8Array) => boolean;
  };
  attach(socket: Socket): void;
  /** The parser has the head: the body is wanted here from now on. It comes once `resume` is called. */
  takeBody(headers: Readonly<Record<string, string>>, onData: LiveData, onEnd: (how: LiveEnd) => void): void;
  /** The parser gets the body, too. */
  leaveBody(): void;
  pause(): void;
  resume(): void;
}

export function liveSockets(clock: Clock): LiveSockets {
  const shared = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  let waiting: (() => void)[] = [];

  /** One timer for all: they are read together. */
  function later(read: () => void): void {
    if (waiting.length === 0)
      clock.after(GATHER_MS, () => {
        const due = waiting;
        waiting = [];
        for (const each of due) each();
      });
    waiting.push(read);
  }

  return { create: () => liveSocket(shared, later) };
}

function liveSocket(shared: Buffer, later: (read: () => void) => void): LiveSocket {
  let stage: 'head' | 'deciding' | 'parser' | 'body' | 'over' = 'head';
  let socket: Socket | null = null;
  /** Of the head: how it begins, and its last bytes, in case its end is split. */
  let start = '';
  let tail = Buffer.alloc(0);
  /** What came with the head and belongs to the body. */
  let early: Buffer | null = null;
  let framing: BodyFraming = bodyFraming(200, {});
  let onData: LiveData = () => undefined;
  let onEnd: (how: LiveEnd) => void = () => undefined;
  let paused = true;
  let asked = false;
  /** Since the last turn. */
  let gatheredBytes = 0;

  function toParser(bytes: Buffer): void {
    // The Readable keeps it, and the buffer is needed again.
    if (bytes.length > 0) socket?.push(Buffer.from(bytes));
  }

  /** Gives the parser its head; true while more of it is to come. */
  function head(bytes: Buffer): boolean {
    let from = 0;
    for (;;) {
      const seen = Buffer.concat([tail, bytes.subarray(from)]);
      if (start.length < 16) start += seen.toString('latin1', tail.length, tail.length + 16);
      const end = seen.indexOf(HEAD_END);
      if (end < 0) {
        tail = seen.subarray(Math.max(0, seen.length - HEAD_END.length + 1));
        toParser(bytes.subarray(from));
        return true;
      }
      const next = from + end + HEAD_END.length - tail.length;
      toParser(bytes.subarray(from, next));
      from = next;
      tail = Buffer.alloc(0);
      const isFinal = !INFORMATIONAL.test(start);
      start = '';
      if (!isFinal) continue;
      stage = 'deciding';
      early = from < bytes.length ? Buffer.from(bytes.subarray(from)) : null;
      return false;
    }
  }

  function finish(how: LiveEnd): void {
    if (stage === 'over') return;
    stage = 'over';
    onEnd(how);
  }

  function deliver(bytes: Buffer): void {
    const own = framing.take(bytes);
    if (own.length > 0) onData(own);
    const state = framing.state();
    if (state === 'end') finish({ kind: 'end' });
    if (state === 'broken') finish({ kind: 'broken', code: 'CHUNKED_CODING' });
  }

  /** The connection has ended; whether the body has, its framing says. */
  function closed(code: string): void {
    if (stage !== 'body') return;
    const isEnd = framing.lastsAsConnection && code === '';
    finish(isEnd ? { kind: 'end' } : { kind: 'broken', code: code || 'CUT_OFF' });
  }

  function readOn(): void {
    asked = false;
    gatheredBytes = 0;
    if (stage === 'body' && !paused && socket && !socket.destroyed) socket.resume();
  }

  function ask(): void {
    if (asked) return;
    asked = true;
    later(readOn);
  }

  /** Whether to read on at once. */
  function goOn(): boolean {
    if (stage !== 'body' || paused) return false;
    ask();
    if (gatheredBytes < GATHER_BYTES_MAX) return false;
    // Of a read of several parts an earlier one may have stopped it.
    socket?.resume();
    return true;
  }

  return {
    onread: {
      buffer: shared,
      /** False stops reading. */
      callback(bytes) {
        const read = shared.subarray(0, bytes);
        switch (stage) {
          case 'head':
            return head(read);
          case 'deciding':
            early = Buffer.concat([early ?? Buffer.alloc(0), read]);
            return false;
          case 'parser':
            toParser(read);
            return true;
          case 'body':
            deliver(read);
            gatheredBytes += bytes;
            return goOn();
          case 'over':
            return false;
        }
      },
    },
    attach(connected) {
      socket = connected;
    },
    takeBody(headers, data, end) {
      if (stage !== 'deciding') throw new Error('the head is not over');
      stage = 'body';
      framing = bodyFraming(200, headers);
      onData = data;
      onEnd = end;
      socket?.prependListener('end', () => closed(''));
      socket?.prependListener('error', (error: Error & { code?: string }) =>
        closed(error.code ?? error.name),
      );
      socket?.prependListener('close', () => closed('CUT_OFF'));
    },
    leaveBody() {
      if (stage !== 'deciding') return;
      stage = 'parser';
      if (early) toParser(early);
      early = null;
      socket?.resume();
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      const first = early;
      early = null;
      if (first && stage === 'body') deliver(first);
      if (!paused) readOn();
    },
  };
}
