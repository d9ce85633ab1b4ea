/**
 * Looks around at every tick and whenever something changed: is there room, what does the plan say now, what has to
 * go, who needs no actor any more. It measures and asks; `src/domain` judges, and the scheduler acts.
 */

import type { SchedulerEvent, Order } from '../../machines/schedulerContext.js';
import type { GuideContext } from '../../machines/guide.js';
import type { Config } from '../config/config.js';
import { wideOpen } from '../domain/advice.js';
import type { Decision } from '../domain/plan.js';
import { floorBytes } from '../domain/floor.js';
import { chooseEvictions } from '../domain/retention.js';
import { rfc3339 } from '../domain/text.js';
import type { TimerHandle } from '../io/clock.js';
import { exists } from '../io/disk.js';
import { isAddress, shownLocation } from '../guide/fetchSource.js';
import { isLoopback } from '../domain/address.js';
import type { Store } from '../store/store.js';
import { isResting, type Book } from './book.js';
import type { Doors } from './doors.js';
import { retainedItem, retentionOf } from './retaining.js';
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
    if (await doors.rulesChanged()) planDue = true;
    planNow();
    await findRemovedMedia();
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
    if (!store.status().writable) return 'state_unwritable';
    for (const { path } of doors.roots.all()) {
      if (!(await doors.roots.ready(path))) return 'mount_missing';
      const space = await disk.space(path).catch(() => null);
      if (space === null) return 'mount_missing';
      if (space.freeBytes < floorBytes(config.keep.diskFreeMin, space.totalBytes)) return 'disk_floor';
    }
    return null;
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
    for (const { id, rule } of chooseEvictions(retained(), retentionOf(config), at)) {
      sayEarly(id, rule, at);
      send({ type: 'FORWARD', at, id, event: { type: 'EVICT', at, rule } });
    }
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

  function retained() {
    return [...book.all()].flatMap((entry) => retainedItem(entry) ?? []);
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
