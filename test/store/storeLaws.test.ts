import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Store } from '../../src/store/store.js';
import { memoryDisk, type MemoryDisk } from '../sim/memoryDisk.js';
import { settle } from './manualClock.js';
import { contentOf, documentOf, JOURNAL, STATE, storeBench, tombstoneOf } from './storeBench.js';

type Step =
  | { readonly do: 'put'; readonly id: number; readonly text: string }
  | { readonly do: 'bury'; readonly id: number }
  | { readonly do: 'host'; readonly id: number }
  | { readonly do: 'flush' };

const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('put' as const), id: fc.nat(6), text: fc.string() }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('bury' as const), id: fc.nat(6) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('host' as const), id: fc.nat(3) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  ),
  { minLength: 1, maxLength: 40 },
);

function apply(store: Store, step: Step, rev: number): Promise<void> | undefined {
  switch (step.do) {
    case 'put':
      store.put(documentOf(`id${step.id}`, rev, step.text));
      return undefined;
    case 'bury':
      store.bury(`id${step.id}`, tombstoneOf(`id${step.id}`, Date.parse('2026-11-23T00:00:00Z')));
      return undefined;
    case 'host':
      store.set('hosts', `h${step.id}`, rev % 3 === 0 ? null : { rev });
      return undefined;
    case 'flush':
      return store.flush();
  }
}

/** Runs the steps; gives every state that was ever acknowledged or could be, by content. */
async function run(store: Store, plan: readonly Step[]): Promise<{ states: string[]; acknowledged: number }> {
  const states = [JSON.stringify(contentOf(store))];
  let acknowledged = 0;
  let rev = 0;
  for (const step of plan) {
    rev += 1;
    const flushed = apply(store, step, rev);
    states.push(JSON.stringify(contentOf(store)));
    const mark = states.length - 1;
    if (!flushed) continue;
    await flushed;
    acknowledged = mark;
  }
  return { states, acknowledged };
}

async function made(plan: readonly Step[], compactBytes: number) {
  const disk = memoryDisk();
  const bench = storeBench(disk);
  const store = await bench.open({ compactBytes });
  const ran = await run(store, plan);
  await store.close();
  return { disk, bench, ...ran, last: JSON.stringify(contentOf(store)) };
}

function put(disk: MemoryDisk, path: string, bytes: Buffer): Promise<void> {
  return disk.open(path, 'append').then(async (file) => {
    await file.truncate(0);
    await file.write([bytes]);
    await file.close();
  });
}

const compactions = fc.constantFrom(1, 300, 1000, 1e9);

