/**
 * What happens in the library, looked at as it happens: whatever a media server finds or is told of is whole and written
 * down (P9), and media goes only with a recording that is being removed (P5), a spool only when its bytes are safe (P1).
 */
import type { Entry } from '../../src/runtime/entries.js';
import type { Daemon } from '../../src/runtime/daemon.js';
import type { DaemonWorld } from './daemonWorld.js';
import type { SimulatedLibrary } from './library.js';
import type { Ask } from './questions.js';

const MINUTE_MS = 60_000;

export interface LibraryWatch {
  /** A recording is as it is now: perhaps just published. */
  changed(entry: Entry): void;
  /** A recording is gone. */
  gone(id: string): void;
}

export function watchLibrary(world: DaemonWorld, library: SimulatedLibrary, ask: Ask): LibraryWatch {
  /** Folders of the library that came or went and of which that is not on disk, with whose word it is. */
  const loose = new Map<string, Daemon>();
  /** What each published recording has, by its id. */
  const folders = new Map<string, string>();

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

  return {
    changed(entry) {
      const folder = entry.path === 'published' ? entry.recording.files?.folder : undefined;
      // It comes once, and again where its life ended before that was written down.
      if (folder === undefined || (folders.has(entry.id) && !loose.has(factOf(folder, false)))) return;
      folders.set(entry.id, folder);
      noteFact(entry.id, folder, false);
    },
    gone(id) {
      const folder = folders.get(id);
      if (folder !== undefined) noteFact(id, folder, true);
    },
  };
}
