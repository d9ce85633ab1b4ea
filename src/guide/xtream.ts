/**
 * The answers of an Xtream panel (PROTOCOLS §4.3): the account, its categories, its live channels. Panels answer HTML
 * for JSON, text for numbers and objects for lists; a broken row costs the row, and what is no answer is an error, so
 * that it never replaces a good list (P5).
 */

import type { Archive } from '../domain/channel.js';
import { CodedError } from '../domain/errors.js';
import {
  accountRefusal,
  panelFacts,
  wholeNumber,
  type PanelFacts,
  type PanelLogin,
} from '../domain/panel.js';
import type { ListData } from '../domain/programme.js';
import { isObject, jsonOf, textOf } from './json.js';
import { createTally, isAdult, isStreamUrl, qualityOf, withIds, type ListOptions, type Row } from './rows.js';
import { panelGuideUrl, panelStreamUrl } from './xtreamLogin.js';

/** Throws `list_not_xtream` where it is no panel, `account_refused` where it is and says no. */
export function parseAccount(bytes: Uint8Array): PanelFacts {
  const parsed = jsonOf(bytes);
  const user = isObject(parsed) ? parsed['user_info'] : undefined;
  if (!isObject(parsed) || !isObject(user)) throw notPanel(bytes, 'there is no user_info in it');
  const refusal = accountRefusal(user);
  if (refusal !== null) throw new CodedError('account_refused', refusal);
  const server = parsed['server_info'];
  return panelFacts(user, isObject(server) ? server : {});
}

/** Names by id. What cannot be read has no names: a channel without a group is still a channel. */
export function parseCategories(bytes: Uint8Array): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const row of rowsOf(jsonOf(bytes)) ?? []) {
    if (!isObject(row)) continue;
    const id = textOf(row['category_id']);
    if (id !== '') names.set(id, textOf(row['category_name']));
  }
  return names;
}

export interface StreamsInput extends ListOptions {
  readonly login: PanelLogin;
  readonly categories: ReadonlyMap<string, string>;
  readonly facts: PanelFacts;
}

/** Throws `list_not_xtream`. Reasons in `skipped`: `bad_row`, `vod`, `adult`. */
export function parseStreams(bytes: Uint8Array, input: StreamsInput): ListData {
  const rows = rowsOf(jsonOf(bytes));
  if (rows === null) throw notPanel(bytes, 'it is no list of streams');
  const tally = createTally();
  const channels = rows.flatMap((row): Row[] => {
    const taken = rowOf(row, input);
    if (typeof taken !== 'string') return [taken];
    tally.count(taken);
    return [];
  });
  return {
    channels: withIds(channels),
    guideUrls: [panelGuideUrl(input.login)],
    skipped: tally.counts,
    panel: input.facts,
  };
}

/** The row, or why it is left out. */
function rowOf(row: unknown, input: StreamsInput): Row | string {
  if (!isObject(row)) return 'bad_row';
  const id = textOf(row['stream_id']);
  const guideName = textOf(row['name']);
  const tvgId = textOf(row['epg_channel_id']);
  if (!/^[\w.-]+$/.test(id) || guideName + tvgId === '') return 'bad_row';
  const type = textOf(row['stream_type']).toLowerCase();
  if (type === 'movie' || type === 'series') return 'vod';
  const group = groupOf(row, input.categories);
  const adult = wholeNumber(row['is_adult']) === 1 || isAdult({ guideName, group });
  if (adult && !input.includeAdult) return 'adult';
  const archive = archiveOf(row, id);
  return {
    source: input.source,
    ownId: tvgId,
    ownDna: '',
    guideNumber: textOf(row['num']),
    guideName: guideName || tvgId,
    tvgId,
    group,
    quality: qualityOf(guideName),
    userAgent: '',
    referrer: '',
    urls: urlsOf(row, id, input),
    ...(archive && { archive }),
  };
}

function groupOf(row: Readonly<Record<string, unknown>>, names: ReadonlyMap<string, string>): string {
  const more: readonly unknown[] = Array.isArray(row['category_ids']) ? row['category_ids'] : [];
  for (const id of [row['category_id'], ...more]) {
    const name = names.get(textOf(id)) ?? '';
    if (name !== '') return name;
  }
  return '';
}

/** The plain stream first, the playlist after it; a panel that says nothing of formats has the plain one. */
function urlsOf(
  row: Readonly<Record<string, unknown>>,
  id: string,
  { login, facts }: StreamsInput,
): string[] {
  const formats = facts.formats.length === 0 ? ['ts'] : facts.formats;
  const direct = textOf(row['direct_source']);
  return [
    ...formats.map((format) => panelStreamUrl(login, id, `.${format}`)),
    ...(isStreamUrl(direct) ? [direct] : []),
  ];
}

function archiveOf(row: Readonly<Record<string, unknown>>, id: string): Archive | null {
  if (wholeNumber(row['tv_archive']) !== 1) return null;
  const days = wholeNumber(row['tv_archive_duration']) ?? 0;
  return days === 0 ? null : { mode: 'xc', days, source: id };
}

/** Panels written in PHP make an object of a list that has holes, and `false` or null of an empty one. */
function rowsOf(parsed: unknown): readonly unknown[] | null {
  if (Array.isArray(parsed)) return parsed as readonly unknown[];
  if (parsed === null || parsed === false) return [];
  if (!isObject(parsed) || 'user_info' in parsed) return null;
  const values = Object.values(parsed);
  return values.every(isObject) ? values : null;
}

function notPanel(bytes: Uint8Array, otherwise: string): CodedError {
  const start = new TextDecoder().decode(bytes.subarray(0, 200)).trim();
  if (/^blocked/i.test(start)) return new CodedError('account_refused', 'the panel says "blocked"');
  const why = start === '' ? 'it is empty' : start.startsWith('<') ? 'it is a web page' : otherwise;
  return new CodedError('list_not_xtream', why);
}
