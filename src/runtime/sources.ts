/**
 * The lists and guides in use: loaded for `machines/guide.ts`, adopted on its word, kept on disk as the last good ones,
 * and asked for addresses when a capture opens. P5: what is in use goes only when something better has been accepted.
 */

import { join } from 'node:path';
import type { GuideOutcome } from '../../machines/guide.js';
import type { Config } from '../config/config.js';
import { accountOf, type Account } from '../domain/account.js';
import { type Channel, type SourceRef, type UpstreamRef } from '../domain/channel.js';
import { CodedError } from '../domain/errors.js';
import { listCounts, type GateCounts } from '../domain/gate.js';
import type { Aliases } from '../domain/match.js';
import type { GuideData, ListData } from '../domain/programme.js';
import { redactText } from '../domain/redact.js';
import { sha1hex } from '../domain/sha1.js';
import { parseAliases } from '../guide/aliases.js';
import { parseCatalog } from '../guide/catalog.js';
import { fetchSource, NO_VALIDATORS, shownLocation, type Validators } from '../guide/fetchSource.js';
import { parseM3u } from '../guide/m3u.js';
import { pause } from '../io/clock.js';
import { diskCode } from '../io/disk.js';
import { replaceFile } from '../io/replaceFile.js';
import { readSecrets, writeSecrets } from '../store/secrets.js';
import type { Address } from './captures.js';
import type { Doors } from './doors.js';

/** Programmes are kept this far past the horizon, so that the plan sees successors and moves. */
const MARGIN_MS = 24 * 3_600_000;
/** A parsed window older than this is cut anew from the file on disk. */
const WINDOW_MS_MAX = 6 * 3_600_000;
/** A capture waits this long for a list that is on its way. */
const LIST_WAIT_MS_MAX = 10_000;
const LIST_BYTES_MAX = 256 * 2 ** 20;

interface Source {
  readonly ref: SourceRef;
  validators: Validators;
  counts: GateCounts | null;
  list: ListData | null;
  guide: GuideData | null;
  parsedAt: number;
  /** Reads what an earlier life left; a load waits for it. */
  restored: Promise<void>;
  /** Resolves when its first load has come to something, good or bad. */
  readonly looked: Promise<void>;
  readonly onLooked: () => void;
}

interface Loaded {
  readonly sourceId: string;
  readonly validators: Validators;
  readonly counts: GateCounts;
  readonly list: ListData | null;
  readonly guide: GuideData | null;
  readonly at: number;
}

export interface Sources {
  /** Starts to read the last good copies; what is configured but new has none. */
  restore(): void;
  refs(): readonly SourceRef[];
  counts(sourceId: string): GateCounts | null;
  /** Entries given up by the parser, by reason. */
  skipped(sourceId: string): Readonly<Record<string, number>>;
  restored(sourceId: string): Promise<void>;
  load(sourceId: string, signal: AbortSignal): Promise<GuideOutcome>;
  adopt(sourceId: string, token: number): void;
  drop(token: number): void;
  /** Guides that lists name and that are not known yet become sources when none is configured. */
  channels(): readonly Channel[];
  guides(): readonly GuideData[];
  aliases(): Aliases | undefined;
  /** Null where no list has it. */
  resolve(ref: UpstreamRef): Address | null;
  /**
   * Right after a start lists may still be on their way: resolves when the one that is named is there or has failed,
   * so that what goes on after a restart is not told that its channel is gone. `signal` ends the wait.
   */
  known(ref: UpstreamRef, signal: AbortSignal): Promise<void>;
  /** Keys of the accounts that a connection to it counts against; a relay's counts against the one behind it, too. */
  accountsOf(ref: UpstreamRef): readonly string[];
  /** Every account that the lists use. */
  accounts(): Iterable<Account>;
  /** Where an upstream is, lower case; '' where it is not known (any more). */
  place(ref: UpstreamRef): { readonly host: string; readonly hostPort: string };
  /** The configuration has changed: what is new is a source now, what is gone is none any more. */
  reconfigured(): void;
  /** Resolves when everything adopted is on disk. */
  settled(): Promise<void>;
}

