/**
 * The parts of a daemon and how they hear of each other: charts, effects, book, sources, connections, lookout. What is
 * opened and closed around them (lock, store, the order of a start and of an end) is in `daemon.ts` and `ending.ts`.
 */

import { join } from 'node:path';
import type { Feeds } from '../capture/feeds.js';
import type { Config } from '../config/config.js';
import { accountLabel } from '../domain/account.js';
import { diskNotice, guideNotice, recordingNotice } from '../domain/notice.js';
import { isReplay } from '../domain/replay.js';
import type { Cooling } from '../domain/slots.js';
import type { History } from '../store/history.js';
import type { Store } from '../store/store.js';
import { coolingAtStart, limitsOf, rememberAccounts } from './accounts.js';
import { aheadOf } from './ahead.js';
import { createActorSystem, isGuide, type ActorSystem } from './actorSystem.js';
import { createBook, isCapturing, type Book } from './book.js';
import type { Entry } from './entries.js';
import type { Captures } from './captures.js';
import { createDeadlines, type Deadlines } from './deadlines.js';
import type { Doors } from './doors.js';
import { createMediaIndexes, type MediaIndexes } from './mediaIndexes.js';
import { createPanels } from './panels.js';
import type { PlanFacts } from './planFacts.js';
import { createHousekeeping } from './housekeeping.js';
import { createPastGuide, type PastGuide } from './pastGuide.js';
import { createLookout, type Lookout, type RunMode } from './lookout.js';
import { createOverrides, type Overrides } from './overrides.js';
import { factsOf, replan, type FactDoors } from './replan.js';
import { createOutbox, type Outbox } from './outbox.js';
import { itemOf } from './reporting.js';
import { createReaper } from './orphans.js';
import { createRevival, type RecoveryReason, type Revival } from './revival.js';
import type { Roots } from './roots.js';
import { createRulesFile } from './rulesFile.js';
import { createSources, type Sources } from './sources.js';
import { createLocalTimes } from './localTime.js';
import { createStages, type Stages } from './stages.js';
import type { SteadyClock } from './steadyClock.js';
import { createStreams } from './streams.js';
import { createSupervision } from './supervision.js';
import { createUpstreams, type Upstreams } from './upstreams.js';
import { createWatch, type Watch } from './watch.js';

export interface AssemblyDoors {
  readonly config: Config;
  readonly doors: Doors & { readonly clock: SteadyClock };
  readonly mode: RunMode;
  /** Where the daemon keeps its own things. */
  readonly folder: string;
  readonly history: History;
  readonly store: Store;
  readonly roots: Roots;
  readonly onTick: (at: number) => void;
  /** Nothing is left to do; a code where nothing could be done. */
  readonly onIdle: (problem: string | null) => void;
  /** The scheduler drains: end what runs, then say DRAINED. */
  readonly drain: () => void;
  /** The daemon ends, or is over. */
  readonly isEnding: () => boolean;
  /** Nothing is supervised any more: end it. */
  readonly giveUp: () => void;
}

export interface Assembly {
  readonly book: Book;
  readonly captures: Captures;
  readonly deadlines: Deadlines;
  readonly feeds: Feeds;
  readonly indexes: MediaIndexes;
  readonly lookout: Lookout;
  readonly pastGuide: PastGuide;
  readonly overrides: Overrides;
  readonly outbox: Outbox;
  readonly revival: Revival;
  readonly sources: Sources;
  readonly stages: Stages;
  readonly system: ActorSystem;
  readonly upstreams: Upstreams;
  readonly watch: Watch;
  /** What plans are made of, as it stands. */
  facts(): PlanFacts;
  /** What accounts allow may change with every list. */
  tellAccounts(cooling: readonly Cooling[]): void;
  tellLimits(): void;
  /** Starts the scheduler and takes up what was under way; `ready` is awaited in between. */
  start(ready: () => Promise<void>): Promise<void>;
  /** The clock is believed again, and jumped by so much. */
  timeSet(jumpMs: number): void;
  tellLibraries(): void;
}

/** What a dead scheduler had open is given this long to flush. */
const HANDOVER_MS_MAX = 5_000;

