import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findId } from '../../src/domain/commands.js';

const hex = fc.stringMatching(/^[0-9a-f]{8}$/);

describe('an id', () => {
  it('is found by every beginning that no other has, and by nothing else', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(hex, { minLength: 1, maxLength: 40 }),
        fc.nat(),
        fc.nat(8),
        (ids, at, cut) => {
          const id = ids[at % ids.length] ?? '';
          const text = id.slice(0, cut);
          const fitting = ids.filter((each) => each.startsWith(text));
          const found = findId(text.toUpperCase(), ids);
          if (text === '') expect(found).toEqual({ kind: 'unknown' });
          else if (fitting.length === 1) expect(found).toEqual({ kind: 'found', id });
          else expect(found.kind).toBe('ambiguous');
        },
      ),
    );
  });

  it('that is whole is found beside a longer one that begins with it', () => {
    expect(findId('1a2b3c4d', ['1a2b3c4d9', '1a2b3c4d'])).toEqual({ kind: 'found', id: '1a2b3c4d' });
  });

  it('that is no hex is nobody, whatever it tries', () => {
    for (const text of ['', ' ', '../..', '%2e', 'xyz', '1a2b*', '0'.repeat(41)])
      expect(findId(text, ['1a2b3c4d'])).toEqual({ kind: 'unknown' });
  });
});
