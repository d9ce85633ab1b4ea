/**
 * The daemon: charts, effects, store and doors put together, started, looked after, and brought to rest. Everything it
 * decides is decided in `machines/` and `src/domain`; here is only the order of things.
 */

import { join } from 'node:path';
import type { Death } from '../../machines/schedulerContext.js';
import { createFeeds } from '../capture/feeds.js';
import type { Config } from '../config/config.js';
import { refKey } from '../domain/channel.js';
import { CodedError } from '../domain/errors.js';
import type { Cooling } from '../domain/slots.js';
import type { TimerHandle } from '../io/clock.js';
import { openHistory } from '../store/history.js';
import { BEAT_MS, takeLock, type Lock } from '../store/lock.js';
import { openStore, type Store } from '../store/store.js';
import { coolingAtStart, limitsOf, rememberAccounts } from './accounts.js';
import { createActorSystem, type ActorSystem } from './actorSystem.js';
import { createBook, type Book, type Entry } from './book.js';
import { createCaptures } from './captures.js';
import { createDeadlines } from './deadlines.js';
import type { Doors } from './doors.js';
import { createLookout, type Lookout, type RunMode } from './lookout.js';
import { decide, ordersOf } from './planning.js';
import { openRoots } from './roots.js';
import { createRevival } from './revival.js';
import { createSources, type Sources } from './sources.js';
import { upstreamsView } from './upstreamsView.js';
import { createUpstreams } from './upstreams.js';
import { createStages, type Stages } from './stages.js';

export interface DaemonInput {
  readonly config: Config;
  readonly doors: Doors;
  readonly mode: RunMode;
}

export interface DaemonStatus {
  /** A guide is in use. */
  readonly ready: boolean;
  /** When the scheduler last looked around. */
  readonly tickedAt: number | null;
  /** Why the state cannot be written, or null. */
  readonly degraded: string | null;
}

export interface Inside {
  /** State of the scheduler. */
  readonly state: string;
  /** Ids of recordings that have an actor. */
  readonly live: readonly string[];
  /** Ids of those that hold a slot, and of those that have a capture open. */
  readonly slots: readonly string[];
  readonly captures: readonly string[];
  /** Connections that are open, with and without listeners. */
  readonly feeds: readonly string[];
}

export interface Daemon {
  readonly book: Book;
  readonly sources: Sources;
  readonly store: Store;
  status(): DaemonStatus;
  /** Looks at lists and guides now; captures are not touched. */
  refresh(): void;
  /** Takes another policy, timing and set of sources; folders and doors stay what they were at the start. */
  reconfigure(next: Config): void;
  /** Stops taking work, flushes, persists. Safe to call twice. */
  stop(): Promise<void>;
  /** Resolves when it has stopped, by itself (`once`, `record`) or by `stop`; with a code where nothing could be done. */
  readonly ended: Promise<string | null>;
  /** Accounts, hosts, connections and who waits for one; for people. */
  upstreams(): ReturnType<typeof upstreamsView>;
  /** What lives and what is held, as it stands. */
  inside(): Inside;
  /** Says where HTTP listens, for `health`. */
  listensOn(address: string | null): void;
}

/** Captures are given this long to flush at the end; the whole stop stays under 8 s. */
const DRAIN_MS_MAX = 5_000;

