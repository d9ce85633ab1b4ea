import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, DEFAULT_INTENSITY, recentCrashes } from '../../src/domain/intensity.js';

/** What is decided at each crash, the list of those that count being carried on. */
function verdicts(times: readonly number[]) {
  let recent: readonly number[] = [];
  return times.map((at) => {
    recent = recentCrashes(recent, at, DEFAULT_INTENSITY);
    return decide(recent, at, DEFAULT_INTENSITY);
  });
}

describe('something that crashes', () => {
  it('is started again later each time, and given up at the fourth crash within a minute', () => {
    expect(verdicts([0, 2_000, 5_000, 10_000])).toEqual([
      { kind: 'restart', at: 1_000 },
      { kind: 'restart', at: 4_000 },
      { kind: 'restart', at: 9_000 },
      { kind: 'give_up' },
    ]);
  });

  it('is forgiven what lies a minute back', () => {
    expect(verdicts([0, 1_000, 2_000, 60_000])[3]).toEqual({ kind: 'restart', at: 64_000 });
    expect(verdicts([0, 1_000, 2_000, 59_999])[3]).toEqual({ kind: 'give_up' });
  });

  it('is never given up while it crashes less often than the intensity allows', () => {
    const gaps = fc.array(fc.integer({ min: 20_000, max: 1_000_000 }), { maxLength: 50 });
    fc.assert(
      fc.property(gaps, (list) => {
        let at = 0;
        const times = list.map((gap) => (at += gap));
        expect(verdicts(times).every(({ kind }) => kind === 'restart')).toBe(true);
      }),
    );
  });

  it('is given up exactly when more than three of the last minute count, and else waits no longer than the cap', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 50 });
    fc.assert(
      fc.property(gaps, (list) => {
        let at = 0;
        const times = list.map((gap) => (at += gap));
        verdicts(times).forEach((verdict, index) => {
          const now = times[index] ?? 0;
          const lately = times.slice(0, index + 1).filter((time) => now - time < 60_000).length;
          expect(verdict.kind).toBe(lately > 3 ? 'give_up' : 'restart');
          if (verdict.kind !== 'restart') return;
          expect(verdict.at - now).toBeGreaterThanOrEqual(DEFAULT_INTENSITY.backoffMs);
          expect(verdict.at - now).toBeLessThanOrEqual(DEFAULT_INTENSITY.backoffMsMax);
        });
      }),
    );
  });
});
