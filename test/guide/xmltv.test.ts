import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CodedError } from '../../src/domain/errors.js';
import { parseXmltv } from '../../src/guide/xmltv.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = Date.UTC(2026, 10, 23);
const WINDOW = { fromAt: DAY, toAt: DAY + 24 * HOUR, timezone: 'UTC' };

/** Lent, as a file is read: nobody may keep one. */
async function* inPieces(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  const lent = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    lent.set(bytes.subarray(at, at + size));
    yield lent.subarray(0, bytes.length - at);
  }
}
const parse = (guide: string | Uint8Array, window = WINDOW, size = 7) =>
  parseXmltv(inPieces(typeof guide === 'string' ? Buffer.from(guide) : guide, size), window);
const failure = (guide: string | Uint8Array) =>
  parse(guide).then(
    () => 'no failure',
    (error: CodedError) => `${error.code}: ${error.detail}`,
  );

const tv = (...rows: readonly string[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tv SYSTEM "xmltv.dtd">\n<tv>\n${rows.join('\n')}\n</tv>\n`;
const stamp = (at: number) => `${new Date(at).toISOString().slice(0, 19).replace(/\D/g, '')} +0000`;
const row = (hour: number, minutes: number | null, inside: string, channel = 'a.uk') => {
  const startAt = DAY + hour * HOUR;
  const stop = minutes === null ? '' : ` stop="${stamp(startAt + minutes * MINUTE)}"`;
  return `<programme start="${stamp(startAt)}"${stop} channel="${channel}">${inside}</programme>`;
};
const titled = (hour: number, minutes: number | null, title: string, channel = 'a.uk') =>
  row(hour, minutes, `<title>${title}</title>`, channel);
const titles = (guide: { programmes: readonly { title: string }[] }) =>
  guide.programmes.map(({ title }) => title);

describe('parseXmltv', () => {
  it('reads every field of a programme and the names of a channel', async () => {
    const guide = await parse(
      tv(
        '<channel id=" a.uk "><display-name>A One</display-name><display-name>101</display-name></channel>',
        row(
          19.5,
          120,
          `<title lang="en">Man Utd vs City</title><title lang="de">Anderes</title>
           <sub-title>Premier League</sub-title><desc>Live <b>coverage</b></desc>
           <category>Sport</category><category>Football</category><category>Sport</category>
           <icon src="http://x/i.png"/><episode-num system="xmltv_ns">1 . 11/13 . 0/2</episode-num><new/>`,
        ),
      ),
    );
    expect(guide.channels).toEqual([{ id: 'a.uk', names: ['A One', '101'] }]);
    expect(guide.programmes).toEqual([
      {
        channel: 'a.uk',
        startAt: DAY + 19.5 * HOUR,
        stopAt: DAY + 21.5 * HOUR,
        title: 'Man Utd vs City',
        subTitle: 'Premier League',
        desc: 'Live coverage',
        categories: ['Sport', 'Football'],
        episode: 's2e12p1',
        icon: 'http://x/i.png',
        isNew: true,
      },
    ]);
    expect(guide.counts).toEqual({
      channels: 1,
      programmes: 1,
      firstStartAt: DAY + 19.5 * HOUR,
      lastStopAt: DAY + 21.5 * HOUR,
      skipped: {},
      partial: false,
    });
  });

  it('takes programmes before channels, and attributes in any order and quotes', async () => {
    const guide = await parse(
      tv(
        `<programme channel='a.uk' stop='${stamp(DAY + HOUR)}' start='${stamp(DAY)}'><title>T</title></programme>`,
        '<channel id="a.uk"><display-name>A</display-name></channel>',
      ),
    );
    expect(titles(guide)).toEqual(['T']);
    expect(guide.channels).toEqual([{ id: 'a.uk', names: ['A'] }]);
  });

  it('keeps the window and counts the whole file', async () => {
    const rows = Array.from({ length: 100 }, (_, i) => titled(i - 40, 60, `P${i}`));
    const guide = await parse(tv(...rows), { ...WINDOW, fromAt: DAY + HOUR, toAt: DAY + 3 * HOUR });
    expect(titles(guide)).toEqual(['P41', 'P42']);
    expect(guide.counts).toMatchObject({ channels: 1, programmes: 100, lastStopAt: DAY + 60 * HOUR });
  });

  it('orders programmes by channel and start', async () => {
    const guide = await parse(
      tv(
        titled(3, 60, 'b3', 'b'),
        titled(5, 60, 'a5', 'a'),
        titled(1, 60, 'b1', 'b'),
        titled(2, 60, 'a2', 'a'),
      ),
    );
    expect(titles(guide)).toEqual(['a2', 'a5', 'b1', 'b3']);
  });

  it('ends a programme without a stop at the next start of its channel, after six hours at the latest', async () => {
    const guide = await parse(
      tv(
        titled(9, null, 'last'),
        titled(1, null, 'first'),
        titled(1.5, 30, 'other', 'b.uk'),
        titled(3, null, 'second'),
      ),
    );
    expect(guide.programmes.map(({ title, startAt, stopAt }) => [title, (stopAt - startAt) / HOUR])).toEqual([
      ['first', 2],
      ['second', 6],
      ['last', 6],
      ['other', 0.5],
    ]);
  });

  it('finds the next start even where it lies outside of the window', async () => {
    const guide = await parse(tv(titled(2, null, 'on'), titled(4, 60, 'later')), {
      ...WINDOW,
      fromAt: DAY + 2.5 * HOUR,
      toAt: DAY + 3 * HOUR,
    });
    expect(guide.programmes).toMatchObject([{ title: 'on', stopAt: DAY + 4 * HOUR }]);
    const past = await parse(tv(titled(2, null, 'over'), titled(2.4, 60, 'on')), {
      ...WINDOW,
      fromAt: DAY + 2.5 * HOUR,
    });
    expect(titles(past)).toEqual(['on']);
  });

  it('keeps the richer of two programmes with one start', async () => {
    const guide = await parse(
      tv(titled(1, 60, 'T'), row(1, 60, '<title>T</title><desc>More</desc>'), titled(1, 60, 'T')),
    );
    expect(guide.programmes).toMatchObject([{ title: 'T', desc: 'More' }]);
    expect(guide.counts.skipped).toEqual({ duplicate: 2 });
  });

  it('cuts a small overlap off the earlier programme and leaves a large one', async () => {
    const guide = await parse(tv(titled(1, 63, 'a'), titled(2, 66, 'b'), titled(3, 60, 'c')));
    expect(guide.programmes.map(({ stopAt }) => (stopAt - DAY) / MINUTE)).toEqual([120, 186, 240]);
  });

  it('gives up rows without length, time or channel, and says how many', async () => {
    const guide = await parse(
      tv(
        titled(1, 0, 'none'),
        titled(2, -10, 'negative'),
        '<programme start="tomorrow" channel="a.uk"><title>x</title></programme>',
        `<programme start="${stamp(DAY)}" stop="later" channel="a.uk"><title>x</title></programme>`,
        `<programme start="${stamp(DAY)}"><title>x</title></programme>`,
        titled(3, 60, 'fine'),
      ),
    );
    expect(titles(guide)).toEqual(['fine']);
    expect(guide.counts.skipped).toEqual({ zero_length: 2, bad_time: 2, no_channel: 1 });
  });

  it('tells apart the hours of a night in which one comes twice, also where times carry no offset', async () => {
    const window = {
      fromAt: Date.UTC(2026, 9, 24, 20),
      toAt: Date.UTC(2026, 9, 25, 6),
      timezone: 'Europe/Berlin',
    };
    const rowsOf = (times: readonly string[], channel: string) =>
      times.slice(1).map((stop, i) => {
        const [from, to] = [times[i], stop].map((time) => `20261025${time?.replace(':', '')}00`);
        return `<programme start="${from}" stop="${to}" channel="${channel}"><title>${channel}${i}</title></programme>`;
      });
    const startsOf = async (...rows: readonly string[]) =>
      (await parse(tv(...rows), window)).programmes.map(({ startAt, stopAt }) =>
        [startAt, stopAt].map((at) => new Date(at).toISOString().slice(11, 16)).join('-'),
      );
    const night = ['01:30', '02:00', '02:30', '02:00', '02:30', '03:00', '03:30'];
    const right = ['23:30-00:00', '00:00-00:30', '00:30-01:00', '01:00-01:30', '01:30-02:00', '02:00-02:30'];
    expect(await startsOf(...rowsOf(night, 'a'))).toEqual(right);
    // Another channel in between is another matter.
    const [a, b] = [rowsOf(night, 'a'), rowsOf(night, 'b')];
    expect(await startsOf(...a.flatMap((row, i) => [row, b[i] ?? '']))).toEqual([...right, ...right]);
    // One programme over the change is as long as it was.
    expect(await startsOf(...rowsOf(['02:30', '02:15', '03:00'], 'a'))).toEqual([
      '00:30-01:15',
      '01:15-02:00',
    ]);
    // Without stops the next start says it.
    const open = rowsOf(night, 'a').map((row) => row.replace(/ stop="\d+"/, ''));
    expect((await startsOf(...open)).slice(0, 5)).toEqual(right.slice(0, 5));
    // With offsets there is nothing to guess.
    const told = ['20261025023000 +0200', '20261025023000 +0100'].map(
      (start) => `<programme start="${start}" channel="a"><title>x</title></programme>`,
    );
    expect((await startsOf(...told)).map((times) => times.slice(0, 5))).toEqual(['00:30', '01:30']);
  });

  it('counts no hour twice and loses no programme in a night in which one is skipped', async () => {
    const window = {
      fromAt: Date.UTC(2026, 2, 28, 20),
      toAt: Date.UTC(2026, 2, 29, 6),
      timezone: 'Europe/Berlin',
    };
    const times = ['0130', '0200', '0300', '0330'];
    const rows = times.map(
      (time, i) =>
        `<programme start="20260329${time}00" stop="20260329${times[i + 1] ?? '0400'}00" channel="a"><title>${i}</title></programme>`,
    );
    const { programmes } = await parse(tv(...rows), window);
    const minutes = programmes.map(({ startAt, stopAt }) => (stopAt - startAt) / MINUTE);
    expect(programmes.map(({ startAt }) => new Date(startAt).toISOString().slice(11, 16))).toContain('00:30');
    expect(minutes.every((length) => length > 0 && length <= 60)).toBe(true);
    expect(programmes.at(-1)?.startAt).toBe(Date.UTC(2026, 2, 29, 1, 30));
  });

  it('reads times without a zone in the zone of the source', async () => {
    const guide = tv(
      '<programme start="20261123140000" stop="20261123150000" channel="a"><title>T</title></programme>',
    );
    expect((await parse(guide, { ...WINDOW, timezone: 'Europe/Berlin' })).programmes[0]?.startAt).toBe(
      DAY + 13 * HOUR,
    );
    await expect(parse(guide, { ...WINDOW, timezone: 'Nowhere' })).rejects.toMatchObject({ code: 'usage' });
  });

  it('takes a channel that is spelled in other case or spacing for the declared one', async () => {
    const guide = await parse(tv('<channel id="BBC One.uk"/>', titled(1, 60, 'T', ' bbcone.UK ')));
    expect(guide.programmes[0]?.channel).toBe('BBC One.uk');
    expect(guide.counts.channels).toBe(1);
  });
});

describe('parseXmltv on input that is not well-formed', () => {
  it.each([
    ['bare ampersands', 'Tom & Jerry; A & E', 'Tom & Jerry; A & E'],
    ['HTML entities', 'Caf&eacute;&nbsp;noir&hellip;', 'Café\u00a0noir…'],
    ['unknown entities', 'a &foo; b', 'a &foo; b'],
    ['proper references', '&lt;&#65;&#x42;&#X43;&amp;&quot;', '<ABC&"'],
    ['forbidden references', 'a&#0;b&#1;c&#xD800;d', 'abcd'],
    ['control characters', 'a\u0000b\u0008c\u001fd', 'abcd'],
    ['CDATA with ampersands', '<![CDATA[A & E; <b>]]> and more', 'A & E; <b> and more'],
    ['comments with ampersands', 'A<!-- x & y; -->B', 'AB'],
    ['an ampersand at the end', 'Q &', 'Q &'],
  ])('reads %s, wherever a chunk ends', async (_, written, read) => {
    const guide = tv(
      `<channel id="x"><display-name>A & E</display-name></channel>`,
      titled(1, 60, written),
      titled(2, 60, 'next'),
    );
    for (const size of [1, 2, 3, 5, 11, 100_000]) {
      const parsed = await parse(guide, WINDOW, size);
      expect(titles(parsed)).toEqual([read, 'next']);
      expect(parsed.channels[0]?.names).toEqual(['A & E']);
    }
  });

  it('loses no programme to a bare ampersand in an attribute', async () => {
    const guide = await parse(
      tv(
        '<channel id="A&E.us"><display-name>A&E</display-name></channel>',
        titled(1, 60, 'T', 'A&E.us'),
        titled(2, 60, 'U'),
      ),
    );
    expect(titles(guide).toSorted()).toEqual(['T', 'U']);
    expect(guide.programmes.map(({ channel }) => channel)).toContain('A&E.us');
  });

  it('keeps structure where tags are left open', async () => {
    const guide = await parse(
      tv(
        row(1, 60, '<title>one<desc>d <b>bold</desc>'),
        `<programme start="${stamp(DAY + 2 * HOUR)}" stop="${stamp(DAY + 3 * HOUR)}" channel="a.uk"><title>two</title>`,
        titled(3, 60, 'three'),
        titled(4, 60, 'a < b'),
        titled(5, 60, 'five'),
      ),
    );
    expect(titles(guide)).toHaveLength(5);
    expect(guide.programmes[0]).toMatchObject({ title: 'one', desc: 'd bold' });
    expect(titles(guide)).toEqual(expect.arrayContaining(['two', 'three', 'five']));
  });

  it('does not expand entities of the document', async () => {
    const bomb = tv(titled(1, 60, 'a &x; b')).replace(
      'SYSTEM "xmltv.dtd"',
      '[<!ENTITY x "boom"><!ENTITY f SYSTEM "file:///etc/passwd">]',
    );
    expect(titles(await parse(bomb))).toEqual(['a &x; b']);
  });

  it('keeps what was complete when the file breaks off, and says that it did', async () => {
    const whole = tv(titled(1, 60, 'one'), titled(2, 60, 'two'));
    const guide = await parse(whole.slice(0, whole.indexOf('two')));
    expect(titles(guide)).toEqual(['one']);
    expect(guide.counts.partial).toBe(true);
    expect((await parse(whole)).counts.partial).toBe(false);
  });

  it('never fails otherwise than by its codes, whatever is cut or changed', async () => {
    const whole = Buffer.from(
      tv(
        '<channel id="a.uk"><display-name>A &amp; B</display-name></channel>',
        titled(1, 60, '<![CDATA[x]]>'),
        titled(2, 60, 'two'),
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(whole.length),
        fc.integer({ min: 1, max: 400 }),
        async (changes, length, size) => {
          const bytes = Buffer.from(whole);
          for (const [at, value] of changes) bytes[at] = value;
          const outcome = await parse(bytes.subarray(0, length), WINDOW, size).then(
            ({ programmes }) => programmes.every(({ startAt, stopAt }) => stopAt > startAt),
            (error: CodedError) => ['guide_not_xmltv', 'guide_compressed'].includes(error.code),
          );
          expect(outcome).toBe(true);
        },
      ),
    );
  });

  it('is the same guide however its bytes are cut', async () => {
    const whole = Buffer.from(
      tv(titled(1, 60, 'Ärger & Co &eacute; 漢 😀'), row(2, null, '<title><![CDATA[A & B]]></title>')),
    );
    const expected = await parse(whole, WINDOW, whole.length);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), async (size) => {
        expect(await parse(whole, WINDOW, size)).toEqual(expected);
      }),
    );
  });
});

describe('parseXmltv on what is no guide', () => {
  it.each([
    ['', 'guide_not_xmltv: there is no <tv> in it'],
    ['blocked', 'guide_not_xmltv: there is no <tv> in it'],
    ['{"error":1}', 'guide_not_xmltv: there is no <tv> in it'],
    ['<!DOCTYPE html><html><body>Login & more</body></html>', 'guide_not_xmltv: its root is <html>'],
  ])('refuses %j', async (text, message) => {
    expect(await failure(text)).toBe(message);
  });

  it.each([
    ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
    ['zip', [0x50, 0x4b, 3, 4, 1]],
    ['bzip2', [0x42, 0x5a, 0x68, 0x39, 0x31]],
    ['zstd', [0x28, 0xb5, 0x2f, 0xfd, 1]],
  ])('says of %s that it cannot open it', async (how, magic) => {
    expect(await failure(Uint8Array.of(...magic, 1))).toBe(`guide_compressed: it is a ${how} file`);
  });
});

describe('parseXmltv on packed and encoded guides', () => {
  const guide = tv(titled(1, 60, 'Ärger im Büro'), titled(2, 60, 'two'));

  it('opens gzip, also of several members, whatever the name says', async () => {
    const half = guide.length / 2;
    const members = Buffer.concat([gzipSync(guide.slice(0, half)), gzipSync(guide.slice(half))]);
    expect(titles(await parse(gzipSync(guide)))).toEqual(['Ärger im Büro', 'two']);
    expect(titles(await parse(members))).toEqual(['Ärger im Büro', 'two']);
  });

  it('keeps what came of a gzip that breaks off', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => titled(i / 10, 6, `P${i} ${(i * 7919).toString(36)}`));
    const packed = gzipSync(tv(...rows));
    const cut = await parse(packed.subarray(0, packed.length / 2));
    expect(cut.counts.partial).toBe(true);
    expect(cut.programmes.length).toBeGreaterThan(10);
    expect(cut.programmes.length).toBeLessThan(200);
  });

  it('takes what is not UTF-8, in a guide that says that it is, for Windows-1252', async () => {
    const rows = [titled(1, 60, 'Über Café'), titled(2, 60, 'Ärger 漢'), titled(3, 60, 'Señor')];
    const text = Buffer.from(tv(...rows), 'utf8');
    const wrong = Buffer.concat([
      text.subarray(0, text.indexOf('Über')),
      Buffer.from('Über Café', 'latin1'),
      text.subarray(text.indexOf('Über') + Buffer.byteLength('Über Café'), text.indexOf('Señor')),
      Buffer.from('Señor', 'latin1'),
      text.subarray(text.indexOf('Señor') + Buffer.byteLength('Señor')),
    ]);
    for (const size of [1, 7, 64, wrong.length])
      expect(titles(await parse(wrong, WINDOW, size))).toEqual(['Über Café', 'Ärger 漢', 'Señor']);
  });

  it('decodes by the mark, by the declaration, and as UTF-8 otherwise', async () => {
    const latin = guide.replace('UTF-8', 'ISO-8859-1');
    const wide = `\ufeff${guide.replace('UTF-8', 'UTF-16')}`;
    const big = Buffer.from(wide, 'utf16le').swap16();
    for (const bytes of [
      Buffer.from(`\ufeff${guide}`),
      Buffer.from(latin, 'latin1'),
      Buffer.from(wide, 'utf16le'),
      big,
      Buffer.from(guide.replace('UTF-8', 'no-such-thing')),
      Buffer.from(guide.replace('UTF-8', 'UTF-16')),
    ]) {
      expect(titles(await parse(bytes))).toEqual(['Ärger im Büro', 'two']);
    }
  });

  it('reads small guides that are shorter than what is looked at first', async () => {
    expect(titles(await parse(`<tv>${titled(1, 60, 'x')}</tv>`))).toEqual(['x']);
  });

  it('keeps what it needs of a guide, and none of the text that this was cut from', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const over = row(-48, 30, `<desc>${'What was on long ago. '.repeat(12_000)}</desc>`);
    const kept = (n: number) =>
      row(
        1,
        30,
        `<title>A title of its own ${n}</title><category>A category of its own ${n}</category>
         <desc>Words of its own – ${n}</desc><episode-num system="dd_progid">EP0123456789.${n}</episode-num>`,
        `a channel of its own ${n}`,
      );
    async function* chunks() {
      yield Buffer.from('<tv>');
      for (let n = 0; n < 120; n += 1) yield Buffer.from(`${kept(n)}${over}`);
      yield Buffer.from('</tv>');
    }
    collect();
    const before = process.memoryUsage().heapUsed;
    const guide = await parseXmltv(chunks(), WINDOW);
    collect();
    // Each of the 120 chunks has a quarter of a megabyte.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8_000_000);
    expect(guide.programmes.length).toBe(120);
    expect(guide.programmes[7]).toMatchObject({
      channel: 'a channel of its own 104',
      desc: 'Words of its own – 104',
      episode: 'dd:EP0123456789104',
    });
  });
});
