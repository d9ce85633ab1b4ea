/** No login in an address may survive, and text without one may not change. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactText, redactUrl } from '../../src/domain/redact.js';

describe('redactUrl', () => {
  it.each([
    ['http://bob:hunter2@tv.example/list.m3u', 'http://***@tv.example/list.m3u'],
    ['http://bob:p@ss@tv.example:8080/x', 'http://***@tv.example:8080/x'],
    ['http://tv.example/live/bob/hunter2/12.ts', 'http://tv.example/live/***/***/12.ts'],
    ['http://tv.example:80/movie/bob/hunter2/9.mkv', 'http://tv.example:80/movie/***/***/9.mkv'],
    ['http://tv.example/live/bob/hunter2', 'http://tv.example/live/***/***'],
    [
      'http://tv.example/timeshift/bob/hunter2/60/2026-11-23:19-30/7.ts',
      'http://tv.example/timeshift/***/***/60/2026-11-23:19-30/7.ts',
    ],
    ['http://tv.example/bob/hunter2/12', 'http://tv.example/***/***/12'],
    ['http://tv.example/bob/hunter2/12.ts?x=1', 'http://tv.example/***/***/12.ts?x=1'],
    [
      'http://tv.example/get.php?username=bob&password=hunter2&type=m3u_plus',
      'http://tv.example/get.php?username=***&password=***&type=m3u_plus',
    ],
    ['http://plex:32400/library?X-Plex-Token=abc', 'http://plex:32400/library?X-Plex-Token=***'],
    ['http://emby/x?api_key=abc&y=2', 'http://emby/x?api_key=***&y=2'],
    ['/recordings/recorder.json?limit=3&token=abc', '/recordings/recorder.json?limit=3&token=***'],
  ])('%s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });

  it.each([
    'http://tv.example/guide.xml',
    'http://127.0.0.1:8998/stream/one.ts?start=5',
    'https://tv.example/a/b/c/d.m3u8',
    '/srv/catchup/sports',
  ])('leaves %s alone', (url) => {
    expect(redactUrl(url)).toBe(url);
  });
});

const word = fc
  .array(fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%._~-'), {
    minLength: 6,
    maxLength: 16,
  })
  .map((letters) => `S3${letters.join('')}`);

/** Every place that an address can carry a login in. */
const addressOf: readonly ((user: string, pass: string) => string)[] = [
  (user, pass) => `http://${user}:${pass}@tv.example:8080/x.ts`,
  (user, pass) => `https://tv.example/live/${user}/${pass}/123.ts`,
  (user, pass) => `http://tv.example/${user}/${pass}/123`,
  (user, pass) => `http://tv.example/timeshift/${user}/${pass}/60/2026-11-23:19-30/1.ts`,
  (user, pass) => `http://tv.example/xmltv.php?username=${user}&password=${pass}`,
  (user, pass) => `http://tv.example/a?b=1&token=${user}#token=${pass}`,
];

describe('redactText', () => {
  it('lets no login through, wherever in a text or a JSON line the address stands', () => {
    fc.assert(
      fc.property(word, word, fc.constantFrom(...addressOf), fc.string(), (user, pass, address, around) => {
        const url = address(user, pass);
        const words = around.replaceAll('S3', '');
        for (const text of [url, `${words} ${url}, ${words}`, JSON.stringify({ msg: words, url })]) {
          const shown = redactText(text);
          expect(shown).not.toContain(user);
          expect(shown).not.toContain(pass);
        }
      }),
    );
  });

  it('changes nothing a second time', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.string()), (text) => {
        expect(redactText(redactText(text))).toBe(redactText(text));
      }),
    );
  });

  it('hides credential headers', () => {
    expect(redactText('sent Authorization: Bearer abc.def and X-Plex-Token: xyz')).toBe(
      'sent Authorization: Bearer *** and X-Plex-Token: ***',
    );
  });

  it('keeps JSON readable as JSON', () => {
    const line = JSON.stringify({ url: 'http://u:p@h/x', next: 'http://h/live/u/p/1.ts', n: 1 });
    expect(JSON.parse(redactText(line))).toEqual({
      url: 'http://***@h/x',
      next: 'http://h/live/***/***/1.ts',
      n: 1,
    });
  });
});
