import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CodedError } from '../../src/domain/errors.js';
import { parseM3u } from '../../src/guide/m3u.js';

const options = { source: 'list', includeAdult: false };
const parse = (text: string | Uint8Array, more = {}) =>
  parseM3u(typeof text === 'string' ? Buffer.from(text) : text, { ...options, ...more });
const one = (info: string, ...lines: readonly string[]) =>
  parse(['#EXTM3U', info, ...lines, 'http://h/live/u/p/1.ts'].join('\n')).channels[0];
const codeOf = (act: () => unknown) => {
  try {
    return String(act());
  } catch (error) {
    return `${(error as CodedError).code}: ${(error as CodedError).detail}`;
  }
};

describe('parseM3u', () => {
  it('takes a shift of the guide for the whole list, a row\u2019s own before it, and none that is nonsense', () => {
    const row = (shift: string, id: string) => `#EXTINF:-1${shift} tvg-id="${id}",${id}\nhttp://h/${id}.ts`;
    const rows = [
      row('', 'a'),
      row(' tvg-shift="0"', 'b'),
      row(' tvg-shift="2"', 'c'),
      row(' tvg-shift="+01:00"', 'd'),
      row(' tvg-shift="99"', 'e'),
    ];
    const { channels } = parse(['#EXTM3U tvg-shift="-1"', ...rows].join('\n'));
    const hours = channels.map(({ guideShiftMs }) => (guideShiftMs ?? 0) / 3_600_000);
    expect(hours).toEqual([-1, 0, 2, 0, 0]);
  });

  it('reads an entry', () => {
    expect(
      one(
        '#EXTINF:-1 tvg-id="BBCOne.uk" tvg-name="BBC" tvg-chno="101" tvg-logo="" group-title="UK;News",BBC One HD',
      ),
    ).toEqual({
      source: 'list',
      channelId: 'BBCOne.uk',
      dnaId: 'dna-6398cc29ed163b32',
      guideNumber: '101',
      guideName: 'BBC One HD',
      tvgId: 'BBCOne.uk',
      group: 'UK;News',
      quality: 1,
      userAgent: '',
      referrer: '',
      urls: ['http://h/live/u/p/1.ts'],
    });
  });

  it.each([
    ['#EXTINF:-1,Name, with "quotes" and, commas', { guideName: 'Name, with "quotes" and, commas' }],
    ['#EXTINF:-1 group-title="A, B" tvg-id="x",Name', { group: 'A, B', tvgId: 'x', guideName: 'Name' }],
    ['#EXTINF:-1 tvg-id=x tvg-chno=7 group-title=News,Name', { tvgId: 'x', guideNumber: '7', group: 'News' }],
    ['#EXTINF:-1 tvg-ID="x" CH-Number="7",Name', { tvgId: 'x', guideNumber: '7' }],
    ['#EXTINF:-1 tvg-name="The "Best" of" tvg-id="x",', { tvgId: 'x' }],
    ['#EXTINF:-1 tvg-logo="http://l/?a=b==" tvg-id=\'x\',Name', { tvgId: 'x', guideName: 'Name' }],
    ['#EXTINF:-1 tvg-logo=http://l/?a=b== tvg-id=x,Name', { tvgId: 'x', guideName: 'Name' }],
    ['#EXTINF:-1 tvg-id="x,Name', { tvgId: 'x', guideName: 'Name' }],
    ['#EXTINF:0 tvg-id="x"tvg-chno="7",Name', { tvgId: 'x', guideNumber: '7' }],
    ['#EXTINF:-1 tvg-name="From tvg",', { guideName: 'From tvg' }],
    ['#EXTINF:-1', { guideName: '1' }],
    ['#extinf:-1 tvg-id="x",lower', { tvgId: 'x', guideName: 'lower' }],
    ['#EXTINF:-1 user-agent="Kodi",Name', { userAgent: 'Kodi' }],
    ['#EXTINF:-1 tvg-shift="1",Name', { guideShiftMs: 3_600_000 }],
    ['#EXTINF:-1 tvg-shift=-3.5 tvg-id=x,Name', { guideShiftMs: -12_600_000, tvgId: 'x' }],
  ])('reads %s', (info, expected) => {
    expect(one(info)).toMatchObject(expected);
  });

  it.each([
    ['#EXTGRP:Sports', { group: 'Sports' }],
    ['#EXTVLCOPT:http-user-agent=VLC/3.0 LibVLC', { userAgent: 'VLC/3.0 LibVLC' }],
    ['#EXTVLCOPT:http-referrer=http://r/', { referrer: 'http://r/' }],
    [
      '#KODIPROP:inputstream.adaptive.stream_headers=User-Agent=K%20odi&Referer=http://r/',
      { userAgent: 'K odi', referrer: 'http://r/' },
    ],
    ['#EXTHTTP:{"User-Agent":"J","Referer":"http://r/"}', { userAgent: 'J', referrer: 'http://r/' }],
    ['#EXTHTTP:{broken', { userAgent: '' }],
    ['# a comment', { group: '' }],
  ])('reads %s after the entry, and before it', (line, expected) => {
    expect(one('#EXTINF:-1,Name', line)).toMatchObject(expected);
    expect(one(line, '#EXTINF:-1,Name')).toMatchObject({ ...expected, guideName: 'Name' });
  });

  it('keeps the options of one entry from the next', () => {
    const { channels } = parse(
      '#EXTM3U\n#EXTINF:-1 group-title="A",a\n#EXTVLCOPT:http-user-agent=X\nhttp://h/1\n#EXTINF:-1,b\nhttp://h/2\n',
    );
    expect(channels).toMatchObject([
      { group: 'A', userAgent: 'X' },
      { group: '', userAgent: '' },
    ]);
  });

  it('reads headers behind the address and takes them off', () => {
    const { channels } = parse(
      '#EXTM3U\n#EXTINF:-1,a\nhttp://h/1.ts|User-Agent=My%20Box&Referer=http://r/?x=1\n',
    );
    expect(channels[0]).toMatchObject({
      urls: ['http://h/1.ts'],
      userAgent: 'My Box',
      referrer: 'http://r/?x=1',
    });
  });

  it('finds the guides that the list names', () => {
    expect(
      parse(
        '#EXTM3U x-tvg-url="http://g/a.xml, http://g/b.xml.gz" url-tvg="http://g/a.xml,epg.xml"\n#EXTINF:-1,a\nhttp://h/1\n',
      ).guideUrls,
    ).toEqual(['http://g/a.xml', 'http://g/b.xml.gz']);
    expect(
      parse('#EXTM3U x-tvg-url=http://g/a.xml,http://g/b.xml\n#EXTINF:-1,a\nhttp://h/1\n').guideUrls,
    ).toEqual(['http://g/a.xml', 'http://g/b.xml']);
  });

  it('reads marks, line ends and code pages of every kind', () => {
    const text = '#EXTM3U\n#EXTINF:-1,Télé Ä\nhttp://h/1\n#EXTINF:-1,B\nhttp://h/2';
    for (const bytes of [
      Buffer.from(`\ufeff${text}`),
      Buffer.from(text.replaceAll('\n', '\r\n')),
      Buffer.from(text.replaceAll('\n', '\r')),
      Buffer.from(text, 'latin1'),
      Buffer.from(`\ufeff${text}`, 'utf16le'),
    ]) {
      expect(parse(bytes).channels.map((channel) => channel.guideName)).toEqual(['Télé Ä', 'B']);
    }
  });

  it('gives up broken entries, films and adult channels, and counts them', () => {
    const list = parse(
      [
        '#EXTM3U',
        '#EXTINF:-1,no address',
        '#EXTINF:-1,fine',
        'http://h/live/u/p/1.ts',
        '#EXTINF:-1,other',
        'udp://@239.0.0.1:1234',
        '#EXTINF:-1,film',
        'http://h/movie/u/p/2.mkv',
        '#EXTINF:-1,episode',
        'http://h/series/u/p/3',
        '#EXTINF:-1,film too',
        'http://h/x/film.mp4?token=a',
        '#EXTINF:-1 group-title="ADULT: XXX",a',
        'http://h/4',
        '#EXTINF:-1,Hot 18+',
        'http://h/5',
        '#EXTINF:-1,Adult Swim',
        'http://h/6',
        '#EXTINF:-1,Adultery Court TV',
        'http://h/7',
        '#EXTINF:-1,at the end',
      ].join('\n'),
    );
    expect(list.channels.map((channel) => channel.guideName)).toEqual([
      'fine',
      'Adult Swim',
      'Adultery Court TV',
    ]);
    expect(list.skipped).toEqual({ no_url: 2, bad_url: 1, vod: 3, adult: 2 });
  });

  it('keeps backups of one channel apart, with ids that do not depend on their order', () => {
    const entries = [
      '#EXTINF:-1 tvg-id="bbc.uk",BBC One HD\nhttp://h/live/user1/pass1/11.ts',
      '#EXTINF:-1 tvg-id="bbc.uk",BBC One HD\nhttp://h/live/user1/pass1/12.ts',
      '#EXTINF:-1 tvg-id="bbc.uk",BBC One SD\nhttp://h/live/user1/pass1/13.ts',
      '#EXTINF:-1 tvg-id="itv.uk",ITV\nhttp://h/live/user1/pass1/14.ts',
    ];
    const idsOf = (lines: readonly string[]) =>
      parse(['#EXTM3U', ...lines].join('\n')).channels.map(({ channelId }) => channelId);
    const ids = idsOf(entries);
    expect(new Set(ids).size).toBe(4);
    expect(idsOf(entries.toReversed())).toEqual(ids.toReversed());
    expect(idsOf(entries.map((entry) => entry.replace('user1/pass1', 'user2/pass2')))).toEqual(ids);
    expect(ids.slice(2)).toEqual(['bbc-one-sd', 'itv.uk']);
    expect(ids.join()).not.toMatch(/user|pass/);
  });

  it('says what stands where a list should be', () => {
    expect(codeOf(() => parse(' \n'))).toBe('list_not_m3u: it is empty');
    expect(codeOf(() => parse('<!DOCTYPE html><html>'))).toBe('list_not_m3u: it is a web page');
    expect(codeOf(() => parse('{"live_channels":[]}'))).toBe('list_not_m3u: there is no #EXTM3U in it');
    expect(codeOf(() => parse('#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://h/s.ts'))).toBe(
      'list_not_m3u: it is an HLS playlist, the stream of one channel',
    );
  });

  it('takes any entry to pieces without failing, and every id once', () => {
    const part = fc.constantFrom(
      '"',
      '=',
      ',',
      ' ',
      'tvg-id',
      'a',
      "'",
      '#',
      '\r',
      '\n',
      ':',
      'http://h/1',
      '#EXTINF:-1',
      '|',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        const { channels } = parse(`#EXTM3U\n#EXTINF:-1 ${parts.join('')}\nhttp://h/x\n`);
        expect(new Set(channels.map(({ channelId }) => channelId)).size).toBe(channels.length);
        for (const { channelId, urls } of channels) expect([channelId, urls[0]]).not.toContain('');
      }),
      { numRuns: 500 },
    );
  });

  it('reads a hundred thousand entries', () => {
    const entries = Array.from(
      { length: 100_000 },
      (_, i) => `#EXTINF:-1 tvg-id="c${i}" group-title="G",Channel ${i}\nhttp://h/live/u/p/${i}.ts`,
    );
    expect(parse(`#EXTM3U\n${entries.join('\n')}`).channels).toHaveLength(100_000);
  });
});
