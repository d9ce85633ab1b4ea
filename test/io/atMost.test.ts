import fc from 'fast-check';
import { expect, it } from 'vitest';
import { atMost } from '../../src/io/atMost.js';

it('lets so many in at once, in their order, whatever becomes of them, and nobody is left outside', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.boolean(), { maxLength: 12 }),
      fc.scheduler(),
      async (count, fails, scheduler) => {
        const door = atMost(count);
        const begun: number[] = [];
        let inside = 0;
        let most = 0;
        const tasks = fails.map((isFailing, number) =>
          door(async () => {
            begun.push(number);
            inside += 1;
            most = Math.max(most, inside);
            await scheduler.schedule(Promise.resolve());
            inside -= 1;
            if (isFailing) throw new Error(String(number));
            return number;
          }),
        );
        const results = Promise.allSettled(tasks);
        await scheduler.waitFor(results);
        expect((await results).map(({ status }) => status === 'rejected')).toEqual(fails);
        expect(begun).toEqual(fails.map((_, number) => number));
        expect(most).toBe(Math.min(count, fails.length));
        expect(inside).toBe(0);
      },
    ),
  );
});
