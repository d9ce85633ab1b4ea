import { describe, expect, it } from 'vitest';
import { refKey } from '../../src/domain/channel.js';
import { allot } from '../../src/domain/allot.js';
import {
  bandwidthOf,
  NO_SLOTS,
  withClosed,
  withRate,
  withWant,
  type SlotTable,
} from '../../src/domain/slots.js';

const AT = Date.UTC(2026, 10, 23, 19, 30);
const MBIT = 1_000_000;
const ref = (channel: string) => ({ source: 'm3u-1', channel, index: 0 });

function wants(table: SlotTable, id: string, priority = 10): SlotTable {
  const span = { openAt: AT, startAt: AT, stopAt: AT + 1_800_000 };
  return { ...table, ...withWant(table, { id, candidates: [ref(id)], priority, fresh: true, ...span }) };
}

function settled(table: SlotTable) {
  const { table: next, ...said } = allot(table, AT);
  return { ...said, table: { ...table, ...next } };
}

const measured = (table: SlotTable, id: string, rate: number): SlotTable => ({
  ...table,
  ...withRate(table, refKey(ref(id)), rate),
});
const limited = (bandwidthMax: number): SlotTable => ({ ...NO_SLOTS, bandwidthMax });
const granted = (table: SlotTable) => settled(table).granted.map(({ id }) => id);

describe('--max-bandwidth', () => {
  it('opens no further connection while those that are open bring as much', () => {
    const one = settled(wants(limited(10 * MBIT), 'a')).table;
    const busy = measured(one, 'a', 10 * MBIT);
    expect(settled(wants(busy, 'b')).refused).toEqual([{ id: 'b', reason: 'bandwidth' }]);
    expect(granted(wants(measured(one, 'a', 9 * MBIT), 'b'))).toEqual(['b']);
  });

  it('is no limit where it is 0', () => {
    const one = settled(wants(limited(0), 'a')).table;
    expect(granted(wants(measured(one, 'a', 1e12), 'b'))).toEqual(['b']);
  });

  it('lets the first one in however small it is, and whoever joins a connection that runs', () => {
    const { table, granted: first } = settled(wants(limited(1), 'a'));
    expect(first).toHaveLength(1);
    const joining = withWant(table, {
      id: 'again',
      candidates: [ref('a')],
      priority: 10,
      fresh: true,
      openAt: AT,
      startAt: AT,
      stopAt: AT + 1,
    });
    expect(granted({ ...table, ...joining })).toEqual(['again']);
  });

  it('takes what was not measured yet for what others bring', () => {
    const busy = measured(settled(wants(limited(7 * MBIT), 'a')).table, 'a', 4 * MBIT);
    const two = settled(wants(busy, 'b')).table;
    expect(bandwidthOf(two)).toBe(8 * MBIT);
    expect(settled(wants(two, 'c')).refused).toEqual([{ id: 'c', reason: 'bandwidth' }]);
    expect(granted(wants(measured(two, 'b', 1 * MBIT), 'c'))).toEqual(['c']);
  });

  it('makes room for a higher priority, and for whoever waits once a connection is closed', () => {
    const busy = measured(settled(wants(limited(5 * MBIT), 'a')).table, 'a', 5 * MBIT);
    const asked = settled(wants(busy, 'high', 30));
    expect(asked.preempted).toEqual(['a']);
    const waiting = settled(wants(busy, 'b')).table;
    const closed = { ...waiting, ...withClosed(waiting, refKey(ref('a')), 'provider', AT) };
    expect(granted(closed)).toEqual(['b']);
  });
});
