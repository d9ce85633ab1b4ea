/** Who may ask: the decision alone, over all that a request can show. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AccessPolicy, type AccessRequest, decideAccess, mayListen } from '../../src/api/access.js';

const loopbackHost = fc.constantFrom(
  'localhost',
  'localhost:8998',
  '127.0.0.1:80',
  '127.8.8.8',
  '[::1]:8998',
  'LOCALHOST',
);
const outsideHost = fc.constantFrom(
  'nas',
  'nas:8998',
  '10.0.0.2:8998',
  'localhost.evil.example',
  'evil@localhost',
  '',
);
const forwarding = fc.constantFrom(
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-anything',
);
const outsideListen = fc.constantFrom('0.0.0.0', '::', '192.168.1.5', 'nas');

function policy(given: Partial<AccessPolicy> = {}): AccessPolicy {
  return { host: '127.0.0.1', token: null, noAuth: false, publicHost: null, ...given };
}

function request(given: Partial<AccessRequest> = {}): AccessRequest {
  return {
    hostHeader: 'localhost:8998',
    headerNames: ['host', 'accept'],
    authorization: undefined,
    queryToken: undefined,
    ...given,
  };
}

describe('without a token', () => {
  it('this machine may ask directly', () => {
    fc.assert(
      fc.property(loopbackHost, (hostHeader) => {
        expect(decideAccess(policy(), request({ hostHeader }))).toEqual({ kind: 'allowed' });
      }),
    );
  });

  it('no other name is answered', () => {
    fc.assert(
      fc.property(fc.oneof(outsideHost, fc.constant(undefined)), (hostHeader) => {
        const access = decideAccess(policy(), request({ hostHeader }));
        expect(access).toEqual({ kind: 'refused', code: 'host_unknown' });
      }),
    );
  });

  it('nothing that was forwarded is answered, whatever host it names', () => {
    fc.assert(
      fc.property(fc.oneof(loopbackHost, outsideHost), forwarding, (hostHeader, header) => {
        const access = decideAccess(
          policy({ publicHost: 'nas' }),
          request({ hostHeader, headerNames: ['host', header] }),
        );
        expect(access).toEqual({ kind: 'refused', code: 'forwarded' });
      }),
    );
  });

  it('the public host is answered too', () => {
    const nas = policy({ publicHost: 'nas' });
    expect(decideAccess(nas, request({ hostHeader: 'NAS' })).kind).toBe('allowed');
    expect(decideAccess(nas, request({ hostHeader: 'nas2' })).kind).toBe('refused');
  });

  it('an address that others reach is not opened, unless that was said', () => {
    fc.assert(
      fc.property(outsideListen, (host) => {
        expect(mayListen(policy({ host }))).toBe(false);
        expect(mayListen(policy({ host, noAuth: true }))).toBe(true);
        expect(mayListen(policy({ host, token: 't' }))).toBe(true);
        expect(decideAccess(policy({ host }), request()).kind).toBe('refused');
      }),
    );
    expect(mayListen(policy())).toBe(true);
  });
});

describe('with a token', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/);

  it('only the right one opens, in the header or the query, from anywhere', () => {
    fc.assert(
      fc.property(token, token, fc.oneof(loopbackHost, outsideHost), (right, given, hostHeader) => {
        const asked = policy({ host: '0.0.0.0', token: right });
        const expected = right === given ? { kind: 'allowed' } : { kind: 'refused', code: 'token_wrong' };
        expect(decideAccess(asked, request({ hostHeader, authorization: `Bearer ${given}` }))).toEqual(
          expected,
        );
        expect(decideAccess(asked, request({ hostHeader, queryToken: given }))).toEqual(expected);
      }),
    );
  });

  it('is not asked of this machine, and of a proxy on it is', () => {
    const local = policy({ token: 'right' });
    expect(decideAccess(local, request())).toEqual({ kind: 'allowed' });
    expect(decideAccess(local, request({ headerNames: ['host', 'x-forwarded-for'] }))).toEqual({
      kind: 'refused',
      code: 'token_missing',
    });
    const proxied = { hostHeader: 'nas', authorization: 'Bearer right' };
    expect(decideAccess(policy({ token: 'right', publicHost: 'nas' }), request(proxied)).kind).toBe(
      'allowed',
    );
    expect(
      decideAccess(policy({ token: 'right', publicHost: 'nas' }), request({ hostHeader: 'nas' })).kind,
    ).toBe('refused');
  });

  it('is asked for where it is missing', () => {
    const asked = policy({ host: '0.0.0.0', token: 'right' });
    for (const authorization of [undefined, '', 'Bearer', 'Basic right']) {
      expect(decideAccess(asked, request({ authorization }))).toEqual({
        kind: 'refused',
        code: 'token_missing',
      });
    }
    expect(decideAccess(asked, request({ queryToken: '' }))).toEqual({
      kind: 'refused',
      code: 'token_missing',
    });
  });
});

it('with --no-auth everybody may ask', () => {
  fc.assert(
    fc.property(outsideHost, forwarding, (hostHeader, header) => {
      const open = policy({ host: '0.0.0.0', noAuth: true });
      expect(decideAccess(open, request({ hostHeader, headerNames: [header] })).kind).toBe('allowed');
    }),
  );
});
