/**
 * The recorder-state.json of iptv-tunerr (PROTOCOLS §1.9), which people bring along under the same name. What it
 * recorded is not recorded again; its files are left alone.
 */
import { createHash } from 'node:crypto';

import type { Tombstone } from '../domain/recording.js';
import { isRow } from './document.js';

/** The tombstones of every record key in it, or null where the value is not such a state. */
export function tunerrTombstones(value: unknown, now: number): readonly Tombstone[] | null {
  if (!isRow(value) || 'version' in value) return null;
  const { active, completed, failed } = value;
  if (!isList(active) || !isList(completed)) return null;
  const items = [...active, ...completed, ...(isList(failed) ? failed : [])];
  return items.flatMap((item) => tombstone(item, now) ?? []);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function tombstone(item: unknown, now: number): Tombstone | null {
  if (!isRow(item)) return null;
  const text = (field: string): string => {
    const found = item[field];
    return typeof found === 'string' ? found : '';
  };
  const key = text('record_key').toLowerCase();
  if (key === '') return null;
  const time = (field: string): number => Date.parse(text(field)) || 0;
  return {
    id: createHash('sha1').update(key).digest('hex').slice(0, 8),
    keys: [key],
    channel: text('dna_id') || text('channel_id'),
    startAt: time('start'),
    // Without a stop it is kept as if it ended now, rather than forgotten at once.
    stopAt: time('stop') || now,
    normTitle: key.split('|').at(2) ?? '',
    episode: '',
    reason: 'iptv_tunerr',
    at: now,
  };
}
