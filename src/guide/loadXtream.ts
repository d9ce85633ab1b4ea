/**
 * Asks an Xtream panel for its channels: the account, the categories, the streams. Where the panel's API is broken, its
 * list is taken; where the account is refused, nothing is, and the last good list stays in use (P5).
 */

import { CodedError } from '../domain/errors.js';
import type { SourceRef } from '../domain/channel.js';
import type { PanelFacts, PanelLogin } from '../domain/panel.js';
import type { ListData } from '../domain/programme.js';
import type { Parse } from '../io/parse.js';
import { readBody, TransportFault } from '../io/transport.js';
import { fetchSource, NO_VALIDATORS, shownLocation, type FetchDoors } from './fetchSource.js';
import type { ListOptions } from './rows.js';
import { parseAccount, parseCategories } from './xtream.js';
import { panelGuideUrl, panelListUrl, panelUrl } from './xtreamLogin.js';

export interface PanelDoors extends FetchDoors {
  readonly parse: Pick<Parse, 'list'>;
}

const HEADERS_TIMEOUT_MS = 30_000;
/** Of the account, and of its categories. */
const ANSWER_BYTES_MAX = 4 * 2 ** 20;

/**
 * `intoPath` is where what is large lies while it is parsed.
 * Throws `list_not_xtream`, `account_refused` or `list_unreadable`, naming the place.
 */
export async function loadXtream(
  ref: SourceRef,
  login: PanelLogin,
  options: ListOptions,
  intoPath: string,
  doors: PanelDoors,
): Promise<ListData> {
  const facts = await askPanel(ref, login, doors);
  const categories = await request(panelUrl(login, 'get_live_categories'), doors)
    .then(parseCategories)
    // A channel without a group is still a channel.
    .catch(() => new Map<string, string>());
  const from = (location: string) =>
    fetchSource({ ...ref, location }, NO_VALIDATORS, intoPath, doors).catch((error: unknown) => {
      throw withPlace(ref, error);
    });
  const file = { ...options, path: intoPath };
  try {
    await from(panelUrl(login, 'get_live_streams'));
    return await doors.parse.list({ ...file, kind: 'xtream', login, facts, categories });
  } catch (error) {
    if (doors.signal.aborted) throw error;
    try {
      await from(panelListUrl(login));
      return withPanel(await doors.parse.list({ ...file, kind: 'm3u' }), login, facts);
    } catch {
      // What was asked for first says more.
      throw withPlace(ref, error);
    }
  }
}

/** What an account allows just now; throws as `loadXtream` does. */
export async function askPanel(
  ref: SourceRef,
  login: PanelLogin,
  doors: Pick<PanelDoors, 'transport' | 'userAgent' | 'signal'>,
): Promise<PanelFacts> {
  try {
    return parseAccount(await request(panelUrl(login, ''), doors));
  } catch (error) {
    throw withPlace(ref, error);
  }
}

/** A list that came from `get.php`: its guide is the panel's where it names none itself. */
export function withPanel(list: ListData, login: PanelLogin, facts: PanelFacts | null): ListData {
  const guideUrls = list.guideUrls.length > 0 ? list.guideUrls : [panelGuideUrl(login)];
  return { ...list, guideUrls, ...(facts && { panel: facts }) };
}

async function request(
  url: string,
  { transport, userAgent, signal }: Pick<PanelDoors, 'transport' | 'userAgent' | 'signal'>,
): Promise<Buffer> {
  try {
    const response = await transport.open(url, {
      headers: { 'user-agent': userAgent, accept: 'application/json, */*' },
      signal,
      headersTimeoutMs: HEADERS_TIMEOUT_MS,
    });
    const { status } = response;
    if (status >= 200 && status <= 299) return await readBody(response.body, ANSWER_BYTES_MAX);
    response.body.destroy();
    const refused = status === 401 || status === 403;
    throw new CodedError(refused ? 'account_refused' : 'list_unreadable', `HTTP ${status}`);
  } catch (error) {
    if (!(error instanceof TransportFault)) throw error;
    throw new CodedError('list_unreadable', `${error.kind}: ${error.message}`);
  }
}

function withPlace(ref: SourceRef, error: unknown): unknown {
  if (!(error instanceof CodedError) || error.detail.includes(shownLocation(ref))) return error;
  return new CodedError(error.code, `${shownLocation(ref)}: ${error.detail}`);
}
