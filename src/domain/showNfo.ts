/**
 * `tvshow.nfo`: what a series is called, for all of its episodes. It is nobody's own, so it goes with the last of them,
 * and only while it still is what was written here (P5).
 */

import { sha1hex } from './sha1.js';
import { documentOf, element } from './xmlText.js';

export const SHOW_NFO = 'tvshow.nfo';

const ID_DIGITS = 16;

/** `folder` is the name of the series' folder. */
export function showNfo(title: string, folder: string, lane: string): string {
  return showNfoOf(element('title', title), folder, lane);
}

/** Whether it was written by `showNfo`, with whatever title, and not changed since. */
export function isOurShowNfo(content: string, folder: string, lane: string): boolean {
  const [title = ''] = /^ {2}<title>[^<>]*<\/title>\n/m.exec(content) ?? [];
  return content === showNfoOf(title, folder, lane);
}

function showNfoOf(title: string, folder: string, lane: string): string {
  return documentOf('tvshow', [
    title,
    element('uniqueid', sha1hex(`${lane}/${folder}`).slice(0, ID_DIGITS), ' type="catchup" default="true"'),
    element('tag', 'iptvTunerr catchup'),
    element('tag', lane),
    element('lockdata', 'true'),
  ]);
}
