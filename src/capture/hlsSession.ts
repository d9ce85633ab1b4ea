/**
 * An HLS stream as one body of frames: the playlist is followed as RFC 8216 §6.3 has it, and its segments are given out in
 * order, each whole. One that cannot be had is lost time of its own length while the rest goes on (P1, P4). It ends with
 * the reason why it does.
 */
import { follow, reloadMs, segmentId, standstillMs, startCursor } from '../domain/hlsCursor.js';
import type { Cursor, Followed, Step } from '../domain/hlsCursor.js';
import type { MediaPlaylist, Segment } from '../domain/hlsPlaylist.js';
import type { HlsWish } from '../domain/hlsWish.js';
import { pause, type Clock } from '../io/clock.js';
import type { CookieJar, Transport, TransportBody } from '../io/transport.js';
import type { Turns } from '../io/turns.js';
import { hlsFetch } from './hlsFetch.js';
import { frameHead, type HlsFrame } from './hlsFrames.js';
import { hlsOutlet } from './hlsOutlet.js';
import { hlsSegments, signatureOf, type LoadedSegment } from './hlsSegment.js';
import { dropBlocks } from './lentBlocks.js';
import { hlsSource, type HlsSourceInput } from './hlsSource.js';
import { BUG, ENDED, STALLED, type Refusal } from './refusal.js';

const SEGMENT_WAITS_MS = [300, 1_000, 2_000];
/** For what is not there (yet): once more, and soon. */
const MISSING_WAIT_MS_MAX = 2_000;
/** Some list what they are still making: the newest ones come no later than so many of their lengths after that. */
const NEWEST = 2;
const NEWEST_WAIT = 1.5;
const PLAYLIST_WAIT_MS_MIN = 300;
/** A playlist that is refused so often in a row is gone. */
const REFUSALS_MAX = 3;
const SIGNATURES_MAX = 32;
const REQUESTS_MAX = 3;
const AHEAD = 2;
/** For time that is lost: there is nothing to load. */
const NOTHING: Promise<LoadedSegment> = Promise.resolve({ kind: 'aborted' });

export interface HlsSessionInput extends Pick<HlsSourceInput, 'url' | 'first'> {
  readonly headers: Readonly<Record<string, string>>;
  readonly wish: HlsWish;
  readonly transport: Transport;
  readonly cookies: CookieJar;
  readonly clock: Clock;
  /** Of all sessions. */
  readonly turns: Turns;
}

type Planned = Step & {
  readonly suspect: boolean;
  /** Until then it may come to be there, monotonic. */
  readonly mayComeUntil: number;
};

