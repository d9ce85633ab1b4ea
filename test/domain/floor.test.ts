import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { floorBytes } from '../../src/domain/floor.js';

const GIB = 2 ** 30;

describe('the space that stays free', () => {
  it('is a size as it was given', () => {
    expect(floorBytes({ kind: 'bytes', bytes: 100 }, GIB)).toBe(100);
    expect(floorBytes({ kind: 'bytes', bytes: 900 * GIB }, GIB)).toBe(900 * GIB);
    expect(floorBytes({ kind: 'bytes', bytes: 0 }, GIB)).toBe(0);
  });

  it.each([
    ['a small disk', 10, 2],
    ['a usual disk', 200, 10],
    ['a large disk', 20_000, 50],
  ])('is a share held between 2 and 50 GiB: %s', (_, total, floor) => {
    expect(floorBytes({ kind: 'share', share: 0.05 }, total * GIB)).toBe(floor * GIB);
  });

  it('is nothing for a share of nothing', () => {
    expect(floorBytes({ kind: 'share', share: 0 }, 200 * GIB)).toBe(0);
  });

  it('never shrinks with a larger disk or a larger share', () => {
    const share = fc.double({ min: 0.001, max: 1, noNaN: true });
    const total = fc.integer({ min: 0, max: 2 ** 45 });
    fc.assert(
      fc.property(share, share, total, total, (a, b, one, other) => {
        const floor = (value: number, bytes: number) => floorBytes({ kind: 'share', share: value }, bytes);
        expect(floor(Math.min(a, b), Math.min(one, other))).toBeLessThanOrEqual(
          floor(Math.max(a, b), Math.max(one, other)),
        );
      }),
    );
  });
});
