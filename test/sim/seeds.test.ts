/** Hours of storm: the real daemon, every fault that can be made, the promises asked all the time. */
import { describe, expect, it } from 'vitest';
import { simulate, told } from './simulation.js';

const LONG_MS = 900_000;
/** Hours of storm for each seed; none where it is not asked for, because they take minutes. */
const HOURS = Number(process.env['CATCHUPD_SIM_HOURS'] ?? 0);
const SEEDS = (process.env['CATCHUPD_SIM_SEEDS'] ?? '101,102,103,104').split(',').map(Number);

describe.runIf(HOURS > 0)('a day of storm', () => {
  it.each(SEEDS)(
    'of seed %i breaks no promise',
    async (seed) => {
      const ran = await simulate({ seed, hours: HOURS });
      // oxlint-disable-next-line no-console -- what happened is for a person
      console.info(told(ran));
      expect(ran.findings).toEqual([]);
      expect(ran.world.transport.requests.size).toBeGreaterThan(0);
    },
    LONG_MS,
  );
});
