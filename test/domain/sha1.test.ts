import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha1hex } from '../../src/domain/sha1.js';

const reference = (text: string) => createHash('sha1').update(text, 'utf8').digest('hex');

describe('sha1hex', () => {
  it('agrees with the published vectors', () => {
    expect(sha1hex('')).toBe('da39a3ee5e6b4b0d3255bfef95601890afd80709');
    expect(sha1hex('abc')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
  });

  it('agrees with node for any text, unpaired surrogates included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(sha1hex(text)).toBe(reference(text));
      }),
    );
  });

  it('agrees with node at every length around a block boundary', () => {
    for (let length = 50; length < 140; length++) {
      const text = 'x'.repeat(length);
      expect(sha1hex(text)).toBe(reference(text));
    }
  });
});