describe('the store, whatever happens', () => {
  it('opens after a power cut at any disk operation with what was acknowledged, and with nothing that never was', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        compactions,
        fc.nat(400),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (plan, compactBytes, cutAfter, keep) => {
          const disk = memoryDisk();
          const bench = storeBench(disk);
          const store = await bench.open({ compactBytes });
          const states = [JSON.stringify(contentOf(store))];
          let acknowledged = 0;
          let left = cutAfter;
          disk.fault = () => (left-- > 0 ? null : 'EIO');
          let rev = 0;
          for (const step of plan) {
            rev += 1;
            const flushed = apply(store, step, rev);
            states.push(JSON.stringify(contentOf(store)));
            const mark = states.length - 1;
            void flushed?.then(() => {
              if (left >= 0) acknowledged = mark;
            });
            if (flushed) await settle();
          }
          await settle();
          disk.crash(keep);
          disk.fault = () => null;
          const again = storeBench(disk);
          const opened = await again.open();
          expect(opened.status().damage).toEqual([]);
          expect(states.slice(acknowledged)).toContain(JSON.stringify(contentOf(opened)));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('opens after any cutting of the journal with a state that once was', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        compactions,
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (plan, compactBytes, share) => {
          const { disk, bench, states } = await made(plan, compactBytes);
          const journal = disk.files().get(JOURNAL) ?? Buffer.alloc(0);
          const cut = Math.floor(journal.length * share);
          await put(disk, JOURNAL, journal.subarray(0, cut));
          const opened = await bench.open();
          expect(states).toContain(JSON.stringify(contentOf(opened)));
          expect(opened.status().damage).toEqual([]);
          opened.put(documentOf('after', 1));
          await opened.close();
          const again = await storeBench(disk).open();
          expect(contentOf(again)).toEqual(contentOf(opened));
          expect(again.status().damage).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('opens after any cutting of any of its four files, and loses nothing by the spare ones or the base', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        compactions,
        fc.constantFrom(STATE, `${STATE}.prev`, `${JOURNAL}.prev`),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        async (plan, compactBytes, path, share) => {
          const { disk, last } = await made(plan, compactBytes);
          const bytes = disk.files().get(path);
          if (!bytes || bytes.length === 0) return;
          await put(disk, path, bytes.subarray(0, Math.floor(bytes.length * share)));
          const opened = await storeBench(disk).open();
          expect(differences(JSON.parse(last), contentOf(opened))).toEqual([]);
          await opened.close();
          const again = await storeBench(disk).open();
          expect(differences(JSON.parse(last), contentOf(again))).toEqual([]);
          expect(again.status().damage).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('survives any one changed byte: at most one commit is lost, and it says so', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        compactions,
        fc.constantFrom(STATE, JOURNAL, `${STATE}.prev`, `${JOURNAL}.prev`),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.integer({ min: 1, max: 255 }),
        async (plan, compactBytes, path, where, flip) => {
          const { disk, last } = await made(plan, compactBytes);
          const bytes = disk.files().get(path);
          if (!bytes || bytes.length === 0) return;
          const at = Math.floor(bytes.length * where);
          disk.corrupt(path, at, (bytes[at] ?? 0) ^ flip);
          const reader = await storeBench(disk).open({ readOnly: true });
          const bench = storeBench(disk);
          const opened = await bench.open();
          expect(contentOf(opened)).toEqual(contentOf(reader));
          const { damage } = opened.status();
          if (damage.length === 0) {
            // A line break at the very end, or the spare pair, which was not needed.
            expect(JSON.stringify(contentOf(opened))).toBe(last);
          } else {
            const aside = [...disk.files('/out/.catchupd/quarantine').values()];
            expect(aside.some((content) => content.length > 0)).toBe(true);
          }
          // The base is doubled by the pair before it; only a journal line has no second copy.
          if (path !== JOURNAL && !path.endsWith('.prev')) {
            const wrong = differences(JSON.parse(last), contentOf(opened));
            expect(wrong).toEqual([]);
          }
          const before = contentOf(opened);
          await opened.close();
          const again = await storeBench(disk).open();
          expect(contentOf(again)).toEqual(before);
          expect(again.status().damage).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('loses of a journal with one bad line only what that line alone said', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(9),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.integer({ min: 1, max: 255 }),
        async (line, where, flip) => {
          const plan = Array.from({ length: 10 }, (_, id): Step[] => [
            { do: 'put', id, text: 'x' },
            { do: 'flush' },
          ]).flat();
          const { disk, last } = await made(plan, 1e9);
          const journal = disk.files().get(JOURNAL) ?? Buffer.alloc(0);
          const starts = [0];
          for (let at = journal.indexOf(10); at >= 0; at = journal.indexOf(10, at + 1)) starts.push(at + 1);
          const from = starts[line] ?? 0;
          const to = starts[line + 1] ?? journal.length;
          const at = from + Math.floor((to - from) * where);
          disk.corrupt(JOURNAL, at, (journal[at] ?? 0) ^ flip);
          const opened = await storeBench(disk).open();
          const lost = differences(JSON.parse(last), contentOf(opened));
          expect(lost.length).toBeLessThanOrEqual(1);
          if (lost.length > 0) expect(opened.status().damage.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 150 },
    );
  });
});

function differences(expected: unknown, found: Record<string, unknown>): string[] {
  const wanted = Object.entries(Object(expected) as Record<string, Record<string, unknown>>);
  return wanted.flatMap(([section, values]) => {
    const have = Object(found[section]) as Record<string, unknown>;
    const keys = new Set([...Object.keys(values), ...Object.keys(have)]);
    return [...keys]
      .filter((key) => JSON.stringify(values[key]) !== JSON.stringify(have[key]))
      .map((key) => `${section}/${key}`);
  });
}
