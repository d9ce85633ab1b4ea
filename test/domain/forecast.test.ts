import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capsule } from '../../src/domain/capsule.js';
import { forecast, type Capacity } from '../../src/domain/forecast.js';
import { plan } from '../../src/domain/plan.js';
import { at, capsule, capsuleAt, known, MINUTE, POLICY } from './programmes.js';

const now = at('20:00');
const on = (dna: string, from: string, to: string, title: string, more: Partial<Capsule> = {}) =>
  capsule(from, to, title, { dnaId: `dna-${dna}`, ...more });
const CAPACITY: Capacity = { slotsMax: 2, limits: {}, preempt: true, accountsOf: () => [[]] };
const decide = (capsules: readonly Capsule[], running: readonly Capsule[] = []) =>
  plan({
    capsules,
    known: running.map((one) => known(one, 'running')),
    tombstones: [],
    policy: POLICY,
    now,
    previousRowKeys: null,
  });
const losers = (
  capsules: readonly Capsule[],
  capacity: Partial<Capacity> = {},
  running: readonly Capsule[] = [],
) =>
  [...forecast(decide(capsules, running), { ...CAPACITY, ...capacity }, now)].map(
    ([{ capsule: row }, { lostMs, whole, reason, winners, again }]) =>
      `${row.title} loses ${whole ? 'all' : lostMs / MINUTE} (${reason}) to ${winners.map(({ title }) => title).join('+')}` +
      (again ? `, again on ${again.channelName}` : ''),
  );

describe('the forecast', () => {
  const three = [
    on('a', '21:00', '22:00', 'x vs y'),
    on('b', '21:00', '22:00', 'News', { categories: ['News'] }),
    on('c', '21:00', '22:00', 'Film'),
  ];

  it('names the lowest of three that want two connections, and who has them', () => {
    expect(losers(three)).toEqual(['Film loses all (slots_full) to x vs y+News']);
    expect(losers(three, { slotsMax: 3 })).toEqual([]);
    expect(losers(three, { slotsMax: 0 })).toEqual([]);
  });

  it('says how much is lost, where only a part is', () => {
    const late = on('d', '21:30', '22:30', 'Late film');
    const [, , film] = three;
    expect(losers([three[0] as Capsule, film as Capsule, late])).toEqual([
      'Late film loses 30 (slots_full) to x vs y+Film',
    ]);
  });

  it('takes from the lower that runs only where preemption is allowed', () => {
    const runs = [on('r', '20:00', '23:00', 'Running'), on('s', '19:00', '23:00', 'Also running')];
    const match = on('a', '21:00', '22:00', 'x vs y');
    expect(losers([...runs, match], { preempt: false }, runs)).toEqual([
      'x vs y loses all (slots_full) to Also running+Running',
    ]);
    expect(losers([...runs, match], {}, runs)).toEqual([
      'Running loses 60 (slots_full) to x vs y+Also running',
    ]);
  });

  it('counts the connections of a lane that has a limit of its own, and nobody goes for it', () => {
    const kids = (name: string, from: string, to: string, title: string) =>
      on(name, from, to, title, { lane: 'kids' });
    const runs = kids('k', '20:00', '21:30', 'Running');
    const second = kids('l', '21:00', '22:00', 'Second');
    const laneMax = { kids: 1 };
    for (const slotsMax of [0, 3])
      expect(losers([runs, second, ...three.slice(1)], { slotsMax, laneMax }, [runs])).toEqual([
        'Second loses 30 (lane_full) to Running',
      ]);
    expect(losers([runs, second], { slotsMax: 0, laneMax: { kids: 0 } }, [runs])).toEqual([]);
  });

  it('keeps the last connection for the higher that comes, where it could not take it back', () => {
    const film = on('c', '20:30', '22:00', 'Film');
    const match = on('a', '21:00', '22:30', 'x vs y');
    expect(losers([film, match], { slotsMax: 1 })).toEqual(['Film loses 60 (slots_full) to x vs y']);
    expect(losers([film, match], { slotsMax: 1, preempt: false })).toEqual([
      'Film loses all (slots_full) to x vs y',
    ]);
    const short = on('d', '20:30', '21:00', 'Short film');
    expect(losers([short, match], { slotsMax: 1, preempt: false })).toEqual([]);
    expect(losers([film, match], { slotsMax: 2, preempt: false })).toEqual([]);
    const account = { slotsMax: 0, limits: { me: 1 }, accountsOf: () => [['me']], preempt: false };
    expect(losers([film, match], account)).toEqual(['Film loses all (account_full) to x vs y']);
  });

  it('counts the connections of an account, and another way where there is one', () => {
    const capacity = { slotsMax: 0, limits: { me: 1 } };
    expect(losers(three, { ...capacity, accountsOf: () => [['me']] })).toEqual([
      'News loses all (account_full) to x vs y',
      'Film loses all (account_full) to x vs y',
    ]);
    expect(losers(three, { ...capacity, accountsOf: () => [['me'], ['other']] })).toEqual([]);
  });

  it('lets programmes of one channel share', () => {
    const overlapping = [on('a', '21:00', '22:00', 'One'), on('a', '21:50', '22:30', 'Two')];
    expect(losers(overlapping, { slotsMax: 1 })).toEqual([]);
  });

  it('knows when the same is on again', () => {
    const again = on('e', '23:00', '23:50', 'Film', { categories: ['Film'] });
    const film = on('c', '21:00', '22:00', 'Film', { categories: ['Film'] });
    expect(losers([...three.slice(0, 2), film, again])).toEqual([
      'Film loses all (slots_full) to x vs y+News, again on e',
    ]);
  });

  it('never leaves more at a time than there are connections, whatever comes', () => {
    const rows = fc.array(
      fc.record({
        channel: fc.nat(5),
        start: fc.nat(12),
        length: fc.integer({ min: 1, max: 8 }),
        sport: fc.boolean(),
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 3 }), fc.boolean(), (all, slotsMax, preempt) => {
        const capsules = all.map(({ channel, start, length, sport }, i) =>
          capsuleAt(
            now + start * 10 * MINUTE,
            now + (start + length) * 10 * MINUTE,
            `${i}${sport ? ' vs ' : ''}`,
            {
              dnaId: `dna-${channel}`,
            },
          ),
        );
        const decisions = decide(capsules).filter(({ action }) => action === 'record');
        const conflicts = forecast(decisions, { ...CAPACITY, slotsMax, preempt }, now);
        const whole = decisions.filter((decision) => !conflicts.has(decision));
        for (const {
          capsule: { startAt },
        } of whole) {
          const feeds = whole.filter(({ capsule: row }) => row.startAt <= startAt && row.stopAt > startAt);
          expect(new Set(feeds.map(({ capsule: { dnaId } }) => dnaId)).size).toBeLessThanOrEqual(slotsMax);
        }
      }),
    );
  });
});
