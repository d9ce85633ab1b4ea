/**
 * The door to what answers in one breath: a request with a method and a body, and the whole of a small answer. Media
 * servers, webhooks and pictures go through here; streams and lists have `transport.ts`. Redirects are answers like any
 * other: whether a token may follow one is for the caller to say.
 */

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Secret like every address. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From the first byte out to the last byte in. */
  readonly timeoutMs: number;
  /** A longer answer is a `protocol` fault. */
  readonly bytesMax: number;
  /** Ends it at any moment, with kind `aborted`. */
  readonly signal?: AbortSignal;
}

export interface ExchangeAnswer {
  readonly status: number;
  /** Lower-case names; repeated headers joined by ', '. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Exchange {
  /**
   * Rejects with TransportFault: `connect` means that nothing was sent, `reset` and `timeout` that the other side may
   * have acted all the same. Messages name no address.
   */
  ask(request: ExchangeRequest): Promise<ExchangeAnswer>;
}
