/**
 * Puts the state together from whatever a crash, a power cut or a bad disk left of the four files. It only reads; what
 * it found wrong comes back as data, and the opener decides whether to repair. Safe beside a daemon that writes.
 */
import { CodedError } from '../domain/errors.js';
import { diskCode, type Disk } from '../io/disk.js';
import { readBase, salvageBase, type BaseContent } from './baseFile.js';
import { emptyState, type StateDocument } from './document.js';
import { applyLines, decodeJournal, type JournalContent } from './journalLine.js';
import type { StatePaths } from './paths.js';

/** One thing that was wrong, and the bytes that were left out because of it. */
export interface Damage {
  readonly path: string;
  readonly what: string;
  /** Null where they could not even be read. */
  readonly bytes: Buffer | null;
}

export type Loaded =
  /** JSON, but not our state and never was; `value` is all of it. */
  | { readonly kind: 'foreign'; readonly value: unknown }
  | {
      readonly kind: 'state';
      readonly state: StateDocument;
      /** Nothing was there at all. */
      readonly fresh: boolean;
      readonly damage: readonly Damage[];
      /** The files no longer make a whole that can be gone on with; a new base must be written first. */
      readonly rebuild: boolean;
      /** Where the valid part of the journal ends, and its whole size. */
      readonly journal: { readonly goodBytes: number; readonly bytes: number };
    };

type Read = { readonly kind: 'bytes'; readonly bytes: Buffer } | { readonly kind: 'missing' | 'unreadable' };

async function read(disk: Disk, path: string): Promise<Read> {
  try {
    return { kind: 'bytes', bytes: await disk.readFile(path) };
  } catch (error) {
    const code = diskCode(error);
    if (code === 'ENOENT') return { kind: 'missing' };
    if (code === 'EIO') return { kind: 'unreadable' };
    throw new CodedError('state_unreadable', `${path} (${code})`);
  }
}

const LOOKS_MAX = 5;

/**
 * Throws CodedError `state_unreadable` (permissions, not a file) or `state_newer`. With `beside`, a writer may move the
 * files while they are read: what looks like a hole is looked at again.
 */
export async function loadState(disk: Disk, paths: StatePaths, beside: boolean): Promise<Loaded> {
  let loaded = await look(disk, paths);
  for (let looks = beside ? 1 : LOOKS_MAX; looks < LOOKS_MAX && isSuspect(loaded); looks += 1)
    loaded = await look(disk, paths);
  return loaded;
}

function isSuspect(loaded: Loaded): boolean {
  return loaded.kind === 'state' && (loaded.damage.length > 0 || loaded.rebuild);
}

async function look(disk: Disk, paths: StatePaths): Promise<Loaded> {
  const base = await read(disk, paths.base);
  const content = base.kind === 'bytes' ? readBase(base.bytes) : null;
  if (content?.kind === 'newer')
    throw new CodedError('state_newer', `${paths.base} (version ${content.version})`);
  const basePrev = await read(disk, paths.basePrev);
  if (content?.kind === 'other' && basePrev.kind === 'missing')
    return { kind: 'foreign', value: content.value };

  const journals: JournalContent[] = [];
  const damage: Damage[] = [];
  let journal = { goodBytes: 0, bytes: 0 };
  let unended = false;
  for (const path of [paths.journalPrev, paths.journal]) {
    const file = await read(disk, path);
    if (file.kind === 'unreadable') damage.push({ path, what: 'the journal cannot be read', bytes: null });
    if (file.kind !== 'bytes') continue;
    const found = decodeJournal(file.bytes);
    journals.push(found);
    unended ||= found.unended;
    for (const bytes of found.damaged) damage.push({ path, what: 'damaged lines in the journal', bytes });
    if (found.tail.includes(0x0a))
      damage.push({ path, what: 'a damaged end of the journal', bytes: found.tail });
    if (path === paths.journal) journal = { goodBytes: found.goodBytes, bytes: file.bytes.length };
  }

  const chosen = choose(base, content, basePrev);
  if (chosen.what !== '')
    damage.push({ path: paths.base, what: chosen.what, bytes: base.kind === 'bytes' ? base.bytes : null });
  const { state } = chosen;
  const lines = journals.flatMap((found) => found.lines);
  // Every line over a state of unknown number ends at the same state as the right ones would.
  if (!chosen.sound && lines.length > 0) state.rev = Math.min(...lines.map((line) => line.r)) - 1;
  const missing = applyLines(state, lines);
  if (missing > 0)
    damage.push({ path: paths.journal, what: `${missing} changes are missing`, bytes: Buffer.alloc(0) });
  const fresh = base.kind === 'missing' && basePrev.kind === 'missing' && journals.length === 0;
  const rebuild = !fresh && (chosen.rebuild || unended || damage.length > 0);
  return { kind: 'state', state, fresh, damage, journal, rebuild };
}

interface Chosen {
  readonly state: StateDocument;
  /** Its number can be trusted. */
  readonly sound: boolean;
  readonly rebuild: boolean;
  /** What is wrong with the base, or ''. */
  readonly what: string;
}

/** The best beginning there is: the base, the one before it (whose journal leads up to it), or what is left of either. */
function choose(base: Read, content: BaseContent | null, basePrev: Read): Chosen {
  if (content?.kind === 'state' && content.sound)
    return { state: content.state, sound: true, rebuild: false, what: '' };
  const prev = basePrev.kind === 'bytes' ? readBase(basePrev.bytes) : null;
  if (prev?.kind === 'state' && prev.sound) {
    // Between two renames of a compaction there is no base; that is no damage.
    const what = base.kind === 'missing' ? '' : 'the state is damaged; the one before it was used';
    return { state: prev.state, sound: true, rebuild: true, what };
  }
  const guess = (state: StateDocument): Chosen => ({
    state,
    sound: false,
    rebuild: true,
    what: 'the state is damaged; what was readable of it was used',
  });
  if (content?.kind === 'state') return guess(content.state);
  if (base.kind === 'bytes') return guess(salvageBase(base.bytes));
  if (prev?.kind === 'state') return guess(prev.state);
  if (basePrev.kind === 'bytes') return guess(salvageBase(basePrev.bytes));
  if (base.kind === 'unreadable') return guess(emptyState());
  return { state: emptyState(), sound: true, rebuild: true, what: '' };
}
