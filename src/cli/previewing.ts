/** What `capsules` and `launchers` show: the guide as the policy lets it through, best first. */

import type { Config } from '../config/config.js';
import type { Capsule } from '../domain/capsule.js';
import { compareCapsules } from '../domain/capsules.js';
import { expiryOf } from '../domain/lane.js';
import type { PreviewOptions } from '../domain/preview.js';
import type { PlanReason } from '../domain/reasons.js';
import { lanesIn } from '../runtime/planning.js';
import type { Survey } from '../runtime/survey.js';

/** What is left out of a preview; that something was recorded already does not matter here. */
const LEFT_OUT: ReadonlySet<PlanReason> = new Set<PlanReason>([
  'lane_excluded',
  'channel_excluded',
  'group_excluded',
  'no_rule',
  'rules_unreadable',
  'placeholder',
  'unlinked',
  'beyond_horizon',
]);

/** At most as many as `--limit` says. */
export function shownCapsules({ outlook, at }: Survey, config: Config): readonly Capsule[] {
  const capsules = outlook.decisions.flatMap(({ reason, capsule }) =>
    LEFT_OUT.has(reason) || capsule.stopAt < at || capsule.startAt > at + config.what.horizonMs
      ? []
      : [capsule],
  );
  const sorted = capsules.toSorted(compareCapsules(at, lanesIn(config)));
  const limit = config.what.capsulesMax;
  return limit === 0 ? sorted : sorted.slice(0, limit);
}

export function previewOptions(
  { at, guide, sources }: Survey,
  config: Config,
  template: string | null,
): PreviewOptions {
  const lanes = lanesIn(config);
  const agents = new Map(
    guide.channels.map(({ source, channelId, userAgent }) => [`${source}/${channelId}`, userAgent]),
  );
  return {
    now: at,
    sourceReady:
      guide.guides.length > 0 && (guide.channels.length > 0 || config.sources.streamBaseUrl !== null),
    guidePolicy: config.what.guidePolicy,
    replayTemplate: template,
    expiresAt: (capsule) => expiryOf(capsule, config.keep.keepMs, lanes),
    urls: ({ upstreams }) => [...new Set(upstreams.flatMap((ref) => sources.resolve(ref)?.url ?? []))],
    userAgent: ({ upstreams }) =>
      upstreams
        .map((ref) => agents.get(`${ref.source}/${ref.channel}`) ?? '')
        .find((agent) => agent !== '') ?? '',
  };
}
