import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { waitPool } from '../../src/capture/waitPool.js';

const MAX = 1_000_000;
const OWN_MAX = 400_000;

describe('what waits for disks', () => {
  it('lets one hold what it needs while the others hold little', () => {
    const pool = waitPool(MAX);
    const [slow, quick] = [pool.join(), pool.join()];
    quick.hold(1_000);
    slow.hold(OWN_MAX);
    expect(slow.isOver(OWN_MAX)).toBe(false);
    slow.hold(OWN_MAX + 1);
    expect(slow.isOver(OWN_MAX)).toBe(true);
    expect(quick.isOver(OWN_MAX)).toBe(false);
  });

  it('stays within the pool, and takes nobody the even share, whatever comes for whom (P8)', () => {
    const steps = fc.array(fc.record({ who: fc.nat(19), bytes: fc.integer({ min: -60_000, max: 5_000 }) }), {
      minLength: 100,
      maxLength: 600,
    });
    fc.assert(
      fc.property(steps, (taken) => {
        const pool = waitPool(MAX);
        const members = Array.from({ length: 20 }, () => ({ member: pool.join(), bytes: 0 }));
        for (const { who, bytes } of taken) {
          const one = members[who];
          if (!one || (bytes > 0 && one.member.isOver(OWN_MAX))) continue;
          one.bytes = Math.max(0, one.bytes + bytes);
          one.member.hold(one.bytes);
          const isTaken = members.some(
            (each) => each.bytes < (0.45 * MAX) / 20 && each.member.isOver(OWN_MAX),
          );
          if (isTaken || pool.heldBytes() >= MAX) throw new Error(`${pool.heldBytes()} held`);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('forgets who left', () => {
    const pool = waitPool(MAX);
    const one = pool.join();
    one.hold(MAX);
    expect(pool.isFull()).toBe(true);
    one.leave();
    one.hold(5);
    expect(pool.heldBytes()).toBe(0);
  });
});
