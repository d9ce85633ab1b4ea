/**
 * Looks around at every tick and whenever something changed: is there room, what does the plan say now, what has to
 * go, who needs no actor any more. It measures and asks; `src/domain` judges, and the scheduler acts.
 */

import type { SchedulerEvent, Order } from '../../machines/schedulerContext.js';
import type { GuideContext } from '../../machines/guide.js';
import type { Config } from '../config/config.js';
import { wideOpen } from '../domain/advice.js';
import type { Decision } from '../domain/plan.js';
import { retain, type Unmet } from '../domain/retention.js';
import { rfc3339 } from '../domain/text.js';
import type { TimerHandle } from '../io/clock.js';
import { exists } from '../io/disk.js';
import { isAddress, shownLocation } from '../guide/fetchSource.js';
import { isLoopback } from '../domain/address.js';
import type { Store } from '../store/store.js';
import { isResting, type Book } from './book.js';
import { createDiskWatch } from './diskWatch.js';
import type { Doors } from './doors.js';
import { levelOf } from './leveling.js';
import { retentionOf } from './retaining.js';
import type { Roots } from './roots.js';
import type { Sources } from './sources.js';

/** A recording that starts later than this needs no actor yet. */
const LIVE_MS = 15 * 60_000;
/** Published media looked for at each look, so that ten thousand cost no more than ten. */
const CHECKED_MAX = 50;
/** With no news from a source the plan is made anew this often. */
const REPLAN_MS_MAX = 300_000;

/** `once` looks once and ends with what it found; `record` takes only what is on and gets a slot at once. */
export type RunMode = 'always' | 'once' | 'record';

export interface Planned {
  readonly decisions: readonly Decision[];
  readonly rowKeys: ReadonlySet<string>;
  readonly orders: readonly Order[];
}

export interface LookoutDoors {
  readonly config: Config;
  readonly doors: Doors;
  readonly mode: RunMode;
  readonly book: Book;
  readonly store: Store;
  readonly roots: Roots;
  readonly sources: Sources;
  readonly send: (event: SchedulerEvent) => void;
  readonly plan: (at: number, previousRowKeys: ReadonlySet<string> | null) => Planned;
  /** Reads the rules again where they changed. */
  readonly rulesChanged: () => Promise<boolean>;
  /** Ids of recordings that have an actor. */
  readonly live: () => readonly string[];
  /** Value of every guide's chart. */
  readonly guideStates: () => readonly string[];
  readonly refreshGuides: (at: number) => void;
  /** Whether anything may be removed or dropped for its date (P5). */
  readonly timeTrusted: () => boolean;
  /** Nothing says what time it is: no plan can be made. */
  readonly timeLost: () => boolean;
  /** Nothing is left to do (`--once`, `record`); a code where nothing could be done. */
  readonly onIdle: (problem: string | null) => void;
  /** Something is about to go out of the outbox. */
  readonly isOwing: () => boolean;
  /** Why nothing new starts from now on; null is that it does. */
  readonly onAdmission: (code: string | null) => void;
  /** A guide or list was refused by the sanity gate. */
  readonly onHeld: (source: string, reason: string) => void;
}

export interface Lookout {
  start(): void;
  look(): void;
  /** Another list or guide is in use. */
  sourceChanged(): void;
  /** A recording changed its state. */
  changed(): void;
  /** Looks at every source now. */
  refresh(): void;
  guideMoved(sourceId: string, state: string, context: GuideContext): void;
  stop(): void;
}

