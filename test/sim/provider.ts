/**
 * A provider made from a seed: channels, what is on them for days, and the two lists, the guide and the streams that it
 * serves. It is without fault; what is on is known, so that what is recorded can be compared with it.
 */

import type { Clock } from '../../src/io/clock.js';
import { seededRandom, type Random } from '../../src/io/random.js';
import type { TransportRequest } from '../../src/io/transport.js';
import { UNIT_MS, unitOf } from './syntheticTs.js';
import type { Answer, Feed } from './virtualTransport.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const GUIDE_AHEAD_MS = 30 * HOUR_MS;
const GUIDE_BEHIND_MS = 3 * HOUR_MS;
/** The guide is another one this often. */
const GUIDE_NEW_MS = 6 * HOUR_MS;

export interface ProviderChannel {
  readonly number: number;
  readonly tvgId: string;
  readonly name: string;
}

export interface Showing {
  readonly channel: ProviderChannel;
  readonly startAt: number;
  readonly stopAt: number;
  readonly title: string;
  readonly category: string;
}

export interface ProviderOptions {
  readonly random: Random;
  readonly channels: number;
  readonly fromAt: number;
  readonly toAt: number;
  /** Share of the time that something is on. */
  readonly onAir: number;
  /** Whether one of the channels has an archive. */
  readonly archive: boolean;
}

export interface Provider {
  readonly channels: readonly ProviderChannel[];
  readonly showings: readonly Showing[];
  readonly catalogUrl: string;
  readonly m3uUrl: string;
  readonly guideUrl: string;
  answer(url: URL, request: TransportRequest): Answer;
}

const LENGTHS_MIN = [5, 10, 15, 20, 30, 30, 30, 45, 60, 60, 90, 120];
/** Few, so that the same title at the same minute is on two channels. */
const TITLES: readonly { readonly category: string; readonly titles: readonly string[] }[] = [
  { category: 'Sports', titles: ['Rovers vs United', 'Darts: Final', 'Snooker'] },
  { category: 'Movie', titles: ['The Long Night', 'A/B: Theory', 'Coast'] },
  { category: 'News', titles: ['News', 'News at the Hour'] },
  { category: 'Series', titles: ['Gardens & Homes', 'Der Förster', 'Quiz', 'Market', 'Cooking'] },
];

export function createProvider(clock: Clock, options: ProviderOptions): Provider {
  const { random } = options;
  const channels = Array.from({ length: options.channels }, (_, index) => ({
    number: index + 1,
    tvgId: `channel-${index + 1}.test`,
    name: `Channel ${index + 1}`,
  }));
  // Each channel has a chance of its own, so that what is on is the same however long the world lasts.
  const showings = channels.flatMap((channel) => {
    const own = seededRandom(Math.floor(random.fraction() * 2 ** 31));
    return [...schedule(channel, { ...options, random: own })];
  });
  /** Units of a channel begin at its own moment, so that not all chunks of the world come at once. */
  const phases = channels.map(() => Math.floor(random.fraction() * UNIT_MS));
  /** What is on follows time itself, whatever is done to the wall clock of the recorder. */
  const offset = clock.now() - clock.mono();
  const broadcast = () => offset + clock.mono();

  function live(channel: ProviderChannel): Answer {
    const phase = phases[channel.number - 1] ?? 0;
    return {
      status: 200,
      headers: { 'content-type': 'video/mp2t' },
      body(feed: Feed) {
        const number = (at: number) => Math.floor((at - phase) / UNIT_MS);
        let index = number(broadcast());
        feed.push(unitOf({ channel: channel.number, index }));
        const next = () => {
          index += 1;
          timer = clock.after(index * UNIT_MS + phase - broadcast(), () => {
            feed.push(unitOf({ channel: channel.number, index }));
            next();
          });
        };
        let timer = { cancel: () => {} };
        next();
        return () => timer.cancel();
      },
    };
  }

  /** What was on from one second to another, whole: a body with an end, of which a part may be asked for. */
  function archive(channel: ProviderChannel, fromS: number, toS: number, request: TransportRequest): Answer {
    const phase = phases[channel.number - 1] ?? 0;
    const units: Buffer[] = [];
    const until = Math.min(toS * 1000, broadcast());
    for (let index = Math.ceil((fromS * 1000 - phase) / UNIT_MS); index * UNIT_MS + phase < until; index += 1)
      units.push(unitOf({ channel: channel.number, index }));
    const body = Buffer.concat(units);
    const headers = { 'content-type': 'video/mp2t', etag: `"${channel.number}-${fromS}"` };
    const at = Number(/^bytes=(\d+)-$/.exec(request.headers?.['range'] ?? '')?.[1] ?? 0);
    if (at === 0) return { status: 200, headers: { ...headers, 'content-length': `${body.length}` }, body };
    if (at >= body.length) return { status: 416, body: Buffer.alloc(0) };
    const range = `bytes ${at}-${body.length - 1}/${body.length}`;
    return { status: 206, headers: { ...headers, 'content-range': range }, body: body.subarray(at) };
  }

  function guide(request: TransportRequest): Answer {
    const version = Math.floor(clock.now() / GUIDE_NEW_MS) * GUIDE_NEW_MS;
    const etag = `"${version}"`;
    if (request.headers?.['if-none-match'] === etag) return { status: 304, body: Buffer.alloc(0) };
    return { status: 200, headers: { etag }, body: Buffer.from(guideText(channels, showings, version)) };
  }

  return {
    channels,
    showings,
    catalogUrl: 'http://panel.test/catalog.json',
    m3uUrl: 'http://other.test/list.m3u',
    guideUrl: 'http://panel.test/guide.xml',
    answer(url, request) {
      if (url.pathname === '/catalog.json') return { status: 200, body: Buffer.from(catalogText(channels)) };
      if (url.pathname === '/list.m3u')
        return { status: 200, body: Buffer.from(listText(channels, options.archive)) };
      if (url.pathname === '/guide.xml') return guide(request);
      const [, from, to] = /^\/timeshift\/u\/p\/(\d+)-(\d+)\.ts$/.exec(url.pathname) ?? [];
      const kept = channels[ARCHIVED - 1];
      if (from !== undefined && kept) return archive(kept, Number(from), Number(to), request);
      const channel = channels[Number(/^\/live\/u\/p\/(\d+)\.ts$/.exec(url.pathname)?.[1] ?? 0) - 1];
      return channel ? live(channel) : { status: 404, body: Buffer.from('no such thing') };
    },
  };
}

