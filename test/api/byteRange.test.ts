import fc from 'fast-check';
import { expect, it } from 'vitest';
import { askedRange } from '../../src/api/byteRange.js';

it('every answer to a range lies within the file', () => {
  const bound = fc.oneof(fc.constant(''), fc.nat({ max: 5_000 }).map(String));
  fc.assert(
    fc.property(bound, bound, fc.nat({ max: 4_000 }), (first, last, size) => {
      const range = askedRange(`bytes=${first}-${last}`, size);
      if (range.kind !== 'part') return;
      expect(range.from).toBeGreaterThanOrEqual(0);
      expect(range.to).toBeGreaterThanOrEqual(range.from);
      expect(range.to).toBeLessThan(size);
      if (first !== '') expect(range.from).toBe(Number(first));
    }),
  );
});

it.each([
  ['bytes=0-', { kind: 'part', from: 0, to: 99 }],
  ['bytes=10-19', { kind: 'part', from: 10, to: 19 }],
  ['Bytes = 90 - 900', { kind: 'part', from: 90, to: 99 }],
  ['bytes=-10', { kind: 'part', from: 90, to: 99 }],
  ['bytes=-1000', { kind: 'part', from: 0, to: 99 }],
  ['bytes=100-', { kind: 'unsatisfiable' }],
  ['bytes=-0', { kind: 'unsatisfiable' }],
  ['bytes=19-10', { kind: 'malformed' }],
  ['bytes=-', { kind: 'malformed' }],
  ['bytes=0-1,5-6', { kind: 'malformed' }],
  ['bytes=a-b', { kind: 'malformed' }],
  ['bytes=99999999999999999999-', { kind: 'malformed' }],
  ['items=0-1', { kind: 'whole' }],
  [undefined, { kind: 'whole' }],
] as const)('of a file of 100 bytes, %s is %o', (header, range) => {
  expect(askedRange(header, 100)).toEqual(range);
});
