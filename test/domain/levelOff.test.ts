import { describe, expect, it } from 'vitest';
import { levelOff, type LevelInput } from '../../src/domain/levelOff.js';
import { plan } from '../../src/domain/plan.js';
import { at, capsule, HOUR, POLICY } from './programmes.js';

const now = at('20:00');
const capsules = [
  capsule('20:00', '22:00', 'a vs b', { dnaId: 'dna-a' }),
  capsule('21:00', '22:00', 'Talk', { dnaId: 'dna-b' }),
];
const decisions = plan({ capsules, known: [], tombstones: [], policy: POLICY, now, previousRowKeys: null });
const level = (over: Partial<LevelInput> = {}) =>
  levelOff({
    decisions,
    now,
    horizonMs: 4 * HOUR,
    slotsMax: 0,
    bytesPerMs: 1,
    keepMs: { sports: 8 * HOUR, general: 24 * HOUR },
    bytesMaxPerLane: {},
    bytesMax: 0,
    ...over,
  });

describe('the space that recordings take', () => {
  it('levels off at what is planned, for as long as each lane keeps it', () => {
    expect(level()).toBe((2 / 4) * 8 * HOUR + (1 / 4) * 24 * HOUR);
    expect(level({ bytesPerMs: 3 })).toBe(30 * HOUR);
  });

  it('is no more than connections can bring and limits allow', () => {
    expect(level({ slotsMax: 1, horizonMs: 2 * HOUR })).toBeCloseTo(((2 / 3) * 8 + (1 / 3) * 24) * HOUR, -1);
    expect(level({ bytesMax: HOUR })).toBe(HOUR);
    expect(level({ bytesMaxPerLane: { general: HOUR } })).toBe(5 * HOUR);
  });

  it('never levels off where something is kept for ever without a limit', () => {
    expect(level({ keepMs: { sports: 0, general: HOUR } })).toBeNull();
    expect(level({ keepMs: { sports: 0, general: HOUR }, bytesMaxPerLane: { sports: HOUR } })).toBe(
      1.25 * HOUR,
    );
  });
});
