import { expect, it } from 'vitest';
import { simulate, told } from './simulation.js';

/**
 * Hours of storm for each seed: the first quarter of a day in every run of the suite, `CATCHUPD_SIM_HOURS=24` for whole
 * days. A seed lives the same life however long it is.
 */
export const HOURS = Number(process.env['CATCHUPD_SIM_HOURS'] ?? 6);
/** Nobody waits so long on a machine that has nothing else to do. */
const LONG_MS = 1_800_000;
/** Whatever else a seed decides, so many kinds of faults have come to pass. */
const KINDS_MIN = 12;

/** A storm from one seed breaks no promise. What failed is lived again by `npm run sim -- --hours H --seed S`. */
export function itSurvives(seed: number, hours: number, slots = 3): void {
  it(
    `of seed ${seed} breaks no promise`,
    async () => {
      const ran = await simulate({ seed, hours, slots });
      // oxlint-disable-next-line no-console -- what happened is for a person
      console.info(told(ran));
      expect(ran.findings).toEqual([]);
      expect(ran.faults.size).toBeGreaterThanOrEqual(KINDS_MIN);
    },
    LONG_MS,
  );
}
