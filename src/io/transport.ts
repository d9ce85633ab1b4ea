/**
 * The door to the network: one GET, its headers, and its body as the bytes come (no promise a chunk).
 * `open` resolves once the final headers are there (redirects followed, at most ten) and rejects with TransportFault.
 */
import type { HlsWish } from '../domain/hlsWish.js';

export interface TransportRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the connection at any moment; `open` then rejects with kind `aborted`, a running body ends with it. */
  readonly signal?: AbortSignal;
  /** Time to the final headers, monotonic. */
  readonly headersTimeoutMs: number;
  /**
   * The body lasts and comes in little pieces: they may be gathered for some hundredths of a second, and what `onData`
   * is given is valid during the call only.
   */
  readonly live?: boolean;
  /** It is one of many: its connection may be one of theirs, and `onData`'s bytes are valid during the call only. */
  readonly series?: AnswerSeries;
  /** Asked for every address on the way, redirects included. */
  readonly cookies?: CookieJar;
  /** What is wanted of a stream that is put together from many answers. */
  readonly wish?: HlsWish;
}

/** Answers that are asked for one after another, mostly of one server. */
export interface AnswerSeries {
  /** Of its own at once, free ones included. */
  readonly connectionsMax: number;
  /** Nothing more is asked: what is free is closed. */
  readonly over: AbortSignal;
}

export interface CookieJar {
  /** Of a `cookie` header, or ''. */
  headerFor(url: URL): string;
  /** Takes what a `set-cookie` header says. */
  take(url: URL, setCookie: string): void;
}

export interface BodySink {
  /**
   * Where the next bytes are wanted, so that they need not be copied there; null: anywhere. `onData` says what came, there or
   * elsewhere. It must last until the body has ended or is destroyed.
   */
  room?(): Buffer | null;
  onData(chunk: Buffer): void;
  /** The server ended the body as it should. */
  onEnd(): void;
  onFault(fault: TransportFault): void;
}

export interface TransportBody {
  /** Starts the flow; called once. Exactly one of `onEnd` and `onFault` follows, after which nothing comes. */
  flow(sink: BodySink): void;
  pause(): void;
  resume(): void;
  /** Closes the connection; no further call reaches the sink. */
  destroy(): void;
}

export interface TransportResponse {
  readonly status: number;
  /** Lower-case names; repeated headers joined by ', '. */
  readonly headers: Readonly<Record<string, string>>;
  /** The address that answered, after redirects. Secret like every URL. */
  readonly url: string;
  readonly body: TransportBody;
  /** The body is an HLS session of frames, made of many answers. */
  readonly isSession?: true;
}

export interface Transport {
  open(url: string, request: TransportRequest): Promise<TransportResponse>;
  /** Closes idle connections; for the end of the process. */
  close(): Promise<void>;
}

/**
 * `connect`: no connection (refused, unknown host, TLS). `reset`: it broke. `timeout`: no final headers in time.
 * `redirects`: more than ten, or to nowhere. `protocol`: not HTTP. `aborted`: our own signal.
 * `slow`: whoever listens does not keep up with others on the same connection.
 */
export type TransportFaultKind =
  'connect' | 'reset' | 'timeout' | 'redirects' | 'protocol' | 'aborted' | 'slow';

export class TransportFault extends Error {
  constructor(
    readonly kind: TransportFaultKind,
    message: string,
  ) {
    super(message);
    this.name = 'TransportFault';
  }
}

/** Reads a whole body, at most `bytesMax` of it; more is a `protocol` fault. */
export function readBody(body: TransportBody, bytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    body.flow({
      onData(chunk) {
        bytes += chunk.length;
        if (bytes > bytesMax) {
          body.destroy();
          reject(new TransportFault('protocol', `the answer is larger than ${bytesMax} bytes`));
          return;
        }
        chunks.push(Buffer.from(chunk));
      },
      onEnd: () => resolve(Buffer.concat(chunks, bytes)),
      onFault: reject,
    });
  });
}