export function hlsSession(input: HlsSessionInput): TransportBody {
  const { clock, wish } = input;
  let wake: () => void = () => undefined;
  const stopping = new AbortController();
  const { signal } = stopping;
  const outlet = hlsOutlet(() => {
    stopping.abort();
    wake();
  });
  const requestsMax = wish.oneAtATime ? 1 : REQUESTS_MAX;
  const fetch = hlsFetch({ ...input, signal, requestsMax });
  const segments = hlsSegments(fetch);
  const { quality } = wish;
  const source = hlsSource({ ...input, quality, mark: wish.cursor?.variant ?? null, fetch });

  const todo: Planned[] = [];
  /** Signatures of the last segments by their numbers. */
  const had = new Map<number, string>();
  let targetMs = 1_000;
  let ending: Refusal | null = null;

  function put(frame: HlsFrame, payload: readonly Buffer[] = []): void {
    if (outlet.put([frameHead(frame), ...payload])) dropBlocks(payload);
  }

  function add({ steps, kind }: Followed, askedMono: number): void {
    for (const [place, step] of steps.entries()) {
      const isNewest = step.kind === 'take' && place >= steps.length - NEWEST;
      const waitMs = isNewest ? NEWEST_WAIT * Math.min(targetMs, step.segment.durationMs) : 0;
      todo.push({ ...step, suspect: kind === 'reset', mayComeUntil: askedMono + waitMs });
    }
    wake();
  }

  function end(refusal: Refusal): void {
    ending ??= refusal;
    wake();
  }

  /**
   * Whether what stands under a number that was had is what was had: servers of one provider, or requests, give other
   * names to the same.
   */
  async function isKnownByContent({ segments: listed }: MediaPlaylist): Promise<boolean> {
    const last = listed.findLast(({ sequence }) => had.has(sequence));
    if (!last) return false;
    const loaded = await input.turns(() => segments.load(last));
    if (loaded.kind !== 'segment') return false;
    const isSame = signatureOf(loaded.parts, loaded.bytes) === had.get(last.sequence);
    dropBlocks(loaded.parts);
    return isSame;
  }

  /** Loads the playlist again and again until the stream ends, stands still, or cannot be had. */
  async function keepLoading(): Promise<void> {
    let cursor: Cursor | null = null;
    let changedMono = clock.mono();
    let behindMono: number | null = null;
    let refusals = 0;
    while (ending === null && !signal.aborted) {
      const loaded = await source.load();
      if (loaded.kind === 'aborted') return;
      const mono = clock.mono();
      const isStill = mono - changedMono >= standstillMs(targetMs);
      if (loaded.kind === 'failed') {
        const { remedy } = loaded.refusal;
        if (loaded.status >= 400) refusals++;
        const isFinal = cursor === null || remedy === 'no_slot' || remedy === 'backoff';
        if (isFinal || isStill || (remedy === 'spent' && refusals >= REFUSALS_MAX))
          return end(loaded.refusal);
        await pause(clock, Math.max(PLAYLIST_WAIT_MS_MIN, targetMs / 2), signal);
        continue;
      }
      refusals = 0;
      const { playlist, askedMono } = loaded;
      ({ targetMs } = playlist);
      const now = clock.now();
      if (playlist.segments.length > 0) cursor ??= startCursor(playlist, now, wish.from, wish.cursor);
      const isLost = behindMono !== null && mono - behindMono > 2 * targetMs;
      const asNamed: Followed | null = cursor && follow(cursor, playlist, now, isLost ? 'anew' : null);
      const isKnown: boolean = asNamed?.kind === 'reset' && (await isKnownByContent(playlist));
      const followed: Followed | null =
        cursor && isKnown ? follow(cursor, playlist, now, 'numbers') : asNamed;
      if (followed?.kind !== 'behind') behindMono = null;
      else behindMono ??= mono;
      const isNew = followed?.kind === 'new' || followed?.kind === 'reset';
      if (isNew) {
        ({ cursor } = followed);
        changedMono = askedMono;
        add(followed, askedMono);
      }
      if (playlist.ended) return end(ENDED);
      if (!isNew && isStill) return end(STALLED);
      await pause(clock, Math.max(0, reloadMs(playlist, isNew) - (clock.mono() - askedMono)), signal);
    }
  }

  /** The same segment by an address that is good now. */
  async function renewed(segment: Segment): Promise<Segment | null> {
    const loaded = await source.renew();
    if (loaded.kind !== 'media') return null;
    const same = loaded.playlist.segments.find(({ sequence }) => sequence === segment.sequence);
    return same && segmentId(same) === segmentId(segment) ? same : null;
  }

  async function load(listed: Segment, mayComeUntil: number): Promise<LoadedSegment> {
    let segment = listed;
    let isRenewed = false;
    for (let tries = 0; ; tries++) {
      const loaded = await input.turns(() => segments.load(segment));
      if (loaded.kind !== 'failed' || loaded.refusal.remedy === 'no_slot') return loaded;
      const { status } = loaded;
      if (status === 401 || status === 403) {
        const again: Segment | null = isRenewed ? null : await renewed(segment);
        if (!again) return loaded;
        segment = again;
        isRenewed = true;
        continue;
      }
      const isMissing = status === 404 || status === 410;
      const waitMs = isMissing ? Math.min(targetMs / 2, MISSING_WAIT_MS_MAX) : SEGMENT_WAITS_MS[tries];
      const isGone = isMissing && tries > 0 && clock.mono() >= mayComeUntil;
      if (waitMs === undefined || isGone) return loaded;
      await pause(clock, Math.max(PLAYLIST_WAIT_MS_MIN, waitMs), signal);
    }
  }

  async function keepGiving(): Promise<void> {
    const running: { readonly step: Planned; readonly loaded: Promise<LoadedSegment> }[] = [];
    const signatures = new Set<string>();
    let mediaMono = clock.mono();
    let isBroken = false;
    let isSuspect = false;
    async function wanted(): Promise<void> {
      const waitedMono = clock.mono();
      await outlet.ready();
      mediaMono += clock.mono() - waitedMono;
    }
    while (!signal.aborted) {
      // What nobody can take yet would wait in memory that nobody counts.
      if (running.length === 0) await wanted();
      while (running.length < (wish.oneAtATime ? 1 : AHEAD) && !outlet.isPaused()) {
        const step = todo.shift();
        if (!step) break;
        running.push({
          step,
          loaded: step.kind === 'take' ? load(step.segment, step.mayComeUntil) : NOTHING,
        });
      }
      const [head] = running;
      if (!head) {
        if (ending !== null) {
          put({ kind: 'over', refusal: ending, bytes: 0 });
          return outlet.end();
        }
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      const { step } = head;
      const loaded = await head.loaded;
      running.shift();
      await wanted();
      if (signal.aborted) return;
      isSuspect = step.suspect && (isSuspect || (step.kind === 'take' && step.discontinuity));
      if (step.kind === 'lost') {
        put({ kind: 'lost', at: step.at, durationMs: step.durationMs, cause: 'hls_missing', bytes: 0 });
        continue;
      }
      if (loaded.kind === 'aborted') return;
      const { at } = step;
      const { sequence, durationMs } = step.segment;
      if (loaded.kind === 'failed') {
        put({ kind: 'lost', at, durationMs, cause: 'hls_missing', bytes: 0 });
        const isDead = clock.mono() - mediaMono >= standstillMs(targetMs);
        if (isDead || loaded.refusal.remedy === 'no_slot') {
          todo.length = 0;
          running.length = 0;
          ending = loaded.refusal;
        }
        continue;
      }
      mediaMono = clock.mono();
      const { init, parts, bytes, container } = loaded;
      const signature = signatureOf(parts, bytes);
      isBroken ||= step.discontinuity;
      // After a reset the new list may begin with what the old one ended with.
      if (isSuspect && signatures.has(signature)) continue;
      isSuspect = false;
      signatures.add(signature);
      had.delete(sequence);
      had.set(sequence, signature);
      for (const oldest of had.keys()) {
        if (had.size <= SIGNATURES_MAX) break;
        had.delete(oldest);
      }
      for (const oldest of signatures) {
        if (signatures.size <= SIGNATURES_MAX) break;
        signatures.delete(oldest);
      }
      const id = segmentId(step.segment);
      put(
        {
          kind: 'segment',
          container,
          at,
          durationMs,
          discontinuity: isBroken,
          cursor: { variant: source.variant(), sequence, id, endAt: at + durationMs },
          initBytes: init?.length ?? 0,
          bytes: (init?.length ?? 0) + bytes,
        },
        init ? [init, ...parts] : parts,
      );
      isBroken = false;
    }
  }

  /** What throws in here is ours (P8). */
  function onBug(): void {
    put({ kind: 'over', refusal: BUG, bytes: 0 });
    outlet.end();
    stopping.abort();
  }
  keepLoading().catch(onBug);
  keepGiving().catch(onBug);
  return outlet.body;
}
