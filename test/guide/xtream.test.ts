import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../src/domain/errors.js';
import { panelFacts, type PanelFacts } from '../../src/domain/panel.js';
import { parseAccount, parseCategories, parseStreams } from '../../src/guide/xtream.js';
import { isPanelList, panelStreamUrl, panelUrl, xtreamLogin } from '../../src/guide/xtreamLogin.js';

const LOGIN = { base: 'http://panel.example:8080', user: 'me', pass: 'my pass' };
const json = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const account = (user = {}, server = {}) => ({
  user_info: { auth: 1, status: 'Active', max_connections: '2', active_cons: '1', ...user },
  server_info: { timezone: 'Europe/Paris', ...server },
});
const FACTS: PanelFacts = panelFacts({ max_connections: '2', allowed_output_formats: ['m3u8', 'ts'] }, {});
const stream = (more = {}) => ({
  num: 7,
  name: 'Channel One HD',
  stream_type: 'live',
  stream_id: 12,
  epg_channel_id: 'one.example',
  category_id: '3',
  ...more,
});
const streams = (rows: unknown, more = {}) =>
  parseStreams(json(rows), {
    source: 'x',
    includeAdult: false,
    login: LOGIN,
    categories: new Map([['3', 'News']]),
    facts: FACTS,
    ...more,
  });
const codeOf = (act: () => unknown) => {
  try {
    return String(act());
  } catch (error) {
    return error instanceof CodedError ? `${error.code}: ${error.detail}` : `threw ${String(error)}`;
  }
};

describe('an address with a login', () => {
  it.each([
    ['http://panel.example:8080/?username=me&password=my%20pass'],
    ['http://panel.example:8080/get.php?username=me&password=my+pass&type=m3u_plus&output=ts'],
    ['http://panel.example:8080/player_api.php?password=my%20pass&username=me'],
    ['http://panel.example:8080/xmltv.php?username=me&password=my%20pass'],
    ['http://me:my%20pass@panel.example:8080/'],
    ['http://panel.example:8080/live/me/my%20pass/12.ts'],
    ['http://panel.example:8080/me/my%20pass/12'],
  ])('is read from %s', (address) => {
    expect(xtreamLogin(address)).toEqual(LOGIN);
  });

  it('keeps the folder that the panel lies in', () => {
    expect(xtreamLogin('https://h/tv/get.php?username=a&password=b')?.base).toBe('https://h/tv');
    expect(xtreamLogin('https://h/tv/live/a/b/1.ts')?.base).toBe('https://h/tv');
  });

  it.each(['', 'panel.example', 'http://panel.example', 'ftp://a:b@h/', 'http://h/?username=a'])(
    'is not seen in %s',
    (address) => {
      expect(xtreamLogin(address)).toBeNull();
    },
  );

  it('is a list in disguise where get.php answers', () => {
    expect(isPanelList('http://h/get.php?username=a&password=b&type=m3u_plus')).toBe(true);
    expect(isPanelList('http://h/list.m3u?username=a&password=b')).toBe(false);
    expect(isPanelList('/tmp/get.php')).toBe(false);
  });

  it('escapes what a login may hold', () => {
    const odd = { base: 'http://h', user: 'a/b', pass: 'c&d?' };
    expect(panelUrl(odd, 'x')).toBe('http://h/player_api.php?username=a%2Fb&password=c%26d%3F&action=x');
    expect(panelStreamUrl(odd, '1', '.ts')).toBe('http://h/live/a%2Fb/c%26d%3F/1.ts');
    expect(xtreamLogin(panelUrl(odd, 'x'))).toEqual(odd);
    expect(xtreamLogin(panelStreamUrl(odd, '1', '.ts'))).toEqual(odd);
  });
});

