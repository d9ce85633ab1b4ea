import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { climb, type Growing, type LadderInput } from '../../src/domain/ladder.js';

const MINUTE = 60_000;
const one = (id: string, over: Partial<Growing> = {}): Growing => ({
  id,
  disk: 'd',
  priority: 10,
  startAt: 0,
  remainingMs: 60 * MINUTE,
  bytesPerMs: 1,
  ...over,
});
const input = (over: Partial<LadderInput> = {}): LadderInput => ({
  disks: [{ disk: 'd', freeBytes: 100 * MINUTE, floorBytes: 10 * MINUTE }],
  running: [],
  due: [],
  evictable: () => 0,
  ...over,
});
const disk = (freeBytes: number) => [{ disk: 'd', freeBytes, floorBytes: 10 * MINUTE }];
const CALM = { short: {}, refuses: false, stop: null };

describe('a disk that fills', () => {
  it('is no matter while what runs and starts leaves the floor free', () => {
    expect(climb(input({ running: [one('a')], due: [one('b', { remainingMs: 30 * MINUTE })] }))).toEqual(
      CALM,
    );
  });

  it('takes nothing new that would not fit, and goes on with what runs', () => {
    expect(climb(input({ running: [one('a')], due: [one('b')] }))).toEqual({ ...CALM, refuses: true });
    expect(climb(input({ disks: disk(9 * MINUTE), running: [one('a')] }))).toMatchObject({ refuses: true });
  });

  it('is pruned for what is new, where it then fits, and only then', () => {
    const both = { running: [one('a')], due: [one('b')], disks: disk(75 * MINUTE) };
    expect(climb(input({ ...both, evictable: () => 60 * MINUTE }))).toEqual({
      short: { d: 5 * MINUTE },
      refuses: false,
      stop: null,
    });
    expect(climb(input({ ...both, evictable: () => 54 * MINUTE }))).toEqual({ ...CALM, refuses: true });
  });

  it('is pruned for the next minutes of what runs, not for all of it', () => {
    const running = [one('a', { remainingMs: 300 * MINUTE })];
    expect(climb(input({ running })).short).toEqual({});
    expect(climb(input({ running, disks: disk(15 * MINUTE) })).short).toEqual({ d: 5 * MINUTE });
  });

  it('costs the lowest that runs when nothing else is left to go, and never the last one', () => {
    const running = [one('sport', { priority: 30 }), one('old'), one('new', { startAt: 5 })];
    const full = { disks: disk(4 * MINUTE), running };
    expect(climb(input(full)).stop).toBe('new');
    expect(climb(input({ ...full, evictable: () => 1 })).stop).toBeNull();
    expect(climb(input({ ...full, running: running.slice(0, 1) })).stop).toBeNull();
    expect(climb(input({ ...full, disks: disk(6 * MINUTE) })).stop).toBeNull();
  });

  it('is nobody else’s: other disks have their own', () => {
    const disks = [...disk(1), { disk: 'e', freeBytes: 1_000 * MINUTE, floorBytes: 0 }];
    expect(climb(input({ disks, running: [one('a', { disk: 'e' }), one('b', { disk: 'e' })] }))).toEqual({
      short: { d: 10 * MINUTE - 1 },
      refuses: true,
      stop: null,
    });
  });

  it('never stops one that is not the lowest, nor all', () => {
    const growing = fc.record({
      id: fc.uuid(),
      priority: fc.constantFrom(10, 20, 30),
      startAt: fc.nat(5),
      remainingMs: fc.nat(100),
      bytesPerMs: fc.nat(5),
    });
    fc.assert(
      fc.property(
        fc.array(growing, { maxLength: 6 }),
        fc.nat(1_000),
        fc.nat(1_000),
        (list, freeBytes, floorBytes) => {
          const running = list.map((each) => ({ ...each, disk: 'd' }));
          const { stop } = climb(input({ disks: [{ disk: 'd', freeBytes, floorBytes }], running }));
          if (stop === null) return;
          expect(running.length).toBeGreaterThan(1);
          const lowest = Math.min(...running.map(({ priority }) => priority));
          expect(running.find(({ id }) => id === stop)?.priority).toBe(lowest);
        },
      ),
    );
  });
});
