/**
 * What is asked of recordings by the thousand: by listings, retention, the report, the forecast. It is small, and kept
 * beside each recording that rests, so that none of those has to be read as a whole for it. Pure.
 */

import type { Deadline, Recording } from './recording.js';

export interface Gist {
  readonly title: string;
  readonly channelName: string;
  readonly dnaId: string;
  readonly channelId: string;
  readonly guideNumber: string;
  readonly lane: string;
  /** `markOf` its capsule id. */
  readonly capsuleMark: number;
  readonly priority: number;
  readonly startAt: number;
  readonly stopAt: number;
  readonly expiresAt: number;
  readonly keep: boolean;
  readonly deadline: Deadline | null;
  /** What it takes on disk. */
  readonly bytes: number;
  /** What came in pieces, in what time, and what of it behind the first connection. */
  readonly pieceBytes: number;
  readonly capturedMs: number;
  readonly resumedBytes: number;
  readonly attempts: number;
  readonly transientRetries: number;
  readonly switches: number;
  readonly isInterrupted: boolean;
  /** The folder above the one it lies in: lane and root, or the show of a series; with a slash at its end. */
  readonly place: string;
  /** '' where that is done with: it is published. */
  readonly spool: string;
}

/** `same` gives one text for all that are equal, where thousands are kept. */
export function gistOf(
  recording: Recording,
  isPublished: boolean,
  same: (text: string) => string = (text) => text,
): Gist {
  const { capsule, window, result, stretches } = recording;
  const pieceBytes = stretches.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    title: capsule.title,
    channelName: same(capsule.channelName),
    dnaId: same(capsule.dnaId),
    channelId: same(capsule.channelId),
    guideNumber: same(capsule.guideNumber),
    lane: same(capsule.lane),
    capsuleMark: markOf(capsule.capsuleId),
    priority: recording.priority,
    startAt: window.startAt,
    stopAt: window.stopAt,
    expiresAt: recording.expiresAt,
    keep: recording.keep,
    deadline: recording.deadline,
    bytes: result?.bytes ?? recording.bytes,
    pieceBytes,
    capturedMs: stretches.reduce((sum, { fromAt, toAt }) => sum + toAt - fromAt, 0),
    resumedBytes: pieceBytes - (stretches[0]?.bytes ?? 0),
    attempts: recording.attempts,
    transientRetries: recording.transientRetries,
    switches: recording.switches,
    isInterrupted: result?.reason === 'interrupted',
    place: same(above(above(recording.files?.media ?? recording.spool))),
    spool: isPublished ? '' : recording.spool,
  };
}

function above(path: string): string {
  return path.slice(0, path.lastIndexOf('/', path.length - 2) + 1);
}

const FNV_START = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** A number by which to look for a text among thousands, in whatever case: the same text has the same, others rarely. */
export function markOf(text: string): number {
  const lower = text.toLowerCase();
  let mark = FNV_START;
  for (let at = 0; at < lower.length; at += 1) mark = Math.imul(mark ^ lower.charCodeAt(at), FNV_PRIME);
  return mark >> 1;
}

/** Whether a recording is meant by `query`, in lower case. Of a capsule id only the mark is known here. */
export function isMeant(query: string, gist: Gist): 'yes' | 'perhaps' | 'no' {
  if (isNamed(query, gist)) return 'yes';
  return gist.capsuleMark === markOf(query) ? 'perhaps' : 'no';
}

function isNamed(query: string, gist: Gist): boolean {
  return (
    gist.title.toLowerCase().includes(query) ||
    gist.channelName.toLowerCase().includes(query) ||
    gist.channelId.toLowerCase() === query ||
    gist.guideNumber.toLowerCase() === query ||
    gist.dnaId.toLowerCase() === query
  );
}
