/**
 * Rules of iptv-tunerr's rules file (PROTOCOLS §1.9): all filters of a rule must match, of a list any entry, whatever
 * the case. A rule asks for programmes; what it asks for passes the lists of what is wanted, never those of what is not.
 */

import type { Capsule, CapsuleState } from './capsule.js';

export interface Rule {
  readonly id: string;
  readonly name: string;
  readonly lanes: readonly string[];
  readonly channelIds: readonly string[];
  readonly guideNumbers: readonly string[];
  readonly categories: readonly string[];
  readonly states: readonly string[];
  readonly titleContains: string;
  readonly titleEquals: string;
  /** Programmes that start at or after it, and before it; null is any time. */
  readonly startAfter: RuleTime | null;
  readonly startBefore: RuleTime | null;
}

/** A moment, or a time of day in UTC as milliseconds since midnight. */
export type RuleTime =
  { readonly kind: 'moment'; readonly at: number } | { readonly kind: 'daily'; readonly ms: number };

/** `unreadable`: the file is there no more or makes no sense, so nothing is asked for. */
export type RuleBook =
  | { readonly kind: 'rules'; readonly rules: readonly Rule[]; readonly only: boolean }
  | { readonly kind: 'unreadable' };

const DAY_MS = 86_400_000;

/** The first rule that asks for it, or null. Without `state` a rule's states do not count: a plan outlives them. */
export function ruleFor(rules: readonly Rule[], capsule: Capsule, state: CapsuleState | null): Rule | null {
  return rules.find((rule) => asksFor(rule, capsule, state)) ?? null;
}

function asksFor(rule: Rule, capsule: Capsule, state: CapsuleState | null): boolean {
  const title = capsule.title.trim().toLowerCase();
  return (
    isAmong(rule.lanes, [capsule.lane]) &&
    isAmong(rule.channelIds, [capsule.channelId]) &&
    isAmong(rule.guideNumbers, [capsule.guideNumber]) &&
    isAmong(rule.categories, capsule.categories) &&
    (state === null || isAmong(rule.states, [state])) &&
    title.includes(rule.titleContains.trim().toLowerCase()) &&
    (rule.titleEquals === '' || title === rule.titleEquals.trim().toLowerCase()) &&
    (rule.startAfter === null || since(rule.startAfter, capsule.startAt) >= 0) &&
    (rule.startBefore === null || since(rule.startBefore, capsule.startAt) < 0)
  );
}

function isAmong(wanted: readonly string[], own: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  const lower = new Set(wanted.map((text) => text.trim().toLowerCase()));
  return own.some((text) => lower.has(text.trim().toLowerCase()));
}

function since(time: RuleTime, startAt: number): number {
  return time.kind === 'moment' ? startAt - time.at : (startAt % DAY_MS) - time.ms;
}