/** Throws CodedError where it cannot start: folders, lock, state. */
export async function startDaemon(input: DaemonInput): Promise<Daemon> {
  const { doors, config } = input;
  const privateFolder = join(config.places.outDir, '.catchupd');
  const lock = await takeLock(doors, privateFolder, doors.random.uuid());
  try {
    return await startLocked(input, privateFolder, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function startLocked(
  { config, doors, mode }: DaemonInput,
  folder: string,
  lock: Lock,
): Promise<Daemon> {
  const { clock, disk, log } = doors;
  const history = await openHistory({ disk, clock, log }, join(folder, 'history'));
  const store = await openStore({
    disk,
    clock,
    log,
    statePath: config.places.stateFile,
    privateFolder: folder,
    beforeCommit: () => history.write(),
  });
  const roots = await openRoots(config, doors, store);
  let tickedAt: number | null = null;

  const deadlines = createDeadlines(clock, (id, deadline, at) => system.call(id, deadline, at));
  const book: Book = createBook({ store, history, deadlines, clock, log, onChange: noticed });
  // A guide's chart says so in the middle of its transition; no other chart may run inside of that.
  const sources: Sources = createSources(config, folder, doors, () =>
    queueMicrotask(() => {
      tellAccounts([]);
      lookout.sourceChanged();
    }),
  );
  const upstreams = createUpstreams({ config, doors, store, sources });
  const feeds = createFeeds({
    transport: doors.transport,
    clock,
    onClosed: (feed, by) => system.send({ type: 'FEED_CLOSED', at: clock.now(), feed, by }),
  });
  const captures = createCaptures({
    clock,
    disk,
    feeds,
    onClosed: (feed) => system.send({ type: 'FEED_CLOSED', at: clock.now(), feed, by: 'provider' }),
    settings: () => config.how,
    resolve: (ref) => sources.resolve(ref),
    known: (ref, signal) => sources.known(ref, signal),
    rootReady: () => roots.ready(config.places.outDir),
    onEnd(id, upstream, outcome) {
      const capsule = book.get(id)?.recording.capsule;
      if (capsule) upstreams.note(upstream, capsule, outcome);
      if (outcome.kind === 'fault' && outcome.remedy === 'no_slot')
        system.send({ type: 'REFUSED', at: outcome.at, feed: refKey(upstream), limit: outcome.limit });
    },
    onCheckpoint: (id, upstream, piece, at) =>
      system.whisper(id, { type: 'CHECKPOINT', upstream, piece, at }),
  });
  const stages: Stages = createStages({ config, doors, roots, book: () => book });
  const system: ActorSystem = createActorSystem({
    plugs: {
      captures,
      stages,
      sources,
      clock,
      log,
      tick({ at }) {
        tickedAt = at;
        system.send({ type: 'FEEDS', at, open: feeds.keys() });
        lookout.look();
      },
      dismiss: ({ feed }) => feeds.dismiss(feed),
      mourn: (death) => log.error(shown(death), 'an actor died; the others go on'),
      revive: ({ id, lastGood }) => void revival.revive(id, lastGood),
      quarantine: ({ id, error }) => setAside(id, error),
      bury({ id }) {
        const tombstone = book.bury(id);
        log.info({ id, rule: tombstone?.reason }, 'removed');
        stages.libraryChanged();
      },
      drain: () => void drain(),
    },
    input: { slotsMax: config.how.concurrencyMax, tickMs: config.when.pollIntervalMs, at: clock.now() },
    book,
    deadlines,
    rank: (refs, capsule) =>
      upstreams.rank(refs, capsule).map(({ ref }) => ({ ...ref, accounts: sources.accountsOf(ref) })),
    onScheduler: (context) => rememberAccounts(store, context),
    log,
    onGuide: (sourceId, state, context) => lookout.guideMoved(sourceId, state, context),
    onBroken: setAside,
    onDeath(error) {
      log.fatal({ error: String(error) }, 'the scheduler died: nothing is supervised any more, so this ends');
      stopping = true;
      problemAtEnd = 'bug';
      lookout.stop();
      void drain();
    },
  });
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
    plan,
    onIdle: (problem) => void stop(problem),
  });

  /** What accounts allow may change with every list. */
  function tellAccounts(cooling: readonly Cooling[]): void {
    const limits = limitsOf(config, sources.accounts(), store);
    system.send({ type: 'ACCOUNTS', at: clock.now(), limits, cooling });
  }

  function tellLimits(): void {
    const { concurrencyMax: slotsMax, providerCooldownMs: cooldownMs, preempt } = config.how;
    const { pollIntervalMs: tickMs } = config.when;
    system.send({ type: 'LIMITS', at: clock.now(), slotsMax, tickMs, cooldownMs, preempt });
  }

  function noticed(entry: Entry, before: Entry | undefined): void {
    if (entry.path === before?.path) return;
    const { id, path, recording } = entry;
    const { title, channelName } = recording.capsule;
    log.info({ id, title, channel: channelName, from: before?.path, to: path }, 'recording');
    if (path === 'published') stages.libraryChanged();
    lookout.changed();
  }

  function plan(at: number, previous: ReadonlySet<string> | null) {
    const guide = { channels: sources.channels(), guides: sources.guides(), aliases: sources.aliases() };
    // What was put aside keeps its place: recorded anew, it would be lost (P7).
    const aside = book.aside();
    const known = [...book.all(), ...aside];
    const outlook = decide(config, guide, known, store.tombstones().values(), at, previous);
    for (const { recordingId = '', addKey, capsule } of outlook.decisions) {
      const tombstone = addKey ? store.tombstones().get(recordingId) : undefined;
      if (tombstone)
        store.set('tombstones', recordingId, {
          ...tombstone,
          keys: [...tombstone.keys, capsule.recordKey],
        });
    }
    const orders = ordersOf(outlook.decisions, {
      config,
      now: at,
      known: (id) => book.get(id) ?? aside.find((entry) => entry.id === id),
      spools: () => known.flatMap(({ path, recording }) => (path === 'published' ? [] : [recording.spool])),
    });
    return { ...outlook, orders };
  }

  function setAside(id: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    log.error({ id, reason }, 'put aside');
    book.setAside(id, reason);
  }

  const revival = createRevival({
    config,
    clock,
    book,
    stages,
    setAside,
    send: (event) => system.send(event),
  });

  let finish: (problem: string | null) => void = () => undefined;
  const ended = new Promise<string | null>((resolve) => (finish = resolve));
  let problemAtEnd: string | null = null;
  let stopping = false;
  function stop(problem: string | null = null): Promise<unknown> {
    if (!stopping) {
      stopping = true;
      problemAtEnd = problem;
      lookout.stop();
      system.send({ type: 'DRAIN', at: clock.now() });
    }
    return ended;
  }

  async function drain(): Promise<void> {
    await captures.stopAll(DRAIN_MS_MAX);
    feeds.close();
    deadlines.stop();
    system.send({ type: 'DRAINED', at: clock.now() });
    try {
      await sources.settled();
      await stages.settled();
      await store.close();
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'bug';
      log.error({ code, error: String(error) }, 'the state could not be written at the end');
      problemAtEnd ??= code;
    }
    await history.close().catch(() => undefined);
    beating?.cancel();
    await lock.release();
    finish(problemAtEnd);
  }

  let listen: string | null = null;
  let beating: TimerHandle | null = null;
  async function beat(): Promise<void> {
    const answer = await lock.beat({ listen });
    if (answer === 'lost') {
      log.fatal('another catchupd has taken over this folder; this one stops');
      void stop('state_locked');
    } else if (!stopping) beating = clock.after(BEAT_MS, () => void beat());
  }

  system.start();
  tellLimits();
  tellAccounts(coolingAtStart(store, clock.now(), config.how.providerCooldownMs));
  await stages.prepare();
  await upstreams.reread();
  sources.restore();
  // Without the lists nobody knows which account a connection would count against (P6).
  await Promise.all(
    sources.refs().flatMap(({ id, kind }) => (kind === 'xmltv' ? [] : [sources.restored(id)])),
  );
  tellAccounts([]);
  await revival.recover();
  system.send({ type: 'RECOVERED', at: clock.now() });
  lookout.start();
  await beat();

  return {
    book,
    sources,
    store,
    status() {
      const { writable, problem } = store.status();
      return {
        ready: sources.guides().length > 0,
        tickedAt,
        degraded: writable ? null : (problem ?? 'state_unwritable'),
      };
    },
    refresh: () => lookout.refresh(),
    reconfigure(next) {
      for (const group of ['sources', 'what', 'when', 'how', 'keep'] as const)
        Object.assign(config[group], structuredClone(next[group]));
      tellLimits();
      sources.reconfigured();
      tellAccounts([]);
      void upstreams.reread();
      lookout.sourceChanged();
    },
    stop: async () => void (await stop()),
    ended,
    upstreams: () => upstreamsView(system.scheduler().context, sources.accounts(), store, clock.now()),
    inside() {
      const { state, context } = system.scheduler();
      const slots = context.slots.flatMap(({ holders }) => holders.map(({ id }) => id));
      return { state, live: system.live(), slots, captures: captures.open(), feeds: feeds.keys() };
    },
    listensOn(address) {
      listen = address;
      void lock.beat({ listen });
    },
  };
}

function shown({ id, at, error, stack, event }: Death) {
  return { id, at, error, stack, event: (event as { type?: string } | null)?.type ?? null };
}
