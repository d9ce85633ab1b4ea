import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkedBody } from '../../src/io/chunkedBody.js';

const cuts = fc.array(fc.nat(2_000), { maxLength: 20 });

function coded(chunks: readonly Uint8Array[], extension: string, trailer: string): Buffer {
  const parts = chunks
    .filter((chunk) => chunk.length > 0)
    .flatMap((chunk) => [
      Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`),
      chunk,
      Buffer.from('\r\n'),
    ]);
  return Buffer.concat([...parts, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

/** Decodes in reads that end at `ends`, each at an offset of its own in its buffer, as a socket's are not. */
function decode(bytes: Buffer, ends: readonly number[]) {
  const body = chunkedBody();
  const out: Buffer[] = [];
  let at = 0;
  for (const end of [
    ...ends.map((one) => one % (bytes.length + 1)).toSorted((a, b) => a - b),
    bytes.length,
  ]) {
    const read = Buffer.concat([Buffer.from('xx'), bytes.subarray(at, end)]);
    out.push(Buffer.from(read.subarray(2, body.decode(read, 2, read.length))));
    at = Math.max(at, end);
  }
  return { bytes: Buffer.concat(out), state: body.state() };
}

describe('chunked coding', () => {
  it('gives the body back however it is cut, and knows its end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
        fc.constantFrom('', ';name=value', ' ', ';a="b"'),
        fc.constantFrom('', 'Expires: never\r\n', 'A: 1\r\nB: 2\r\n'),
        cuts,
        (chunks, extension, trailer, ends) => {
          const decoded = decode(coded(chunks, extension, trailer), ends);
          expect(decoded.bytes.equals(Buffer.concat(chunks))).toBe(true);
          expect(decoded.state).toBe('end');
        },
      ),
    );
  });

  it('waits while the end has not come, and gives what is there', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(400),
        cuts,
        (chunk, length, ends) => {
          const whole = coded([chunk], '', '');
          const cut = whole.subarray(0, Math.min(length, whole.length - 1));
          const decoded = decode(cut, ends);
          expect(decoded.state).toBe('open');
          expect(Buffer.from(chunk).subarray(0, decoded.bytes.length).equals(decoded.bytes)).toBe(true);
        },
      ),
    );
  });

  it.each(['', 'G\r\n', '\r\n', ';x\r\n', '-1\r\n', 'ffffffffffffffff\r\n', `1;${'x'.repeat(5_000)}`])(
    'says that %j is none',
    (text) => {
      const after = decode(Buffer.from(text), []);
      expect(after.state).toBe(text === '' ? 'open' : 'broken');
    },
  );

  it('says so when a chunk is longer than it said', () => {
    expect(decode(Buffer.from('3\r\nabcdef\r\n0\r\n\r\n'), [])).toEqual({
      bytes: Buffer.from('abc'),
      state: 'broken',
    });
  });
});
