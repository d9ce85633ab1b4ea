/**
 * What a stored recording must have in every place before a chart, a plan or a report may read it, and what can still
 * be read of one that lacks something: a single byte that rotted must cost that recording alone (P8).
 */

import { NO_TS } from '../domain/ledger.js';
import type { Recording } from '../domain/recording.js';
import { isRow } from '../store/document.js';

type Like = string | number | boolean | readonly Like[] | { readonly [name: string]: Like };

const REF = { source: '', channel: '', index: 0 };
const GAP = { fromAt: 0, toAt: 0, cause: '' };
/** A list shows one of what it has. */
const LIKE = {
  id: '',
  keys: [''],
  capsule: {
    capsuleId: '',
    recordKey: '',
    dnaId: '',
    channelId: '',
    guideNumber: '',
    channelName: '',
    group: '',
    title: '',
    subTitle: '',
    desc: '',
    categories: [''],
    episode: '',
    lane: '',
    startAt: 0,
    stopAt: 0,
    upstreams: [REF],
  },
  priority: 0,
  reason: '',
  window: { startAt: 0, stopAt: 0, prePaddingMs: 0, postPaddingMs: 0 },
  durationMsMax: 0,
  expiresAt: 0,
  keep: false,
  upstreams: [REF],
  health: {},
  joinedInProgress: false,
  faults: 0,
  spool: '',
  patience: { backoffMs: 0, backoffMsMax: 0, attemptsMax: 0, fallback: true },
  stretches: [{ source: REF, fromAt: 0, toAt: 0, bytes: 0, firstOffset: 0 }],
  joins: [{ at: 0, kind: '', removedOverlapS: 0, approximate: false }],
  gaps: [GAP],
  ts: { ...NO_TS },
  tsBefore: { ...NO_TS },
  bytes: 0,
  attempts: 0,
  transientRetries: 0,
  switches: 0,
  recoveryReason: '',
  cancelReason: '',
  failReason: '',
  evictedBy: '',
} as const satisfies Like;
/** May be null. */
const WHERE_ANY = {
  deadline: { kind: '', at: 0 },
  current: REF,
  lastFault: { cause: '', code: '', at: 0 },
  waiting: '',
  closing: '',
  startedAt: 0,
  recoveredAt: 0,
  files: { folder: '', media: '', nfo: '', ledger: '', ownsFolder: true },
  result: { outcome: '', reason: '', coverage: 0, gaps: [GAP], bytes: 0, finishedAt: 0 },
} as const satisfies Like;

interface Form {
  fits(value: unknown): boolean;
  /** The same, with nothing in the place of what does not fit. */
  mended(value: unknown): unknown;
}

/** Made once: at a start ten thousand are looked at. */
function formOf(like: Like): Form {
  if (isList(like)) return listForm(like[0] === undefined ? null : formOf(like[0]));
  if (typeof like === 'object') return rowForm(formsOf(like));
  const fits =
    typeof like === 'number' ? Number.isFinite : (value: unknown): boolean => typeof value === typeof like;
  return { fits, mended: (value) => (fits(value) ? value : like) };
}

function formsOf(like: { readonly [name: string]: Like }): readonly (readonly [string, Form])[] {
  return Object.entries(like).map(([name, part]) => [name, formOf(part)]);
}

function listForm(item: Form | null): Form {
  const some = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
  return {
    fits(value) {
      return Array.isArray(value) && (item === null || value.every(item.fits));
    },
    mended: (value) => some(value).filter((one) => item?.fits(one) ?? false),
  };
}

function rowForm(parts: readonly (readonly [string, Form])[]): Form {
  /** What ten thousand have in common is one and the same object (`store/sharing.ts`). */
  let good: object | null = null;
  const names = parts.map(([name]) => name);
  const forms = parts.map(([, form]) => form);
  return {
    fits(value) {
      if (value === good && good !== null) return true;
      if (!isRow(value)) return false;
      if (!fitAll(value, names, forms)) return false;
      good = value;
      return true;
    },
    mended(value) {
      const row = isRow(value) ? value : {};
      return { ...row, ...Object.fromEntries(parts.map(([name, form]) => [name, form.mended(row[name])])) };
    },
  };
}

/** Leaves nothing behind: iterators of a start would be megabytes. */
function fitAll(
  row: Readonly<Record<string, unknown>>,
  names: readonly string[],
  forms: readonly Form[],
): boolean {
  for (let at = 0; at < names.length; at += 1)
    if (forms[at]?.fits(row[names[at] ?? '']) === false) return false;
  return true;
}

function isList(like: Like): like is readonly Like[] {
  return Array.isArray(like);
}

const PARTS = formsOf(LIKE);
const PARTS_WHERE_ANY = formsOf(WHERE_ANY);
const NAMES = [...PARTS, ...PARTS_WHERE_ANY].map(([name]) => name);
const FORMS = [
  ...PARTS.map(([, form]) => form),
  ...PARTS_WHERE_ANY.map(([, form]): Form => ({
    ...form,
    fits: (value) => value === null || form.fits(value),
  })),
];

/** Names of what is missing or of another kind; none where all is as it should be. */
export function misfits(context: unknown): readonly string[] {
  if (!isRow(context)) return ['context'];
  if (fitAll(context, NAMES, FORMS)) return [];
  return NAMES.filter((name, at) => FORMS[at]?.fits(context[name]) === false);
}

/** The same with nothing in the place of what cannot be read, for whoever shows it or keeps its place. */
export function legible(context: unknown): Recording {
  const row = isRow(context) ? context : {};
  if (fitAll(row, NAMES, FORMS)) return row as unknown as Recording;
  const found: Record<string, unknown> = { ...row };
  for (const [name, form] of PARTS) found[name] = form.mended(row[name]);
  for (const [name, form] of PARTS_WHERE_ANY) if (!form.fits(row[name])) found[name] = null;
  return found as unknown as Recording;
}
