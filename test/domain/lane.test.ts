import { describe, expect, it } from 'vitest';
import type { Capsule } from '../../src/domain/capsule.js';
import { BUILT_IN_LANES, expiryOf, laneOf, NEVER, priorityOf, type Lane } from '../../src/domain/lane.js';

const facts = (title: string, ...categories: string[]) => ({ title, categories, group: '', channelName: '' });
const capsule = (lane: string, categories: string[] = []) =>
  ({ lane, categories, stopAt: 1_000 }) as unknown as Capsule;
const HOUR_MS = 3_600_000;

describe('built-in lanes', () => {
  it.each([
    ['sports', facts('Tonight', 'Motorsport')],
    ['sports', facts('Arsenal vs Chelsea')],
    ['sports', facts('Lions at Bears')],
    ['sports', facts('Ice HOCKEY night', 'Movie')],
    ['movies', facts('Alien', 'Science Fiction', 'Movies')],
    ['movies', facts('Alien', 'Film Noir')],
    ['general', facts('Look at')],
    ['general', facts('Canvas')],
    ['general', facts('News', 'News')],
  ])('%s takes %o', (lane, programme) => {
    expect(laneOf(programme).name).toBe(lane);
  });

  it('rank sports 30, news 20 in whatever lane, all else 10', () => {
    expect(priorityOf(capsule('sports'))).toBe(30);
    expect(priorityOf(capsule('sports', ['Sports News']))).toBe(30);
    expect(priorityOf(capsule('general', ['News and current affairs']))).toBe(20);
    expect(priorityOf(capsule('movies'))).toBe(10);
  });

  it('keep 12, 72 and 24 hours past the stop, unless told otherwise; 0 is for ever', () => {
    expect(expiryOf(capsule('sports'))).toBe(1_000 + 12 * HOUR_MS);
    expect(expiryOf(capsule('movies'))).toBe(1_000 + 72 * HOUR_MS);
    expect(expiryOf(capsule('general'))).toBe(1_000 + 24 * HOUR_MS);
    expect(expiryOf(capsule('movies'), { movies: 5 })).toBe(1_005);
    expect(expiryOf(capsule('movies'), { movies: 0 })).toBe(NEVER);
  });

  it('come after lanes put in front of them', () => {
    const kids: Lane = { name: 'kids', matches: ({ group }) => group === 'Kids', priority: 50, keepMs: 1 };
    const lanes = [kids, ...BUILT_IN_LANES];
    expect(laneOf({ ...facts('Football'), group: 'Kids' }, lanes).name).toBe('kids');
    expect(laneOf(facts('Football'), lanes).name).toBe('sports');
    expect(priorityOf(capsule('kids'), lanes)).toBe(50);
  });
});
