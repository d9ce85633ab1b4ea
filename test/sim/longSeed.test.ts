/** Three days of storm on end; a file of its own, so that another processor may do it. */
import { describe } from 'vitest';
import { itSurvives } from './survives.js';

describe('three days of storm', () => {
  itSurvives(105, 72, 2);
});
