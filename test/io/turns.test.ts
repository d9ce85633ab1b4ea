import fc from 'fast-check';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/io/clock.js';
import { turns } from '../../src/io/turns.js';
import { virtualClock } from '../sim/virtualClock.js';

type Step =
  | { readonly kind: 'come' }
  | { readonly kind: 'leave'; readonly which: number; readonly isFailing: boolean }
  | { readonly kind: 'microtask' }
  | { readonly kind: 'wait'; readonly ms: number };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'come' } as const) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('leave' as const),
      which: fc.nat(),
      isFailing: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'microtask' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(0, 20, 50) }),
  },
);

it('lets so many in at once and in their order, more by patience only, and nobody slips in or is left outside', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(50, Infinity),
      fc.array(STEP, { maxLength: 40, size: 'max' }),
      async (atOnce, patienceMs, steps) => {
        const clock = virtualClock(0);
        const door = turns(clock, atOnce, patienceMs);
        const results: Promise<unknown>[] = [];
        const wanted: unknown[] = [];
        /** How each that is inside leaves. */
        const inside: ((isFailing: boolean) => void)[] = [];
        const cameAt: number[] = [];
        const entered: number[] = [];
        const tooEarly: number[] = [];

        function come(): void {
          const number = cameAt.push(clock.mono()) - 1;
          const result = door(() => {
            entered.push(number);
            const waitedMs = clock.mono() - (cameAt[number] ?? NaN);
            if (inside.length >= atOnce && waitedMs !== patienceMs) tooEarly.push(number);
            return new Promise((resolve, reject) => {
              inside.push((isFailing) => {
                const reason = new Error(String(number));
                wanted[number] = isFailing
                  ? { status: 'rejected', reason }
                  : { status: 'fulfilled', value: number };
                if (isFailing) reject(reason);
                else resolve(number);
              });
            });
          });
          result.catch(() => undefined);
          results.push(result);
        }

        async function quiet(ms: number): Promise<void> {
          await clock.run(ms);
          const waiting = cameAt.slice(entered.length);
          if (waiting.length > 0) expect(inside.length, 'a place is free').toBeGreaterThanOrEqual(atOnce);
          for (const at of waiting) expect(clock.mono() - at, 'waits too long').toBeLessThan(patienceMs);
          expect(clock.waiting(), 'timers').toBe(patienceMs < Infinity ? waiting.length : 0);
        }

        for (const step of steps) {
          if (step.kind === 'come') come();
          else if (step.kind === 'leave')
            inside.splice(step.which % Math.max(1, inside.length), 1)[0]?.(step.isFailing);
          else if (step.kind === 'microtask') await Promise.resolve();
          else await quiet(step.ms);
        }
        for (await quiet(0); inside.length > 0; await quiet(0)) inside.shift()?.(false);
        expect(await Promise.allSettled(results)).toEqual(wanted);
        expect(entered, 'first come, first served').toEqual([...cameAt.keys()]);
        expect(tooEarly, 'too many').toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});

it('gives the place on where a task throws before it promises anything', async () => {
  const door = turns(systemClock, 1, Infinity);
  const thrown = door(() => {
    throw new Error('at once');
  });
  await expect(thrown).rejects.toThrow('at once');
  expect(await door(() => Promise.resolve(7))).toBe(7);
});
