import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dropBlock, keepBlock, takeBlock } from '../../src/capture/lentBlocks.js';

describe('lent blocks', () => {
  it('are nobody else’s as long as anybody holds them', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('take', 'keep', 'drop'), fc.nat(50))), (steps) => {
        const held: { readonly block: Buffer; readonly mark: number }[] = [];
        let marks = 0;
        for (const [what, n] of steps) {
          const one = held[n % Math.max(1, held.length)];
          if (what === 'take') {
            const block = takeBlock();
            marks++;
            block.fill(marks % 251);
            held.push({ block: block.subarray(10, 100), mark: marks % 251 });
          } else if (one && what === 'keep') {
            keepBlock(one.block);
            held.push({ ...one, block: one.block.subarray(1, 5) });
          } else if (one) {
            dropBlock(one.block);
            held.splice(held.indexOf(one), 1);
          }
          for (const { block, mark } of held) expect(block[0]).toBe(mark);
        }
        for (const { block } of held) dropBlock(block);
      }),
    );
  });

  it('are used again once all who held them are done', () => {
    const block = takeBlock();
    keepBlock(block.subarray(5));
    dropBlock(block);
    const other = takeBlock();
    expect(other.buffer).not.toBe(block.buffer);
    dropBlock(block.subarray(7));
    expect(takeBlock().buffer).toBe(block.buffer);
  });

  it('are not what somebody else made', () => {
    const own = Buffer.alloc(10);
    keepBlock(own);
    dropBlock(own);
    dropBlock(own);
    expect(takeBlock().buffer).not.toBe(own.buffer);
  });
});