export function assemble(parts: AssemblyDoors): Assembly {
  const { config, doors, mode, folder, history, store, roots } = parts;
  const { clock, disk, log, planner } = doors;

  const times = createLocalTimes();
  const deadlines = createDeadlines(clock, (id, deadline, at) => system.call(id, deadline, at), {
    lagOf: (id) => times.lagOf(id),
    isHeld: (id, kind) =>
      kind === 'expire'
        ? clock.doubt() !== null || !store.status().writable
        : clock.doubt() !== null && revival.isPostponed(id),
  });
  const book: Book = createBook({ store, history, deadlines, clock, log, onChange: noticed });
  // A guide's chart says so in the middle of its transition; no other chart may run inside of that.
  const sources: Sources = createSources(config, folder, doors, () =>
    queueMicrotask(() => {
      clock.look((at) => sources.covers(at));
      tellAccounts([]);
      lookout.sourceChanged();
    }),
  );
  const panels = createPanels({
    lists: () => sources.lists().values(),
    ask: (ref, signal) => sources.facts(ref, signal),
    onNews: () => tellAccounts([]),
  });
  const watch = createWatch(clock, log, (ref) => accountLabel(sources.resolve(ref)?.url ?? ''));
  const upstreams = createUpstreams({ config, doors, store, sources });
  const indexes = createMediaIndexes(disk, folder);
  const streams = createStreams({
    config,
    doors,
    roots,
    book,
    sources,
    upstreams,
    times,
    indexPath: indexes.pathOf,
    system: () => system,
  });
  const { feeds, captures, replays } = streams;
  const pastGuide = createPastGuide(join(config.places.outDir, '.catchupd'), doors);
  const housekeeping = createHousekeeping(history, store, book, pastGuide);
  const stages: Stages = createStages({
    config,
    doors,
    roots,
    book: () => book,
    writable: () => store.status().writable,
    indexPath: indexes.pathOf,
  });
  const outbox: Outbox = createOutbox({
    config,
    doors,
    store,
    roots,
    book: () => book,
    listed: (id) => stages.listed(id),
    send: (receiver, event) => system.toLibrary(receiver, event),
  });
  const system: ActorSystem = createActorSystem({
    plugs: {
      captures,
      replays,
      stages,
      sources,
      outbox,
      clock,
      log,
      tick({ at }) {
        parts.onTick(at);
        reap();
        clock.look((wallAt) => sources.covers(wallAt));
        system.send({ type: 'FEEDS', at, open: feeds.keys(), ahead: aheadOf(config, book, sources, at) });
        panels.look(system.scheduler().context, at);
        lookout.look();
        housekeeping.look(at);
      },
      dismiss: ({ feed }) => feeds.dismiss(feed),
      mourn: (death) => supervision.mourn(death),
      // A guide has no past that matters: it begins anew with the last good copy. A receiver's chart knows nothing that
      // the outbox does not know better.
      revive({ id, lastGood }) {
        if (isGuide(id)) queueMicrotask(() => lookout.sourceChanged());
        else if (id.startsWith('library/')) queueMicrotask(tellLibraries);
        else void revival.revive(id, lastGood);
      },
      quarantine: ({ id, error, fresh }) => setAside(id, error, fresh),
      bury({ id }) {
        const recording = book.get(id)?.recording;
        const tombstone = book.bury(id);
        watch.gone(id);
        if (recording) outbox.removed(recording);
        log.info({ id, rule: tombstone?.reason }, 'removed');
        stages.libraryChanged();
      },
      drain() {
        panels.stop();
        parts.drain();
      },
    },
    input: () => ({
      slotsMax: config.how.concurrencyMax,
      tickMs: config.when.pollIntervalMs,
      at: clock.now(),
    }),
    book,
    deadlines,
    times,
    rank: (refs, capsule) =>
      upstreams.rank(refs, capsule).map(({ ref }) => ({
        ...ref,
        accounts: isReplay(ref) ? sources.replayAccounts(capsule) : sources.accountsOf(ref),
      })),
    onScheduler: (context) => rememberAccounts(store, context),
    log,
    onGuide(sourceId, state, context) {
      watch.sourceMoved(sourceId);
      lookout.guideMoved(sourceId, state, context);
    },
    inspect: (event) => watch.inspector.tap(event),
    onBroken: setAside,
    onDeath: (error, event) => void supervision.replaceScheduler(error, event),
  });
  const rules = createRulesFile(config, doors);
  const factDoors: FactDoors = { config, book, store, sources, rules };
  const lookout: Lookout = createLookout({
    config,
    doors,
    mode,
    book,
    store,
    roots,
    sources,
    send: (event) => system.send(event),
    live: () => system.live(),
    guideStates: () => system.guideStates(),
    refreshGuides: (at) => system.refreshGuides(at),
    rulesChanged: () => rules.reread(),
    async plan() {
      const planned = await replan({ ...factDoors, planner, clock, overrides, pastGuide });
      watch.planned();
      return planned;
    },
    timeTrusted: () => clock.doubt() === null,
    timeLost: () => clock.doubt() === 'ahead',
    onIdle: parts.onIdle,
    isOwing: () => outbox.isBusy(),
    onAdmission: (code) => outbox.tell(diskNotice(code)),
    onHeld: (source, reason) => outbox.tell(guideNotice(source, reason)),
  });

  const overrides = createOverrides({
    store,
    book,
    clock,
    row: (capsuleId) => planner.capsule(factsOf(factDoors), capsuleId, clock.now()),
    forward: (id, event) => system.send({ type: 'FORWARD', at: event.at, id, event }),
    planNow: () => lookout.sourceChanged(),
  });

  /** What accounts allow may change with every list. */
  function tellAccounts(cooling: readonly Cooling[]): void {
    const limits = limitsOf(config, sources.accounts(), panels.accounts(), store);
    system.send({ type: 'ACCOUNTS', at: clock.now(), limits, cooling });
  }

  function tellLimits(): void {
    const { concurrencyMax: slotsMax, providerCooldownMs: cooldownMs, preempt, bandwidthMax } = config.how;
    const { pollIntervalMs: tickMs } = config.when;
    const limits = { slotsMax, tickMs, cooldownMs, preempt, bandwidthMax };
    const laneMax = config.how.concurrencyMaxPerLane;
    system.send({ type: 'LIMITS', at: clock.now(), ...limits, laneMax });
  }

  /** A chart for each receiver; the scheduler keeps those that live. */
  function tellLibraries(): void {
    system.send({ type: 'LIBRARIES', at: clock.now(), libraries: outbox.charts() });
  }

  function noticed(entry: Entry, before: Entry | undefined): void {
    watch.changed(entry, before);
    if (entry.path === before?.path) return;
    const { id, path, recording } = entry;
    if (!isCapturing(path)) times.forget(id);
    const { title, channelName } = recording.capsule;
    log.info({ id, title, channel: channelName, from: before?.path, to: path }, 'recording');
    if (path === 'published') {
      stages.libraryChanged();
      outbox.published(recording);
    }
    const wasThere = before !== undefined && before.path.split('.')[0] === path.split('.')[0];
    const notice = wasThere ? null : recordingNotice(itemOf(entry));
    if (notice) outbox.tell(notice);
    lookout.changed();
  }

  const reap = createReaper({ book, captures, log, live: () => system.live() });

  const supervision = createSupervision({
    clock,
    disk,
    log,
    folder,
    isEnding: parts.isEnding,
    giveUp: parts.giveUp,
    async reboot() {
      const cooling = coolingAtStart(store, clock.now(), config.how.providerCooldownMs);
      await captures.stopAll(HANDOVER_MS_MAX);
      for (const feed of feeds.keys()) feeds.dismiss(feed);
      if (parts.isEnding()) return parts.giveUp();
      await startScheduler('scheduler_crash', () => system.startAnew(), cooling);
      lookout.start();
    },
  });

  /** A scheduler knows nothing: limits first, then what was under way, and only then is a slot given (P6). */
  async function startScheduler(
    reason: RecoveryReason,
    start: () => void,
    cooling: readonly Cooling[],
    ready: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    start();
    tellLimits();
    tellAccounts(cooling);
    await ready();
    await revival.recover(reason);
    system.send({ type: 'RECOVERED', at: clock.now() });
    revival.takeUp();
    tellLibraries();
  }

  function setAside(id: string, error: unknown, fresh: unknown = null): void {
    const reason = error instanceof Error ? error.message : String(error);
    log.error({ id, reason }, 'put aside');
    const wasKnown = book.get(id) !== undefined;
    book.setAside(id, reason, fresh);
    const entry = wasKnown ? book.aside().find((each) => each.id === id) : undefined;
    const notice = entry && recordingNotice(itemOf(entry));
    if (notice) outbox.tell(notice);
  }

  const revival = createRevival({
    config,
    clock,
    book,
    stages,
    setAside,
    send: (event) => system.send(event),
    isLost: () => clock.doubt() === 'ahead',
    isEnding: () => parts.isEnding(),
  });

  return {
    book,
    captures,
    deadlines,
    feeds,
    indexes,
    lookout,
    pastGuide,
    overrides,
    outbox,
    revival,
    sources,
    stages,
    system,
    upstreams,
    watch,
    facts: () => factsOf(factDoors),
    tellAccounts,
    tellLimits,
    start: (ready) =>
      startScheduler(
        'daemon_restart',
        () => system.start(),
        coolingAtStart(store, clock.now(), config.how.providerCooldownMs),
        ready,
      ),
    timeSet(jumpMs) {
      const running = [...book.all()].filter(({ id, path }) => isCapturing(path) && !revival.isPostponed(id));
      if (jumpMs !== 0)
        times.jumped(
          running.map(({ id }) => id),
          jumpMs,
        );
      void revival.recoverPostponed();
      lookout.sourceChanged();
    },
    tellLibraries,
  };
}
