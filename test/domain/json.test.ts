import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonBytes } from '../../src/domain/json.js';

const parts = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });

test('Blocks are what was written, each of the size that was asked for but the last', () => {
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 64 }), (written, bytes) => {
      const blocks = [...new JsonBytes(written).blocks(bytes)];
      expect(Buffer.concat(blocks)).toEqual(Buffer.concat(written));
      for (const block of blocks.slice(0, -1)) expect(block.byteLength).toBe(bytes);
      const last = blocks.at(-1)?.byteLength ?? bytes;
      expect(last > 0 && last <= bytes).toBe(true);
    }),
  );
});