export function sourceRef(kind: SourceRef['kind'], location: string): SourceRef {
  return { id: `${kind}-${sha1hex(`${kind} ${location}`).slice(0, 8)}`, kind, location };
}

export function configuredSources(config: Config): SourceRef[] {
  const { catalog, m3u, xmltv } = config.sources;
  return [
    ...catalog.map((location) => sourceRef('catalog', location)),
    ...m3u.map((location) => sourceRef('m3u', location)),
    ...xmltv.map((location) => sourceRef('xmltv', location)),
  ];
}

export function createSources(
  config: Config,
  privateFolder: string,
  doors: Doors,
  onChange: (sourceId: string) => void,
): Sources {
  const { disk, clock, log } = doors;
  const folder = join(privateFolder, 'guide');
  const sources = new Map<string, Source>();
  const pending = new Map<number, Loaded>();
  let tokens = 0;
  /** Last good copies are wanted: not in a survey of what the sources answer now. */
  let restoring = false;
  let aliases: Aliases | undefined;
  let writes: Promise<unknown> = Promise.resolve();

  for (const ref of configuredSources(config)) add(ref);

  function add(ref: SourceRef): Source {
    let onLooked: () => void = () => undefined;
    const looked = new Promise<void>((resolve) => (onLooked = resolve));
    const source: Source = {
      ref,
      validators: NO_VALIDATORS,
      counts: null,
      list: null,
      guide: null,
      parsedAt: 0,
      restored: Promise.resolve(),
      looked,
      onLooked,
    };
    sources.set(ref.id, source);
    return source;
  }

  const path = (id: string, ending: string) => join(folder, `${id}.${ending}`);

  /** Without a configured guide, the addresses that the lists themselves name are taken. */
  function followLists(): void {
    if (config.sources.xmltv.length > 0) return;
    for (const { list } of sources.values())
      for (const url of list?.guideUrls ?? []) {
        const ref = sourceRef('xmltv', url);
        if (!sources.has(ref.id)) restoreLater(add(ref));
      }
  }

  /** A guide that a list names has a last good copy as well as one that is configured. */
  function restoreLater(source: Source): void {
    if (restoring) source.restored = restoreGuide(source).catch(noteLostGuide);
  }

  function write(what: string, task: () => Promise<unknown>): void {
    writes = writes.then(task).catch((error: unknown) => {
      log.error({ what, code: diskCode(error) }, 'the last good copy of a source could not be stored');
    });
  }

  async function restoreLists(): Promise<void> {
    for (const [id, list] of Object.entries(await readSecrets(disk, privateFolder))) {
      const source = sources.get(id);
      if (!source || source.list) continue;
      source.list = list;
      source.counts = listCounts(list);
      followLists();
      onChange(id);
    }
  }

  async function restoreGuide(source: Source): Promise<void> {
    const kept = await disk.readFile(path(source.ref.id, 'json')).catch(() => null);
    if (kept === null) return;
    const meta = JSON.parse(kept.toString()) as { counts: GateCounts; validators: Validators };
    source.counts = meta.counts;
    const guide = await parseWindow(path(source.ref.id, 'xml'));
    if (source.guide) return;
    source.guide = guide;
    source.parsedAt = clock.now();
    source.validators = meta.validators;
    onChange(source.ref.id);
  }

  function parseWindow(file: string): Promise<GuideData> {
    const now = clock.now();
    return doors.parse.guide({
      path: file,
      fromAt: now - MARGIN_MS,
      toAt: now + config.what.horizonMs + MARGIN_MS,
      timezone: config.sources.guideTimezone,
    });
  }

  async function loadAliases(): Promise<void> {
    if (config.sources.aliasesFile === null) return;
    const file = config.sources.aliasesFile;
    try {
      aliases = parseAliases(await disk.readFile(file));
    } catch (error) {
      log.error({ path: file, code: codeOf(error) }, 'the alias file cannot be used');
    }
  }

  async function fetchAndParse(source: Source, signal: AbortSignal): Promise<Loaded | 'unchanged'> {
    const { ref } = source;
    const next = path(ref.id, 'next');
    await disk.mkdir(folder, 0o700);
    await loadAliases();
    const fetched = await fetchSource(ref, source.validators, next, {
      disk,
      transport: doors.transport,
      userAgent: config.sources.userAgent,
      signal,
    });
    const at = clock.now();
    if (fetched.kind === 'unchanged') {
      if (source.guide === null || at - source.parsedAt < WINDOW_MS_MAX) return 'unchanged';
      const guide = await parseWindow(path(ref.id, 'xml'));
      source.guide = guide;
      source.parsedAt = at;
      onChange(ref.id);
      return 'unchanged';
    }
    const base = { sourceId: ref.id, validators: fetched.validators, at };
    if (ref.kind === 'xmltv') {
      const guide = await parseWindow(next);
      const { channels, programmes, lastStopAt, partial } = guide.counts;
      return { ...base, list: null, guide, counts: { channels, programmes, lastStopAt, partial } };
    }
    const { bytes } = await disk.stat(next);
    if (bytes > LIST_BYTES_MAX)
      throw new CodedError('list_unreadable', `larger than ${LIST_BYTES_MAX} bytes`);
    const parse = ref.kind === 'catalog' ? parseCatalog : parseM3u;
    const list = parse(await disk.readFile(next), {
      source: ref.id,
      includeAdult: config.what.includeAdult,
    });
    return { ...base, list, guide: null, counts: listCounts(list) };
  }

  return {
    restore() {
      restoring = true;
      const lists = restoreLists().catch((error: unknown) => noteLost('the last good lists', error));
      for (const source of sources.values())
        source.restored = source.ref.kind === 'xmltv' ? restoreGuide(source).catch(noteLostGuide) : lists;
    },
    refs: () => [...sources.values()].map(({ ref }) => ref),
    counts: (id) => sources.get(id)?.counts ?? null,
    skipped: (id) => sources.get(id)?.list?.skipped ?? sources.get(id)?.guide?.counts.skipped ?? {},
    restored: (id) => sources.get(id)?.restored ?? Promise.resolve(),
    async load(sourceId, signal) {
      const source = sources.get(sourceId);
      if (!source) return { kind: 'unchanged', at: clock.now() };
      await source.restored;
      try {
        const loaded = await fetchAndParse(source, signal);
        if (loaded === 'unchanged') {
          source.onLooked();
          return { kind: 'unchanged', at: clock.now() };
        }
        pending.set((tokens += 1), loaded);
        source.validators = loaded.validators;
        return { kind: 'loaded', at: clock.now(), token: tokens, counts: loaded.counts };
      } catch (error) {
        source.onLooked();
        if (!(error instanceof CodedError)) throw error;
        return { kind: 'failed', at: clock.now(), code: error.code, detail: detailOf(source.ref, error) };
      }
    },
    adopt(sourceId, token) {
      const source = sources.get(sourceId);
      const loaded = pending.get(token);
      pending.delete(token);
      if (!source || !loaded) return;
      source.counts = loaded.counts;
      if (loaded.list) {
        source.list = loaded.list;
        followLists();
        write(sourceId, async () => {
          await writeSecrets(disk, privateFolder, lists());
          await disk.unlink(path(sourceId, 'next'));
        });
      }
      if (loaded.guide) {
        source.guide = loaded.guide;
        source.parsedAt = loaded.at;
        const { counts, validators } = loaded;
        write(sourceId, async () => {
          await disk.rename(path(sourceId, 'next'), path(sourceId, 'xml'));
          await replaceFile(
            disk,
            path(sourceId, 'json'),
            Buffer.from(JSON.stringify({ counts, validators })),
            {
              mode: 0o600,
            },
          );
        });
      }
      source.onLooked();
      onChange(sourceId);
    },
    drop(token) {
      const source = sources.get(pending.get(token)?.sourceId ?? '');
      source?.onLooked();
      pending.delete(token);
      // Asked for unconditionally the next time: behind a 304 it would never be judged again.
      if (source) source.validators = NO_VALIDATORS;
    },
    channels: () => [...sources.values()].flatMap(({ list }) => list?.channels ?? []),
    guides: () => [...sources.values()].flatMap(({ guide }) => guide ?? []),
    aliases: () => aliases,
    async known(ref, signal) {
      const source = sources.get(ref.source);
      await source?.restored;
      if (!source || source.list) return;
      const over = new AbortController();
      const end = AbortSignal.any([signal, over.signal]);
      await Promise.race([source.looked, pause(clock, LIST_WAIT_MS_MAX, end)]);
      over.abort();
    },
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
      return {
        url,
        headers: {
          'user-agent': channel.userAgent || config.sources.userAgent,
          ...(channel.referrer !== '' && { referer: channel.referrer }),
        },
      };
    },
    accountsOf(ref) {
      const { streamBaseUrl } = config.sources;
      const behind = ref.source === 'relay' ? findAny(ref.channel)?.urls[0] : find(ref)?.urls[ref.index];
      const urls = [...(ref.source === 'relay' && streamBaseUrl !== null ? [streamBaseUrl] : []), behind];
      return [...new Set(urls.flatMap((url) => (url === undefined ? [] : accountOf(url).key)))];
    },
    *accounts() {
      for (const { list } of sources.values())
        for (const { urls } of list?.channels ?? []) for (const url of urls) yield accountOf(url);
      if (config.sources.streamBaseUrl !== null) yield accountOf(config.sources.streamBaseUrl);
    },
    place(ref) {
      const address = ref.source === 'relay' ? config.sources.streamBaseUrl : find(ref)?.urls[ref.index];
      const url = URL.canParse(address ?? '') ? new URL(address ?? '') : null;
      if (url === null) return { host: '', hostPort: '' };
      const port = url.port || (url.protocol === 'https:' ? '443' : '80');
      return { host: url.hostname.toLowerCase(), hostPort: `${url.hostname.toLowerCase()}:${port}` };
    },
    reconfigured() {
      const wanted = configuredSources(config);
      const ids = new Set(wanted.map(({ id }) => id));
      for (const id of sources.keys()) if (!ids.has(id)) sources.delete(id);
      for (const ref of wanted) if (!sources.has(ref.id)) add(ref);
      followLists();
    },
    settled: () => writes.then(() => undefined),
  };

  function lists(): Record<string, ListData> {
    return Object.fromEntries(
      [...sources.values()].flatMap(({ ref, list }) => (list ? [[ref.id, list] as const] : [])),
    );
  }

  function find(ref: UpstreamRef): Channel | undefined {
    const own = sources.get(ref.source)?.list?.channels.find(({ channelId }) => channelId === ref.channel);
    if (own) return own;
    // A list under a new address (a changed password) is another source, and still has the channel.
    return findAny(ref.channel);
  }

  function findAny(channelId: string): Channel | undefined {
    for (const { list } of sources.values()) {
      const channel = list?.channels.find((each) => each.channelId === channelId);
      if (channel) return channel;
    }
    return undefined;
  }

  function noteLostGuide(error: unknown): void {
    noteLost('the last good guide', error);
  }

  function noteLost(what: string, error: unknown): void {
    log.warn({ code: codeOf(error) }, `${what} could not be read; waiting for the sources`);
  }
}

function codeOf(error: unknown): string {
  return error instanceof CodedError ? error.code : diskCode(error);
}

/** Names the place whatever the parser said, without its login, and without what would upset a terminal. */
function detailOf(ref: SourceRef, { detail }: CodedError): string {
  const place = shownLocation(ref);
  const said = redactText(detail).replace(/\p{C}/gu, '?');
  return said.includes(place) ? said : `${place}: ${said}`;
}
