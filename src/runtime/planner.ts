/**
 * The door to guides and plans: a guide is read and kept behind it, everything that is known is told through it, and
 * what comes back is only what somebody has to act on or asked for. In production it opens onto a thread of its own
 * (`threadPlanner.ts`), so that captures never wait (P1); in tests, in the simulation and for commands that only look,
 * the same desk stands in the same thread.
 */

import type { Capsule } from '../domain/capsule.js';
import type { GuideCounts } from '../domain/programme.js';
import type { GuideJob, Parse } from '../io/parse.js';
import type { GuideWish } from './guideView.js';
import type { Entry } from './entries.js';
import { createPlanDesk, type PlanDesk } from './planDesk.js';
import type { FoundDecision, PageParts, PlanFacts, PlanNews, PlanWish, ShadowFacts } from './planFacts.js';
import { shadowOf, type Shadow } from './shadow.js';

/** A guide that is kept, and what of it the sanity gate compares. */
export interface KeptGuide {
  readonly number: number;
  readonly counts: GuideCounts;
  /** By how much it starts later, as a whole, than the one that it was compared with. */
  readonly shiftMs: number;
}

export interface Planner {
  /** Rejects as `Parse.guide` does. `beside` is the number of the one it is compared with. */
  read(job: GuideJob, beside: number | null): Promise<KeptGuide>;
  release(number: number): void;
  /** Rejects with `guide_unreadable` where the thread is lost. */
  plan(facts: PlanFacts, wish: PlanWish): Promise<PlanNews>;
  planPage(now: number): Promise<PageParts>;
  guidePage(facts: PlanFacts, wish: GuideWish, now: number): Promise<PageParts>;
  found(query: string): Promise<readonly FoundDecision[]>;
  capsule(facts: PlanFacts, capsuleId: string, now: number): Promise<Capsule | null>;
  /** Calls `task` whenever every guide that was kept is lost. */
  onLost(task: () => void): void;
  close(): Promise<void>;
}

/** In this thread; the desk for those who want to see everything. */
export function createPlannerHere(parse: Pick<Parse, 'guide'>): Planner & { readonly desk: PlanDesk } {
  const desk = createPlanDesk();
  let last = 0;
  return {
    desk,
    async read(job, beside) {
      const data = await parse.guide(job);
      const number = (last += 1);
      return { number, counts: data.counts, shiftMs: desk.keep(number, data, beside) };
    },
    release: desk.release,
    plan: async (facts, wish) => desk.plan(shadowed(facts), wish),
    planPage: async (now) => desk.planPage(now),
    guidePage: async (facts, wish, now) => desk.guidePage(shadowed(facts), wish, now),
    found: async (query) => desk.found(query),
    capsule: async (facts, capsuleId, now) => desk.capsule(shadowed(facts), capsuleId, now),
    onLost: () => undefined,
    close: () => Promise.resolve(),
  };
}

const shadows = new WeakMap<Entry, Shadow>();

function shadowed(facts: PlanFacts): ShadowFacts {
  return { ...facts, known: new Map([...facts.known].map(([id, entry]) => [id, shadow(entry)])) };
}

/** An entry never changes. */
function shadow(entry: Entry): Shadow {
  const made = shadows.get(entry) ?? shadowOf(entry);
  shadows.set(entry, made);
  return made;
}
