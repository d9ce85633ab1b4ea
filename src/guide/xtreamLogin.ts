/**
 * Where an Xtream panel is and who asks it (PROTOCOLS §4.3). People paste whatever address they were given: the panel
 * itself with a login, its list, its guide, one of its streams. All of them say the same three things.
 */

import type { PanelLogin } from '../domain/panel.js';

const SCRIPT = /\/(?:get|player_api|panel_api|xmltv)\.php$/i;
const STREAM = /^(.*?)\/(?:(?:live|movie|series|timeshift)\/)?([^/]+)\/([^/]+)\/\d+(?:\.[a-z0-9]{1,5})?$/i;

/** Null where the address names no login. */
export function xtreamLogin(address: string): PanelLogin | null {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  const named = {
    user: url.searchParams.get('username') ?? '',
    pass: url.searchParams.get('password') ?? '',
  };
  const path = url.pathname.replace(SCRIPT, '').replace(/\/+$/, '');
  if (named.user !== '' && named.pass !== '') return { base: `${url.origin}${path}`, ...named };
  if (url.username !== '' && url.password !== '')
    return { base: `${url.origin}${path}`, user: decoded(url.username), pass: decoded(url.password) };
  const [, folder = '', user = '', pass = ''] = STREAM.exec(url.pathname) ?? [];
  return user === '' ? null : { base: `${url.origin}${folder}`, user: decoded(user), pass: decoded(pass) };
}

/** A list that is an Xtream account in disguise: what `get.php` answers. */
export function isPanelList(address: string): boolean {
  return (
    URL.canParse(address) && /\/get\.php$/i.test(new URL(address).pathname) && xtreamLogin(address) !== null
  );
}

/** `action` is empty for the account itself. */
export function panelUrl(login: PanelLogin, action: string): string {
  return `${login.base}/player_api.php?${query(login)}${action === '' ? '' : `&action=${action}`}`;
}

export function panelGuideUrl(login: PanelLogin): string {
  return `${login.base}/xmltv.php?${query(login)}`;
}

export function panelListUrl(login: PanelLogin): string {
  return `${login.base}/get.php?${query(login)}&type=m3u_plus&output=ts`;
}

/** `ending` with its dot: `.ts`, `.m3u8`. */
export function panelStreamUrl({ base, user, pass }: PanelLogin, id: string, ending: string): string {
  return `${base}/live/${encodeURIComponent(user)}/${encodeURIComponent(pass)}/${encodeURIComponent(id)}${ending}`;
}

function query({ user, pass }: PanelLogin): string {
  return `username=${encodeURIComponent(user)}&password=${encodeURIComponent(pass)}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
