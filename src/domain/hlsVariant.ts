/**
 * Which variant of an HLS master playlist is recorded: one with its sound inside, the best within what was asked for,
 * and the same again whenever a recording comes back to it.
 */
import type { Variant } from './hlsPlaylist.js';

/** `--prefer-quality`: the best there is, the best no higher than this, or the best of no more bits a second. */
export type QualityWish =
  | { readonly kind: 'best' }
  | { readonly kind: 'height'; readonly heightMax: number }
  | { readonly kind: 'rate'; readonly bitsMax: number };

export const BEST: QualityWish = { kind: 'best' };

/** `best`, `1280x720` or `720p`, `2500k` or `4M` (bits a second); null is none of them. */
export function parseQuality(text: string): QualityWish | null {
  const word = text.trim().toLowerCase();
  if (word === 'best') return BEST;
  const height = /^(?:[1-9]\d{1,4}x)?([1-9]\d{1,4})p?$/.exec(word);
  if (height?.[1] !== undefined && word.includes('x') !== word.endsWith('p'))
    return { kind: 'height', heightMax: Number(height[1]) };
  const rate = /^(\d{1,9}(?:\.\d{1,3})?)([km])$/.exec(word);
  const bits = rate ? Number(rate[1]) * (rate[2] === 'm' ? 1_000_000 : 1_000) : 0;
  return bits > 0 ? { kind: 'rate', bitsMax: bits } : null;
}

/** What a variant is recognised by when its playlist comes back under other addresses. */
export function variantMark({ bandwidth, width, height, codecs }: Variant): string {
  return `${width}x${height}/${bandwidth}/${codecs}`;
}

/**
 * Those that can be recorded, the one to take first; what follows is for when it fails. `mark`: of the one that this
 * recording has, or null.
 */
export function rankVariants(
  variants: readonly Variant[],
  wish: QualityWish,
  mark: string | null = null,
): readonly Variant[] {
  const sounding = variants.filter(({ sound }) => sound !== 'separate');
  return sounding
    .map((variant, index) => ({ variant, index, same: variantMark(variant) === mark }))
    .toSorted(
      (a, b) => Number(b.same) - Number(a.same) || compare(a.variant, b.variant, wish) || a.index - b.index,
    )
    .map(({ variant }) => variant);
}

function compare(a: Variant, b: Variant, wish: QualityWish): number {
  const [fitsA, fitsB] = [fits(a, wish), fits(b, wish)];
  return (
    Number(b.picture) - Number(a.picture) ||
    Number(b.sound === 'inside') - Number(a.sound === 'inside') ||
    Number(b.bandwidth > 0) - Number(a.bandwidth > 0) ||
    Number(fitsB) - Number(fitsA) ||
    // Where none fits, the smallest exceeds the least.
    (fitsA ? -1 : 1) * (a.height - b.height || a.bandwidth - b.bandwidth)
  );
}

function fits({ height, bandwidth }: Variant, wish: QualityWish): boolean {
  switch (wish.kind) {
    case 'best':
      return true;
    case 'height':
      return height <= wish.heightMax;
    case 'rate':
      return bandwidth <= wish.bitsMax;
  }
}
