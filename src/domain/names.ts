/**
 * What files and folders are called (PROTOCOLS §1.6, CONTRACT §2). The title is cut, never the date, so that every
 * name still says when; two recordings never share a name (P2, P5).
 */

import type { Capsule } from './capsule.js';
import { sha1hex } from './sha1.js';
import { cutUtf8, utf8Bytes } from './text.js';

/** Most file systems; encrypted home folders allow 143. */
export const NAME_BYTES_MAX = 255;
/** The longest thing that follows an item's name. */
export const LONGEST_SUFFIX = '.catchupd.json';

/** Letters, digits and `. _ -` stay; each run of anything else becomes one `-`. */
export function sanitize(text: string): string {
  const name = text
    .trim()
    .replace(/[^\p{L}\p{Nd}._-]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return /^\.*$/.test(name) ? 'capsule' : name;
}

/** The name of a recording's folder and files, before any cut: `Man-Utd-vs-City-2026-11-23-19-30-UTC`. */
export function itemName(capsule: Capsule): string {
  const title = capsule.title || capsule.channelName || capsule.capsuleId;
  const words = capsule.subTitle === '' ? title : `${title} ${capsule.subTitle}`;
  // Media servers and shells overlook names that begin with a dot.
  return sanitize(`${words} ${nameStamp(capsule.startAt)}`).replace(/^\.+/, '');
}

/** The spool's name, less its extension. */
export function spoolName(capsuleId: string): string {
  return sanitize(capsuleId);
}

/**
 * `name` cut so that `name + suffix` fits into `bytesMax` bytes. What follows the title (the last date stamp and all
 * behind it) stays whole; only if that alone is too long it loses its own end.
 */
export function fitName(name: string, bytesMax: number, suffix: string): string {
  const room = bytesMax - utf8Bytes(suffix);
  if (utf8Bytes(name) <= room) return name;
  const [, title = name, tail = ''] =
    /^(.*?)(-?\d{4}-\d\d-\d\d-\d\d-\d\d-UTC(?!.*-\d\d-\d\d-UTC).*)$/su.exec(name) ?? [];
  const cut = cutUtf8(title, Math.max(0, room - utf8Bytes(tail))).replace(/-+$/, '');
  return cutUtf8(cut === '' ? tail.replace(/^-/, '') : cut + tail, room);
}

/**
 * The names a recording may take, best first: the plain one, with its channel, and with six hex digits of its id.
 * The next is used where the one before belongs to another recording.
 */
export function itemNames(
  capsule: Capsule,
  recordingId: string,
  bytesMax: number = NAME_BYTES_MAX,
  suffix: string = LONGEST_SUFFIX,
): readonly string[] {
  const name = itemName(capsule);
  const channel = cutUtf8(sanitize(capsule.channelName || capsule.channelId), CHANNEL_BYTES_MAX);
  const hash = sha1hex(recordingId).slice(0, 6);
  return [name, `${name}-${channel}`, `${name}-${channel}-${hash}`].map((variant) =>
    fitName(variant, bytesMax, suffix),
  );
}

const CHANNEL_BYTES_MAX = 60;

/** `2026-11-23 19-30 UTC` */
function nameStamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ').replace(':', '-')} UTC`;
}
