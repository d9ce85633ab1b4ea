/**
 * The capsule preview in iptv-tunerr's shape (PROTOCOLS §1.3, §1.6): what the guide has for the channels, as scripts read
 * it. Fields that are empty are left out; addresses are shown without logins.
 */

import type { Capsule } from './capsule.js';
import { capsuleState } from './capsules.js';
import { redactUrl } from './redact.js';
import { replayUrl } from './replayTemplate.js';
import { rfc3339 } from './text.js';

export interface PreviewOptions {
  readonly now: number;
  /** A guide and a list were read. */
  readonly sourceReady: boolean;
  readonly guidePolicy: 'off' | 'healthy' | 'strict';
  readonly replayTemplate: string | null;
  readonly expiresAt: (capsule: Capsule) => number;
  /** Where it can be recorded from, in order. */
  readonly urls: (capsule: Capsule) => readonly string[];
  readonly userAgent: (capsule: Capsule) => string;
}

export type PreviewCapsule = ReturnType<typeof previewCapsule>;

export function replayMode({
  replayTemplate,
}: Pick<PreviewOptions, 'replayTemplate'>): 'replay' | 'launcher' {
  return replayTemplate === null ? 'launcher' : 'replay';
}

export function preview(capsules: readonly Capsule[], options: PreviewOptions) {
  return {
    generated_at: rfc3339(options.now),
    source_ready: options.sourceReady,
    replay_mode: replayMode(options),
    ...(options.guidePolicy !== 'off' && { guide_policy: options.guidePolicy }),
    capsules: capsules.map((capsule) => previewCapsule(capsule, options)),
  };
}

function previewCapsule(capsule: Capsule, options: PreviewOptions) {
  const { dnaId, guideNumber, subTitle, desc, categories, startAt, stopAt } = capsule;
  const urls = options.urls(capsule).map(redactUrl);
  const agent = options.userAgent(capsule);
  const template = options.replayTemplate;
  return {
    capsule_id: capsule.capsuleId,
    ...(dnaId !== '' && { dna_id: dnaId }),
    channel_id: capsule.channelId,
    ...(guideNumber !== '' && { guide_number: guideNumber }),
    channel_name: capsule.channelName,
    title: capsule.title,
    ...(subTitle !== '' && { sub_title: subTitle }),
    ...(desc !== '' && { desc }),
    ...(categories.length > 0 && { categories }),
    lane: capsule.lane,
    state: capsuleState(capsule, options.now),
    start: rfc3339(startAt),
    stop: rfc3339(stopAt),
    publish_at: rfc3339(stopAt),
    expires_at: rfc3339(options.expiresAt(capsule)),
    duration_mins: Math.trunc((stopAt - startAt) / 60_000),
    replay_mode: replayMode(options),
    ...(template !== null && { replay_url: redactUrl(replayUrl(template, capsule)) }),
    ...(urls.length > 0 && { record_source_urls: urls }),
    ...(agent !== '' && { preferred_stream_ua: agent }),
  };
}

/** `<lane>.json` of each lane that has capsules, and `manifest.json`, by file name. */
export function previewLayout(
  whole: ReturnType<typeof preview>,
  lanes: readonly string[],
): ReadonlyMap<string, object> {
  const { generated_at, source_ready, capsules } = whole;
  const of = (lane: string) => capsules.filter((capsule) => capsule.lane === lane);
  const written = lanes.filter((lane) => of(lane).length > 0);
  const files = written.map(
    (lane) => [`${lane}.json`, { generated_at, source_ready, lane, capsules: of(lane) }] as const,
  );
  const manifest = {
    generated_at,
    source_ready,
    capsule_count: capsules.length,
    lane_order: lanes,
    written_lanes: written,
  };
  return new Map<string, object>([...files, ['manifest.json', manifest]]);
}
