/**
 * What makes two rows of any lists the same channel (PROTOCOLS §1.2): the dna, which outlives renamed lists,
 * other numbers and other providers. It is one half of a programme's identity (P2).
 */

import { sha1hex } from './sha1.js';

/** The part of a channel row that identity is made of. Blank means "not given". */
export interface DnaRow {
  readonly dnaId?: string;
  readonly tvgId: string;
  readonly guideName: string;
  readonly guideNumber: string;
  readonly channelId: string;
}

/** Words that say how a channel is delivered, not which it is. */
const DELIVERY_WORDS = new Set('hd uhd fhd sd 4k us usa uk ca canada cdn hq vip backup raw'.split(' '));

/** A channel name without case, punctuation and delivery words: `US: Discovery Channel HD` → `discovery`. */
export function normalizeName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, ' ')
    .split(' ')
    .filter((word) => word !== '' && !DELIVERY_WORDS.has(word))
    .join('')
    .replaceAll('channel', '');
}

/** The row's own `dna_id`, else `dna-` and the first 16 hex digits of sha1 over the first key that applies. */
export function dnaId(row: DnaRow): string {
  const own = row.dnaId?.trim() ?? '';
  return own === '' ? `dna-${sha1hex(dnaKey(row)).slice(0, 16)}` : own;
}

function dnaKey(row: DnaRow): string {
  const tvgId = row.tvgId.trim().toLowerCase();
  if (tvgId !== '') return `tvgid:${tvgId}`;
  const name = normalizeName(row.guideName) || normalizeName(row.channelId);
  const number = row.guideNumber.trim();
  if (name !== '' && number !== '') return `name-guide:${name}:${number}`;
  if (name !== '') return `name:${name}`;
  if (number !== '') return `guide:${number}`;
  const channelId = row.channelId.trim().toLowerCase();
  return channelId === '' ? 'unknown' : `channel:${channelId}`;
}
