/**
 * Puts the state together from whatever a crash, a power cut or a bad disk left of the four files. It only reads; what
 * it found wrong comes back as data, and the opener decides whether to repair. Safe beside a daemon that writes.
 */
import { CodedError } from '../domain/errors.js';
import { diskCode, exists, type Disk } from '../io/disk.js';
import { loadBase, salvageBase, TOO_LARGE, type BaseContent, type FreshState } from './baseFile.js';
import { type StateDocument } from './document.js';
import { applyLines, decodeJournal, isBeginning } from './journalLine.js';
import { newerThanToday, RECORDING_VERSION } from './migrations.js';
import type { StatePaths } from './paths.js';

/** One thing that was wrong, and the bytes that were left out because of it. */
export interface Damage {
  readonly path: string;
  readonly what: string;
  /** Null where they could not even be read. */
  readonly bytes: Buffer | null;
}

interface Doors {
  readonly disk: Disk;
  readonly fresh: FreshState;
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

type Absent = { readonly kind: 'missing' | 'unreadable' };
type Read = { readonly kind: 'bytes'; readonly bytes: Buffer } | Absent;
/** `bytes` where its content cannot be taken as it is. */
type BaseRead =
  { readonly kind: 'base'; readonly content: BaseContent; readonly bytes: Buffer | null } | Absent;

/** Something else has the name: a folder (a container makes one of a file that it should mount), a pipe, a device. */
const NO_FILE = 'ERR_NO_FILE';
/** Nobody can read it: it is put aside, and what else is there counts. */
const LOST: ReadonlySet<string> = new Set(['EIO', TOO_LARGE, NO_FILE]);

/** `spare`: the pair before is a comfort; nothing about it keeps anybody from starting. */
async function absence(path: string, error: unknown, spare: boolean): Promise<Absent> {
  const code = diskCode(error);
  if (code === 'ENOENT') return { kind: 'missing' };
  if (LOST.has(code) || spare) return { kind: 'unreadable' };
  throw new CodedError('state_unreadable', `${path} (${code})`);
}

/** Whoever opens a pipe waits for somebody to write into it, and a device may have no end. */
async function expectFile(disk: Disk, path: string): Promise<void> {
  const { kind } = await disk.stat(path);
  if (kind !== 'file') throw Object.assign(new Error(`a ${kind} and no file`), { code: NO_FILE });
}

async function readBytes(disk: Disk, path: string, spare: boolean): Promise<Read> {
  try {
    await expectFile(disk, path);
    return { kind: 'bytes', bytes: await disk.readFile(path) };
  } catch (error) {
    return absence(path, error, spare);
  }
}

async function readState({ disk, fresh }: Doors, path: string, spare: boolean): Promise<BaseRead> {
  try {
    await expectFile(disk, path);
    const content = await loadBase(disk, path, fresh);
    const isGood = content.kind === 'state' && content.sound;
    return { kind: 'base', content, bytes: isGood ? null : await disk.readFile(path) };
  } catch (error) {
    return absence(path, error, spare);
  }
}

const LOOKS_MAX = 5;

/**
 * Throws CodedError `state_unreadable` (permissions) or `state_newer`. With `beside`, a writer may move the
 * files while they are read: what looks like a hole is looked at again.
 */
export async function loadState(doors: Doors, paths: StatePaths, beside: boolean): Promise<Loaded> {
  let loaded = await look(doors, paths);
  for (let looks = beside ? 1 : LOOKS_MAX; looks < LOOKS_MAX && isSuspect(loaded); looks += 1)
    loaded = await look(doors, paths);
  return loaded;
}

function isSuspect(loaded: Loaded): boolean {
  return loaded.kind === 'state' && (loaded.damage.length > 0 || loaded.rebuild);
}

async function look(doors: Doors, paths: StatePaths): Promise<Loaded> {
  const { disk } = doors;
  const base = await readState(doors, paths.base, false);
  const content = base.kind === 'base' ? base.content : null;
  if (content?.kind === 'newer')
    throw new CodedError('state_newer', `${paths.base} (version ${content.version})`);
  if (content?.kind === 'other' && !(await exists(disk, paths.basePrev)))
    return { kind: 'foreign', value: content.value };

  const chosen = await choose(doors, paths, base);
  const { state } = chosen;
  const damage: Damage[] = [];
  let unended = false;
  let read = 0;
  async function decode(path: string) {
    const file = await readBytes(disk, path, path === paths.journalPrev);
    if (file.kind === 'unreadable') damage.push({ path, what: 'the journal cannot be read', bytes: null });
    if (file.kind !== 'bytes') return { lines: [], goodBytes: 0, bytes: 0, kind: file.kind };
    read += 1;
    const found = decodeJournal(file.bytes, chosen.sound ? state.rev : -1);
    unended ||= found.unended;
    for (const bytes of found.damaged) damage.push({ path, what: 'damaged lines in the journal', bytes });
    if (found.tail.includes(0x0a) || !isBeginning(found.tail))
      damage.push({ path, what: 'a damaged end of the journal', bytes: found.tail });
    return { lines: found.lines, goodBytes: found.goodBytes, bytes: file.bytes.length, kind: file.kind };
  }
  const journal = await decode(paths.journal);
  // A journal that goes on where the base ends needs nothing of the one before.
  const goesOn = chosen.sound && journal.lines[0]?.r === state.rev + 1 && damage.length === 0;
  const before = goesOn ? [] : (await decode(paths.journalPrev)).lines;
  if (chosen.what !== '')
    damage.push({
      path: paths.base,
      what: chosen.what,
      bytes: base.kind === 'base' ? (base.bytes ?? Buffer.alloc(0)) : null,
    });
  const lines = [...before, ...journal.lines];
  // Every line over a state of unknown number ends at the same state as the right ones would.
  if (!chosen.sound && lines.length > 0)
    state.rev = lines.reduce((least, { r }) => Math.min(least, r), Infinity) - 1;
  const missing = applyLines(state, lines);
  const newer = newerThanToday(state.recordings);
  if (newer) throw new CodedError('state_newer', `${paths.base} (${newer.id} is of version ${newer.v})`);
  if (missing > 0)
    damage.push({ path: paths.journal, what: `${missing} changes are missing`, bytes: Buffer.alloc(0) });
  const fresh = base.kind === 'missing' && chosen.spare === 'missing' && read === 0;
  // Where its name is there all the same (a link that leads nowhere), nothing could be appended.
  const begun = journal.kind !== 'missing';
  const rebuild = !fresh && (chosen.rebuild || unended || damage.length > 0 || !begun);
  return { kind: 'state', state, fresh, damage, journal, rebuild };
}

interface Chosen {
  readonly state: StateDocument;
  /** Its number can be trusted. */
  readonly sound: boolean;
  readonly rebuild: boolean;
  /** What is wrong with the base, or ''. */
  readonly what: string;
  /** Whether there is a base before it, as far as that was asked. */
  readonly spare: BaseRead['kind'] | 'unasked';
}

/** The best beginning there is: the base, the one before it (whose journal leads up to it), or what is left of either. */
async function choose(doors: Doors, paths: StatePaths, base: BaseRead): Promise<Chosen> {
  const { fresh } = doors;
  const content = base.kind === 'base' ? base.content : null;
  if (content?.kind === 'state' && content.sound)
    return { state: content.state, sound: true, rebuild: false, what: '', spare: 'unasked' };
  const spare = await readState(doors, paths.basePrev, true);
  const prev = spare.kind === 'base' ? spare.content : null;
  if (prev?.kind === 'state' && prev.sound) {
    // Between two renames of a compaction there is no base; that is no damage.
    const what = base.kind === 'missing' ? '' : 'the state is damaged; the one before it was used';
    return { state: prev.state, sound: true, rebuild: true, what, spare: spare.kind };
  }
  const guess = (state: StateDocument): Chosen => ({
    state: withoutFalseVersion(state),
    sound: false,
    rebuild: true,
    what: 'the state is damaged; what was readable of it was used',
    spare: spare.kind,
  });
  for (const read of [base, spare])
    if (read.kind === 'base')
      return guess(
        salvageBase(
          read.bytes ?? Buffer.alloc(0),
          read.content.kind === 'state' ? read.content.state : null,
          fresh,
        ),
      );
  if (base.kind === 'unreadable') return guess(fresh());
  return { state: fresh(), sound: true, rebuild: true, what: '', spare: spare.kind };
}

/** Where one document alone is of a later version than all others, that is what a damaged byte made of it. */
function withoutFalseVersion(state: StateDocument): StateDocument {
  const newer = [...state.recordings.keys()].filter(
    (id) => (state.recordings.row(id)?.v ?? 0) > RECORDING_VERSION,
  );
  const [one] = newer;
  if (one !== undefined && newer.length === 1) state.recordings.delete(one);
  return state;
}
