/** Connections are counted by account: the same login is one account wherever it appears, and never shown. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountOf } from '../../src/domain/account.js';

const name = fc
  .array(fc.constantFrom(...'abcxyzABC019 &=/?#%@:é'), { minLength: 1, maxLength: 12 })
  .map((letters) => letters.join(''));

/** The same login in every shape that a list can carry it in. */
const shapes: readonly ((host: string, user: string, pass: string) => string)[] = [
  (host, user, pass) => `http://${host}/live/${user}/${pass}/12.ts`,
  (host, user, pass) => `https://${host}:8443/${user}/${pass}/12`,
  (host, user, pass) => `http://${host}/timeshift/${user}/${pass}/60/2026-11-23:19-30/12.ts`,
  (host, user, pass) => `http://${host}/get.php?username=${user}&password=${pass}&type=m3u_plus`,
  (host, user, pass) => `http://${user}:${pass}@${host}/12.ts`,
];

describe('accountOf', () => {
  it('is one account for one login, over all hosts and shapes, and another for another password', () => {
    fc.assert(
      fc.property(name, name, name, (user, pass, other) => {
        const [u, p, o] = [user, pass, other].map(encodeURIComponent) as [string, string, string];
        const keys = shapes.flatMap((shape) => [
          accountOf(shape('a.example', u, p)).key,
          accountOf(shape('b.example', u, p)).key,
        ]);
        expect(new Set(keys).size).toBe(1);
        if (other !== pass) expect(accountOf(shapes[0]?.('a.example', u, o) ?? '').key).not.toBe(keys[0]);
      }),
    );
  });

  it('shows the user and the host, never the password', () => {
    for (const shape of shapes) {
      const account = accountOf(shape('tv.example', 'bob', 'hunter2'));
      expect(account.label).toBe('bob@tv.example');
      expect(JSON.stringify(account)).not.toContain('hunter2');
    }
  });

  it('falls back to host and port, with the default ports filled in', () => {
    expect(accountOf('http://tv.example/ch/one.ts')).toEqual({
      key: 'host:tv.example:80',
      label: 'tv.example:80',
    });
    expect(accountOf('https://TV.example/one.ts').label).toBe('tv.example:443');
    expect(accountOf('http://tv.example:8080/two.ts').label).toBe('tv.example:8080');
    expect(accountOf('http://tv.example/a/one.ts').key).toBe(accountOf('http://tv.example/b/two.ts').key);
  });

  it('takes text that is no address', () => {
    expect(accountOf('not a url').label).toBe('unknown');
  });
});
