/**
 * The promises, judged over a run in which anything may have gone wrong: by what the provider sent, what the storm did,
 * and what is on the disk. It looks at every step of the disk and at every fate.
 */
import type { Entry } from '../../src/runtime/entries.js';
import { createBlame } from './blame.js';
import { HOUR_MS, type DaemonWorld } from './daemonWorld.js';
import { judgeBookings, judgeFate, type Fate } from './fates.js';
import type { SimulatedLibrary } from './library.js';
import { watchLibrary } from './libraryWatch.js';
import { ARCHIVED } from './provider.js';
import { createQuestions } from './questions.js';
import { RETITLED, type Storm } from './storm.js';
import { unitsIn } from './syntheticTs.js';

const MINUTE_MS = 60_000;
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

export function createJudge(storm: Storm, world: DaemonWorld, library: SimulatedLibrary): Judge {
  const { ask, checks, findings } = createQuestions();
  const blame = createBlame(storm, world);
  const shelves = watchLibrary(world, library, ask);
  const court = { ask, blame, storm, world };
  const fates = new Map<string, Fate>();
  /** How much of each spool there was at the last look, and its last bytes. */
  const spools = new Map<string, { readonly bytes: number; readonly tail: Buffer; readonly id: string }>();
  /** Spools of which a power cut could have taken at the last look what was there at the one before. */
  const unsynced = new Set<string>();
  const foreign = '/library/general/a film of mine.mkv';
  let placed = false;
  /** How often what was asked for before the last look, with what came of it. */
  const requested = new Map<string, number>();
  /** Of the changes of open connections, so many were looked at. */
  let seen = 0;

  world.watch(({ msg, id }) => {
    if (msg === 'recording') {
      blame.noteTaken();
      const entry = world.daemon().book.get(String(id));
      witness(entry);
      if (entry) shelves.changed(entry);
    }
    if (msg !== 'removed') return;
    shelves.gone(String(id));
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

  const isQuiet = () => world.clock.mono() - storm.troubledAt() >= 5 * MINUTE_MS;

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
      blame.noteTaken();
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
        const cut = blame.excused(
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
        if (fate) judgeFate(court, showing, fate);
      }
      const all = new Map([...fates.values()].map(({ entry }) => [entry.id, entry]));
      for (const entry of world.daemon().book.all()) if (!all.has(entry.id)) all.set(entry.id, entry);
      judgeBookings(ask, all.values());
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
