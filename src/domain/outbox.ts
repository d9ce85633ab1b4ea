/**
 * What is owed to the world outside, row by row: libraries to register, folders to scan, messages to send. Pure: which
 * row is next, what a new one does to those that wait, when one that failed is due again. Rows are plain JSON and lie
 * in the state, so that they survive restarts and servers that are down for days.
 */
import type { LibraryKind } from './libraryKind.js';
import { isJsonRecord, type JsonValue } from './json.js';

interface RowBase {
  readonly id: string;
  /** Whom it is for: the name of a receiver. */
  readonly receiver: string;
  /** Grows with each row; a row that was put anew in the meantime has another. */
  readonly seq: number;
  readonly queuedAt: number;
  readonly dueAt: number;
  /** Deliveries that failed for reasons of its own. */
  readonly tries: number;
  /** Why it waits longer than it should: a code of the error table, or ''. */
  readonly problem: string;
}

/** The lanes' libraries are there. */
export interface RegisterRow extends RowBase {
  readonly kind: 'register';
}

/** One folder has changed. `confirm` asks later whether the server has seen it. */
export interface FolderRow extends RowBase {
  readonly kind: 'scan' | 'confirm';
  readonly change: 'created' | 'removed';
  readonly lane: string;
  readonly laneKind: LibraryKind;
  /** Absolute, as it is called here. */
  readonly folder: string;
  /** The one file that it is about where the folder holds others too, as seasons do. */
  readonly media?: string;
  readonly recordingId: string;
  /** Scans of this change that went out. */
  readonly scans: number;
}

/** Something has happened that somebody wants to know. */
export interface NoticeRow extends RowBase {
  readonly kind: 'notice';
  readonly event: string;
  readonly facts: JsonValue;
}

export type OwedRow = RegisterRow | FolderRow | NoticeRow;

/** A row that is not queued yet. */
export type Owed =
  | Omit<RegisterRow, keyof RowBase>
  | (Omit<FolderRow, keyof RowBase | 'scans'> & { readonly kind: 'scan' })
  | Omit<NoticeRow, keyof RowBase>;

/** Changes that come together become one scan. */
export const DEBOUNCE_MS = 2_000;
const DEBOUNCE_MS_MAX = 30_000;
/** A row that fails for a reason of its own is tried again after this, doubled each time. */
const ROW_RETRY_MS = 10_000;
const ROW_RETRY_MS_MAX = 900_000;
/** What could not be delivered for so long is of no use to anybody. */
const ROW_AGE_MS_MAX = 60 * 86_400_000;

/** The row that this becomes, given those that wait; `seq` is one that no row has. */
export function queued(
  owed: Owed,
  receiver: string,
  at: number,
  seq: number,
  waiting: ReadonlyMap<string, OwedRow>,
): OwedRow {
  const base = { receiver, seq, queuedAt: at, dueAt: at, tries: 0, problem: '' };
  switch (owed.kind) {
    case 'register':
      return { ...base, ...owed, id: `${receiver} register` };
    case 'notice':
      return { ...base, ...owed, id: `${receiver} notice ${seq}` };
    case 'scan': {
      const id = folderId('scan', receiver, owed);
      const before = waiting.get(id);
      const since = before && before.tries === 0 ? before.queuedAt : at;
      const dueAt = Math.min(at + DEBOUNCE_MS, since + DEBOUNCE_MS_MAX);
      return { ...base, ...owed, id, scans: 0, queuedAt: since, dueAt };
    }
  }
}

export function folderId(
  kind: FolderRow['kind'],
  receiver: string,
  { folder, media = folder }: Pick<FolderRow, 'folder' | 'media'>,
): string {
  return `${receiver} ${kind} ${media}`;
}

/** The row that is to be delivered first; rows of one receiver go out in the order in which they are due. */
export function nextRow(rows: Iterable<OwedRow>, receiver: string): OwedRow | null {
  let first: OwedRow | null = null;
  for (const row of rows) {
    if (row.receiver !== receiver) continue;
    if (first === null || row.dueAt < first.dueAt || (row.dueAt === first.dueAt && row.seq < first.seq))
      first = row;
  }
  return first;
}

/** The same row for later, or null where it has become too old to matter. */
export function postponed(
  row: OwedRow,
  at: number,
  problem: string,
  retryAfterMs: number | null,
): OwedRow | null {
  if (at - row.queuedAt > ROW_AGE_MS_MAX) return null;
  const waitMs = Math.min(ROW_RETRY_MS * 2 ** Math.min(20, row.tries), ROW_RETRY_MS_MAX);
  return { ...row, tries: row.tries + 1, problem, dueAt: at + Math.max(waitMs, retryAfterMs ?? 0) };
}

/** What follows a scan that went out: the question whether it was seen. */
export function confirmation(row: FolderRow, at: number, settleMs: number, seq: number): FolderRow {
  const id = folderId('confirm', row.receiver, row);
  return {
    ...row,
    id,
    kind: 'confirm',
    seq,
    queuedAt: at,
    dueAt: at + settleMs,
    tries: 0,
    problem: '',
    scans: row.scans + 1,
  };
}

/** A second scan for what a first one has missed. */
export function rescan(row: FolderRow, at: number, seq: number): FolderRow {
  const id = folderId('scan', row.receiver, row);
  return { ...row, id, kind: 'scan', seq, queuedAt: at, dueAt: at, tries: 0, problem: '' };
}

/** A row as it was read from disk; null for what cannot be one. */
export function rowOf(value: unknown): OwedRow | null {
  if (!isJsonRecord(value)) return null;
  const texts = ['id', 'receiver', 'problem'].every((name) => typeof value[name] === 'string');
  const numbers = ['seq', 'queuedAt', 'dueAt', 'tries'].every((name) => Number.isFinite(value[name]));
  if (!texts || !numbers) return null;
  const row = value as unknown as OwedRow;
  switch (row.kind) {
    case 'register':
      return row;
    case 'notice':
      return typeof row.event === 'string' ? row : null;
    case 'scan':
    case 'confirm':
      return typeof row.folder === 'string' && typeof row.lane === 'string' ? row : null;
    default:
      return null;
  }
}
