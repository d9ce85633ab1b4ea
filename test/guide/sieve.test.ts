import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSieve } from '../../src/guide/sieve.js';
import { parseXmltv } from '../../src/guide/xmltv.js';

const HOUR = 3_600_000;
const DAY = Date.UTC(2026, 10, 23);
const WINDOW = { fromAt: DAY, toAt: DAY + 6 * HOUR };

const stamp = (hour: number) => new Date(DAY + hour * HOUR).toISOString().slice(0, 19).replaceAll(/\D/g, '');

/** What rows are made of, and what breaks them; in between things that only look like rows. */
const inside = fc.constantFrom(
  '<title>News</title>',
  '<title lang="en">News &amp; more</title><desc>Long</desc><category>News</category>',
  '<desc><![CDATA[ a </programme> b ]]></desc>',
  '<!-- </programme> <programme start="20261123020000" channel="x"> -->',
  '<icon src="http://x/i.png"/><new/>',
  '<title>Left open',
  '<programme start="20261123030000" stop="20261123040000" channel="b">',
  '<?php </programme> ?>',
  '',
);
const row = fc
  .record({
    hour: fc.integer({ min: -30, max: 30 }),
    hours: fc.integer({ min: -1, max: 3 }),
    channel: fc.constantFrom('a', 'b', ' a ', 'A', ''),
    zone: fc.constantFrom(' +0000', ' +0100', ''),
    extra: fc.constantFrom('', ' clumpidx="0/1"', ' showview=""', ' x="&amp;"', ' x="a>b"'),
    end: fc.constantFrom('</programme>', '</programme>', '</programme>', '</programme >', '', '/>'),
    inside,
  })
  .map(({ hour, hours, channel, zone, extra, end, inside: detail }) => {
    const tag = `<programme start="${stamp(hour)}${zone}" stop="${stamp(hour + hours)}${zone}" channel="${channel}"${extra}`;
    return end === '/>' ? `${tag}/>` : `${tag}>${detail}${end}`;
  });
const other = fc.constantFrom(
  '\n',
  '  ',
  '<!-- <programme start="20261123020000" channel="a"></programme> -->',
  '<!-- left open ',
  '<![CDATA[ </programme> ]]>',
  '<channel id="a"><display-name>A</display-name></channel>',
  '<channel id="c"/>',
  '</tv>',
  'text',
  '<programmes></programmes>',
  '<programme',
  '<',
);
const body = fc
  .array(fc.oneof({ weight: 4, arbitrary: row }, { weight: 1, arbitrary: other }), { maxLength: 12 })
  .map((parts) => `<tv>${parts.join('')}</tv>`);

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('Rows that are not wanted', () => {
  it('are passed over, and the guide is the one that the parser would have made of all', async () => {
    await fc.assert(
      fc.asyncProperty(
        body,
        fc.integer({ min: 1, max: 600 }),
        fc.constantFrom('UTC', 'Europe/Berlin'),
        async (guide, size, timezone) => {
          // In single quotes nothing is plain, and the parser reads it all.
          const [sieved, whole] = await Promise.all(
            [guide, guide.replaceAll('"', "'")].map((text) =>
              parseXmltv(inPieces(text, size), { ...WINDOW, timezone }),
            ),
          );
          expect(JSON.stringify(sieved).replaceAll(String.raw`\"`, "'")).toBe(JSON.stringify(whole));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('cost nobody else anything where they are broken', async () => {
    const rowOf = (hour: number, detail: string) =>
      `<programme start="${stamp(hour)}" stop="${stamp(hour + 1)}" channel="a">${detail}</programme>`;
    const broken = rowOf(9, '<title lang="en>Broken</title>');
    const guide = `<tv>${rowOf(1, '<title>News</title>')}${broken}${rowOf(2, '<title>Film</title>')}</tv>`;
    const { programmes, counts } = await parseXmltv(inPieces(guide, 50), { ...WINDOW, timezone: 'UTC' });
    expect(programmes.map(({ title }) => title)).toEqual(['News', 'Film']);
    expect(counts).toMatchObject({ programmes: 3, partial: false });
  });

  it('never reach the parser where they are plain', () => {
    const read: string[] = [];
    const asked: unknown[] = [];
    const sieve = createSieve({
      read: (text) => read.push(text) > 0 && text.endsWith('</programme>'),
      wanted: (attributes) => asked.push(attributes) === 2,
    });
    const rows = ['a', 'b', 'c', 'd'].map(
      (channel) => `<programme channel="${channel}"><title>T</title></programme>`,
    );
    sieve.write(`<tv>\n${rows.join('\n')}\n</tv>`);
    sieve.end();
    expect(read).toEqual(['<tv>\n', rows[0], rows[2], '</tv>', '']);
    expect(asked).toEqual([{ channel: 'b' }, { channel: 'c' }, { channel: 'd' }]);
  });
});
