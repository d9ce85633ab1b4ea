import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonBytes, ToldLater, writtenInTurns } from '../../src/domain/json.js';

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

test('Lists that are told later are written as they would be at once, a few items in a turn', async () => {
  const member = fc.oneof(
    fc.jsonValue(),
    fc.constant(undefined),
    fc.array(fc.jsonValue(), { maxLength: 40 }).map((items) => new ToldLater(items, (item) => ({ item }))),
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), member), async (value) => {
      let turns = 0;
      const written = await writtenInTurns(value, () => Promise.resolve((turns += 1)));
      expect(Buffer.concat(written.parts).toString()).toBe(JSON.stringify(value));
      const items = Object.values(value).map((each) => (each instanceof ToldLater ? each.items.length : 0));
      expect(turns).toBeGreaterThanOrEqual(Math.floor(Math.max(0, ...items) / 8));
    }),
  );
});
