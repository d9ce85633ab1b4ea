import { describe, expect, it } from 'vitest';
import { lastWritten } from '../../src/domain/lastWritten.js';

const DAY_MS = 86_400_000;
const WALL_AT = Date.UTC(2026, 10, 23);

describe('when a state was written last', () => {
  it('is the latest that its documents say, also where the wall is behind it', () => {
    expect(lastWritten([], WALL_AT)).toBe(0);
    expect(lastWritten([WALL_AT - 5, WALL_AT - 9], WALL_AT)).toBe(WALL_AT - 5);
    const now = WALL_AT + 400 * DAY_MS;
    expect(lastWritten([now - 3 * DAY_MS, now, now - 30 * DAY_MS], WALL_AT)).toBe(now);
    expect(lastWritten([now], WALL_AT)).toBe(now);
  });

  it('is not what one alone says that is far ahead of all others and of the wall, nor what is no time', () => {
    const last = WALL_AT - DAY_MS;
    for (const odd of [9_795_995_900_000, WALL_AT + 8 * DAY_MS, undefined, 'x', Number.NaN, null])
      expect(lastWritten([last - 1, odd, last], WALL_AT)).toBe(last);
  });

  it('is what came behind a long rest', () => {
    expect(lastWritten([WALL_AT - 60 * DAY_MS, WALL_AT - 1], WALL_AT)).toBe(WALL_AT - 1);
    expect(lastWritten([WALL_AT - 60 * DAY_MS, WALL_AT + DAY_MS], WALL_AT)).toBe(WALL_AT + DAY_MS);
  });
});
