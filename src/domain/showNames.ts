/**
 * What the files of a series are called, so that media servers see episodes in them (PROTOCOLS §7):
 * `Show/Season 02/Show - S02E12 - Sub.ts` where the guide numbers the episode, else
 * `Show/Season 2026/Show - 2026-11-23 19-30 - Sub.ts`. Titles are cut, never the number or the date (P2).
 */

import type { Capsule } from './capsule.js';
import { LONGEST_SUFFIX, NAME_BYTES_MAX } from './names.js';
import { sha1hex } from './sha1.js';
import { cutUtf8, utf8Bytes } from './text.js';

export interface EpisodeNumber {
  readonly season: number;
  readonly episode: number;
  /** Of an episode that is shown in parts; 0 is all of it. */
  readonly part: number;
}

export interface EpisodeNames {
  /** Folder of the series. */
  readonly show: string;
  /** Folder in it. */
  readonly season: string;
  /** Of the files, less what follows; the next is used where the one before belongs to another recording. */
  readonly names: readonly string[];
}

const SHOW_BYTES_MAX = 120;
const CHANNEL_BYTES_MAX = 60;

/** Season and episode as the guide counts them; null where it does not say both. */
export function episodeNumber({ episode }: Pick<Capsule, 'episode'>): EpisodeNumber | null {
  const [, season, number, part = '0'] = /^s(\d+)e(\d+)(?:p(\d+))?$/.exec(episode) ?? [];
  if (season === undefined || number === undefined) return null;
  return { season: Number(season), episode: Number(number), part: Number(part) };
}

export function episodeNames(
  capsule: Capsule,
  recordingId: string,
  bytesMax: number = NAME_BYTES_MAX,
): EpisodeNames {
  const show = showFolder(capsule);
  const number = episodeNumber(capsule);
  const channel = cutUtf8(plainName(capsule.channelName || capsule.channelId), CHANNEL_BYTES_MAX).trim();
  const hash = sha1hex(recordingId).slice(0, 6);
  const sub = plainName(capsule.subTitle);
  const part = number && number.part > 0 ? ` - pt${number.part}` : '';
  const tails = [part, `${part}-${channel}`, `${part}-${channel}-${hash}`];
  const room = bytesMax - utf8Bytes(LONGEST_SUFFIX);
  return {
    show,
    season: `Season ${number ? twoDigits(number.season) : new Date(capsule.startAt).getUTCFullYear()}`,
    names: tails.map((tail) =>
      fitted(show, number ? marked(number) : stamp(capsule.startAt), sub, tail, room),
    ),
  };
}

/** Two series never share a folder only because their names are long. */
function showFolder(capsule: Capsule): string {
  const show = plainName(capsule.title) || plainName(capsule.channelName) || 'capsule';
  if (utf8Bytes(show) <= SHOW_BYTES_MAX) return show;
  return `${cutUtf8(show, SHOW_BYTES_MAX - 7).trim()} ${sha1hex(show).slice(0, 6)}`;
}

function fitted(show: string, mark: string, sub: string, tail: string, room: number): string {
  const fixed = utf8Bytes(` - ${mark}${tail}`);
  const head = cutUtf8(show, Math.max(0, room - fixed)).trim();
  const left = room - fixed - utf8Bytes(head) - ' - '.length;
  const words = left > 0 ? cutUtf8(sub, left).trim() : '';
  return [head, mark, ...(words === '' ? [] : [words])].join(' - ') + tail;
}

/** What every file system and share takes and servers read as words; neither hidden nor ending in a dot. */
function plainName(text: string): string {
  return text.replace(/[^\p{L}\p{M}\p{Nd}._'(),!&+-]+/gu, ' ').replace(/^[\s.-]+|[\s.-]+$/g, '');
}

/** `S02E12` */
function marked({ season, episode }: EpisodeNumber): string {
  return `S${twoDigits(season)}E${twoDigits(episode)}`;
}

/** `2026-11-23 19-30`: what is shown twice a day is two. */
function stamp(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ').replace(':', '-');
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
