/** A storm three times as long as the others; a file of its own, so that another processor may do it. */
import { expect, it } from 'vitest';
import { HOURS, KINDS_MIN, storm, STORM_MS_MAX } from './aStorm.js';

it(
  'a long storm of seed 105 on a slow disk breaks no promise',
  async () => {
    const { findings, kinds } = await storm(105, 3 * HOURS, { slots: 2, slowDisk: true });
    expect(findings).toEqual([]);
    expect(kinds).toBeGreaterThanOrEqual(KINDS_MIN);
  },
  STORM_MS_MAX,
);
