/**
 * What must hold at every moment of a simulated run, whatever happens in it: the promises, said as findings. An empty
 * list is a good world.
 */

import type { Entry } from '../../src/runtime/entries.js';
import { storyOf } from '../../src/runtime/replay.js';
import { readHistory } from '../../src/store/historyFiles.js';
import type { NumberedEntry } from '../../src/store/historyLine.js';
import type { DaemonWorld } from './daemonWorld.js';
import { unitsIn, UNIT_MS } from './syntheticTs.js';
import type { Showing } from './provider.js';

/** More than this many recordings at once never need an actor: what runs, what is due soon, what is being removed. */
const LIVE_MAX = 60;
/** The sweeper and the deadlines come at least this often. */
const LATE_MS = 60_000;

/** Checks what can be checked at any moment between two events. */
export function findings(world: DaemonWorld): string[] {
  const entries = [...world.daemon().book.all()];
  return [
    ...slotFindings(world),
    ...libraryFindings(world, entries),
    ...spoolFindings(world, entries),
    ...storeFindings(world, entries),
    ...retentionFindings(world, entries),
  ];
}

/** P6. */
function slotFindings(world: DaemonWorld): string[] {
  const { live, slots, captures, feeds } = world.daemon().inside();
  const most = Math.max(0, ...world.transport.occupancy.map(({ open }) => open));
  const streams = world.transport.openStreams().length;
  const same = slots.toSorted().join() === captures.toSorted().join();
  return [
    ...(most > world.slots ? [`${most} streams were open at once`] : []),
    ...(streams > feeds.length ? [`${streams} streams for ${feeds.length} feeds`] : []),
    ...(same ? [] : [`slots ${slots.join()} are not the captures ${captures.join()}`]),
    ...(live.length > LIVE_MAX ? [`${live.length} recordings have an actor`] : []),
  ];
}

/** P2, P5: each file in the library belongs to one recording, and each published recording has its files. */
function libraryFindings(world: DaemonWorld, entries: readonly Entry[]): string[] {
  const owners = new Map<string, string>();
  const found: string[] = [];
  for (const { id, path, recording } of entries) {
    if (path !== 'published' || recording.files === null) continue;
    for (const file of [recording.files.media, recording.files.nfo, recording.files.ledger]) {
      const other = owners.get(file);
      if (other !== undefined) found.push(`${file} belongs to ${other} and ${id}`);
      owners.set(file, id);
    }
  }
  const there = world.disk.sizes('/library');
  for (const file of owners.keys()) if (!there.has(file)) found.push(`${file} is not there`);
  for (const file of there.keys())
    if (!owners.has(file) && !/\/(\.catchupd-root|recorded-publish-manifest\.json)$/.test(file))
      found.push(`${file} belongs to nobody`);
  return found;
}

/** Spools are those of recordings that are not done with theirs. */
function spoolFindings(world: DaemonWorld, entries: readonly Entry[]): string[] {
  const owners = new Map<string, string>();
  const found: string[] = [];
  for (const { id, path, recording } of entries) {
    if (path === 'published' || path.startsWith('expired')) continue;
    const other = owners.get(recording.spool);
    if (other !== undefined) found.push(`${recording.spool} belongs to ${other} and ${id}`);
    owners.set(recording.spool, id);
  }
  for (const file of world.disk.sizes('/rec').keys())
    if (file.endsWith('.partial.ts') && !owners.has(file)) found.push(`${file} is left over`);
  return found;
}

/** The book, the store and the tombstones tell one story. */
function storeFindings(world: DaemonWorld, entries: readonly Entry[]): string[] {
  const { store, book } = world.daemon();
  const documents = store.recordings();
  const found = entries.flatMap(({ id, path, rev }) => {
    const document = documents.get(id);
    if (!document) return [`${id} is not stored`];
    if (document.rev !== rev) return [`${id} is stored at ${document.rev}, not ${rev}`];
    return path === 'expired.gone' ? [`${id} is gone and still there`] : [];
  });
  for (const id of documents.keys()) if (!book.get(id)) found.push(`${id} is stored and not known`);
  for (const id of store.tombstones().keys()) if (documents.has(id)) found.push(`${id} is buried and stored`);
  if (book.quarantined().length > 0)
    found.push(
      `put aside: ${book
        .quarantined()
        .map(({ id }) => id)
        .join()}`,
    );
  return found;
}

