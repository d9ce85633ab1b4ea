/**
 * What a stored recording must have in every place before a chart, a plan or a report may read it, and what can still
 * be read of one that lacks something: a single byte that rotted must cost that recording alone (P8).
 */

import type { Recording } from '../domain/recording.js';
import { isRow } from '../store/document.js';

type Like = string | number | boolean | readonly Like[] | { readonly [name: string]: Like };

const REF = { source: '', channel: '', index: 0 };
const GAP = { fromAt: 0, toAt: 0, cause: '' };
const COUNTS = {
  packets: 0,
  continuityErrors: 0,
  transportErrors: 0,
  scrambled: 0,
  syncLosses: 0,
  skippedBytes: 0,
  clockJumps: 0,
  trimmedBytes: 0,
};
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
  ts: COUNTS,
  tsBefore: COUNTS,
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

/** Names of what is missing or of another kind; none where all is as it should be. */
export function misfits(context: unknown): readonly string[] {
  if (!isRow(context)) return ['context'];
  return [
    ...partsOf(LIKE).filter(([name, like]) => !fits(like, context[name])),
    ...partsOf(WHERE_ANY).filter(([name, like]) => context[name] !== null && !fits(like, context[name])),
  ].map(([name]) => name);
}

const entries = new Map<object, readonly (readonly [string, Like])[]>();

function partsOf(like: { readonly [name: string]: Like }): readonly (readonly [string, Like])[] {
  let known = entries.get(like);
  if (!known) entries.set(like, (known = Object.entries(like)));
  return known;
}

function fits(like: Like, value: unknown): boolean {
  if (isList(like))
    return Array.isArray(value) && value.every((item) => like[0] === undefined || fits(like[0], item));
  if (typeof like === 'object')
    return isRow(value) && partsOf(like).every(([name, part]) => fits(part, value[name]));
  return typeof value === typeof like && (typeof value !== 'number' || Number.isFinite(value));
}

function isList(like: Like): like is readonly Like[] {
  return Array.isArray(like);
}

/** The same with nothing in the place of what cannot be read, for whoever shows it or keeps its place. */
export function legible(context: unknown): Recording {
  const row = isRow(context) ? context : {};
  const found: Record<string, unknown> = { ...row };
  for (const [name, like] of partsOf(LIKE)) found[name] = mended(like, row[name]);
  for (const [name, like] of partsOf(WHERE_ANY)) if (!fits(like, row[name])) found[name] = null;
  return found as unknown as Recording;
}

function mended(like: Like, value: unknown): unknown {
  if (fits(like, value)) return value;
  if (isList(like)) {
    const [item] = like;
    return Array.isArray(value) && item !== undefined ? value.filter((one) => fits(item, one)) : [];
  }
  if (typeof like !== 'object') return like;
  const row = isRow(value) ? value : {};
  return {
    ...row,
    ...Object.fromEntries(partsOf(like).map(([name, part]) => [name, mended(part, row[name])])),
  };
}