describe('an account', () => {
  it('is read from text as from numbers', () => {
    const facts = { connectionsMax: 2, connectionsOpen: 1, timezone: 'Europe/Paris' };
    expect(parseAccount(json(account()))).toMatchObject(facts);
    expect(parseAccount(json(account({ max_connections: 2, active_cons: 1 })))).toMatchObject(facts);
  });

  it.each([['unlimited'], [null], [''], ['-1'], [{}], ['1.5'], [Number.NaN]])(
    'has no known limit where max_connections is %j',
    (max) => {
      expect(parseAccount(json(account({ max_connections: max }))).connectionsMax).toBe(0);
    },
  );

  it('tells its zone by name, and by what its clocks show', () => {
    const shown = { timestamp_now: 1_795_000_000, time_now: '2026-11-18 10:06:40' };
    expect(parseAccount(json(account({}, shown))).zoneMinutes).toBe(
      Math.round((Date.UTC(2026, 10, 18, 10, 6, 40) / 1000 - 1_795_000_000) / 900) * 15,
    );
    expect(parseAccount(json(account({}, { timezone: 'Nowhere/City' }))).timezone).toBe('');
    expect(parseAccount(json(account({}, { time_now: 'soon', timestamp_now: 1 }))).zoneMinutes).toBe(0);
  });

  it.each([
    [{ auth: 0 }, 'account_refused: the login is not accepted'],
    [{ auth: '0' }, 'account_refused: the login is not accepted'],
    [{ status: 'Expired' }, 'account_refused: the account is Expired'],
    [{ status: 'Banned' }, 'account_refused: the account is Banned'],
  ])('is refused where it says %j', (user, said) => {
    expect(codeOf(() => parseAccount(json(account(user))))).toBe(said);
  });

  it.each([
    ['<html>Fatal error</html>', 'list_not_xtream: it is a web page'],
    ['', 'list_not_xtream: it is empty'],
    ['[]', 'list_not_xtream: there is no user_info in it'],
    ['blocked', 'account_refused: the panel says "blocked"'],
  ])('is no account where the answer is %j', (body, said) => {
    expect(codeOf(() => parseAccount(json(body)))).toBe(said);
  });

  it('is read or refused by a code, whatever the answer', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((v) => JSON.stringify({ user_info: v })),
        ),
        (body) => {
          expect(codeOf(() => JSON.stringify(parseAccount(json(body))))).not.toMatch(/^threw/);
        },
      ),
    );
  });
});

describe('streams of a panel', () => {
  it('become channels with both forms of their address, best first', () => {
    const list = streams([stream({ tv_archive: '1', tv_archive_duration: '7' })]);
    expect(list.channels).toMatchObject([
      {
        channelId: 'one.example',
        guideNumber: '7',
        guideName: 'Channel One HD',
        tvgId: 'one.example',
        group: 'News',
        quality: 1,
        urls: [
          'http://panel.example:8080/live/me/my%20pass/12.ts',
          'http://panel.example:8080/live/me/my%20pass/12.m3u8',
        ],
        archive: { mode: 'xc', days: 7, source: '12' },
      },
    ]);
    expect(list.guideUrls).toEqual(['http://panel.example:8080/xmltv.php?username=me&password=my%20pass']);
    expect(list.panel).toEqual(FACTS);
  });

  it('read the same from text and from numbers', () => {
    const asText = stream({
      num: '7',
      stream_id: '12',
      tv_archive: '1',
      tv_archive_duration: '3',
      is_adult: '0',
    });
    const asNumbers = stream({ tv_archive: 1, tv_archive_duration: 3, is_adult: 0 });
    expect(streams([asText])).toEqual(streams([asNumbers]));
  });

  it('leave out what is no live channel, and count it', () => {
    const rows = [
      null,
      stream({ stream_id: '' }),
      stream({ stream_id: '../..' }),
      stream({ name: '', epg_channel_id: null }),
      stream({ stream_type: 'movie' }),
      stream({ is_adult: '1' }),
      stream({ category_id: '9', category_ids: [3] }),
    ];
    const list = streams(rows);
    expect(list.skipped).toEqual({ bad_row: 4, vod: 1, adult: 1 });
    expect(list.channels.map(({ group }) => group)).toEqual(['News']);
  });

  it('are taken from a list with holes, and from none at all', () => {
    expect(
      streams({ 1: stream(), 4: stream({ stream_id: 13, epg_channel_id: 'two' }) }).channels,
    ).toHaveLength(2);
    expect(streams('null').channels).toEqual([]);
    expect(streams('false').channels).toEqual([]);
  });

  it('keep their ids when the login changes', () => {
    const rows = [stream(), stream({ stream_id: 13 }), stream({ stream_id: 14, epg_channel_id: '' })];
    const ids = streams(rows).channels.map(({ channelId }) => channelId);
    const other = streams(rows, { login: { ...LOGIN, user: 'you', pass: 'else' } });
    expect(new Set(ids).size).toBe(3);
    expect(other.channels.map(({ channelId }) => channelId)).toEqual(ids);
    expect(ids.join()).not.toContain('pass');
  });

  it.each(['<html>', '{"user_info":{"auth":0}}', '"x"', '12', '{"a":1}'])('are not %s', (body) => {
    expect(codeOf(() => streams(body))).toMatch(/^list_not_xtream/);
  });

  it('are read or refused by a code, whatever the answer', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc
            .array(
              fc.dictionary(
                fc.constantFrom(
                  'name',
                  'stream_id',
                  'num',
                  'category_id',
                  'is_adult',
                  'tv_archive',
                  'direct_source',
                  'category_ids',
                ),
                fc.jsonValue(),
              ),
            )
            .map((v) => JSON.stringify(v)),
        ),
        (body) => {
          expect(codeOf(() => JSON.stringify(streams(body)))).not.toMatch(/^threw/);
          expect(codeOf(() => [...parseCategories(json(body))].length)).not.toMatch(/^threw/);
        },
      ),
    );
  });
});
