/** Storms: the real daemon, every fault that can be made, the promises asked all the time. */
import { describe } from 'vitest';
import { HOURS, itSurvives } from './survives.js';

describe('a storm', () => {
  for (const seed of [101, 102, 103, 104]) itSurvives(seed, HOURS);
});
