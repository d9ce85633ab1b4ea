/**
 * A recording as far as deciding about the guide needs it: small and plain, so that it can be told to another thread.
 */

import type { Capsule } from '../domain/capsule.js';
import { hasGoodCopy } from './book.js';
import { isResting, type Entry } from './entries.js';

export interface Shadow {
  readonly id: string;
  /** `spooling.open`, `published`, …; `quarantined` for what was put aside. */
  readonly path: string;
  /** Every record key it has had, oldest first. */
  readonly keys: readonly string[];
  readonly capsule: Capsule;
  readonly priority: number;
  /** By which it was decided on. */
  readonly reason: string;
  readonly cancelReason: string;
  /** The programme's, without padding. */
  readonly startAt: number;
  readonly stopAt: number;
  readonly hasGoodCopy: boolean;
}

export function shadowOf({ id, path, recording }: Entry): Shadow {
  const { window } = recording;
  return {
    id,
    path,
    keys: recording.keys,
    capsule: isResting(path) ? recognisable(recording.capsule) : recording.capsule,
    priority: recording.priority,
    reason: recording.reason,
    cancelReason: recording.cancelReason,
    startAt: window.startAt,
    stopAt: window.stopAt,
    hasGoodCopy: hasGoodCopy(recording),
  };
}

/** Stands for a description: that there was one tells a programme from a row that says nothing. */
const TOLD = '-';

/** Of what is over, what it is recognised and shown by: how it was told and where it came from nobody plans with. */
function recognisable(capsule: Capsule): Capsule {
  return {
    capsuleId: capsule.capsuleId,
    recordKey: capsule.recordKey,
    dnaId: capsule.dnaId,
    channelId: capsule.channelId,
    guideNumber: capsule.guideNumber,
    channelName: capsule.channelName,
    group: capsule.group,
    title: capsule.title,
    subTitle: capsule.subTitle,
    desc: capsule.desc.trim() === '' ? '' : TOLD,
    categories: capsule.categories,
    episode: capsule.episode,
    lane: capsule.lane,
    startAt: capsule.startAt,
    stopAt: capsule.stopAt,
    upstreams: [],
  };
}
