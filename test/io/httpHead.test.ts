import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headReader } from '../../src/io/httpHead.js';

function read(text: string) {
  return headReader().push(Buffer.from(text, 'latin1'));
}

describe('the head of an answer', () => {
  it('is the same however it is cut, and leaves what follows', () => {
    const text =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Fine\r\nA: 1\r\nB:2\r\na: 3\r\nSet-Cookie: x=1\r\nSet-Cookie: y=2\r\n\r\nbody';
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
        const reader = headReader();
        const ends = [...cuts.toSorted((a, b) => a - b), text.length];
        let at = 0;
        let rest = '';
        let status = 0;
        for (const end of ends) {
          const part = text.slice(at, end);
          at = end;
          if (status > 0) {
            rest += part;
            continue;
          }
          const seen = reader.push(Buffer.from(part));
          expect(seen.kind).not.toBe('broken');
          if (seen.kind !== 'head') continue;
          ({ status } = seen.head);
          expect(seen.head.headers).toMatchObject({ a: '1, 3', b: '2' });
          expect(seen.head.cookies).toEqual(['x=1', 'y=2']);
          rest += seen.rest.toString();
        }
        expect(status).toBe(200);
        expect(rest).toBe('body');
      }),
    );
  });

  it('may have bare line feeds, folded lines, lines that are no header, and no reason', () => {
    const seen = read('HTTP/1.1 200\nX-One: a\n  b\nnonsense\nX-Two: c\n\n');
    expect(seen).toMatchObject({ kind: 'head', head: { headers: { 'x-one': 'a b', 'x-two': 'c' } } });
    expect(read('ICY 200 OK\r\nicy-name: radio\r\n\r\n')).toMatchObject({
      kind: 'head',
      head: { status: 200, staysOpen: false },
    });
  });

  it.each([
    ['HTTP/1.1 200 OK\r\n\r\n', true],
    ['HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n', true],
  ])('%j keeps its connection: %s', (text, staysOpen) => {
    expect(read(text)).toMatchObject({ kind: 'head', head: { staysOpen } });
  });

  it.each(['220 smtp ready\r\n', 'HTTP/1.1 101 Switching\r\n\r\n', 'HTTP/1.1 ok\r\n\r\n', '<html>'])(
    'is none: %j',
    (text) => expect(read(text).kind).toBe('broken'),
  );

  it('ends somewhere', () => {
    const reader = headReader();
    reader.push(Buffer.from('HTTP/1.1 200 OK\r\n'));
    let kind = 'more';
    for (let n = 0; n < 20 && kind === 'more'; n++)
      ({ kind } = reader.push(Buffer.from(`X-${n}: ${'a'.repeat(4_000)}\r\n`)));
    expect(kind).toBe('broken');
  });
});
