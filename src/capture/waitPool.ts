/**
 * What may wait for disks, over all captures: 64 MiB. Everyone may hold a fair share whatever the others hold, and more
 * while half of the pool is free; who holds more than that holds its stream back. So the sum stays within the pool, and
 * one slow disk takes nothing from the others (P8).
 */

export interface WaitPool {
  join(): PoolMember;
  /** What all hold together. */
  heldBytes(): number;
  /** Nothing more may wait. */
  isFull(): boolean;
}

export interface PoolMember {
  /** What it holds now. */
  hold(bytes: number): void;
  /** Whether it holds more than it may, `ownBytesMax` being what it never needs more of. */
  isOver(ownBytesMax: number): boolean;
  leave(): void;
}

export const POOL_BYTES_MAX = 64 * 2 ** 20;
/** Of the pool: shared out evenly, and beyond it nobody gets more than that share. The rest is for what is on its way. */
const EVEN_SHARE = 0.45;

export function waitPool(bytesMax: number = POOL_BYTES_MAX): WaitPool {
  const members = new Set<PoolMember>();
  let allBytes = 0;

  return {
    join() {
      let ownBytes = 0;
      const member: PoolMember = {
        hold(bytes) {
          if (!members.has(member)) return;
          allBytes += bytes - ownBytes;
          ownBytes = bytes;
        },
        isOver(ownBytesMax) {
          if (ownBytes > ownBytesMax) return true;
          const evenBytes = (EVEN_SHARE * bytesMax) / Math.max(1, members.size);
          return allBytes > EVEN_SHARE * bytesMax && ownBytes > evenBytes;
        },
        leave() {
          member.hold(0);
          members.delete(member);
        },
      };
      members.add(member);
      return member;
    },
    heldBytes: () => allBytes,
    isFull: () => allBytes >= bytesMax,
  };
}
