/**
 * A transport that understands playlists: where an address answers with one, the body that comes out is a whole session
 * (`hlsSession.ts`). What it is shows in its first bytes; content types and endings of addresses lie (PROTOCOLS §5.1).
 */
import type { Clock } from '../io/clock.js';
import type { Transport, TransportBody, TransportResponse } from '../io/transport.js';
import { turns } from '../io/turns.js';
import { cookieJar } from './cookies.js';
import { readWhole, textOf } from './hlsFetch.js';
import { isPacked, looksLikePlaylist } from './hlsPlaylist.js';
import { hlsSession } from './hlsSession.js';
import { PLAYLIST_BYTES_MAX } from './hlsSource.js';
import { readStart, type LiveBody } from './upstream.js';

/**
 * Sessions on one provider hear of new segments at the same moment, and all of them at once would fill the memory; so a
 * few load at a time. Nobody waits long for a host that is slow.
 */
const LOADED_AT_ONCE = 8;
const LOADING_MS = 500;
const LOOK_BYTES = 10;
/** Of a packed answer: its header may carry a name of the file. */
const PACKED_LOOK_BYTES = 1_024;

export function hlsTransport(transport: Transport, clock: Clock): Transport {
  const loading = turns(clock, LOADED_AT_ONCE, LOADING_MS);
  return {
    async open(url, request): Promise<TransportResponse> {
      const askedMono = clock.mono();
      const cookies = cookieJar();
      const response = await transport.open(url, { ...request, cookies });
      const { wish, headers = {} } = request;
      if (!wish || response.status < 200 || response.status > 299) return response;
      const leftMs = Math.max(0, request.headersTimeoutMs - (clock.mono() - askedMono));
      const look = await readStart(response.body, { bytes: LOOK_BYTES, waitMs: leftMs }, clock);
      const start = isPacked(look.first) ? await lookInto(look, leftMs, clock) : look;
      const body = withStart(start);
      if (!looksLikePlaylist(start.first)) return { ...response, body };
      const { parts } = await readWhole(body, PLAYLIST_BYTES_MAX, clock, false);
      const text = textOf(parts, PLAYLIST_BYTES_MAX);
      const first = { text, url: response.url, askedMono };
      const session = hlsSession({ url, first, headers, wish, transport, cookies, clock, turns: loading });
      request.signal?.addEventListener('abort', () => session.destroy(), { once: true });
      if (request.signal?.aborted) session.destroy();
      return { ...response, body: session, isSession: true };
    },
    close: () => transport.close(),
  };
}

/** As much more of a packed answer as shows what is in it. */
function lookInto(look: LiveBody, waitMs: number, clock: Clock): Promise<LiveBody> {
  return readStart(withStart(look), { bytes: PACKED_LOOK_BYTES, waitMs }, clock);
}

/** What was read while looking comes first. */
function withStart(start: LiveBody): TransportBody {
  return {
    flow(sink) {
      if (start.first.length > 0) sink.onData(start.first);
      start.flow(sink);
    },
    pause: () => start.pause(),
    resume: () => start.resume(),
    destroy: () => start.destroy(),
  };
}
