/**
 * The daemon: charts, effects, store and doors put together, started, looked after, and brought to rest. Everything it
 * decides is decided in `machines/` and `src/domain`; here is only the order of things.
 */

import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { CommandVerb } from '../domain/commands.js';
import { lastWritten } from '../domain/lastWritten.js';
import type { MediaIndex } from '../domain/mediaIndex.js';
import type { OverrideWord } from '../domain/override.js';
import { rfc3339 } from '../domain/text.js';
import { openHistory } from '../store/history.js';
import { takeLock, type Lock } from '../store/lock.js';
import { openStore, type Store } from '../store/store.js';
import { assemble, type Assembly } from './assembly.js';
import type { Book } from './book.js';
import { command, type CommandAnswer } from './commands.js';
import type { Doors } from './doors.js';
import { createEnding } from './ending.js';
import { createEntryMaker } from './entryMaker.js';
import { readBootMark } from './bootMark.js';
import { createHeartbeat, type Heartbeat } from './heartbeat.js';
import type { RunMode } from './lookout.js';
import type { Outbox } from './outbox.js';
import type { PlanFacts } from './planFacts.js';
import type { Planner } from './planner.js';
import { adoptStrandedSpools } from './strandedSpools.js';
import { neverMadeAnew } from './privateFolder.js';
import { openRoots, type Roots } from './roots.js';
import type { Sources } from './sources.js';
import { createSteadyClock } from './steadyClock.js';
import type { Watch } from './watch.js';
import { rankingView } from './rankingView.js';
import type { Upstreams } from './upstreams.js';
import { upstreamsView } from './upstreamsView.js';

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
  /** What time it is by the daemon's own clock. */
  readonly now: number;
}

export interface Inside {
  /** State of the scheduler. */
  readonly state: string;
  /** Ids of recordings that have an actor. */
  readonly live: readonly string[];
  /** Ids of those that hold a slot, and of those that have a capture open. */
  readonly slots: readonly string[];
  /** Slots that somebody has whose programme is not over, with those that are only kept for one who will ask again. */
  readonly busy: number;
  readonly captures: readonly string[];
  /** Connections that are open, with and without listeners. */
  readonly feeds: readonly string[];
}

