import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capsule } from '../../src/domain/capsule.js';
import { fitName, itemName, itemNames, LONGEST_SUFFIX, sanitize, spoolName } from '../../src/domain/names.js';
import { sha1hex } from '../../src/domain/sha1.js';
import { utf8Bytes } from '../../src/domain/text.js';

const capsule: Capsule = {
  capsuleId: 'dna-1:202611231930:man-utd-vs-city',
  recordKey: 'dna-1|2026-11-23t19:30:00z|man utd vs city',
  dnaId: 'dna-1',
  channelId: 'bbcone',
  guideNumber: '101',
  channelName: 'BBC One',
  group: '',
  title: 'Man Utd vs City',
  subTitle: '',
  desc: '',
  categories: [],
  episode: '',
  lane: 'sports',
  startAt: Date.UTC(2026, 10, 23, 19, 30),
  stopAt: Date.UTC(2026, 10, 23, 21, 30),
  upstreams: [],
};
const STAMP = '-2026-11-23-19-30-UTC';

describe('sanitize', () => {
  it.each([
    ['Man Utd vs City 2026-11-23 19-30 UTC', 'Man-Utd-vs-City-2026-11-23-19-30-UTC'],
    ['Tom & Jerry: The Movie - Part 2 x', 'Tom-Jerry-The-Movie---Part-2-x'],
    ['  (Ärger) im Büro!  ', 'Ärger-im-Büro'],
    ['a_b.c', 'a_b.c'],
    ['???', 'capsule'],
    ['', 'capsule'],
    ['..', 'capsule'],
  ])('%s becomes %s', (text, name) => {
    expect(sanitize(text)).toBe(name);
  });

  it('never leaves the folder it is used in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const name = sanitize(text);
        expect(name).not.toMatch(/[/\\\0]/);
        expect(['', '.', '..']).not.toContain(name);
      }),
    );
  });
});

describe('itemName', () => {
  it('is title, sub-title and start', () => {
    expect(itemName(capsule)).toBe(`Man-Utd-vs-City${STAMP}`);
    expect(itemName({ ...capsule, subTitle: 'Premier League' })).toBe(
      `Man-Utd-vs-City-Premier-League${STAMP}`,
    );
  });

  it('falls back to the channel and then to the capsule', () => {
    expect(itemName({ ...capsule, title: '' })).toBe(`BBC-One${STAMP}`);
    expect(itemName({ ...capsule, title: '', channelName: '' })).toBe(
      `dna-1-202611231930-man-utd-vs-city${STAMP}`,
    );
  });

  it('is never hidden from media servers by a leading dot', () => {
    expect(itemName({ ...capsule, title: '...and Justice for All' })).toBe(`and-Justice-for-All${STAMP}`);
  });
});

describe('fitName', () => {
  it('leaves alone what fits', () => {
    expect(fitName(`abc${STAMP}`, 255, '.ts')).toBe(`abc${STAMP}`);
  });

  it('cuts the title and keeps the date and what follows it', () => {
    const name = fitName(`${'a'.repeat(300)}${STAMP}-BBC-One`, 143, LONGEST_SUFFIX);
    expect(utf8Bytes(name + LONGEST_SUFFIX)).toBe(143);
    expect(name.endsWith(`aaa${STAMP}-BBC-One`)).toBe(true);
  });

  it('keeps the last date where the title holds one too', () => {
    const name = fitName(`2020-01-01-10-00-UTC-${'b'.repeat(300)}${STAMP}`, 143, '.ts');
    expect(name.startsWith('2020-01-01-10-00-UTC-bbb')).toBe(true);
    expect(name.endsWith(STAMP)).toBe(true);
  });

  it('fits any title between two characters, date included', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.constantFrom(143, 255),
        (title, bytesMax) => {
          const name = fitName(itemName({ ...capsule, title }), bytesMax, LONGEST_SUFFIX);
          expect(utf8Bytes(name + LONGEST_SUFFIX)).toBeLessThanOrEqual(bytesMax);
          expect(name.endsWith(STAMP.slice(1))).toBe(true);
          expect(name).not.toContain('\ufffd');
        },
      ),
    );
  });
});

describe('itemNames', () => {
  it('adds the channel, then six digits of the id', () => {
    const hash = sha1hex('0a1b2c3d').slice(0, 6);
    expect(itemNames(capsule, '0a1b2c3d')).toEqual([
      `Man-Utd-vs-City${STAMP}`,
      `Man-Utd-vs-City${STAMP}-BBC-One`,
      `Man-Utd-vs-City${STAMP}-BBC-One-${hash}`,
    ]);
  });

  it('stays distinct and within bounds for the longest titles', () => {
    const names = itemNames({ ...capsule, title: '漢'.repeat(200), channelName: 'é'.repeat(200) }, 'x', 143);
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(utf8Bytes(name + LONGEST_SUFFIX)).toBeLessThanOrEqual(143);
  });
});

describe('spoolName', () => {
  it('is the capsule id without what a file system dislikes', () => {
    expect(spoolName(capsule.capsuleId)).toBe('dna-1-202611231930-man-utd-vs-city');
  });
});
