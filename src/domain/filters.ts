/** The policy's choice of lanes, channels and groups: names, ids, numbers, dna, `*` globs, whatever the case. */

import { patternTest, type TextTest } from './patterns.js';
import type { PlanReason } from './reasons.js';

export interface FilterPolicy {
  /** Empty is every one, here and below. */
  readonly lanes: readonly string[];
  readonly excludeLanes: readonly string[];
  readonly channels: readonly string[];
  readonly excludeChannels: readonly string[];
  readonly groups: readonly string[];
  readonly excludeGroups: readonly string[];
}

/** What a channel can be called by; a list row and a capsule both have it. */
export interface ChannelFacts {
  readonly channelId: string;
  readonly guideNumber: string;
  readonly dnaId: string;
  readonly tvgId?: string;
  readonly group: string;
  /** `channelName` of a capsule, `guideName` of a list row. */
  readonly channelName?: string;
  readonly guideName?: string;
}

/** Why the policy leaves a channel out, or null where it does not. */
export function channelFilter(policy: FilterPolicy): (facts: ChannelFacts) => PlanReason | null {
  const channels = patternTest(policy.channels);
  const excludeChannels = patternTest(policy.excludeChannels);
  const groups = patternTest(policy.groups);
  const excludeGroups = patternTest(policy.excludeGroups);
  if (!channels && !excludeChannels && !groups && !excludeGroups) return () => null;
  return (facts) => {
    if (excludes(channelNames(facts), channels, excludeChannels)) return 'channel_excluded';
    return excludes(groupNames(facts.group), groups, excludeGroups) ? 'group_excluded' : null;
  };
}

/** Everything that a channel can be named by. */
export function channelNames(facts: ChannelFacts): readonly string[] {
  const { channelName = '', guideName = '', channelId, guideNumber, dnaId, tvgId = '' } = facts;
  return [channelName, guideName, channelId, guideNumber, dnaId, tvgId];
}

/** A group as it is, and each of several that are parted by `;`. */
export function groupNames(group: string): readonly string[] {
  return [group, ...group.split(';')];
}

/** Why the policy leaves a lane out, or null where it does not. */
export function laneFilter(policy: FilterPolicy): (lane: string) => PlanReason | null {
  const lanes = patternTest(policy.lanes);
  const excludeLanes = patternTest(policy.excludeLanes);
  if (!lanes && !excludeLanes) return () => null;
  return (lane) => (excludes([lane], lanes, excludeLanes) ? 'lane_excluded' : null);
}

function excludes(names: readonly string[], wanted: TextTest | null, unwanted: TextTest | null): boolean {
  return (wanted !== null && !names.some(wanted)) || (unwanted !== null && names.some(unwanted));
}
