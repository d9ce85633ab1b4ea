/** A storm three times as long as the others; a file of its own, so that another processor may do it. */
import { describe } from 'vitest';
import { HOURS, itSurvives } from './survives.js';

describe('a long storm', () => {
  itSurvives(105, 3 * HOURS, 2);
});