export interface Daemon {
  readonly book: Book;
  readonly sources: Sources;
  readonly store: Store;
  readonly roots: Roots;
  /** News, counts and charts, for whoever looks on. */
  readonly watch: Watch;
  status(): DaemonStatus;
  /** Looks at lists and guides now; captures are not touched. */
  refresh(): void;
  /** Takes another policy, timing and set of sources; folders and doors stay what they were at the start. */
  reconfigure(next: Config): void;
  /** Stops taking work, flushes, persists. Safe to call twice. */
  stop(): Promise<void>;
  /** Resolves when it has stopped, by itself (`once`, `record`) or by `stop`; with a code where nothing could be done. */
  readonly ended: Promise<string | null>;
  /** A person's word to a recording, by its id or the beginning of it; resolves when it is on disk. */
  command(verb: CommandVerb, id: string): Promise<CommandAnswer>;
  /**
   * A person's word on a programme, above the policy; null takes it back. False where nobody knows its capsule id.
   */
  override(capsuleId: string, word: OverrideWord | null): Promise<boolean>;
  /** Accounts, hosts, connections and who waits for one; for people. */
  upstreams(): ReturnType<typeof upstreamsView>;
  /** Guides and the last plan, and what is told of it. */
  readonly planner: Planner;
  facts(): PlanFacts;
  /** What is known of upstreams and their hosts. */
  readonly ranking: Upstreams;
  /** Where the media of a recording can be begun, while it grows and after; null where there is nothing to play. */
  mediaIndex(id: string): Promise<MediaIndex | null>;
  /** What lives and what is held, as it stands. */
  inside(): Inside;
  /** Media servers and others that are told of recordings, and what each is still owed. */
  receivers(): ReturnType<Outbox['view']>;
  /** Says where HTTP listens, for `health`. */
  listensOn(address: string | null): void;
}

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
  { config, doors: given, mode }: DaemonInput,
  folder: string,
  lock: Lock,
): Promise<Daemon> {
  const { log } = given;
  const disk = neverMadeAnew(given.disk, folder);
  const clock = createSteadyClock({
    clock: given.clock,
    onDoubt: (doubt, wallAt, believedAt) =>
      log.warn(
        { code: 'clock_doubtful', doubt, wall: rfc3339(wallAt), believed: rfc3339(believedAt) },
        'the clock is not believed: nothing expires until a guide confirms it',
      ),
    onTrust(jumpMs) {
      log.info({ jumpMs }, 'the clock is believed again');
      parts.timeSet(jumpMs);
    },
  });
  const doors = { ...given, clock, disk };
  const history = await openHistory({ disk, clock, log }, join(folder, 'history'));
  let lookAgain: () => void = () => undefined;
  const store = await openStore({
    disk,
    clock,
    log,
    statePath: config.places.stateFile,
    privateFolder: folder,
    beforeCommit: (line) => history.write(line),
    told: history.told,
    trustedNow: () => clock.trusted(),
    note: createEntryMaker().noted,
    onProblem: () => lookAgain(),
  });
  const times = [...store.recordings().rows()].map(({ updatedAt }) => updatedAt);
  const { bootId } = await given.processes.self();
  const bootMark = await readBootMark({ disk, clock: given.clock, log }, join(folder, 'clock'), bootId);
  clock.begin(lastWritten(times, given.clock.now()), bootMark.toldAt);
  const roots = await openRoots(config, doors, store);
  await adoptStrandedSpools(config, doors, folder, store);
  let tickedAt: number | null = null;
  const ending = createEnding({
    clock,
    log,
    store,
    history,
    lock,
    heartbeat: () => heartbeat,
    parts: () => parts,
  });
  const heartbeat: Heartbeat = createHeartbeat({
    clock,
    log,
    lock,
    onLost: () => void ending.stop('state_locked'),
  });
  const parts: Assembly = assemble({
    config,
    doors,
    mode,
    folder,
    history,
    store,
    roots,
    onTick(at) {
      tickedAt = at;
      if (clock.doubt() === null) void bootMark.note(at);
    },
    onIdle: (problem) => void ending.stop(problem),
    drain: () => void ending.drain(),
    isEnding: () => ending.isUnderWay(),
    giveUp: () => ending.give('bug'),
  });
  lookAgain = () => parts.lookout.look();
  const { book, captures, feeds, lookout, outbox, sources, stages, system, upstreams } = parts;

  await parts.start(async () => {
    await stages.prepare();
    await upstreams.reread();
    sources.restore();
    // Without the lists nobody knows which account a connection would count against (P6).
    await Promise.all(
      sources.refs().flatMap(({ id, kind }) => (kind === 'xmltv' ? [] : [sources.restored(id)])),
    );
    parts.tellAccounts([]);
  });
  outbox.register();
  lookout.start();
  await heartbeat.start();

  const ranked = (id: string) => {
    const entry = book.get(id);
    return entry ? rankingView(upstreams, entry.recording.capsule, entry.recording) : null;
  };

  return {
    book,
    sources,
    store,
    roots,
    watch: parts.watch,
    status() {
      const { writable, problem } = store.status();
      return {
        ready: sources.guides().length > 0,
        tickedAt,
        now: clock.now(),
        degraded: writable ? null : (problem ?? 'state_unwritable'),
      };
    },
    refresh: () => lookout.refresh(),
    reconfigure(next) {
      for (const group of ['sources', 'what', 'when', 'how', 'keep', 'publish'] as const)
        Object.assign(config[group], structuredClone(next[group]));
      parts.tellLimits();
      sources.reconfigured();
      parts.tellAccounts([]);
      void upstreams.reread();
      outbox.reconfigured();
      parts.tellLibraries();
      outbox.register();
      outbox.retry();
      lookout.sourceChanged();
    },
    stop: async () => void (await ending.stop()),
    ended: ending.ended,
    command: (verb, id) =>
      command({ book, store, clock, send: (to, event) => system.deliver(to, event) }, verb, id),
    override: (capsuleId, word) => parts.overrides.say(capsuleId, word),
    upstreams: () =>
      upstreamsView(system.scheduler().context, sources.accounts(), store, clock.now(), ranked),
    planner: doors.planner,
    facts: parts.facts,
    ranking: upstreams,
    async mediaIndex(id) {
      const entry = book.get(id);
      return entry ? parts.indexes.of(entry.recording) : null;
    },
    inside() {
      const { state, context } = system.scheduler();
      const slots = context.slots.flatMap(({ holders }) => holders.map(({ id }) => id));
      return {
        state,
        live: system.live(),
        slots,
        busy: context.slots.filter(({ holders }) => holders.some(({ stopAt }) => stopAt > clock.now()))
          .length,
        captures: captures.open(),
        feeds: feeds.keys(),
      };
    },
    receivers: () => outbox.view(),
    listensOn: (address) => heartbeat.listensOn(address),
  };
}