function retentionFindings(world: DaemonWorld, entries: readonly Entry[]): string[] {
  const now = world.clock.now();
  const { completedMaxPerLane, bytesMaxPerLane } = world.config.keep;
  const published = entries.filter(({ path }) => path === 'published');
  const found = published
    .filter(({ recording }) => recording.expiresAt < now - LATE_MS)
    .map(({ id }) => `${id} should have expired`);
  for (const [lane, most] of Object.entries(completedMaxPerLane)) {
    const count = published.filter(({ recording }) => recording.capsule.lane === lane).length;
    // One may have been published since the last look.
    if (most > 0 && count > most + 1) found.push(`${count} in ${lane}, not ${most}`);
  }
  for (const [lane, most] of Object.entries(bytesMaxPerLane)) {
    const mine = published.filter(({ recording }) => recording.capsule.lane === lane);
    const sizes = mine.map(({ recording }) => recording.result?.bytes ?? 0);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (most > 0 && bytes > most + Math.max(0, ...sizes))
      found.push(`${bytes} bytes in ${lane}, not ${most}`);
  }
  return found;
}

export interface Fate {
  readonly entry: Entry;
  /** Media as it was when it came into the library, as units of the stream. */
  readonly units: ReturnType<typeof unitsIn>;
}

/** Keeps what became of every recording at the moment it is known, also of those that go a second later. */
export function createWitness(world: DaemonWorld): ReadonlyMap<string, Fate> {
  const fates = new Map<string, Fate>();
  world.watch(({ msg, id }) => {
    const entry = msg === 'recording' ? world.daemon().book.get(String(id)) : undefined;
    if (!entry || entry.recording.result === null || fates.has(entry.id)) return;
    const media = entry.path === 'published' ? entry.recording.files?.media : undefined;
    const bytes = media === undefined ? null : world.disk.glance(media);
    fates.set(entry.id, { entry, units: bytes ? unitsIn(bytes) : [] });
  });
  return fates;
}

/**
 * P2, P3, P4: each programme that began and ended within the run is one recording; it is whole in the library unless no
 * slot was free when it was due, and what its file holds is what was on that channel then.
 */
export function fateFindings(
  world: DaemonWorld,
  fates: ReadonlyMap<string, Fate>,
  fromAt: number,
  toAt: number,
): string[] {
  const byShowing = new Map<string, Fate[]>();
  for (const fate of fates.values()) {
    const { capsule } = fate.entry.recording;
    const key = `${capsule.guideNumber} ${capsule.startAt} ${capsule.title}`;
    byShowing.set(key, [...(byShowing.get(key) ?? []), fate]);
  }
  return world.provider.showings
    .filter(({ startAt, stopAt }) => startAt > fromAt && stopAt < toAt)
    .flatMap((showing) => {
      const { channel, startAt, title } = showing;
      const name = `${channel.number} ${startAt} ${title}`;
      const [fate, ...others] = byShowing.get(name) ?? [];
      if (!fate) return [`${name} was not recorded`];
      if (others.length > 0) return [`${name} was recorded ${others.length + 1} times`];
      return fateOf(world, showing, fate, fates).map((finding) => `${name}: ${finding}`);
    });
}

