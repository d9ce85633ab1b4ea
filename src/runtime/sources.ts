/**
 * The lists and guides in use: loaded for `machines/guide.ts`, adopted on its word, kept on disk as the last good ones,
 * and asked for addresses when a capture opens. P5: what is in use goes only when something better has been accepted.
 */

import { join } from 'node:path';
import type { GuideOutcome } from '../../machines/guide.js';
import type { Config } from '../config/config.js';
import type { Channel, SourceRef, UpstreamRef } from '../domain/channel.js';
import { CodedError } from '../domain/errors.js';
import { listCounts, type GateCounts } from '../domain/gate.js';
import type { Aliases } from '../domain/match.js';
import type { PanelFacts } from '../domain/panel.js';
import type { ListData } from '../domain/programme.js';
import { NO_VALIDATORS, type Validators } from '../guide/fetchSource.js';
import { pause } from '../io/clock.js';
import { createAddresses, type Addresses } from './addresses.js';
import type { Doors } from './doors.js';
import { createLastGood } from './lastGood.js';
import type { KeptGuide } from './planner.js';
import { codeOf, createSourceLoading, detailOf, type Loaded } from './sourceLoading.js';
import { configuredSources, sourceRef } from './sourceRefs.js';

/** A parsed window older than this is cut anew from the file on disk. */
const WINDOW_MS_MAX = 6 * 3_600_000;
/** A capture waits this long for a list that is on its way. */
const LIST_WAIT_MS_MAX = 10_000;
interface Source {
  readonly ref: SourceRef;
  validators: Validators;
  counts: GateCounts | null;
  list: ListData | null;
  /** It was read from a damaged copy: what it does not have may be there, and what it says may be wrong. */
  listDoubted: boolean;
  guide: KeptGuide | null;
  parsedAt: number;
  /** Reads what an earlier life left; a load waits for it. */
  restored: Promise<void>;
  /** Resolves when its first load has come to something, good or bad. */
  readonly looked: Promise<void>;
  readonly onLooked: () => void;
}

export interface Sources extends Addresses {
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
  /** Guides in use, by the numbers that the planner keeps them under. */
  guides(): readonly number[];
  /** Whether a guide in use knows what is on then. */
  covers(at: number): boolean;
  /** Every list, with what it said last. */
  lists(): ReadonlyMap<string, { readonly ref: SourceRef; readonly list: ListData | null }>;
  /** What the panel behind a list says of its account just now; null where there is none, or no answer. */
  facts(ref: SourceRef, signal: AbortSignal): Promise<PanelFacts | null>;
  aliases(): Aliases | undefined;
  /**
   * Right after a start lists may still be on their way: resolves when the one that is named is there or has failed,
   * so that what goes on after a restart is not told that its channel is gone. `signal` ends the wait.
   */
  known(ref: UpstreamRef, signal: AbortSignal): Promise<void>;
  /** The configuration has changed: what is new is a source now, what is gone is none any more. */
  reconfigured(): void;
  /** Resolves when everything adopted is on disk. */
  settled(): Promise<void>;
}

