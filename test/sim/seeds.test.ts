/** Four days of storm: the real daemon, every fault that can be made, the promises asked all the time. */
import { describe } from 'vitest';
import { itSurvives } from './survives.js';

describe('a day of storm', () => {
  for (const seed of [101, 102, 103, 104]) itSurvives(seed, 24);
});
