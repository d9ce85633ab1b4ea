import { describe, expect, it } from 'vitest';
import type { Variant } from '../../src/domain/hlsPlaylist.js';
import { BEST, parseQuality, rankVariants, variantMark } from '../../src/domain/hlsVariant.js';

function variant(height: number, bandwidth: number, more: Partial<Variant> = {}): Variant {
  const width = Math.round((height * 16) / 9);
  return {
    uri: `http://h/${height}.m3u8`,
    bandwidth,
    width,
    height,
    codecs: '',
    sound: 'inside',
    picture: true,
    ...more,
  };
}

const LADDER = [variant(360, 800_000), variant(1080, 6_000_000), variant(720, 3_000_000)];
const first = (variants: readonly Variant[], wish = BEST, mark: string | null = null) =>
  rankVariants(variants, wish, mark)[0]?.height;

describe('the variant', () => {
  it('is the best within the wish, and where none is, the one that exceeds it least', () => {
    expect(first(LADDER)).toBe(1080);
    expect(first(LADDER, { kind: 'height', heightMax: 720 })).toBe(720);
    expect(first(LADDER, { kind: 'rate', bitsMax: 2_500_000 })).toBe(360);
    expect(first(LADDER, { kind: 'height', heightMax: 240 })).toBe(360);
  });

  it('has its sound inside and a picture, whatever else it lacks', () => {
    const odd = [
      variant(2160, 20_000_000, { sound: 'separate' }),
      variant(1440, 9_000_000, { sound: 'none' }),
      variant(0, 128_000, { picture: false }),
      ...LADDER,
    ];
    expect(first(odd)).toBe(1080);
    expect(rankVariants(odd, BEST).some(({ sound }) => sound === 'separate')).toBe(false);
  });

  it('that says nothing of its bandwidth comes after those that do', () => {
    expect(first([variant(1080, 0), variant(720, 1)])).toBe(720);
  });

  it('stays the same for a recording, whatever would be better now', () => {
    const mark = variantMark(variant(360, 800_000));
    expect(first(LADDER, BEST, mark)).toBe(360);
    expect(first(LADDER, BEST, 'gone')).toBe(1080);
  });
});

it('a quality is best, a size, a height or a rate', () => {
  expect(parseQuality('Best')).toEqual(BEST);
  expect(parseQuality('1280x720')).toEqual({ kind: 'height', heightMax: 720 });
  expect(parseQuality('720p')).toEqual({ kind: 'height', heightMax: 720 });
  expect(parseQuality('2500k')).toEqual({ kind: 'rate', bitsMax: 2_500_000 });
  expect(parseQuality('4.5M')).toEqual({ kind: 'rate', bitsMax: 4_500_000 });
  for (const wrong of ['', '720', 'x720', '0p', '4', '0k', 'hd', '1280x720p', '-4M'])
    expect(parseQuality(wrong)).toBeNull();
});