export function createSources(
  config: Config,
  privateFolder: string,
  doors: Doors,
  onChange: (sourceId: string) => void,
): Sources {
  const { clock, log } = doors;
  const folder = join(privateFolder, 'guide');
  const loading = createSourceLoading(config, folder, doors);
  const lastGood = createLastGood(privateFolder, folder, doors);
  const sources = new Map<string, Source>();
  const pending = new Map<number, Loaded>();
  let tokens = 0;
  /** Last good copies are wanted: not in a survey of what the sources answer now. */
  let restoring = false;

  for (const ref of configuredSources(config)) add(ref);

  function add(ref: SourceRef): Source {
    let onLooked: () => void = () => undefined;
    const looked = new Promise<void>((resolve) => (onLooked = resolve));
    const source: Source = {
      ref,
      validators: NO_VALIDATORS,
      counts: null,
      list: null,
      listDoubted: false,
      guide: null,
      parsedAt: 0,
      restored: Promise.resolve(),
      looked,
      onLooked,
    };
    sources.set(ref.id, source);
    return source;
  }

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

  async function restoreLists(): Promise<void> {
    const { lists, damaged } = await lastGood.readLists();
    for (const [id, list] of Object.entries(lists)) {
      const source = sources.get(id);
      if (!source || source.list) continue;
      source.list = list;
      source.listDoubted = damaged;
      source.counts = listCounts(list);
      followLists();
      onChange(id);
    }
  }

  async function restoreGuide(source: Source): Promise<void> {
    const meta = await lastGood.readGuide(source.ref.id);
    if (meta === null) return;
    source.counts = meta.counts;
    const guide = await loading.readWindow(lastGood.guidePath(source.ref.id));
    if (source.guide) return doors.planner.release(guide.number);
    use(source, guide, clock.now());
    source.validators = meta.validators;
    onChange(source.ref.id);
  }

  /** The same file says more as time goes on: what was cut from it is cut anew now and then. */
  async function renewWindow(source: Source, at: number): Promise<void> {
    if (source.guide === null || Math.abs(at - source.parsedAt) < WINDOW_MS_MAX) return;
    use(source, await loading.readWindow(lastGood.guidePath(source.ref.id)), at);
    onChange(source.ref.id);
  }

  function use(source: Source, guide: KeptGuide, at: number): void {
    if (source.guide) doors.planner.release(source.guide.number);
    source.guide = guide;
    source.parsedAt = at;
  }

  doors.planner.onLost(() => {
    log.error('the thread that keeps the guides was lost; they are read again');
    for (const source of sources.values()) {
      if (source.guide === null) continue;
      source.guide = null;
      source.validators = NO_VALIDATORS;
      source.restored = restoreGuide(source).catch(noteLostGuide);
    }
  });

  return {
    ...createAddresses(config, sources),
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
        const beside = source.guide?.number ?? null;
        const found = await loading.load(source.ref, source.validators, beside, signal);
        if (found === 'unchanged') {
          await renewWindow(source, clock.now());
          source.onLooked();
          return { kind: 'unchanged', at: clock.now() };
        }
        pending.set((tokens += 1), found);
        source.validators = found.validators;
        return { kind: 'loaded', at: clock.now(), token: tokens, counts: found.counts };
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
      if (!source && loaded?.guide) doors.planner.release(loaded.guide.number);
      if (!source || !loaded) return;
      source.counts = loaded.counts;
      if (loaded.list) {
        source.list = loaded.list;
        source.listDoubted = false;
        followLists();
        lastGood.keepLists(sourceId, listsById);
      }
      if (loaded.guide) {
        use(source, loaded.guide, loaded.at);
        const { counts, validators } = loaded;
        lastGood.keepGuide(sourceId, { counts, validators });
      }
      source.onLooked();
      onChange(sourceId);
    },
    drop(token) {
      const loaded = pending.get(token);
      const source = sources.get(loaded?.sourceId ?? '');
      source?.onLooked();
      pending.delete(token);
      if (loaded?.guide) doors.planner.release(loaded.guide.number);
      // Asked for unconditionally the next time: behind a 304 it would never be judged again.
      if (source) source.validators = NO_VALIDATORS;
    },
    channels: () => [...sources.values()].flatMap(({ list }) => list?.channels ?? []),
    guides: () => [...sources.values()].flatMap(({ guide }) => guide?.number ?? []),
    covers: (at) =>
      [...sources.values()].some(
        ({ guide, counts }) =>
          guide !== null &&
          counts !== null &&
          at >= (counts.firstStartAt ?? Infinity) &&
          at < counts.lastStopAt,
      ),
    lists: () => sources,
    facts: loading.facts,
    aliases: loading.aliases,
    async known(ref, signal) {
      const source = sources.get(ref.source);
      await source?.restored;
      if (!source || (source.list && !source.listDoubted)) return;
      const over = new AbortController();
      const end = AbortSignal.any([signal, over.signal]);
      await Promise.race([source.looked, pause(clock, LIST_WAIT_MS_MAX, end)]);
      over.abort();
    },
    reconfigured() {
      const wanted = configuredSources(config);
      const ids = new Set(wanted.map(({ id }) => id));
      for (const [id, { guide }] of sources) {
        if (ids.has(id)) continue;
        if (guide) doors.planner.release(guide.number);
        sources.delete(id);
      }
      for (const ref of wanted) if (!sources.has(ref.id)) add(ref);
      followLists();
    },
    settled: () => lastGood.settled(),
  };

  function listsById(): Record<string, ListData> {
    return Object.fromEntries(
      [...sources.values()].flatMap(({ ref, list }) => (list ? [[ref.id, list] as const] : [])),
    );
  }

  function noteLostGuide(error: unknown): void {
    noteLost('the last good guide', error);
  }

  function noteLost(what: string, error: unknown): void {
    log.warn({ code: codeOf(error) }, `${what} could not be read; waiting for the sources`);
  }
}
