/**
 * The `.nfo` that Kodi, Jellyfin, Emby and Plex read beside the media (PROTOCOLS §1.6 for the order, §7 for the rest).
 * Text of the guide is escaped and freed of what XML cannot hold.
 */
import type { Capsule } from '../domain/capsule.js';
import { sha1hex } from '../domain/sha1.js';

const MINUTE_MS = 60_000;
const ID_DIGITS = 16;

/** `addedAt` is when it came into the library. */
export function nfoOf(capsule: Capsule, addedAt: number): string {
  const date = new Date(capsule.startAt).toISOString().slice(0, 10);
  const channel = capsule.channelName || capsule.channelId;
  const title = capsule.title || channel;
  const genres = capsule.categories.length > 0 || capsule.lane !== 'sports' ? capsule.categories : ['Sports'];
  const lines = [
    element('title', title),
    // Films sort by name; what is on every day or week sorts by day.
    element('sorttitle', capsule.lane === 'movies' ? title : `${date} ${title}`),
    element('outline', capsule.subTitle || channel),
    element('plot', capsule.desc || channel),
    element('premiered', date),
    element('aired', date),
    element('year', date.slice(0, 4)),
    element('runtime', String(Math.trunc((capsule.stopAt - capsule.startAt) / MINUTE_MS))),
    element('uniqueid', sha1hex(capsule.capsuleId).slice(0, ID_DIGITS), ' type="catchup" default="true"'),
    element('uniqueid', capsule.capsuleId, ' type="capsule"'),
    element('studio', channel),
    ...unique(genres).map((genre) => element('genre', genre)),
    ...unique(['iptvTunerr catchup', capsule.lane, channel]).map((tag) => element('tag', tag)),
    element('dateadded', new Date(addedAt).toISOString().slice(0, 19).replace('T', ' ')),
    element('lockdata', 'true'),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<movie>\n${lines.join('')}</movie>\n`;
}

function element(name: string, text: string, attributes = ''): string {
  const content = xmlText(text).trim();
  return content === '' ? '' : `  <${name}${attributes}>${content}</${name}>\n`;
}

/** Control characters, halves of surrogate pairs and non-characters make a document that no parser reads. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

function xmlText(text: string): string {
  return text.replace(FORBIDDEN, '').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
