/** Storms on a disk that takes its time, one of them long; a file of its own, so that another processor may do them. */
import { expect, it } from 'vitest';
import { HOURS, KINDS_MIN, storm, STORM_MS_MAX } from './aStorm.js';

it.each([
  [105, 3 * HOURS, 2],
  [106, HOURS / 2, 3],
])(
  'a storm of seed %i on a slow disk breaks no promise in %d hours with %d connections',
  async (seed, hours, slots) => {
    const { findings, kinds } = await storm(seed, hours, { slots, slowDisk: true });
    expect(findings).toEqual([]);
    expect(kinds).toBeGreaterThanOrEqual(KINDS_MIN);
  },
  STORM_MS_MAX,
);
