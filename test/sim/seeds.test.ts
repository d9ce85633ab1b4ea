/** Storms: the real daemon, every fault that can be made, the promises asked all the time. */
import { describe, expect, it } from 'vitest';
import { HOURS, KINDS_MIN, storm, STORM_MS_MAX } from './aStorm.js';

describe('a storm', () => {
  it.each([
    ['quick', 101, HOURS],
    ['quick', 102, HOURS],
    ['quick', 103, HOURS],
    ['quick', 104, HOURS],
    ['slow', 106, HOURS / 2],
  ])(
    'on a %s disk of seed %i breaks no promise in %d hours',
    async (disk, seed, hours) => {
      const { findings, kinds } = await storm(seed, hours, { slowDisk: disk === 'slow' });
      expect(findings).toEqual([]);
      expect(kinds).toBeGreaterThanOrEqual(KINDS_MIN);
    },
    STORM_MS_MAX,
  );
});
