import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allot } from '../../src/domain/allot.js';
import { NO_SLOTS, withWant, type SlotTable, type Want } from '../../src/domain/slots.js';

const wish = (id: string, over: Partial<Want> = {}): Omit<Want, 'told'> => ({
  id,
  candidates: [{ source: 's', channel: id, index: 0, accounts: [] }],
  priority: 10,
  lane: 'general',
  openAt: 0,
  startAt: 0,
  stopAt: 100,
  fresh: true,
  ...over,
});
const table = (over: Partial<SlotTable>, ...wishes: Omit<Want, 'told'>[]): SlotTable =>
  wishes.reduce<SlotTable>((before, each) => ({ ...before, ...withWant(before, each) }), {
    ...NO_SLOTS,
    ...over,
  });
const outcome = (given: SlotTable) => {
  const { granted, refused } = allot(given, 10);
  return {
    granted: granted.map(({ id }) => id),
    refused: refused.map(({ id, reason }) => `${id} ${reason}`),
  };
};

describe('a lane with a limit of its own', () => {
  it('has no more connections than that, while others go on', () => {
    const kids = { lane: 'kids' };
    const given = table({ laneMax: { kids: 1 } }, wish('a', kids), wish('b', kids), wish('c'));
    expect(outcome(given)).toEqual({ granted: ['a', 'c'], refused: ['b lane_full'] });
  });

  it('shares a connection within itself for nothing', () => {
    const candidates = [{ source: 's', channel: 'one', index: 0, accounts: [] }];
    const own = { lane: 'kids', candidates };
    expect(outcome(table({ laneMax: { kids: 1 } }, wish('a', own), wish('b', own)))).toEqual({
      granted: ['a', 'b'],
      refused: [],
    });
  });

  it('takes nobody’s connection for a wish that only its own limit keeps waiting', () => {
    const limits = { laneMax: { kids: 1 }, slotsMax: 2 };
    const full = table(limits, wish('a', { lane: 'kids' }), wish('low', { priority: 1 }));
    const running = { ...full, ...allot(full, 10).table };
    const later = { ...running, ...withWant(running, wish('b', { lane: 'kids', priority: 50 })) };
    expect(allot(later, 11)).toMatchObject({
      preempted: [],
      refused: [{ id: 'b', reason: 'lane_full' }],
    });
  });
});

