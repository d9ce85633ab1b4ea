/** The policy's choice of lanes, channels and groups: names, ids, numbers, dna, `*` globs, whatever the case. */

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

type Test = (text: string) => boolean;

/** Why the policy leaves a channel out, or null where it does not. */
export function channelFilter(policy: FilterPolicy): (facts: ChannelFacts) => PlanReason | null {
  const channels = patterns(policy.channels);
  const excludeChannels = patterns(policy.excludeChannels);
  const groups = patterns(policy.groups);
  const excludeGroups = patterns(policy.excludeGroups);
  if (!channels && !excludeChannels && !groups && !excludeGroups) return () => null;
  return (facts) => {
    const names = [
      facts.channelName ?? '',
      facts.guideName ?? '',
      facts.channelId,
      facts.guideNumber,
      facts.dnaId,
      facts.tvgId ?? '',
    ];
    if (excludes(names, channels, excludeChannels)) return 'channel_excluded';
    return excludes([facts.group, ...facts.group.split(';')], groups, excludeGroups)
      ? 'group_excluded'
      : null;
  };
}

/** Why the policy leaves a lane out, or null where it does not. */
export function laneFilter(policy: FilterPolicy): (lane: string) => PlanReason | null {
  const lanes = patterns(policy.lanes);
  const excludeLanes = patterns(policy.excludeLanes);
  return (lane) => (excludes([lane], lanes, excludeLanes) ? 'lane_excluded' : null);
}

function excludes(names: readonly string[], wanted: Test | null, unwanted: Test | null): boolean {
  return (wanted !== null && !names.some(wanted)) || (unwanted !== null && names.some(unwanted));
}

/** One test for a list of patterns; null for an empty list. */
function patterns(list: readonly string[]): Test | null {
  const texts = list.map((pattern) => pattern.trim().toLowerCase()).filter((pattern) => pattern !== '');
  if (texts.length === 0) return null;
  const exact = new Set(texts.filter((pattern) => !pattern.includes('*')));
  const globs = texts.filter((pattern) => pattern.includes('*')).map(globTest);
  return (text) => {
    const lower = text.trim().toLowerCase();
    return lower !== '' && (exact.has(lower) || globs.some((matches) => matches(lower)));
  };
}

/** `*` stands for any text. The parts are looked for one after the other: no pattern can be slow. */
function globTest(pattern: string): Test {
  const parts = pattern.split('*');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  const middle = parts.slice(1, -1);
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
      return false;
    const end = text.length - last.length;
    let from = first.length;
    for (const part of middle) {
      const found = text.indexOf(part, from);
      if (found < 0 || found + part.length > end) return false;
      from = found + part.length;
    }
    return true;
  };
}