function* schedule(channel: ProviderChannel, options: ProviderOptions): Generator<Showing> {
  const { random, fromAt, toAt, onAir } = options;
  const pick = <T>(list: readonly T[]): T => {
    const item = list[Math.floor(random.fraction() * list.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  };
  for (let at = fromAt + Math.floor(random.fraction() * 12) * 5 * MINUTE_MS; at < toAt;) {
    const lengthMs = pick(LENGTHS_MIN) * MINUTE_MS;
    if (random.fraction() < onAir) {
      const { category, titles } = pick(TITLES);
      yield { channel, startAt: at, stopAt: at + lengthMs, title: pick(titles), category };
    }
    at += lengthMs;
  }
}

function catalogText(channels: readonly ProviderChannel[]): string {
  return JSON.stringify({
    movies: [],
    series: [],
    live_channels: channels.map(({ number, tvgId, name }) => ({
      channel_id: `ch${number}`,
      guide_number: String(number),
      guide_name: name,
      tvg_id: tvgId,
      stream_url: `http://panel.test/live/u/p/${number}.ts`,
      group_title: 'Test',
    })),
  });
}

/** The channel that has an archive. */
export const ARCHIVED = 2;

/** Half of the channels once more, from elsewhere; one of them with an archive. */
const ARCHIVE = ' catchup="default" catchup-source="http://other.test/timeshift/u/p/{utc}-{utcend}.ts"';

function listText(channels: readonly ProviderChannel[], archive: boolean): string {
  const rows = channels
    .filter(({ number }) => number % 2 === 0)
    .map(
      ({ number, tvgId, name }) =>
        `#EXTINF:-1 tvg-id="${tvgId}" tvg-chno="${number}"${archive && number === ARCHIVED ? ARCHIVE : ''},${name} HD\nhttp://other.test/live/u/p/${number}.ts\n`,
    );
  return `#EXTM3U\n${rows.join('')}`;
}

function guideText(
  channels: readonly ProviderChannel[],
  showings: readonly Showing[],
  version: number,
): string {
  const heads = channels.map(
    ({ tvgId, name }) => `<channel id="${tvgId}"><display-name>${name}</display-name></channel>\n`,
  );
  const rows = showings
    .filter(({ startAt, stopAt }) => stopAt > version - GUIDE_BEHIND_MS && startAt < version + GUIDE_AHEAD_MS)
    .map(
      ({ channel, startAt, stopAt, title, category }) =>
        `<programme channel="${channel.tvgId}" start="${stamp(startAt)}" stop="${stamp(stopAt)}">` +
        `<title>${title.replaceAll('&', '&amp;')}</title><category>${category}</category></programme>\n`,
    );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<tv>\n${heads.join('')}${rows.join('')}</tv>\n`;
}

function stamp(at: number): string {
  return `${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)} +0000`;
}
