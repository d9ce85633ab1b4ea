/** What is packed comes back as JSON would give it back, whatever it is and whatever was packed before. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createPacking } from '../../src/store/packing.js';
import { RowTable, type Row } from '../../src/store/rows.js';
import { storedRecording } from '../bench/storedRecordings.js';

/** Names and texts that meet: with members that are few, that are spelled out, and that begin alike. */
const name = fc.oneof(
  fc.constantFrom('lane', 'health', 'channel', 'title', 'keys', 'a', '0', '', 'toString'),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const text = fc.oneof(
  fc.constantFrom('', 'general', '/library/general/One', '/library/general/One/One.ts', 'Ж', 'ÿ', 'Ā', '…'),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);
const number = fc.oneof(
  fc.nat(300),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(1.5, -1, 2 ** 53, 1.7e308, 1_795_995_900_000),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false),
    number,
    text,
    fc.array(tie('json'), { maxLength: 5 }),
    fc.dictionary(name, fc.option(tie('json'), { nil: undefined, freq: 9 }), { maxKeys: 6 }),
  ),
}));
const asJson = (value: unknown) => JSON.stringify(value);

describe('packing', () => {
  it('gives back what JSON would, names in their order, whatever was packed before', () => {
    fc.assert(
      fc.property(fc.array(json, { minLength: 1, maxLength: 20 }), (values) => {
        const packing = createPacking();
        const rows = values.map((value) => packing.pack(value));
        rows.forEach((row, at) => {
          // `__proto__` cannot be told from what it is to the language; nothing else may be refused.
          if (row === null) expect(asJson(values[at])).toContain('"__proto__":');
          else expect(asJson(packing.unpack(row))).toBe(asJson(values[at]));
        });
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what is no JSON, and goes on', () => {
    const packing = createPacking();
    const ring: Record<string, unknown> = {};
    ring['self'] = ring;
    const never = JSON.parse('{"a":{"__proto__":1}}') as unknown;
    for (const value of [Number.NaN, Infinity, () => 1, 1n, new Date(0), [undefined], ring, never])
      expect(packing.pack({ lane: 'general', value })).toBeNull();
    const row = packing.pack({ lane: 'general', title: 'One' });
    expect(packing.unpack(row ?? '')).toEqual({ lane: 'general', title: 'One' });
  });

  it('keeps on where no more names and texts are remembered', () => {
    const packing = createPacking();
    const values = Array.from({ length: 9_000 }, (_, n) => ({
      lane: `lane ${n}`,
      [`name ${n}`]: { health: { [`upstream ${n}`]: { tries: n } } },
    }));
    const rows = values.map((value) => packing.pack(value) ?? '');
    expect(rows.map((row) => packing.unpack(row))).toEqual(values);
  });

  it('takes texts that are longer than its first buffer, and objects of thousands of members', () => {
    const packing = createPacking();
    const values = [
      { title: 'Ж'.repeat(100_000), desc: `${'Ж'.repeat(99_999)}ÿ`, lane: 'x'.repeat(200_000) },
      Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`name ${n}`, n])),
      { title: 'Ж'.repeat(40_000) },
    ];
    const rows = values.map((value) => packing.pack(value) ?? '');
    expect(rows.map((row) => packing.unpack(row))).toEqual(values);
  });

  it('takes a quarter of the JSON of a stored recording', () => {
    const packing = createPacking();
    const documents = Array.from({ length: 100 }, (_, n) => storedRecording(n, 1.8e12, '/out', '/library'));
    const rows = documents.map((document) => packing.pack(document) ?? '');
    const bytesOf = (texts: readonly string[]) => texts.reduce((sum, each) => sum + each.length, 0);
    expect(rows.map((row) => packing.unpack(row))).toEqual(documents);
    expect(bytesOf(rows)).toBeLessThan(bytesOf(documents.map(asJson)) / 3.5);
  });
});

describe('a table of rows', () => {
  it('gives everybody a document of their own, and of what cannot be packed the one that was put', () => {
    const table = new RowTable((document) => document.rev);
    const [one, other] = [
      storedRecording(1, 1.8e12, '/out', '/library'),
      { v: 2, rev: 3, snapshot: Number.NaN },
    ];
    const row = table.take('one', one);
    table.take('other', other as never);
    expect([row.rev, row.note, table.row('other')?.note]).toEqual([9, 9, 3]);
    expect(table.get('one')).toEqual(one);
    expect(table.get('one')).not.toBe(table.get('one'));
    expect(table.get('other')).toBe(other);
    table.set('one', { ...one, rev: 10 });
    expect([row.read().rev, table.get('one')?.rev, table.size]).toEqual([9, 10, 2]);
    expect([...table].map(([id]) => id)).toEqual(['one', 'other']);
    expect(table.delete('one') && [...table.values()]).toEqual([other]);
  });

  it('has what was put last, and rows what they were, however often anything was put, pressed and taken away', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const step = fc.tuple(fc.constantFrom(...ids), fc.integer({ min: 0, max: 150 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new RowTable();
        const model = new Map<string, number>();
        const rows: (readonly [number, Row])[] = [];
        let rev = 0;
        for (const [id, times] of steps) {
          if (times === 0) {
            expect(table.delete(id)).toBe(model.delete(id));
            continue;
          }
          for (let n = 0; n < times; n += 1) {
            rev += 1;
            // Some change all the time, others never again.
            const key = n % 2 === 0 ? id : `${id}${rev}`;
            rows.push([rev, table.set(key, { ...documentOf(key), rev })]);
            model.set(key, rev);
          }
        }
        const known = [...table].map(([id, document]) => [id, document.id, document.rev]);
        expect(known).toEqual([...model].map(([id, last]) => [id, id, last]));
        for (const [of, row] of rows) expect([row.rev, row.read().rev]).toEqual([of, of]);
      }),
      { numRuns: 20 },
    );
  });

  it('lets go of what went: no block is held by fewer than a quarter of the rows it was pressed of', () => {
    const order = fc.shuffledSubarray(Array.from({ length: 400 }, (_, n) => `r${n}`));
    fc.assert(
      fc.property(order, fc.boolean(), (leaving, isReplaced) => {
        const table = new RowTable();
        for (let n = 0; n < 400; n += 1) table.set(`r${n}`, documentOf(`r${n}`));
        for (const id of leaving) {
          if (isReplaced) table.set(id, documentOf(id));
          else table.delete(id);
        }
        const blocks = new Map<unknown, number>();
        for (const { block } of table.rows()) if (block) blocks.set(block, (blocks.get(block) ?? 0) + 1);
        expect(Math.min(64, ...blocks.values())).toBeGreaterThan(16);
        expect([...table].every(([id, document]) => document.id === id)).toBe(true);
        const left = isReplaced ? 400 : 400 - leaving.length;
        expect(table.size).toBe(left);
        // The others are pressed still.
        if (left > 128) expect(blocks.size).toBeGreaterThan(0);
      }),
      { numRuns: 10 },
    );
  });
});

function documentOf(id: string) {
  return { ...storedRecording(1, 1.8e12, '/out', '/library'), id };
}
