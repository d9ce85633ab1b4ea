/**
 * From an address to media: opens the connection and looks at what answers before a byte of it counts. What comes out
 * is a running body that begins like a stream, or the reason why there is none.
 */
import type { HlsWish } from '../domain/hlsWish.js';
import type { Clock } from '../io/clock.js';
import { TransportFault, type BodySink, type Transport, type TransportBody } from '../io/transport.js';
import { ENDED, refusalOfBody, refusalOfFault, refusalOfStatus, STALLED, type Refusal } from './refusal.js';

/** Enough for five sync bytes from any position inside a packet. */
const SNIFF_BYTES = 1024;
/** Where that is no media, so much more is looked at. */
const FURTHER_BYTES = 8 * 1024;
/** Of a refusal, that much is read, and waited for at most so long. */
const REFUSAL_BYTES = 256;
const REFUSAL_WAIT_MS = 2_000;

export interface UpstreamInput {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** From the request to the first bytes of media. */
  readonly firstByteTimeoutMs: number;
  /** For the case that it answers with a playlist. */
  readonly hls?: HlsWish;
}

/** What an answer shows of itself. */
export interface StreamStart {
  readonly first: Buffer;
  readonly isSession: boolean;
}

export interface LiveSink extends BodySink {
  /** Something is whole, and nothing more comes for a while: what waits for more has waited enough. */
  onWhole?(): void;
}

export interface LiveBody {
  /** What was read while looking; comes before what `flow` gives. */
  readonly first: Buffer;
  flow(sink: LiveSink): void;
  pause(): void;
  resume(): void;
  destroy(): void;
}

export type Opened =
  | { readonly kind: 'live'; readonly body: LiveBody; readonly start: StreamStart }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'aborted' };

export async function openUpstream(
  input: UpstreamInput,
  transport: Transport,
  clock: Clock,
  signal: AbortSignal,
  isMedia: (start: StreamStart) => boolean,
): Promise<Opened> {
  const until = clock.mono() + input.firstByteTimeoutMs;
  try {
    const response = await transport.open(input.url, {
      headers: input.headers,
      signal,
      headersTimeoutMs: input.firstByteTimeoutMs,
      live: true,
      ...(input.hls && { wish: input.hls }),
    });
    if (response.isSession) {
      const start = { first: Buffer.alloc(0), isSession: true };
      return { kind: 'live', body: { ...response.body, first: start.first }, start };
    }
    const fine = response.status >= 200 && response.status < 300;
    const leftMs = Math.max(0, until - clock.mono());
    const look = await readStart(
      response.body,
      fine ? { bytes: SNIFF_BYTES, waitMs: leftMs } : { bytes: REFUSAL_BYTES, waitMs: REFUSAL_WAIT_MS },
      clock,
    );
    if (signal.aborted) {
      response.body.destroy();
      return { kind: 'aborted' };
    }
    const start = { first: look.first, isSession: false };
    if (fine && isMedia(start)) return { kind: 'live', body: look, start };
    const further = fine && look.end === 'full' ? await lookFurther(look, clock) : null;
    if (further && isMedia({ ...start, first: further.first }))
      return { kind: 'live', body: further, start: { ...start, first: further.first } };
    response.body.destroy();
    if (signal.aborted) return { kind: 'aborted' };
    if (!fine) {
      const { status, headers } = response;
      return {
        kind: 'refused',
        refusal: refusalOfStatus({ status, headers, body: look.first }, clock.now()),
      };
    }
    return { kind: 'refused', refusal: whyNotMedia(look) };
  } catch (error) {
    if (!(error instanceof TransportFault)) throw error;
    if (signal.aborted) return { kind: 'aborted' };
    return { kind: 'refused', refusal: refusalOfFault(error) };
  }
}

/** Some pages complain on the way, and give the stream behind what they say. */
async function lookFurther(look: Start, clock: Clock): Promise<Start> {
  const more = await readStart(look, { bytes: FURTHER_BYTES, waitMs: REFUSAL_WAIT_MS }, clock);
  return { ...more, first: Buffer.concat([look.first, more.first]) };
}

/** How reading the start went: `full` as much as was asked for, `late` no more in time. */
type StartEnd = 'full' | 'late' | 'end' | TransportFault;

export interface Start extends LiveBody {
  readonly end: StartEnd;
}

function whyNotMedia(start: Start): Refusal {
  if (start.end instanceof TransportFault) return refusalOfFault(start.end);
  const refusal = refusalOfBody(start.first, start.end === 'end');
  // A few bytes that could still have become media: the connection is at fault, not the content.
  const cut = start.end !== 'full' && refusal.cause === 'not_media' && start.first.includes(0x47);
  if (!cut) return refusal;
  return start.end === 'end' ? ENDED : STALLED;
}

/**
 * Reads up to `bytes` of a body and leaves it paused there. The body's one `flow` is called here, so what comes later
 * goes to whoever calls `flow` of the result; what comes in between is kept.
 */
export function readStart(
  body: TransportBody,
  want: { readonly bytes: number; readonly waitMs: number },
  clock: Clock,
): Promise<Start> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let looking = true;
    let target: BodySink | null = null;
    let ending: 'end' | TransportFault | null = null;

    const timer = clock.after(want.waitMs, () => done('late'));
    function done(end: StartEnd): void {
      if (!looking) return;
      looking = false;
      timer.cancel();
      body.pause();
      resolve({
        first: Buffer.concat(chunks.splice(0)),
        end,
        flow(sink) {
          target = sink;
          for (const chunk of chunks.splice(0)) sink.onData(chunk);
          if (ending !== null) queueMicrotask(() => finish());
          else body.resume();
        },
        pause: () => body.pause(),
        resume: () => body.resume(),
        destroy() {
          target = null;
          body.destroy();
        },
      });
    }
    function finish(): void {
      if (ending === 'end') target?.onEnd();
      else if (ending !== null) target?.onFault(ending);
    }
    function over(how: 'end' | TransportFault): void {
      ending = how;
      if (looking) done(how);
      else finish();
    }

    body.flow({
      onData(chunk) {
        if (target) return target.onData(chunk);
        chunks.push(Buffer.from(chunk));
        bytes += chunk.length;
        if (bytes >= want.bytes) done('full');
      },
      onEnd: () => over('end'),
      onFault: over,
    });
  });
}
