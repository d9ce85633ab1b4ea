/**
 * The promises, judged over a run in which anything may have gone wrong: by what the provider sent, what the storm did,
 * and what is on the disk. It looks at every step of the disk and at every fate.
 */
import type { Entry } from '../../src/runtime/entries.js';
import type { Daemon } from '../../src/runtime/daemon.js';
import { HOUR_MS, type DaemonWorld } from './daemonWorld.js';
import type { SimulatedLibrary } from './library.js';
import { ARCHIVED, type Showing } from './provider.js';
import { RETITLED, type Excuse, type Storm } from './storm.js';
import { unitsIn, UNIT_MS, type Unit } from './syntheticTs.js';

const MINUTE_MS = 60_000;
/** A backoff, a cool-down, a stall that is noticed, and a connection: no outage lasts longer than its cause by more. */
const SLACK_MS = 120_000;
/** A connection to an archive comes after everything else, and is waited for so long. */
const ARCHIVE_MS = 3 * HOUR_MS;

/**
 * Whoever refuses is asked so often between two looks at most: the pauses double from a quarter of a second to half a
 * minute.
 */
const REQUESTS_MAX = 40;

export interface Judge {
  /** How many things were asked, by promise. */
  readonly checks: ReadonlyMap<string, number>;
  /** What can be asked at any moment. */
  look(world: DaemonWorld): void;
  /** Everything that began and ended before. */
  conclude(world: DaemonWorld, fromAt: number, toAt: number): void;
  readonly findings: readonly string[];
}

interface Fate {
  readonly entry: Entry;
  readonly units: readonly Unit[];
}

