/** What was asked of a run: how often, by promise, and what did not hold. */

/** More of the same tell no more. */
const FINDINGS_MAX = 40;

/** Asks whether a promise holds; the finding says what was seen where it does not. */
export type Ask = (promise: string, holds: boolean, finding: () => string) => void;

export interface Questions {
  /** How many things were asked, by promise. */
  readonly checks: ReadonlyMap<string, number>;
  readonly findings: readonly string[];
  readonly ask: Ask;
}

export function createQuestions(): Questions {
  const findings: string[] = [];
  const checks = new Map<string, number>();
  return {
    findings,
    checks,
    ask(promise, holds, finding) {
      checks.set(promise, (checks.get(promise) ?? 0) + 1);
      if (!holds && findings.length < FINDINGS_MAX) findings.push(`${promise} ${finding()}`);
    },
  };
}
