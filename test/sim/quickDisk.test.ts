/** Storms: the real daemon, every fault that can be made, the promises asked all the time. */
import { expect, it } from 'vitest';
import { HOURS, KINDS_MIN, storm, STORM_MS_MAX } from './aStorm.js';

it.each([101, 102, 103, 104])(
  `a storm of seed %i breaks no promise in ${HOURS} hours`,
  async (seed) => {
    const { findings, kinds } = await storm(seed, HOURS);
    expect(findings).toEqual([]);
    expect(kinds).toBeGreaterThanOrEqual(KINDS_MIN);
  },
  STORM_MS_MAX,
);