describe('the last connection', () => {
  const ahead = [{ id: 'sport', priority: 30, startAt: 50, stopAt: 150 }];

  it('is not given to a lower lane that could not be preempted when a higher programme comes', () => {
    expect(outcome(table({ slotsMax: 1, preempt: false, ahead }, wish('film')))).toEqual({
      granted: [],
      refused: ['film reserved'],
    });
  });

  it.each<[string, Partial<SlotTable>, Partial<Want>]>([
    ['preemption gives it back', { preempt: true }, {}],
    ['another is left', { slotsMax: 2 }, {}],
    ['it ends before that', {}, { stopAt: 50 }],
    ['the other is no higher', {}, { priority: 30 }],
    ['it was recorded from before', {}, { fresh: false }],
    ['there is no limit', { slotsMax: 0 }, {}],
  ])('is given where %s', (_, over, more) => {
    const given = table({ slotsMax: 1, preempt: false, ahead, ...over }, wish('film', more));
    expect(outcome(given).granted).toEqual(['film']);
  });

  it('is not kept for one that will share a connection, with the wish itself or with what runs until then', () => {
    const shared = [{ id: 'sport', priority: 30, startAt: 50, stopAt: 150, feeds: ['s/film/0'] }];
    expect(outcome(table({ slotsMax: 1, preempt: false, ahead: shared }, wish('film'))).granted).toEqual([
      'film',
    ]);
    const feeds = [{ id: 'sport', priority: 30, startAt: 50, stopAt: 150, feeds: ['s/long/0'] }];
    const first = table({ slotsMax: 2, preempt: false, ahead: feeds }, wish('long', { priority: 20 }));
    const running = { ...first, ...allot(first, 10).table };
    const then = { ...running, ...withWant(running, wish('film')) };
    expect(allot(then, 11).granted.map(({ id }) => id)).toEqual(['film']);
    const over = { ...first, ...withWant(first, wish('long', { priority: 20, stopAt: 40 })) };
    const ended = { ...over, ...allot(over, 10).table, slotsMax: 1 };
    expect(outcome({ ...ended, ...withWant(ended, wish('film')) }).granted).toEqual([]);
  });

  describe('of an account', () => {
    const mine = (id: string, over: Partial<Want> = {}) =>
      wish(id, { candidates: [{ source: 's', channel: id, index: 0, accounts: ['me'] }], ...over });
    const limits = { me: { max: 1, learned: null, reserve: 0 } };
    const sport = { id: 'sport', priority: 30, startAt: 50, stopAt: 150 };
    const needing = [{ ...sport, ways: [['me'], ['me', 'relay']] }];

    it('is not given to a lower lane either, however many there may be in all', () => {
      for (const slotsMax of [0, 4])
        expect(
          outcome(table({ slotsMax, preempt: false, limits, ahead: needing }, mine('film'))).refused,
        ).toEqual(['film reserved']);
    });

    it('is kept where the limit was only learned', () => {
      const learned = { me: { max: 0, learned: { max: 1, at: 5 }, reserve: 0 } };
      expect(
        outcome(table({ preempt: false, limits: learned, ahead: needing }, mine('film'))).granted,
      ).toEqual([]);
    });

    it.each<[string, Partial<SlotTable>, Partial<Want>]>([
      ['the other has another way', { ahead: [{ ...sport, ways: [['me'], ['you']] }] }, {}],
      ['nothing is known of its ways', { ahead: [sport] }, {}],
      ['the account allows one more', { limits: { me: { max: 2, learned: null, reserve: 0 } } }, {}],
      ['it ends before that', {}, { stopAt: 50 }],
      ['preemption gives it back', { preempt: true }, {}],
    ])('is given where %s', (_, over, more) => {
      const given = table({ preempt: false, limits, ahead: needing, ...over }, mine('film', more));
      expect(outcome(given).granted).toEqual(['film']);
    });

    it('leaves a wish its other account', () => {
      const candidates = ['me', 'you'].map((account, index) => ({
        source: 's',
        channel: 'film',
        index,
        accounts: [account],
      }));
      const given = table({ preempt: false, limits, ahead: needing }, wish('film', { candidates }));
      expect(allot(given, 10).granted).toMatchObject([{ id: 'film', upstream: { index: 1 } }]);
    });
  });

  it('is there for every higher programme that comes, whatever lower ones ask', () => {
    const span = fc.record({
      startAt: fc.integer({ min: 11, max: 60 }),
      length: fc.integer({ min: 1, max: 60 }),
    });
    const spans = fc.array(span, { maxLength: 3 });
    const ends = fc.array(fc.integer({ min: 12, max: 120 }), { maxLength: 6 });
    fc.assert(
      fc.property(spans, ends, fc.integer({ min: 1, max: 4 }), (high, low, slotsMax) => {
        const coming = high.map(({ startAt, length }, i) => ({
          id: `high ${i}`,
          priority: 30,
          startAt,
          stopAt: startAt + length,
        }));
        const limits = { slotsMax, preempt: false, ahead: coming };
        const { slots } = allot(
          table(limits, ...low.map((stopAt, i) => wish(`low ${i}`, { stopAt }))),
          10,
        ).table;
        for (const { startAt } of coming) {
          const held = slots.filter(({ holders }) => holders.some(({ stopAt }) => stopAt > startAt)).length;
          const needed = coming.filter((each) => each.startAt <= startAt && each.stopAt > startAt).length;
          expect(held).toBeLessThanOrEqual(Math.max(0, slotsMax - needed));
        }
      }),
    );
  });
});

describe('whoever waits', () => {
  const wishes = fc.array(
    fc.record({
      priority: fc.constantFrom(10, 20, 30),
      stopAt: fc.integer({ min: 12, max: 100 }),
      lane: fc.constantFrom('general', 'kids'),
    }),
    { maxLength: 8 },
  );

  it('does so only while every connection is taken, by its rank or a higher one, or its lane has all of its own', () => {
    fc.assert(
      fc.property(
        wishes,
        wishes,
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(0, 1, 2),
        (first, then, slotsMax, kids) => {
          const named = (all: typeof first, prefix: string) =>
            all.map((each, i) => wish(`${prefix}${i}`, each));
          const limits = { slotsMax, preempt: true, laneMax: { kids } };
          const begun = table(limits, ...named(first, 'a'));
          const running = { ...begun, ...allot(begun, 10).table };
          const all = named(then, 'b').reduce<SlotTable>(
            (t, each) => ({ ...t, ...withWant(t, each) }),
            running,
          );
          const { table: after } = allot(all, 11);
          const leaving = after.slots.filter((slot) => slot.leaving).length;
          for (const { told, priority } of after.queue) {
            if (told === 'lane_full') {
              const own = after.slots.filter(({ holders }) => holders.some(({ lane }) => lane === 'kids'));
              expect(own.length).toBeGreaterThanOrEqual(kids);
              continue;
            }
            expect(told).toBe('slots_full');
            expect(after.slots).toHaveLength(slotsMax);
            const lower = after.slots.filter(
              (slot) => !slot.leaving && slot.holders.every((holder) => holder.priority < priority),
            );
            // One lower than it goes on only where as many leave as there are who are to come in before it.
            if (lower.length > 0) expect(leaving).toBeGreaterThan(0);
          }
        },
      ),
    );
  });
});
