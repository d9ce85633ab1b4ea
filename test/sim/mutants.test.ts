/** What the storms are worth is known by the bugs that they find: each of these still has its place in the sources. */
import { expect, it } from 'vitest';
import { editsOf, MUTANTS, planted, type Mutant } from './mutantList.mjs';

it.each(MUTANTS.map((mutant): [string, Mutant] => [mutant.name, mutant]))(
  '%s can be planted',
  (name, mutant) => {
    for (const edit of editsOf(mutant)) expect(planted(name, edit)).toContain(edit.pattern ? '' : edit.to);
  },
);
