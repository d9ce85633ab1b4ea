import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bytesPerSecondOf, forecastStorage } from '../../src/domain/storageForecast.js';

const HOUR = 3_600_000;

it('what is planned grows, what is over goes, what is kept stays', () => {
  const points = forecastStorage({
    now: 0,
    hours: 3,
    bytesPerSecond: 1,
    stored: [
      { bytes: 100, expiresAt: 1.5 * HOUR },
      { bytes: 7, expiresAt: null },
    ],
    coming: [{ startAt: HOUR, stopAt: 2 * HOUR, expiresAt: 2.5 * HOUR }],
  });
  expect(points.map(({ bytes }) => bytes)).toEqual([107, 107, 7 + 3600, 7]);
});

it('without anything planned it never grows', () => {
  const item = fc.record({ bytes: fc.nat(), expiresAt: fc.option(fc.nat({ max: 50 * HOUR })) });
  fc.assert(
    fc.property(fc.array(item), (stored) => {
      const points = forecastStorage({ now: 0, hours: 24, stored, coming: [], bytesPerSecond: 5 });
      points.forEach(({ bytes }, hour) =>
        expect(bytes).toBeLessThanOrEqual(points[hour - 1]?.bytes ?? Infinity),
      );
    }),
  );
});

it('the rate is that of what has bytes and length', () => {
  expect(bytesPerSecondOf([])).toBe(0);
  expect(
    bytesPerSecondOf([
      { bytes: 10, seconds: 2 },
      { bytes: 0, seconds: 9 },
      { bytes: 20, seconds: 4 },
    ]),
  ).toBe(5);
});
