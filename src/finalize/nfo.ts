/**
 * The `.nfo` that Kodi, Jellyfin, Emby and Plex read beside the media (PROTOCOLS §1.6 for the order, §7 for the rest).
 * Text of the guide is escaped and freed of what XML cannot hold.
 */
import type { Capsule } from '../domain/capsule.js';
import { OUTCOME_REASONS } from '../domain/outcomeReasons.js';
import type { RecordingResult } from '../domain/recording.js';
import { sha1hex } from '../domain/sha1.js';

const MINUTE_MS = 60_000;
const ID_DIGITS = 16;

/** What the media is, as far as a viewer has to know. */
export type Judged = Pick<RecordingResult, 'outcome' | 'reason' | 'coverage'>;

const WHOLE: Judged = { outcome: 'complete', reason: '', coverage: 1 };

/** `addedAt` is when it came into the library. */
export function nfoOf(capsule: Capsule, addedAt: number, judged: Judged = WHOLE): string {
  const date = new Date(capsule.startAt).toISOString().slice(0, 10);
  const channel = clean(capsule.channelName) || clean(capsule.channelId);
  const title = clean(capsule.title) || channel || clean(capsule.capsuleId);
  const genres = capsule.categories.length > 0 || capsule.lane !== 'sports' ? capsule.categories : ['Sports'];
  const partial = judged.outcome === 'partial';
  const plot = clean(capsule.desc) || channel;
  const tags = ['iptvTunerr catchup', capsule.lane, channel, ...(partial ? ['partial'] : [])];
  const lines = [
    element('title', title),
    // Films sort by name; what is on every day or week sorts by day.
    element('sorttitle', capsule.lane === 'movies' ? title : `${date} ${title}`),
    element('outline', clean(capsule.subTitle) || channel),
    element('plot', partial ? `${partialWords(judged)} ${plot}` : plot),
    element('premiered', date),
    element('aired', date),
    element('year', date.slice(0, 4)),
    element('runtime', String(Math.trunc((capsule.stopAt - capsule.startAt) / MINUTE_MS))),
    element('uniqueid', sha1hex(capsule.capsuleId).slice(0, ID_DIGITS), ' type="catchup" default="true"'),
    element('uniqueid', capsule.capsuleId, ' type="capsule"'),
    element('studio', channel),
    ...unique(genres).map((genre) => element('genre', genre)),
    ...unique(tags).map((tag) => element('tag', tag)),
    element('dateadded', new Date(addedAt).toISOString().slice(0, 19).replace('T', ' ')),
    element('lockdata', 'true'),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<movie>\n${lines.join('')}</movie>\n`;
}

/** P4: whoever chooses it in a library knows before that it is not all there. */
function partialWords({ coverage, reason }: Judged): string {
  const reasons: Readonly<Record<string, string>> = OUTCOME_REASONS;
  const why = reasons[reason] ?? '';
  return `[Partial recording: ${Math.floor(coverage * 100)} % of the programme.${why === '' ? '' : ` ${why}`}]`;
}

function element(name: string, text: string, attributes = ''): string {
  const content = xmlText(clean(text));
  return content === '' ? '' : `  <${name}${attributes}>${content}</${name}>\n`;
}

/** Control characters, halves of surrogate pairs and non-characters make a document that no parser reads. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{7E}\u{A0}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

function clean(text: string): string {
  return text.replace(FORBIDDEN, '').trim();
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
