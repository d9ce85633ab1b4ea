/**
 * Where upstreams are, by the lists in use: address and headers when a capture opens, the accounts that a connection
 * counts against, the host that is charged for it. What is in here are logins; nothing of it goes into a snapshot.
 */

import type { Config } from '../config/config.js';
import { accountOf, type Account } from '../domain/account.js';
import { archiveUrls } from '../domain/archive.js';
import type { Capsule } from '../domain/capsule.js';
import type { Channel, UpstreamRef } from '../domain/channel.js';
import { zoneMinutesAt } from '../domain/panel.js';
import type { ListData } from '../domain/programme.js';
import { replayUrl } from '../domain/replayTemplate.js';
import type { Address } from './captures.js';

export interface Addresses {
  /** Null where no list has it. */
  resolve(ref: UpstreamRef): Address | null;
  /** Addresses of a programme that is over, by the template and by what the lists say of archives. */
  replays(capsule: Capsule, now: number): readonly Address[];
  /** Keys of the accounts that a connection to these counts against. */
  replayAccounts(capsule: Capsule): readonly string[];
  /** Keys of the accounts that a connection to it counts against; a relay's counts against the one behind it, too. */
  accountsOf(ref: UpstreamRef): readonly string[];
  /** Every account that the lists use. */
  accounts(): Iterable<Account>;
  /** Where an upstream is, lower case; '' where it is not known (any more). */
  place(ref: UpstreamRef): { readonly host: string; readonly hostPort: string };
}

/** Lists in use, by source. */
export type ListsInUse = ReadonlyMap<string, { readonly list: ListData | null }>;

/** Each list's channels by id, of rows with one id the first: thousands are asked for at every plan. */
const indexes = new WeakMap<ListData, ReadonlyMap<string, Channel>>();

function inList(list: ListData | null | undefined, channelId: string): Channel | undefined {
  if (!list) return undefined;
  const index =
    indexes.get(list) ?? new Map(list.channels.toReversed().map((each) => [each.channelId, each]));
  indexes.set(list, index);
  return index.get(channelId);
}

/** The account of each address of a channel, worked out once: all are asked for at every plan. */
const accountsKnown = new WeakMap<Channel, readonly Account[]>();

function accountsAt(channel: Channel): readonly Account[] {
  const accounts = accountsKnown.get(channel) ?? channel.urls.map((url) => accountOf(url));
  accountsKnown.set(channel, accounts);
  return accounts;
}

export function createAddresses(config: Config, sources: ListsInUse): Addresses {
  function find(ref: UpstreamRef): Channel | undefined {
    const own = inList(sources.get(ref.source)?.list, ref.channel);
    if (own) return own;
    // A list under a new address (a changed password) is another source, and still has the channel.
    return findAny(ref.channel);
  }

  function findAny(channelId: string): Channel | undefined {
    for (const { list } of sources.values()) {
      const channel = inList(list, channelId);
      if (channel) return channel;
    }
    return undefined;
  }

  function replays(capsule: Capsule, now: number): readonly Address[] {
    const { replayUrlTemplate } = config.how;
    const headers = { 'user-agent': config.sources.userAgent };
    const all = new Map<string, Address>();
    if (replayUrlTemplate !== null) {
      const url = replayUrl(replayUrlTemplate, capsule);
      all.set(url, { url, headers });
    }
    for (const ref of capsule.upstreams) {
      const channel = ref.source === 'relay' ? findAny(ref.channel) : find(ref);
      if (!channel) continue;
      const panel = sources.get(channel.source)?.list?.panel;
      const { startAt, stopAt } = capsule;
      const wish = { startAt, stopAt, now, zoneMinutes: panel ? zoneMinutesAt(panel, startAt) : 0 };
      for (const url of archiveUrls(channel, wish)) all.set(url, { url, headers: headersOf(channel) });
    }
    return [...all.values()];
  }

  function headersOf(channel: Channel): Address['headers'] {
    return {
      'user-agent': channel.userAgent || config.sources.userAgent,
      ...(channel.referrer !== '' && { referer: channel.referrer }),
    };
  }

  return {
    resolve(ref) {
      if (ref.source === 'relay') {
        const base = config.sources.streamBaseUrl;
        if (base === null) return null;
        return {
          url: `${base}/stream/${encodeURIComponent(ref.channel)}`,
          headers: { 'user-agent': config.sources.userAgent },
        };
      }
      const channel = find(ref);
      const url = channel?.urls[ref.index];
      if (!channel || url === undefined) return null;
      return { url, headers: headersOf(channel) };
    },
    replays,
    replayAccounts: (capsule) => [
      ...new Set(replays(capsule, capsule.stopAt).map(({ url }) => accountOf(url).key)),
    ],
    accountsOf(ref) {
      const { streamBaseUrl } = config.sources;
      const isRelay = ref.source === 'relay';
      const channel = isRelay ? findAny(ref.channel) : find(ref);
      const behind = channel && accountsAt(channel)[isRelay ? 0 : ref.index]?.key;
      const relay = isRelay && streamBaseUrl !== null ? accountOf(streamBaseUrl).key : undefined;
      return [...new Set([relay, behind].flatMap((key) => key ?? []))];
    },
    *accounts() {
      for (const { list } of sources.values())
        for (const channel of list?.channels ?? []) yield* accountsAt(channel);
      if (config.sources.streamBaseUrl !== null) yield accountOf(config.sources.streamBaseUrl);
    },
    place(ref) {
      const address = ref.source === 'relay' ? config.sources.streamBaseUrl : find(ref)?.urls[ref.index];
      const url = URL.canParse(address ?? '') ? new URL(address ?? '') : null;
      if (url === null) return { host: '', hostPort: '' };
      const port = url.port || (url.protocol === 'https:' ? '443' : '80');
      return { host: url.hostname.toLowerCase(), hostPort: `${url.hostname.toLowerCase()}:${port}` };
    },
  };
}
