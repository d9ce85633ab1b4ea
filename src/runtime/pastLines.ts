/** What of a plan is over, as the lines that `pastGuide.ts` keeps; each programme once. */

import type { Decision } from '../domain/plan.js';
import type { PastLines } from './planFacts.js';

const DAY_MS = 86_400_000;
/** A programme of that long ago was on while nobody looked, and is of no day that is kept. */
const OVER_MS_MAX = DAY_MS;
const TEXT_CHARS = 64 * 1024;

/** A new plan takes the place of the one that is given: what of it is over. */
export type Leave = (decisions: readonly Decision[], at: number) => readonly PastLines[];

export function createPastLines(): Leave {
  /** When what was told already was over, by record key. */
  const told = new Map<string, number>();
  return (decisions, at) => {
    for (const [key, stopAt] of told) if (stopAt < at - OVER_MS_MAX) told.delete(key);
    const lines: { day: string; text: string }[] = [];
    const open = new Map<string, (typeof lines)[number]>();
    for (const decision of decisions) {
      const { recordKey, startAt, stopAt } = decision.capsule;
      if (stopAt > at || stopAt < at - OVER_MS_MAX || told.has(recordKey)) continue;
      told.set(recordKey, stopAt);
      const day = dayOf(startAt);
      let part = open.get(day);
      if (part === undefined || part.text.length > TEXT_CHARS) {
        part = { day, text: '' };
        open.set(day, part);
        lines.push(part);
      }
      part.text += lineOf(decision);
    }
    return lines;
  };
}

export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function lineOf({ action, reason, priority, expiresAt, recordingId, capsule }: Decision): string {
  // What nobody asks about a programme that is over.
  const { upstreams: _, desc: __, ...about } = capsule;
  return `${JSON.stringify({ action, reason, priority, expiresAt, recordingId, capsule: about })}\n`;
}