export function createJudge(storm: Storm, world: DaemonWorld, library: SimulatedLibrary): Judge {
  const findings: string[] = [];
  const checks = new Map<string, number>();
  const fates = new Map<string, Fate>();
  /** How much of each spool there was at the last look, and its last bytes. */
  const spools = new Map<string, { readonly bytes: number; readonly tail: Buffer; readonly id: string }>();
  /** Spools of which a power cut could have taken at the last look what was there at the one before. */
  const unsynced = new Set<string>();
  /** Folders of the library that came or went and of which that is not on disk, with whose word it is. */
  const loose = new Map<string, Daemon>();
  /** What each published recording has, by its id. */
  const folders = new Map<string, string>();
  const foreign = '/library/general/a film of mine.mkv';
  let placed = false;
  /** How often what was asked for before the last look, with what came of it. */
  const requested = new Map<string, number>();
  /** Of the changes of open connections, so many were looked at. */
  let seen = 0;

  function ask(promise: string, holds: boolean, finding: () => string): void {
    checks.set(promise, (checks.get(promise) ?? 0) + 1);
    if (!holds && findings.length < 40) findings.push(`${promise} ${finding()}`);
  }

  const inner = world.disk.link.bind(world.disk);
  world.disk.link = async (from, to) => {
    await inner(from, to);
    appeared(to);
  };
  const rename = world.disk.rename.bind(world.disk);
  world.disk.rename = async (from, to) => {
    await rename(from, to);
    appeared(to);
  };
  const unlink = world.disk.unlink.bind(world.disk);
  world.disk.unlink = async (path) => {
    await removed(path);
    await unlink(path);
  };

  /** P9: whatever a media server finds is whole, with what belongs to it. */
  function appeared(path: string): void {
    if (!path.startsWith('/library/') || !/\/[^.][^/]*\.ts$/.test(path)) return;
    const there = world.disk.sizes('/library');
    const stem = path.replace(/\.ts$/, '');
    ask('P9', there.has(`${stem}.nfo`), () => `${path} appeared before its nfo`);
    ask('P9', there.has(`${stem}.catchupd.json`), () => `${path} appeared before its ledger`);
  }

  /** P9: a server is told of what is whole, or of what is not there any more, and of one folder at a time. */
  library.onTold = ({ folder, change }) => {
    const there = [...world.disk.sizes('/library').keys()].filter((path) => path.startsWith(`${folder}/`));
    const media = there.find((path) => /\/[^.][^/]*\.ts$/.test(path));
    const isWhole = media === undefined || there.includes(media.replace(/\.ts$/, '.nfo'));
    ask('P9', isWhole, () => `a media server was told of ${folder} without its nfo`);
    ask('P9', folder.split('/').length === 4, () => `${folder} is no folder of a programme`);
    const isFalse = change === 'Deleted' && media !== undefined && owned(media);
    ask('P9', !isFalse, () => `a media server was told that ${folder} is gone`);
    // What a power cut may still undo is told to nobody.
    const isLoose = world.isRunning() && loose.get(factOf(folder, change === 'Deleted')) === world.daemon();
    ask(
      'P9',
      !isLoose,
      () => `a media server was told of ${folder} (${change}) before that was written down`,
    );
  };

  const factOf = (folder: string, isGone: boolean) => `${folder} ${isGone ? 'is gone' : 'is there'}`;

  /** That a folder came or went is loose until it is on disk; another life knows only what is. */
  function noteFact(id: string, folder: string, isGone: boolean): void {
    const daemon = world.daemon();
    const fact = factOf(folder, isGone);
    loose.set(fact, daemon);
    void daemon.store.durable(id, daemon.book.get(id)?.rev ?? Infinity).then(() => loose.delete(fact));
  }

  /** Whether what is known of a recording now is on disk now. */
  function written(id: string): Promise<boolean> {
    const { book, store } = world.daemon();
    const rev = book.get(id)?.rev ?? Infinity;
    return Promise.race([
      store.durable(id, rev).then(() => true),
      new Promise<boolean>((resolve) => void setImmediate(resolve, false)),
    ]);
  }

  function owned(media: string): boolean {
    return (
      world.isRunning() &&
      [...world.daemon().book.all()].some(
        ({ path, recording }) => path === 'published' && recording.files?.media === media,
      )
    );
  }

  /** P1: a spool goes where its recording is done away with, or when its bytes are safe under another name. */
  async function spoolRemoved(path: string): Promise<void> {
    const owner = [...world.daemon().book.all()].find(({ recording }) => recording.spool === path);
    const bytes = world.disk.glance(path);
    if (!owner || bytes === null || bytes.length === 0) return;
    if (owner.path.startsWith('expired')) {
      ask('P5', await written(owner.id), () => `${path} removed before that was written down`);
      return;
    }
    const isCopy = (name: string) => name !== path && (world.disk.glance(name)?.equals(bytes) ?? false);
    const isSafe = [...world.disk.sizes()].some(
      ([name, size]) =>
        size === bytes.length && isCopy(name) && world.disk.durableBytes(name) === bytes.length,
    );
    ask(
      'P1',
      isSafe,
      () => `${path} of ${owner.id} (${owner.path}) removed, and a power cut could take the rest`,
    );
  }

  /** P5: media goes only with a recording that is being removed. What was expired is written down before. */
  async function removed(path: string): Promise<void> {
    if (!world.isRunning()) return;
    if (path.startsWith('/rec/') && path.endsWith('.partial.ts')) return spoolRemoved(path);
    if (!path.startsWith('/library/') || !/\/[^.][^/]*\.ts$/.test(path)) return;
    const entries = [...world.daemon().book.all()];
    const owner = entries.find(({ recording }) => recording.files?.media === path);
    ask(
      'P5',
      owner?.path.startsWith('expired') ?? false,
      () => `${path} removed as ${owner?.path ?? 'nobody’s'}`,
    );
    if (!owner) return;
    ask('P5', await written(owner.id), () => `${path} removed before that was written down`);
    // The time that passed, whatever the wall says.
    const due = owner.recording.expiresAt <= world.startAt + world.clock.mono() + MINUTE_MS;
    ask('P5', owner.recording.evictedBy !== 'expiry' || due, () => `${path} expired before its time`);
  }

  /** Whether all places were taken by programmes that are on, whenever that may have changed; by the time that passed. */
  const taken: { readonly at: number; readonly full: boolean }[] = [];

  function noteTaken(): void {
    const full = world.daemon().inside().busy >= world.slots;
    const before = taken.at(-1);
    if (before?.full !== full) taken.push({ at: world.startAt + world.clock.mono(), full });
  }

  world.watch(({ msg, id }) => {
    if (msg === 'recording') noteTaken();
    if (msg === 'recording') {
      const entry = world.daemon().book.get(String(id));
      witness(entry);
      const folder = entry?.path === 'published' ? entry.recording.files?.folder : undefined;
      // It comes once, and again where its life ended before that was written down.
      if (entry && folder !== undefined && (!folders.has(entry.id) || loose.has(factOf(folder, false)))) {
        folders.set(entry.id, folder);
        noteFact(entry.id, folder, false);
      }
    }
    if (msg !== 'removed') return;
    const left = folders.get(String(id));
    if (left !== undefined) noteFact(String(id), left, true);
    const tombstone = world.daemon().store.tombstones().get(String(id));
    ask('P10', tombstone !== undefined, () => `${String(id)} is gone without a tombstone`);
    ask('P5', tombstone?.reason !== 'removed_by_user', () => `${String(id)}: its media went by itself`);
  });

  /** What became of it, as it is when that is known: a second later it may be gone. */
  function witness(entry: Entry | undefined): void {
    if (!entry || entry.recording.result === null || fates.has(entry.id)) return;
    const { files, spool } = entry.recording;
    const bytes = files === null ? null : world.disk.glance(files.media);
    // What was published at a start and removed at once was seen by nobody.
    if (bytes === null && entry.path.startsWith('expired')) return;
    const before = spools.get(spool);
    // P1: what was there at the last look is there, where it was.
    if (before && bytes && before.id === entry.id) {
      const kept = bytes.subarray(before.bytes - before.tail.length, before.bytes).equals(before.tail);
      ask('P1', kept, () => `${entry.id} lost bytes of its spool`);
    }
    spools.delete(spool);
    fates.set(entry.id, { entry, units: bytes ? unitsIn(bytes) : [] });
  }

  /** A person keeps a file of their own among ours. */
  async function placeForeign(): Promise<void> {
    await world.disk.mkdir('/library/general');
    const file = await world.disk.open(foreign, 'append');
    await file.write([Buffer.from('mine')]);
    await file.datasync();
    await file.close();
    for (const folder of ['/library', '/library/general']) await world.disk.syncFolder(folder);
  }

  const excused = (at: number, channel: number, kinds: (excuse: Excuse) => boolean = () => true) =>
    storm.excuses.some(
      (excuse) =>
        (excuse.channel === null || excuse.channel === channel) &&
        at >= excuse.fromAt - 10_000 &&
        at <= excuse.toAt + SLACK_MS &&
        kinds(excuse),
    );

  const isQuiet = () => world.clock.mono() - storm.troubledAt() >= 5 * MINUTE_MS;

  /** Padding that is left is no reason to wait: it yields. */
  function wasFull(at: number): boolean {
    return taken.some(
      ({ at: fromAt, full }, index) =>
        full && fromAt <= at + 10_000 && (taken[index + 1]?.at ?? Infinity) >= at - SLACK_MS,
    );
  }

  function judgeFate(showing: Showing, { entry, units }: Fate): void {
    const { recording, path } = entry;
    const { outcome = '', reason = '', gaps = [] } = recording.result ?? {};
    const name = `${entry.id} ${showing.channel.number} ${new Date(showing.startAt).toISOString()} ${showing.title}`;
    ask('P4', outcome === 'complete' || reason !== '', () => `${name}: ${outcome} without a reason`);
    ask('P10', recording.reason !== '', () => `${name}: recorded for no reason`);
    if (path === 'published')
      ask(
        'P2',
        units.every(({ channel }) => channel === showing.channel.number),
        () => `${name}: another channel`,
      );
    const steps = units.slice(1).map((unit, index) => unit.index - (units[index]?.index ?? 0));
    const repeats = steps.filter((step) => step < 1).length;
    ask(
      'P2',
      repeats <= recording.joins.length,
      () => `${name}: ${repeats} repeats, ${recording.joins.length} joints`,
    );
    // A single unit that comes again may be in it twice: it is not seen as a whole before the joint is made (P1).
    const back = steps.findIndex((step) => step < 0);
    ask('P2', back < 0, () => `${name}: at its unit ${back + 1} it goes back by ${-(steps[back] ?? 0)}`);
    if (outcome === 'missed' || outcome === 'empty') {
      const at = recording.window.startAt;
      const isExcused =
        excused(at, showing.channel.number) || wasFull(at) || excused(showing.stopAt, showing.channel.number);
      ask('P3', isExcused, () => `${name}: ${outcome} (${reason}) for no cause`);
      return;
    }
    // P3, P4: every unit of the programme is in the file, or in a gap that tells why, and something is to blame.
    const have = new Set(units.map(({ index }) => index));
    for (
      let index = Math.ceil(showing.startAt / UNIT_MS) + 1;
      (index + 2) * UNIT_MS < showing.stopAt;
      index += 1
    ) {
      const at = index * UNIT_MS;
      if (have.has(index)) continue;
      const told = gaps.some(({ fromAt, toAt }) => at >= fromAt - 3 * UNIT_MS && at <= toAt + 3 * UNIT_MS);
      ask(
        'P4',
        told,
        () =>
          `${name}: nothing is told of what is missing at ${new Date(at).toISOString()}, gaps ${JSON.stringify(gaps)}`,
      );
      const blamed = excused(at, showing.channel.number) || wasFull(at) || at < world.startAt + 10_000;
      ask(
        'P3',
        blamed,
        () => `${name}: missing for no cause at ${new Date(at).toISOString()}, gaps ${JSON.stringify(gaps)}`,
      );
      if (!told || !blamed) return;
    }
    // P4: nobody is blamed who was not there.
    for (const { fromAt, toAt, cause } of gaps) {
      if (cause !== 'restart' || toAt - fromAt < 2 * UNIT_MS) continue;
      const isTrue = storm.excuses.some(
        ({ kind, ...excuse }) =>
          (kind === 'kill' || kind === 'power_cut') &&
          excuse.fromAt - SLACK_MS <= toAt &&
          excuse.toAt + SLACK_MS >= fromAt,
      );
      ask(
        'P4',
        isTrue,
        () => `${name}: a gap (${cause}) at ${new Date(fromAt).toISOString()} without a restart`,
      );
    }
    // P4: and what is claimed to be missing is.
    for (const { fromAt, toAt, cause } of gaps) {
      const inside = units.filter(
        ({ index }) => index * UNIT_MS > fromAt + 3 * UNIT_MS && (index + 4) * UNIT_MS < toAt,
      );
      // A connection that was taken away at once has brought one unit, and no time.
      const moments = recording.stretches.filter((one) => one.fromAt >= fromAt && one.toAt <= toAt).length;
      ask(
        'P4',
        inside.length <= moments,
        () => `${name}: a gap (${cause}) of ${toAt - fromAt} ms that is there`,
      );
    }
  }

  /** P2: one thing at a time is on a channel, whatever the guide calls it, so one recording at a time is of it. */
  function judgeBookings(): void {
    const all = new Map([...fates.values()].map(({ entry }) => [entry.id, entry]));
    for (const entry of world.daemon().book.all()) if (!all.has(entry.id)) all.set(entry.id, entry);
    const last = new Map<string, Entry>();
    for (const entry of [...all.values()].toSorted(
      (one, other) => one.recording.capsule.startAt - other.recording.capsule.startAt,
    )) {
      const { guideNumber, startAt, title } = entry.recording.capsule;
      const before = last.get(guideNumber);
      last.set(guideNumber, entry);
      ask(
        'P2',
        !before || before.recording.capsule.stopAt <= startAt,
        () =>
          `${guideNumber} ${new Date(startAt).toISOString()}: ${entry.id} (${title}) and ${before?.id} (${before?.recording.capsule.title}) are of the same time`,
      );
    }
  }

  return {
    findings,
    checks,
    look() {
      const since = world.transport.occupancy.slice(seen);
      seen += since.length;
      const most = Math.max(0, ...since.map(({ open }) => open));
      ask('P6', most <= world.slots, () => `${most} connections at once`);
      for (const [request, count] of world.transport.requests) {
        const more = count - (requested.get(request) ?? 0);
        requested.set(request, count);
        if (request.includes('/live/'))
          ask('P3', more <= REQUESTS_MAX, () => `${more} times ${request} since the last look`);
      }
      for (const { at, counted } of since.filter(({ counted }) => counted > world.slots).slice(0, 1))
        ask('P6', false, () => `${counted} connections for the provider at ${new Date(at).toISOString()}`);
      if (!world.isRunning()) return;
      noteTaken();
      const { book, store } = world.daemon();
      const inside = world.daemon().inside();
      ask(
        'P6',
        inside.captures.every((id) => inside.slots.includes(id)),
        () => 'a capture without a slot',
      );
      const owners = new Map<string, string>();
      // The log of a life that was cut short may not have told.
      for (const entry of book.all()) witness(entry);
      for (const { id, path, recording, rev } of book.all()) {
        ask('P7', store.recordings().get(id)?.rev === rev, () => `${id} is not stored as it is`);
        const file = path === 'published' ? recording.files?.media : recording.spool;
        if (file === undefined || path.startsWith('expired')) continue;
        ask('P2', !owners.has(file), () => `${file} belongs to ${id} and ${owners.get(file)}`);
        owners.set(file, id);
      }
      ask(
        'P7',
        book.quarantined().length === 0,
        () => `put aside: ${JSON.stringify(book.quarantined().map(({ id, reason }) => [id, reason]))}`,
      );
      const sizes = world.disk.sizes('/rec');
      for (const [file, id] of owners) {
        const bytes = sizes.get(file);
        const before = spools.get(file);
        if (bytes === undefined || !file.endsWith('.partial.ts')) continue;
        // A power cut takes what was not synced; then, and only then, there may be less.
        const cut = excused(
          world.startAt + world.clock.mono(),
          -1,
          ({ kind }) => kind === 'power_cut' || kind === 'kill',
        );
        if (before?.id === id && !cut)
          ask('P1', bytes >= before.bytes, () => `${file} shrank from ${before.bytes} to ${bytes}`);
        // What a reconnect cut and wrote again is on its way to a slow disk; that cannot be so at two looks.
        const isLoose = before?.id === id && isQuiet() && (world.disk.durableBytes(file) ?? 0) < before.bytes;
        ask('P7', !isLoose || !unsynced.has(file), () => `a power cut could take ${file}, which is old`);
        if (isLoose) unsynced.add(file);
        else unsynced.delete(file);
        const content = world.disk.glance(file) ?? Buffer.alloc(0);
        const whole = content.length - (content.length % 188);
        spools.set(file, {
          bytes: whole,
          tail: Buffer.from(content.subarray(Math.max(0, whole - 1880), whole)),
          id,
        });
      }
      if (!isQuiet()) return;
      const now = world.clock.now();
      if (!placed) {
        placed = true;
        void placeForeign();
        return;
      }
      const there = world.disk.sizes('/library');
      ask('P5', there.has(foreign), () => 'a foreign file is gone');
      for (const { id, path, recording } of book.all()) {
        if (path !== 'published' || recording.files === null) continue;
        ask('P5', there.has(recording.files.media), () => `${recording.files?.media} of ${id} is not there`);
        ask('P10', recording.expiresAt > now - 2 * MINUTE_MS, () => `${id} should have expired`);
      }
      for (const file of there.keys())
        if (/\/[^.][^/]*\.ts$/.test(file)) ask('P2', owners.has(file), () => `${file} belongs to nobody`);
      for (const file of sizes.keys())
        if (file.endsWith('.partial.ts')) ask('P2', owners.has(file), () => `${file} is left over`);
    },
    conclude(_, fromAt, toAt) {
      const byShowing = new Map<string, Fate[]>();
      for (const fate of fates.values()) {
        const { capsule } = fate.entry.recording;
        const key = `${capsule.guideNumber} ${capsule.startAt} ${capsule.title.replace(RETITLED, '')}`;
        byShowing.set(key, [...(byShowing.get(key) ?? []), fate]);
      }
      for (const showing of world.provider.showings) {
        const { channel, startAt, stopAt, title } = showing;
        if (startAt <= fromAt || stopAt >= toAt) continue;
        const [fate, ...others] = byShowing.get(`${channel.number} ${startAt} ${title}`) ?? [];
        // Its archive may be waited for.
        if (!fate && channel.number === ARCHIVED && stopAt > toAt - ARCHIVE_MS) continue;
        ask(
          'P3',
          fate !== undefined,
          () => `${channel.number} ${new Date(startAt).toISOString()} ${title}: nothing became of it`,
        );
        ask(
          'P2',
          others.length === 0,
          () => `${channel.number} ${startAt} ${title}: ${others.length + 1} times`,
        );
        if (fate) judgeFate(showing, fate);
      }
      judgeBookings();
      for (const { id, path, recording, updatedAt } of world.daemon().book.all()) {
        const folder = recording.files?.folder;
        if (path !== 'published' || folder === undefined || updatedAt > toAt) continue;
        const isTold = library.told.some((told) => told.folder === folder && told.change !== 'Deleted');
        ask('P9', isTold, () => `${id}: no media server was ever told of ${folder}`);
      }
      ask(
        'P9',
        library.wholeScans.length === 0,
        () => `whole libraries were looked at: ${library.wholeScans[0]}`,
      );
      const owing = world.daemon().store.all('outbox').size;
      ask('P9', owing <= 12, () => `${owing} rows are left in the outbox`);
      const left = world.transport.openStreams().length;
      ask('P6', left <= world.slots, () => `${left} streams are open`);
    },
  };
}
