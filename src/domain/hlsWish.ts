/** What a recording wants of an HLS stream: from when, which variant, and how hard it may ask. */
import type { SavedCursor } from './hlsCursor.js';
import type { QualityWish } from './hlsVariant.js';

export interface HlsWish {
  /** Wall clock from which media is wanted, as far as the playlist still has it. */
  readonly from: number;
  /** Where this recording stands on this upstream, or null. */
  readonly cursor: SavedCursor | null;
  readonly quality: QualityWish;
  /** The account counts connections: one request after the other. */
  readonly oneAtATime: boolean;
}
