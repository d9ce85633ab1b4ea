/**
 * The state as it was at one moment, read little by little while the live one goes on (P1: nothing is copied as a whole,
 * which would hold up the captures). Whoever changes a value says so before, and the value that was is kept aside.
 */
import { SECTIONS, type Section, type StateDocument } from './document.js';

export interface Values {
  /** Of the last journal line that is in it. */
  readonly rev: number;
  entries(section: Section): Iterable<readonly [string, unknown]>;
}

export interface Still extends Values {
  /** This value is about to change, to come or to go. */
  keep(section: Section, key: string): void;
}

export function createStill(state: StateDocument): Still {
  const { rev } = state;
  const keys = new Map(SECTIONS.map((section) => [section, [...state[section].keys()]]));
  const before = new Map(SECTIONS.map((section) => [section, new Map<string, unknown>()]));
  return {
    rev,
    keep(section, key) {
      const kept = before.get(section);
      if (kept && !kept.has(key)) kept.set(key, state[section].get(key));
    },
    *entries(section) {
      const kept = before.get(section);
      for (const key of keys.get(section) ?? [])
        yield [key, kept?.has(key) ? kept.get(key) : state[section].get(key)];
    },
  };
}