export function createLookout(doors: LookoutDoors): Lookout {
  const { config, mode, book, store, sources, send } = doors;
  const { clock, disk, log } = doors.doors;
  const watch = createDiskWatch(config, doors.doors, doors.roots, book);
  let rowKeys: ReadonlySet<string> | null = null;
  let admission: string | null = null;
  let planned = false;
  /** A source changed, so that what was planned may be wrong. */
  let planDue = true;
  let plannedAt = -Infinity;
  let stopped = false;
  let soon: TimerHandle | null = null;
  let looking = false;
  let again = false;
  let checkedAfter = '';
  const said = new Map<string, string>();

  function look(): void {
    if (stopped) return;
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    void lookAround()
      .catch((error: unknown) => log.error({ error: String(error) }, 'looking around failed'))
      .finally(() => {
        looking = false;
        if (!again) return;
        again = false;
        look();
      });
  }

  function lookSoon(): void {
    if (stopped || soon) return;
    soon = clock.after(0, () => {
      soon = null;
      look();
    });
  }

  async function lookAround(): Promise<void> {
    await admit();
    relieve();
    if (await doors.rulesChanged()) planDue = true;
    planNow();
    if (admission !== 'state_unwritable') await findRemovedMedia();
    if (admission !== 'state_unwritable' && doors.timeTrusted()) sweep();
    rest();
    endIfIdle();
  }

  /** What keeps new recordings out, if anything. */
  async function admit(): Promise<void> {
    const reason = await refusal();
    if (reason === admission || stopped) return;
    if (reason === null) log.info('new recordings start again');
    else log.warn({ code: reason }, 'nothing new starts');
    admission = reason;
    doors.onAdmission(reason);
    send({ type: 'ADMISSION', at: clock.now(), admission });
  }

  async function refusal(): Promise<string | null> {
    return store.status().writable ? watch.refusal() : 'state_unwritable';
  }

  /** One at a time, so that what it frees is seen before the next is asked to end; it goes on when there is room. */
  function relieve(): void {
    const at = clock.now();
    const { stop } = watch.ladder();
    const recording = admission === 'disk_floor' && stop !== null ? book.get(stop)?.recording : undefined;
    if (stop !== null && recording) {
      log.error(
        { id: stop, title: recording.capsule.title, code: 'disk_floor' },
        'ended for want of disk space',
      );
      send({ type: 'FORWARD', at, id: stop, event: { type: 'CANCEL', at, reason: 'disk_floor' } });
    }
    if (admission !== null) return;
    for (const { id, path, recording: ended } of book.all())
      if (path === 'cancelled.revocable' && ended.cancelReason === 'disk_floor')
        send({ type: 'FORWARD', at, id, event: { type: 'RETRY', at } });
  }

  function planNow(): void {
    const once = mode !== 'always';
    if (stopped || doors.timeLost() || sources.guides().length === 0 || (once && (planned || !settled())))
      return;
    // Rows come into the horizon hours before they start: a whole plan at every tick would be for nothing.
    const replanMs = Math.min(REPLAN_MS_MAX, config.what.horizonMs / 4);
    if (!planDue && clock.mono() - plannedAt < replanMs) return;
    planDue = false;
    plannedAt = clock.mono();
    const at = clock.now();
    const outlook = doors.plan(at, rowKeys);
    rowKeys = outlook.rowKeys;
    if (!planned) sayLevel(outlook.decisions, at);
    planned = true;
    const orders = once ? outlook.orders.filter((order) => isDueNow(order, at)) : outlook.orders;
    if (orders.length > 0) send({ type: 'PLANNED', at, orders });
    if (mode === 'record') cancelQueued(at);
  }

  /** `--once` records what is live or due within the lead time, `record` only what is live. */
  function isDueNow(order: Order, at: number): boolean {
    if (order.do !== 'record') return true;
    const { startAt, prePaddingMs } = order.fresh.window;
    return mode === 'record' ? startAt <= at : startAt - prePaddingMs <= at;
  }

  function cancelQueued(at: number): void {
    for (const { id, path } of book.all())
      if (path === 'scheduled.queued')
        send({ type: 'FORWARD', at, id, event: { type: 'CANCEL', at, reason: 'no_slot' } });
  }

  function sayLevel(decisions: readonly Decision[], at: number): void {
    const level = levelOf(config, decisions, book.all(), at);
    if (level === null)
      log.info('the space that recordings take never levels off: something is kept for ever');
    else log.info({ bytes: level }, 'where the space that recordings take will level off, about');
  }

  /** A list of thousands that nobody narrowed would fill every slot with whatever comes first. */
  function sayIfWideOpen(): void {
    const channels = sources.channels();
    const groups = wideOpen(channels, config.what);
    const news = groups === null ? '' : `${channels.length}`;
    if (said.get('choice') === news) return;
    said.set('choice', news);
    if (groups !== null)
      log.warn(
        { channels: channels.length, groups: groups.map(({ group }) => group) },
        'so many channels and no choice among them: --groups or --channels says which are meant',
      );
  }

  function settled(): boolean {
    const states = doors.guideStates();
    return states.length > 0 && states.every((state) => state !== 'fetching' && state !== 'starting');
  }

  /** A person may remove what was published; that is their word, not a fault. P5: only where the root is there. */
  async function findRemovedMedia(): Promise<void> {
    const published = [...book.all()]
      .filter(({ path }) => path === 'published')
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const from = published.findIndex(({ id }) => id > checkedAfter);
    const batch = published.slice(Math.max(0, from)).slice(0, CHECKED_MAX);
    checkedAfter = batch.length === CHECKED_MAX ? (batch.at(-1)?.id ?? '') : '';
    for (const { id, recording } of batch) {
      const { files } = recording;
      if (files === null || (await exists(disk, files.media).catch(() => true))) continue;
      const root = doors.roots.all().find(({ path }) => files.media.startsWith(`${path}/`));
      // Asked again behind the marker: a mount may have come back between the two.
      const isGone = async () => !(await exists(disk, files.media).catch(() => true));
      if (root && (await doors.roots.ready(root.path)) && (await isGone()))
        send({ type: 'FORWARD', at: clock.now(), id, event: { type: 'MEDIA_GONE', at: clock.now() } });
    }
  }

  function sweep(): void {
    const at = clock.now();
    const policy = { ...retentionOf(config), diskShort: watch.ladder().short };
    const { evictions, unmet } = retain(watch.items(), policy, at);
    sayUnmet(unmet);
    for (const { id, rule } of evictions) {
      sayEarly(id, rule, at);
      send({ type: 'FORWARD', at, id, event: { type: 'EVICT', at, rule } });
    }
  }

  /** A limit that cannot be met is said once, and once more when it is met again. */
  function sayUnmet(unmet: readonly Unmet[]): void {
    const news = unmet.map(({ rule, of }) => `${rule} ${of}`.trim()).join(', ');
    if ((said.get('unmet') ?? '') === news) return;
    said.set('unmet', news);
    if (news === '') log.info('all limits are met again');
    else
      log.warn({ limits: news }, 'limits stay exceeded: what is left is kept by a person or being recorded');
  }

  /** What goes before its time names the rule, where everybody looks (P10). */
  function sayEarly(id: string, rule: string, at: number): void {
    const recording = book.get(id)?.recording;
    if (!recording || recording.expiresAt <= at) return;
    const { capsule, expiresAt } = recording;
    log.warn(
      { id, title: capsule.title, lane: capsule.lane, rule, expiresAt: rfc3339(expiresAt) },
      'a limit removes a recording before its time',
    );
  }

  /** Who needs no actor for now gives it back; the document and its deadline stay. */
  function rest(): void {
    const at = clock.now();
    const ids = doors.live().filter((id) => {
      const entry = book.get(id);
      if (!entry) return false;
      const far = entry.path === 'scheduled.early' && (entry.recording.deadline?.at ?? 0) - at > LIVE_MS;
      return far || isResting(entry.path);
    });
    if (ids.length > 0) send({ type: 'REST', at, ids });
  }

  function endIfIdle(): void {
    if (mode === 'always' || stopped || !settled()) return;
    if (sources.guides().length === 0) return doors.onIdle('no_guide');
    if (sources.channels().length === 0 && config.sources.streamBaseUrl === null)
      return doors.onIdle('no_list');
    const busy = [...book.all()].some(({ path, recording }) => isBusy(path, recording.deadline?.at ?? 0));
    if (planned && !busy && !again && !doors.isOwing()) doors.onIdle(null);
  }

  function isBusy(path: string, deadlineAt: number): boolean {
    if (isResting(path) || path.endsWith('.blocked') || path.endsWith('.revocable')) return false;
    return path !== 'scheduled.early' || deadlineAt <= clock.now();
  }

  function spawnGuides(): void {
    send({
      type: 'GUIDES',
      at: clock.now(),
      guides: sources.refs().map(({ id, kind, location }) => ({
        sourceId: id,
        kind: kind === 'xmltv' ? 'guide' : 'list',
        pollMs: isNear(location) ? config.when.pollIntervalMs : config.sources.intervalMs,
        lastGood: sources.counts(id),
      })),
    });
  }

  return {
    start() {
      planDue = true;
      // A new scheduler has not been told of what keeps recordings out.
      admission = null;
      spawnGuides();
      lookSoon();
    },
    look,
    sourceChanged() {
      if (stopped) return;
      planDue = true;
      spawnGuides();
      sayIfWideOpen();
      lookSoon();
    },
    changed: lookSoon,
    refresh: () => doors.refreshGuides(clock.now()),
    guideMoved(sourceId, state, context) {
      const word = state === 'held' ? context.held?.reason : context.problem?.code;
      const news = `${state} ${word ?? ''}`;
      if (said.get(sourceId) === news || state === 'fetching' || state === 'starting') return;
      said.set(sourceId, news);
      const ref = sources.refs().find(({ id }) => id === sourceId);
      const place = ref ? shownLocation(ref) : sourceId;
      if (state === 'held') {
        log.warn(
          { source: place, reason: word, counts: context.held?.counts, lastGood: context.lastGood },
          'held: the last good one stays in use',
        );
        doors.onHeld(place, word ?? '');
      } else if (state === 'backingOff')
        log.warn(
          { source: place, code: word, detail: context.problem?.detail },
          'a source cannot be read; it is tried again',
        );
      else log.info({ source: place, ...context.lastGood }, 'a source is in use');
      if (mode !== 'always') lookSoon();
    },
    stop() {
      stopped = true;
      soon?.cancel();
    },
  };
}

/** Files, this machine and private networks are looked at every poll; a provider is not. */
export function isNear(location: string): boolean {
  if (!isAddress(location)) return true;
  const host = URL.canParse(location) ? new URL(location).hostname.replace(/^\[|\]$/g, '') : '';
  return (
    isLoopback(host) ||
    /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|f[cd][0-9a-f]{2}:|fe80:)/i.test(host) ||
    !/[.:]/.test(host) ||
    /\.(local|lan|home|internal)$/i.test(host)
  );
}
