/** Storms: the real daemon, every fault that can be made, the promises asked all the time. */
import { describe, expect, it } from 'vitest';
import { HOURS, KINDS_MIN, storm, STORM_MS_MAX } from './aStorm.js';

describe('a storm', () => {
  it.each([
    [101, 'quick'],
    [102, 'slow'],
    [103, 'quick'],
    [104, 'slow'],
  ])(
    'of seed %i on a %s disk breaks no promise',
    async (seed, disk) => {
      const { findings, kinds } = await storm(seed, HOURS, { slowDisk: disk === 'slow' });
      expect(findings).toEqual([]);
      expect(kinds).toBeGreaterThanOrEqual(KINDS_MIN);
    },
    STORM_MS_MAX,
  );
});
