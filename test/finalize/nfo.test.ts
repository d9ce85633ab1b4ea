import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { expect, it } from 'vitest';

import { nfoOf, type Judged } from '../../src/finalize/nfo.js';
import { isOurShowNfo, showNfo } from '../../src/domain/showNfo.js';
import { LIBRARY_KINDS } from '../../src/domain/libraryKind.js';
import { aCapsule, STOP } from '../domain/aRecording.js';

const MOVIE = { kind: 'movies', addedAt: STOP } as const;
const EPISODE = { kind: 'shows', addedAt: STOP } as const;

it('is the sample of the formats page, in its order', () => {
  const nfo = nfoOf(
    aCapsule({ subTitle: 'Premier League', desc: 'Live coverage …', stopAt: STOP + 110 * 60_000 }),
    { kind: 'movies', addedAt: Date.parse('2026-11-23T21:30:00Z') },
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
    fc.property(anyText, anyText, fc.constantFrom(...LIBRARY_KINDS), (title, desc, kind) => {
      const nfo = nfoOf(aCapsule({ title, desc, subTitle: desc }), { kind, addedAt: STOP });
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
  const nfo = nfoOf(aCapsule({ title: '', desc: '', categories: [], lane: 'general' }), MOVIE);
  expect(nfo).toContain('<title>BBC One</title>');
  expect(nfo).toContain('<plot>BBC One</plot>');
  expect(nfo).not.toContain('<genre>');
});

it('sorts films by name', () => {
  expect(nfoOf(aCapsule({ lane: 'movies', title: 'Alien' }), MOVIE)).toContain(
    '<sorttitle>Alien</sorttitle>',
  );
});

it('says of a part of a programme that it is one, in tag and plot, and why', () => {
  const part: Judged = { outcome: 'partial', reason: 'joined_in_progress', coverage: 0.756 };
  const nfo = nfoOf(aCapsule({ desc: 'Live.' }), { ...MOVIE, judged: part });
  expect(nfo).toContain('<tag>partial</tag>');
  expect(nfo).toContain(
    '<plot>[Partial recording: 75 % of the programme. It was under way when it was first seen; its beginning was over.] Live.</plot>',
  );
  expect(nfoOf(aCapsule({}), { ...MOVIE, judged: { ...part, outcome: 'complete_with_gaps' } })).not.toContain(
    'artial',
  );
});

it('falls back to the channel where a title is nothing but control characters', () => {
  expect(nfoOf(aCapsule({ title: '\u0000\u001b\u0085 ' }), MOVIE)).toContain('<title>BBC One</title>');
});

it('is an episode where the lane is one of series, with season and number', () => {
  const capsule = aCapsule({
    title: 'The Wire & Co',
    subTitle: 'Old Cases',
    episode: 's1e4',
    desc: 'Bunk.',
    categories: ['Drama'],
    lane: 'series',
  });
  expect(nfoOf(capsule, EPISODE)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<episodedetails>
  <title>Old Cases</title>
  <showtitle>The Wire &amp; Co</showtitle>
  <season>1</season>
  <episode>4</episode>
  <plot>Bunk.</plot>
  <premiered>2026-11-23</premiered>
  <aired>2026-11-23</aired>
  <runtime>10</runtime>
  <uniqueid type="catchup" default="true">2309e938ba035f9e</uniqueid>
  <uniqueid type="capsule">dna-6398cc29ed163b32:202611231930:man-utd-vs-city</uniqueid>
  <studio>BBC One</studio>
  <genre>Drama</genre>
  <tag>iptvTunerr catchup</tag>
  <tag>series</tag>
  <tag>BBC One</tag>
  <dateadded>2026-11-23 19:40:00</dateadded>
  <lockdata>true</lockdata>
</episodedetails>
`);
});

it('numbers what the guide does not by its date, two of one day as two', () => {
  const late = aCapsule({ startAt: STOP, stopAt: STOP + 600_000 });
  const numbersOf = (nfo: string) => /<season>(\d+)<[^]*<episode>(\d+)</.exec(nfo)?.slice(1);
  expect(numbersOf(nfoOf(aCapsule({}), EPISODE))).toEqual(['2026', '11231930']);
  expect(numbersOf(nfoOf(late, EPISODE))).toEqual(['2026', '11231940']);
  expect(nfoOf(aCapsule({}), EPISODE)).toContain('<title>2026-11-23</title>');
  expect(nfoOf(aCapsule({ episode: 's2e12p1' }), EPISODE)).toContain('<title>Episode 12 (1)</title>');
});

it('knows the description of a series that it wrote itself, whatever its title, and none that was changed', () => {
  fc.assert(
    fc.property(anyText, anyText, (title, folder) => {
      const own = showNfo(title, folder, 'series');
      expect(isOurShowNfo(own, folder, 'series')).toBe(true);
      expect(
        isOurShowNfo(own.replace('</tvshow>', '  <plot>Mine.</plot>\n</tvshow>'), folder, 'series'),
      ).toBe(false);
      expect(isOurShowNfo(own, `${folder}x`, 'series')).toBe(false);
    }),
  );
});
