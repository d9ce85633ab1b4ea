/**
 * Where guides are kept and plans are made, in one thread, whichever that is: in the daemon one of its own, so that no
 * capture waits while hundreds of thousands of programmes are looked at (P1). The programmes never leave it, because
 * taking them in would hold up the thread of the captures, if only to clear up behind them; what is asked of the plan
 * is answered here.
 */

import type { Capsule } from '../domain/capsule.js';
import { nextTryAt } from '../domain/foresight.js';
import { guideShift } from '../domain/guideShift.js';
import type { GuideData } from '../domain/programme.js';
import { rfc3339 } from '../domain/text.js';
import { createAddresses } from './addresses.js';
import { capacityOf } from './capacity.js';
import { matches, shownDecision, withinHorizon } from './decisionsView.js';
import { guidePage, type GuideWish } from './guideView.js';
import { levelOf } from './leveling.js';
import { createPastLines } from './pastLines.js';
import type { FoundDecision, PageParts, PlanNews, PlanWish, ShadowFacts } from './planFacts.js';
import { decide, look, type GuideInUse, type Outlook } from './planning.js';

export interface PlanDesk {
  /** By how much the guide starts later, as a whole, than the one kept under `beside`. */
  keep(number: number, data: GuideData, beside: number | null): number;
  release(number: number): void;
  plan(facts: ShadowFacts, wish: PlanWish): PlanNews;
  /** The last plan, within the horizon, as JSON. */
  planPage(now: number): PageParts;
  guidePage(facts: ShadowFacts, wish: GuideWish, now: number): PageParts;
  /** Of the last plan, by id, title or channel. */
  found(query: string): readonly FoundDecision[];
  /** Of everything that the guides have, as far ahead as they are kept. */
  capsule(facts: ShadowFacts, capsuleId: string, now: number): Capsule | null;
  outlook(): Outlook;
  guide(number: number): GuideData | undefined;
}

export function createPlanDesk(): PlanDesk {
  const guides = new Map<number, GuideData>();
  const leave = createPastLines();
  let outlook: Outlook = { decisions: [], conflicts: new Map(), rowKeys: new Set() };
  /** Epoch milliseconds; 0 before the first plan. */
  let plannedAt = 0;

  function guideOf({ lists, guides: numbers, aliases }: ShadowFacts): GuideInUse {
    return {
      channels: [...lists.values()].flatMap(({ list }) => list?.channels ?? []),
      guides: numbers.flatMap((number) => guides.get(number) ?? []),
      aliases,
    };
  }

  return {
    keep(number, data, beside) {
      guides.set(number, data);
      const other = beside === null ? undefined : guides.get(beside);
      return other ? guideShift(other, data) : 0;
    },
    release: (number) => void guides.delete(number),
    plan(facts, { at, bytesPerMs }) {
      const { config, lists, known, tombstones, overrides, rules, accounts } = facts;
      const over = leave(outlook.decisions, at);
      const input = {
        config,
        guide: guideOf(facts),
        shadows: known.values(),
        tombstones: tombstones.values(),
        overrides: overrides.values(),
        rules,
        capacity: capacityOf(config, createAddresses(config, lists), lists, accounts, at),
        now: at,
        previousRowKeys: plannedAt === 0 ? null : outlook.rowKeys,
      };
      outlook = decide(input, outlook);
      plannedAt = at;
      const { decisions } = outlook;
      return {
        decisions: decisions.filter(({ action, addKey }) => action !== 'skip' || addKey === true),
        rest: { nextTryAt: nextTryAt(outlook), levelBytes: levelOf(config, decisions, bytesPerMs, at) },
        over,
      };
    },
    planPage(now) {
      const { decisions, conflicts } = outlook;
      const shown = withinHorizon(decisions).map((decision) =>
        shownDecision(decision, conflicts.get(decision)),
      );
      const page = { generated_at: rfc3339(plannedAt === 0 ? now : plannedAt), decisions: shown };
      return [new TextEncoder().encode(JSON.stringify(page))];
    },
    guidePage: ({ known }, wish, now) => guidePage({ ...outlook, at: plannedAt }, known.values(), wish, now),
    found(query) {
      const word = query.trim().toLowerCase();
      if (word === '') return [];
      return outlook.decisions
        .filter(({ capsule, recordingId = '' }) => matches(word, recordingId, capsule))
        .map((decision) => {
          const conflict = outlook.conflicts.get(decision);
          // What it says of another airing is worked out when it is asked for.
          return { decision, conflict: conflict ? { ...conflict, again: conflict.again } : null };
        });
    },
    capsule(facts, capsuleId, now) {
      const { capsules } = look(facts.config, guideOf(facts), now, Infinity);
      return capsules.find((each) => each.capsuleId === capsuleId) ?? null;
    },
    outlook: () => outlook,
    guide: (number) => guides.get(number),
  };
}
