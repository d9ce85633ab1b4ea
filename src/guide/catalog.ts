/**
 * iptv-tunerr's catalog.json (PROTOCOLS §1.1). A broken row costs the row; films and series are counted and left; what
 * is no catalog is an error, so that it never replaces a good list (P5).
 */

import { CodedError } from '../domain/errors.js';
import type { ListData } from '../domain/programme.js';
import { isObject, jsonOf, textOf } from './json.js';
import {
  createTally,
  isAdult,
  isStreamUrl,
  isVod,
  withIds,
  type ListOptions,
  type Row,
  type Tally,
} from './rows.js';

/** Throws `list_not_catalog`. Reasons in `skipped`: `bad_row`, `no_url`, `adult`, `vod`. */
export function parseCatalog(bytes: Uint8Array, options: ListOptions): ListData {
  const parsed = jsonOf(bytes);
  if (parsed === undefined) {
    const start = new TextDecoder().decode(bytes.subarray(0, 200)).trim();
    throw notCatalog(
      start === '' ? 'it is empty' : start.startsWith('<') ? 'it is a web page' : 'it is not JSON',
    );
  }
  const live = isObject(parsed) ? parsed['live_channels'] : undefined;
  if (!isObject(parsed) || !Array.isArray(live)) throw notCatalog('it has no live_channels');
  const tally = createTally();
  for (const kind of ['movies', 'series']) {
    const list = parsed[kind];
    if (Array.isArray(list)) list.forEach(() => tally.count('vod'));
  }
  const rows = live.flatMap((row: unknown) => rowOf(row, options, tally) ?? []);
  return { channels: withIds(rows), guideUrls: [], skipped: tally.counts };
}

function notCatalog(why: string): CodedError {
  return new CodedError('list_not_catalog', why);
}

function rowOf(row: unknown, { source, includeAdult }: ListOptions, tally: Tally): Row | null {
  const refuse = (reason: string) => {
    tally.count(reason);
    return null;
  };
  if (!isObject(row)) return refuse('bad_row');
  const ownId = textOf(row['channel_id']);
  const guideName = textOf(row['guide_name']);
  const guideNumber = textOf(row['guide_number']);
  const tvgId = textOf(row['tvg_id']);
  if (ownId + guideName + guideNumber + tvgId === '') return refuse('bad_row');
  const backups: readonly unknown[] = Array.isArray(row['stream_urls']) ? row['stream_urls'] : [];
  const urls = [...new Set([row['stream_url'], ...backups].map(textOf).filter(isStreamUrl))];
  if (urls.length === 0) return refuse('no_url');
  if (urls.every(isVod)) return refuse('vod');
  const group = textOf(row['group_title']);
  if (!includeAdult && isAdult({ guideName, group })) return refuse('adult');
  const quality = row['quality'];
  return {
    source,
    ownId,
    ownDna: textOf(row['dna_id']),
    guideNumber,
    guideName,
    tvgId,
    group,
    quality: quality === 0 || quality === 1 || quality === 2 ? quality : -1,
    userAgent: textOf(row['preferred_ua']),
    referrer: '',
    urls,
  };
}