function fateOf(
  world: DaemonWorld,
  showing: Showing,
  { entry, units }: Fate,
  fates: ReadonlyMap<string, Fate>,
): string[] {
  const { recording, path } = entry;
  const { outcome = '', reason = '', gaps = [] } = recording.result ?? {};
  const found: string[] = [];
  const dueAt = recording.window.startAt - recording.window.prePaddingMs;
  if (outcome === 'complete') {
    if (path !== 'published') found.push(`complete and ${path}`);
  } else if (
    outcome !== 'complete_with_gaps' &&
    !wasFull(world, dueAt, reason === 'ended_early' ? recording.window.stopAt : dueAt) &&
    !wasKept(world, entry, fates)
  )
    found.push(`${outcome} (${reason}) although a slot was free`);
  else if (reason === '') found.push(`${outcome} without a reason`);
  if (outcome === 'missed' || outcome === 'empty') return found;

  if (units.some(({ channel }) => channel !== showing.channel.number))
    found.push('holds what was on another channel');
  const steps = units.slice(1).map((unit, index) => unit.index - (units[index]?.index ?? 0));
  const holes = steps.filter((step) => step > 1).length;
  if (holes > gaps.length) found.push(`${holes} holes, gaps ${JSON.stringify(gaps)}`);
  // A joint may hold the unit once more that it cannot prove to be the same; it never goes further back.
  const repeats = steps.filter((step) => step < 1).length;
  if (steps.some((step) => step < 0) || repeats > recording.joins.length)
    found.push(`${repeats} repeats, joins ${JSON.stringify(recording.joins)}`);
  if (outcome === 'complete') {
    const [first, last] = [units[0]?.index ?? Infinity, units.at(-1)?.index ?? 0];
    // A unit is sent when it begins and lasts until the next; channels are out of step by less than one.
    if (first * UNIT_MS > showing.startAt) found.push('begins late');
    if ((last + 2) * UNIT_MS < showing.stopAt) found.push('ends early');
  }
  return found;
}

/** Without preemption the last slot is kept for a higher programme that begins while this one lasts. */
function wasKept(world: DaemonWorld, { recording }: Entry, fates: ReadonlyMap<string, Fate>): boolean {
  const { startAt, stopAt, prePaddingMs } = recording.window;
  const others = [...fates.values()].map(({ entry }) => entry.recording);
  return (
    !world.config.how.preempt &&
    others.some(
      ({ priority, window }) =>
        priority > recording.priority && window.startAt > startAt - prePaddingMs && window.startAt < stopAt,
    )
  );
}

/** Whether every slot was taken around that time: when it was due, or, for one that had to go, while it was on. */
function wasFull({ transport, startAt, slots }: DaemonWorld, fromAt: number, toAt: number): boolean {
  const before = transport.occupancy.findLast((one) => one.at <= fromAt - 1_000);
  const around = transport.occupancy.filter(({ at }) => at > fromAt - 1_000 && at < toAt + 1_000);
  return fromAt < startAt || [before, ...around].some((one) => (one?.open ?? 0) >= slots);
}

/** P10: what the history tells, folded through the chart from each last baseline on, is what is stored. */
export async function historyFindings(world: DaemonWorld, cutsMax = 0): Promise<string[]> {
  const { store, book } = world.daemon();
  const { entries, damage, aside } = await readHistory(world.disk, '/rec/.catchupd/history');
  // A crash may cut the last line of its time short, and a disk that refuses the one that it is at.
  const broken = damage.reduce((sum, { what }) => sum + Number(/^(\d+) damaged/.exec(what)?.[1] ?? 1), aside);
  const told = broken > cutsMax ? [`${aside} lines are aside`] : [];
  if (broken > cutsMax) told.push(...damage.map(({ path, what }) => `${path}: ${what}`));
  const byId = new Map<string, NumberedEntry[]>();
  for (const entry of entries) {
    const own = byId.get(entry.id);
    if (own) own.push(entry);
    else byId.set(entry.id, [entry]);
  }
  const short: string[] = [];
  for (const { id } of book.all()) {
    const own = byId.get(id) ?? [];
    const { verdict, differences } = storyOf(id, own, store.recordings().get(id), false);
    if (verdict === 'incomplete') short.push(`${id}: its history is incomplete`);
    else if (verdict !== 'same') told.push(`${id}: its history: ${verdict} ${differences.join()}`);
  }
  // Nor is the end of a history synced with the state: a power cut may take the last word of one that rests by now.
  return [...told, ...(short.length > cutsMax ? short : [])];
}
