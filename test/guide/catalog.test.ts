import { describe, expect, it } from 'vitest';
import { dnaId } from '../../src/domain/dna.js';
import type { CodedError } from '../../src/domain/errors.js';
import { parseAliases } from '../../src/guide/aliases.js';
import { parseCatalog } from '../../src/guide/catalog.js';

const options = { source: 'cat', includeAdult: false };
const parse = (value: unknown, more = {}) =>
  parseCatalog(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), {
    ...options,
    ...more,
  });
const live = (...rows: readonly unknown[]) => ({ movies: [], series: [], live_channels: rows });
const row = (more = {}) => ({
  channel_id: 'c1',
  guide_name: 'BBC One',
  stream_url: 'http://h/live/u/p/1.ts',
  ...more,
});
const codeOf = (act: () => unknown) => {
  try {
    return String(act());
  } catch (error) {
    return `${(error as CodedError).code}: ${(error as CodedError).detail}`;
  }
};

describe('parseCatalog', () => {
  it('reads every field that is used', () => {
    const { channels } = parse(
      live({
        channel_id: 'c1',
        dna_id: '',
        guide_number: 101,
        guide_name: ' BBC One HD ',
        stream_url: 'http://h/2',
        stream_urls: ['http://h/1', 'http://h/2', '', null],
        epg_linked: true,
        tvg_id: 'BBCOne.uk',
        group_title: 'UK',
        quality: 1,
        preferred_ua: 'VLC',
        some_new_key: {},
      }),
    );
    expect(channels).toEqual([
      {
        source: 'cat',
        channelId: 'c1',
        dnaId: 'dna-6398cc29ed163b32',
        guideNumber: '101',
        guideName: 'BBC One HD',
        tvgId: 'BBCOne.uk',
        group: 'UK',
        quality: 1,
        userAgent: 'VLC',
        referrer: '',
        urls: ['http://h/2', 'http://h/1'],
      },
    ]);
  });

  it('keeps the dna a row brings and makes the one it lacks', () => {
    const { channels } = parse(live(row({ dna_id: 'dna-own' }), row({ channel_id: 'c2' })));
    expect(channels.map((channel) => channel.dnaId)).toEqual([
      'dna-own',
      dnaId({ tvgId: '', guideName: 'BBC One', guideNumber: '', channelId: 'c2' }),
    ]);
  });

  it('gives up broken rows, films and adult channels, and counts them', () => {
    const list = parse({
      movies: [{}, {}],
      series: [{}],
      live_channels: [
        null,
        'x',
        {},
        row({ stream_url: undefined }),
        row({ stream_url: 'ftp://h/x' }),
        row({ stream_url: 'http://h/movie/u/p/1.mp4' }),
        row({ group_title: 'Adult' }),
        row({ guide_name: 'XXX: One' }),
        row(),
      ],
    });
    expect(list.channels.map((channel) => channel.channelId)).toEqual(['c1']);
    expect(list.skipped).toEqual({ vod: 4, bad_row: 3, no_url: 2, adult: 2 });
  });

  it('takes adult channels where they are asked for', () => {
    expect(parse(live(row({ group_title: 'Adult' })), { includeAdult: true }).channels).toHaveLength(1);
  });

  it('keeps rows with one id apart, without a login in their ids', () => {
    const rows = [row(), row({ stream_url: 'http://h/live/secretuser/secretpass/2.ts' })];
    const ids = parse(live(...rows)).channels.map((channel) => channel.channelId);
    const swapped = parse(live(...rows.toReversed())).channels.map((channel) => channel.channelId);
    expect(new Set(ids).size).toBe(2);
    expect(swapped.toReversed()).toEqual(ids);
    expect(ids.join()).not.toContain('secret');
  });

  it('says what stands where a catalog should be', () => {
    expect(codeOf(() => parse(''))).toBe('list_not_catalog: it is empty');
    expect(codeOf(() => parse('<html>login</html>'))).toBe('list_not_catalog: it is a web page');
    expect(codeOf(() => parse('#EXTM3U'))).toBe('list_not_catalog: it is not JSON');
    expect(codeOf(() => parse('[]'))).toBe('list_not_catalog: it has no live_channels');
    expect(codeOf(() => parse({ live_channels: {} }))).toBe('list_not_catalog: it has no live_channels');
  });

  it('takes an empty catalog for what it is; the gate judges it', () => {
    expect(parse(live()).channels).toEqual([]);
  });
});

describe('parseAliases', () => {
  it('reads names as they compare', () => {
    const aliases = parseAliases(
      Buffer.from('{"name_to_xmltv_id":{"US: ESPN HD":"espn.us","x":1,"HD":"y"}}'),
    );
    expect([...aliases]).toEqual([['espn', 'espn.us']]);
  });

  it('refuses other files', () => {
    expect(codeOf(() => parseAliases(Buffer.from('{}')))).toContain('aliases_unreadable');
    expect(codeOf(() => parseAliases(Buffer.from('no')))).toContain('aliases_unreadable');
  });
});
