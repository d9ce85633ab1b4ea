import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { expect, it } from 'vitest';

import { nfoOf, type Judged } from '../../src/finalize/nfo.js';
import { aCapsule, STOP } from '../domain/aRecording.js';

it('is the sample of the formats page, in its order', () => {
  const nfo = nfoOf(
    aCapsule({ subTitle: 'Premier League', desc: 'Live coverage …', stopAt: STOP + 110 * 60_000 }),
    Date.parse('2026-11-23T21:30:00Z'),
  );
  expect(nfo).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<movie>
  <title>Man Utd vs City</title>
  <sorttitle>2026-11-23 Man Utd vs City</sorttitle>
  <outline>Premier League</outline>
  <plot>Live coverage …</plot>
  <premiered>2026-11-23</premiered>
  <aired>2026-11-23</aired>
  <year>2026</year>
  <runtime>120</runtime>
  <uniqueid type="catchup" default="true">2309e938ba035f9e</uniqueid>
  <uniqueid type="capsule">dna-6398cc29ed163b32:202611231930:man-utd-vs-city</uniqueid>
  <studio>BBC One</studio>
  <genre>Sports</genre>
  <tag>iptvTunerr catchup</tag>
  <tag>sports</tag>
  <tag>BBC One</tag>
  <dateadded>2026-11-23 21:30:00</dateadded>
  <lockdata>true</lockdata>
</movie>
`);
});

/** Also halves of surrogate pairs, control characters and non-characters. */
const anyText = fc
  .array(fc.oneof(fc.nat(0xffff), fc.nat(0x7f), fc.constantFrom(0xd83d, 0xde00, 0x5d, 0x3e)))
  .map((units) => String.fromCharCode(...units));

it('is well-formed and says the same, whatever the guide says', () => {
  fc.assert(
    fc.property(anyText, anyText, (title, desc) => {
      const nfo = nfoOf(aCapsule({ title, desc }), STOP);
      const parser = new SaxesParser();
      parser.on('error', (error) => {
        throw error;
      });
      parser.write(nfo).close();
      expect(nfo).toContain('<lockdata>true</lockdata>');
    }),
    { numRuns: 300 },
  );
});

it('leaves out what is not known and falls back to the channel', () => {
  const nfo = nfoOf(aCapsule({ title: '', desc: '', categories: [], lane: 'general' }), STOP);
  expect(nfo).toContain('<title>BBC One</title>');
  expect(nfo).toContain('<plot>BBC One</plot>');
  expect(nfo).not.toContain('<genre>');
});

it('sorts films by name', () => {
  expect(nfoOf(aCapsule({ lane: 'movies', title: 'Alien' }), STOP)).toContain('<sorttitle>Alien</sorttitle>');
});

it('says of a part of a programme that it is one, in tag and plot, and why', () => {
  const part: Judged = { outcome: 'partial', reason: 'joined_in_progress', coverage: 0.756 };
  const nfo = nfoOf(aCapsule({ desc: 'Live.' }), STOP, part);
  expect(nfo).toContain('<tag>partial</tag>');
  expect(nfo).toContain(
    '<plot>[Partial recording: 75 % of the programme. It was under way when it was first seen; its beginning was over.] Live.</plot>',
  );
  expect(nfoOf(aCapsule({}), STOP, { ...part, outcome: 'complete_with_gaps' })).not.toContain('artial');
});

it('falls back to the channel where a title is nothing but control characters', () => {
  expect(nfoOf(aCapsule({ title: '\u0000\u001b\u0085 ' }), STOP)).toContain('<title>BBC One</title>');
});
