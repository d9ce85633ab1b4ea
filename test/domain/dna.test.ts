import { describe, expect, it } from 'vitest';
import { dnaId, normalizeName } from '../../src/domain/dna.js';
import { sha1hex } from '../../src/domain/sha1.js';

const blank = { tvgId: '', guideName: '', guideNumber: '', channelId: '' };
const hashed = (key: string) => `dna-${sha1hex(key).slice(0, 16)}`;

describe('normalizeName', () => {
  it.each([
    ['US: Discovery Channel HD', 'discovery'],
    ['BBC One FHD', 'bbcone'],
    ['  UK | Sky-Sports 1 [4K] vip ', 'skysports1'],
    ['Россия 1 HD', 'россия1'],
    ['Channel 4', '4'],
    ['HD', ''],
  ])('%s becomes %s', (name, norm) => {
    expect(normalizeName(name)).toBe(norm);
  });
});

describe('dnaId', () => {
  it('agrees with the published vectors', () => {
    expect(dnaId({ ...blank, tvgId: 'BBCOne.uk' })).toBe('dna-6398cc29ed163b32');
    expect(dnaId({ ...blank, guideName: 'US: Discovery Channel HD', guideNumber: '101' })).toBe(
      'dna-4a707aeb27412b61',
    );
    expect(dnaId({ ...blank, guideName: 'BBC One FHD' })).toBe('dna-cd16933d36afd170');
  });

  it('keeps the id a row brings, unless it is blank', () => {
    expect(dnaId({ ...blank, dnaId: ' dna-own ', tvgId: 'x' })).toBe('dna-own');
    expect(dnaId({ ...blank, dnaId: '  ', tvgId: 'BBCOne.uk' })).toBe('dna-6398cc29ed163b32');
  });

  it('goes down the keys in their order', () => {
    const row = { tvgId: ' A.uk ', guideName: 'News', guideNumber: '7', channelId: 'C1' };
    expect(dnaId(row)).toBe(hashed('tvgid:a.uk'));
    expect(dnaId({ ...row, tvgId: '' })).toBe(hashed('name-guide:news:7'));
    expect(dnaId({ ...row, tvgId: '', guideName: 'HD' })).toBe(hashed('name-guide:c1:7'));
    expect(dnaId({ ...row, tvgId: '', guideNumber: '' })).toBe(hashed('name:news'));
    expect(dnaId({ ...blank, guideNumber: '7' })).toBe(hashed('guide:7'));
    expect(dnaId({ ...blank, channelId: 'HD' })).toBe(hashed('channel:hd'));
    expect(dnaId(blank)).toBe(hashed('unknown'));
  });
});
